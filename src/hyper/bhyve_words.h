/*
 * From variables of bhyve_config(5) to bhyve's words: the one place that knows which of bhyve's
 * short forms can say a value, and how a value is escaped.
 */
#ifndef HYPER_BHYVE_WORDS_H
#define HYPER_BHYVE_WORDS_H

#include "base/pairs.h"
#include "base/words.h"
#include "device/device.h"

/* -o KEY=VALUE. */
void bhyve_variable(struct words *argv, const char *key, const char *value);
/* -s B:S:F,MODEL,CONF where that says the same as the variables, else a -o for each of them. */
void bhyve_device(struct words *argv, const struct slot *slot, const struct bhyve_form *form,
    const struct pairs *vars);
/*
 * The text that bhyve reads back as this value.  It expands %(name) in every value that has a `%`
 * and takes backslashes as escapes there, and only there (config.c; bhyve_config(5) says `%%`,
 * which the code does not do).  Caller frees.
 */
char *bhyve_escape(const char *value);

#endif
