/* Dates as text. */
#include "base/date.h"

#include <string.h>
#include <time.h>

#define LAST_YEAR 9999

/* Writes the last digits of a number over those of the text, and returns what is behind them. */
static char *put(char *at, int number, int digits)
{
	for (int i = digits; i-- > 0; number /= 10)
		at[i] = (char)('0' + number % 10);
	return at + digits + 1;
}

/* strftime(3) and printf(3) would take as long as all else in an event. */
const char *date_text(int64_t ms, char text[DATE_TEXT])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc = { 0 };
	char *at = text;

	memcpy(text, "0000-00-00T00:00:00.000Z", sizeof("0000-00-00T00:00:00.000Z"));
	if (ms < 0 || gmtime_r(&seconds, &utc) == NULL || utc.tm_year > LAST_YEAR - 1900)
		return text;
	at = put(at, utc.tm_year + 1900, 4);
	at = put(at, utc.tm_mon + 1, 2);
	at = put(at, utc.tm_mday, 2);
	at = put(at, utc.tm_hour, 2);
	at = put(at, utc.tm_min, 2);
	at = put(at, utc.tm_sec, 2);
	(void)put(at, (int)(ms % 1000), 3);
	return text;
}
