/* Text of others without the control characters that could steer a terminal. */
#ifndef CLI_MASK_H
#define CLI_MASK_H

/*
 * Replaces each control character by the mark, except those in `kept`, such as "\n\t".  Control
 * characters are those of ASCII and, in UTF-8, U+0080 to U+009F, of which a mark replaces each
 * byte.
 */
void mask_control(char *text, const char *kept, char mark);

#endif
