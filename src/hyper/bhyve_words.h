/*
 * From variables of bhyve_config(5) to bhyve's options: the one place that knows which short forms
 * can have a value, and how a value is escaped.
 */
#ifndef HYPER_BHYVE_WORDS_H
#define HYPER_BHYVE_WORDS_H

#include "base/pairs.h"
#include "base/report.h"
#include "base/words.h"
#include "device/device.h"

/* A command in two forms: its words, and the variables that bhyve sets because of them. */
struct bhyve_out {
	struct words *argv;
	struct pairs *config; /* NULL: the variables are left out, and so are remarks on them */
};

/* Notes a variable that other words set. */
void bhyve_set(struct bhyve_out *out, const char *key, const char *value);

/* Adds OPTION [ARGUMENT], which sets the variable. */
void bhyve_add_option(struct bhyve_out *out, const char *option, const char *argument,
    const char *key, const char *value);
/* Adds -o KEY=VALUE. */
void bhyve_add_variable(struct bhyve_out *out, const char *key, const char *value);
/* Adds -s B:S:F,MODEL,CONF if that can express the variables, otherwise -o for each of them. */
void bhyve_add_device(struct bhyve_out *out, const struct slot *slot, const struct bhyve_form *form,
    const struct pairs *vars);
/*
 * Returns the variables as a file for bhyve -k, after comments on what it lacks; secret_path may be
 * NULL.  Reports a value that does not fit into a line.  Caller frees.
 */
char *bhyve_config_text(const struct pairs *config, const struct words *remarks,
    const char *secret_path, struct report *report);
/* Returns "pci.B.S.F.KEY".  Caller frees. */
char *bhyve_pci_key(const struct slot *slot, const char *key);
/*
 * Returns the text that bhyve reads as this value.  In a value with a `%`, and only there, bhyve
 * expands %(name) and takes backslashes as escapes (config.c; `%%` of bhyve_config(5) is not
 * implemented).  Caller frees.
 */
char *bhyve_escape(const char *value);

#endif
