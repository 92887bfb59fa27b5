/* A length of time in words. */
#ifndef CLI_DURATION_H
#define CLI_DURATION_H

#include <stdint.h>

#define DURATION_TEXT 48

/* "1.5 s", "2 min 5 s", "3 h 20 min"; returns text. */
const char *duration(int64_t ms, char text[DURATION_TEXT]);

#endif
