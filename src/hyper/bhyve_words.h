/*
 * From variables of bhyve_config(5) to bhyve's words: the one place that knows which of bhyve's
 * short forms can say a value, and how a value is escaped.
 */
#ifndef HYPER_BHYVE_WORDS_H
#define HYPER_BHYVE_WORDS_H

#include "base/pairs.h"
#include "base/report.h"
#include "base/words.h"
#include "device/device.h"

/* What a command says, twice: as words, and as the variables that bhyve reads out of them. */
struct bhyve_out {
	struct words *argv;
	struct pairs *config;
};

/* OPTION [ARGUMENT], which sets the variable. */
void bhyve_say(struct bhyve_out *out, const char *option, const char *argument, const char *key,
    const char *value);
/* -o KEY=VALUE. */
void bhyve_variable(struct bhyve_out *out, const char *key, const char *value);
/* -s B:S:F,MODEL,CONF where that says the same as the variables, else a -o for each of them. */
void bhyve_device(struct bhyve_out *out, const struct slot *slot, const struct bhyve_form *form,
    const struct pairs *vars);
/*
 * The variables as a file for bhyve -k, after comments on what is not in it; secret_path may be
 * NULL.  A value that no line can hold is reported. Caller frees.
 */
char *bhyve_config_text(const struct pairs *config, const struct words *remarks,
    const char *secret_path, struct report *report);
/* "pci.B.S.F.KEY". Caller frees. */
char *bhyve_pci_key(const struct slot *slot, const char *key);
/*
 * The text that bhyve reads back as this value.  It expands %(name) in every value that has a `%`
 * and takes backslashes as escapes there, and only there (config.c; bhyve_config(5) says `%%`,
 * which the code does not do).  Caller frees.
 */
char *bhyve_escape(const char *value);

#endif
