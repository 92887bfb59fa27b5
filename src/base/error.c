/* One failure with its text and exit status. */
#include "base/error.h"

#include <stdlib.h>

#include "base/mem.h"

int error_set(struct error *err, enum status status, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL || err->text != NULL)
		return -1;
	va_start(ap, fmt);
	err->text = mem_vformat(fmt, ap);
	va_end(ap);
	err->status = status;
	return -1;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	MEM_AUTO char *old = NULL, *prefix = NULL;
	va_list ap;

	if (err == NULL)
		return -1;
	old = err->text;
	va_start(ap, fmt);
	prefix = mem_vformat(fmt, ap);
	va_end(ap);
	err->text = mem_format("%s: %s", prefix, old == NULL ? "failed" : old);
	return -1;
}

void error_clear(struct error *err)
{
	if (err == NULL)
		return;
	free(err->text);
	err->text = NULL;
	err->status = STATUS_OK;
}
