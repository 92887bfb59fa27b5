/* Documents and devices from short texts: JSON with ' for ", decoded in the directory /specs. */
#ifndef TESTS_DEVICE_SUPPORT_H
#define TESTS_DEVICE_SUPPORT_H

#include "../base/dice.h"

#include "device/device.h"

struct node *doc_of(const char *text);
/* Takes the report: "path: text\n" each. Caller frees. */
char *problems_of(struct report *report);
/* Takes the report: it must hold nothing. */
void no_problems(struct report *report, const char *what);
/* `got` must hold that line, its end may be left out. */
void has_line(const char *got, const char *wanted, const char *what);
/* The device of an entry, at emulations[0]; it must be good. */
struct device *device_of(const char *text);
/* device_print() of that device holds this text (with ' for ", too). */
void device_shows(const char *text, const char *wanted);
/* Returns why qemu cannot have that device; NULL: it can. The caller frees it. */
char *device_refused_by_qemu(const char *text);
/* It is refused with a problem that begins with `wanted`, "emulations[0].path: ...". */
void device_refused(const char *text, const char *wanted);

#endif
