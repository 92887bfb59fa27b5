/* Dates as text. */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

#define DATE_TEXT 40 /* bytes of a date, with its NUL */

/* Writes milliseconds since 1970 as UTC, "2026-01-01T00:00:00.000Z", and returns the text. */
const char *date_text(int64_t ms, char text[DATE_TEXT]);

#endif
