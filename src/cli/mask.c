/* Text of others without the control characters that could steer a terminal. */
#include "cli/mask.h"

#include <stdbool.h>
#include <string.h>

static bool is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* Returns whether the text begins with U+0080 to U+009F, which are C2 80 to C2 9F in UTF-8. */
static bool begins_with_c1(const unsigned char *text)
{
	return text[0] == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0;
}

void mask_control(char *text, const char *kept, char mark)
{
	for (char *p = text; *p != '\0'; p++) {
		if (begins_with_c1((const unsigned char *)p)) {
			*p++ = mark;
			*p = mark;
		} else if (is_control((unsigned char)*p) && strchr(kept, *p) == NULL) {
			*p = mark;
		}
	}
}
