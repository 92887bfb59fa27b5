/* Durations as text. */
#ifndef CLI_DURATION_H
#define CLI_DURATION_H

#include <stdint.h>

#define DURATION_TEXT 48

/* Writes "1.5 s", "2 min 5 s" or "3 h 20 min" to the text and returns it. */
const char *duration(int64_t ms, char text[DURATION_TEXT]);

#endif
