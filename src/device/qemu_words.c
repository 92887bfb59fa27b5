/* Words for qemu. */
#include "device/qemu_words.h"

#include <stdarg.h>
#include <string.h>

#include "base/str.h"

static void add_doubled(struct str *s, const char *value)
{
	for (const char *p = value; *p != '\0'; p++)
		str_add_n(s, *p == ',' ? ",," : p, *p == ',' ? 2 : 1);
}

void qemu_option(struct words *argv, const char *option, const char *fmt, ...)
{
	struct str s = { 0 };
	va_list ap;

	va_start(ap, fmt);
	for (const char *p = fmt; *p != '\0'; p++) {
		if (strncmp(p, "%s", 2) == 0) {
			add_doubled(&s, va_arg(ap, const char *));
			p++;
		} else {
			str_add_n(&s, p, 1);
		}
	}
	va_end(ap);
	words_add(argv, option);
	words_take(argv, str_take(&s));
}
