/* Dates as text. */
#include "base/date.h"

#include <stdio.h>
#include <time.h>

const char *date_text(int64_t ms, char text[DATE_TEXT])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc = { 0 };
	size_t n;

	(void)gmtime_r(&seconds, &utc);
	n = strftime(text, DATE_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(text + n, DATE_TEXT - n, ".%03dZ", (int)(ms % 1000));
	return text;
}
