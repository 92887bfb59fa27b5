/* Durations as text. */
#include "cli/duration.h"

#include <inttypes.h>
#include <stdio.h>

const char *duration(int64_t ms, char text[DURATION_TEXT])
{
	if (ms < 60000)
		(void)snprintf(text, DURATION_TEXT, "%.1f s", (double)ms / 1000);
	else if (ms < 3600000)
		(void)snprintf(text, DURATION_TEXT, "%" PRId64 " min %" PRId64 " s", ms / 60000,
		    ms / 1000 % 60);
	else
		(void)snprintf(text, DURATION_TEXT, "%" PRId64 " h %" PRId64 " min", ms / 3600000,
		    ms / 60000 % 60);
	return text;
}
