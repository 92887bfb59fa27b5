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

/* Returns the next character of the input, or -1. */
int console_read(void);

#endif
