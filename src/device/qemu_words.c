/* Options of qemu. */
#include "device/qemu_words.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

static void add_doubled(struct str *s, const char *value)
{
	for (const char *p = value; *p != '\0'; p++)
		str_add_n(s, *p == ',' ? ",," : p, *p == ',' ? 2 : 1);
}

void qemu_begin(struct words *argv, const char *option, const char *first)
{
	struct str word = { 0 };

	if (first != NULL)
		add_doubled(&word, first);
	words_add(argv, option);
	words_take(argv, str_take(&word));
}

void qemu_pair(struct words *argv, const char *key, const char *value)
{
	char **last = &argv->item[argv->count - 1];
	struct str word = { 0 };

	if (value == NULL)
		return;
	str_addf(&word, "%s%s%s=", *last, **last == '\0' ? "" : ",", key);
	add_doubled(&word, value);
	free(*last);
	*last = str_take(&word);
}

void qemu_pairf(struct words *argv, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	MEM_AUTO char *value = mem_vformat(fmt, ap);
	va_end(ap);
	qemu_pair(argv, key, value);
}

void qemu_verbatim(struct words *argv, const char *pairs)
{
	char **last = &argv->item[argv->count - 1];
	char *word = mem_format("%s,%s", *last, pairs);

	free(*last);
	*last = word;
}

void qemu_address(const struct qemu_build *q, const struct device *dev)
{
	if (dev->slot.bus == 0)
		qemu_pair(q->argv, "bus", "pcie.0");
	else
		qemu_pairf(q->argv, "bus", QEMU_BUS, dev->slot.bus);
	qemu_pairf(
	    q->argv, "addr", "%x.%x", (unsigned)dev->slot.slot, (unsigned)dev->slot.function);
	qemu_pair(q->argv, "multifunction", q->multifunction ? "on" : NULL);
}
