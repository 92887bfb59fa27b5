/* Text on COM1, and single characters from it. */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

#include "io.h"

void console_init(void);
void console_char(char c);
void console_text(const char *text);
void console_line(const char *text);
void console_dec(u32 value);
void console_hex(u32 value, int digits);

/* The next character that has come in, -1 for none. */
int console_read(void);

#endif
