/* The lines of a guest's .conf, read as vm-bhyve's config::load and config::get do. */
#ifndef IMPORT_VM_BHYVE_CONF_H
#define IMPORT_VM_BHYVE_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"

struct conf_setting {
	char *key, *value;
	size_t line;
	bool used; /* vm-bhyve reads it for this guest */
};

struct conf {
	struct conf_setting *item;
	size_t count;
	struct words ignored; /* "line 3 (disk1_type)": what vm-bhyve takes for no setting */
};

/* Adds the settings of a text. */
void conf_read(struct conf *conf, const char *text, size_t length);
/* Lends the setting of a key, without noting that it is used, or NULL. */
const struct conf_setting *conf_find(const struct conf *conf, const char *key);
/* Lends the value of a key and notes that it is used; NULL if it is not set. */
const char *conf_get(struct conf *conf, const char *key);
/* Returns what util::yesno makes of a value: anything but no, false, off, 0 and "" is yes. */
bool conf_yes(const char *value);
void conf_free(struct conf *conf);

#endif
