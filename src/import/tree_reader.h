/* What the files of the import of commands share: a tree of variables that becomes a spec. */
#ifndef IMPORT_TREE_READER_H
#define IMPORT_TREE_READER_H

#include "base/node.h"
#include "base/pairs.h"
#include "base/report.h"
#include "base/words.h"
#include "device/device.h"

#define ACPI_RELEASE 15 /* ACPI tables are on by default */

struct tree_reader {
	const struct pairs *tree; /* all values expanded */
	const struct words *fwcfg;
	const struct bhyve_host *host;
	const char *directory;	      /* where relative paths start */
	const char *loader_directory; /* likewise for those of the loader */
	bool is_file;		      /* the variables are lines of a file, not options */
	bool is_loaded;		      /* a loader that the text names starts the guest */
	struct node *spec;	      /* the document that is being made */
	struct words *notes;
	struct report *report;
};

/* Adds the keys of the spec but those of its devices. */
void tree_read_machine(struct tree_reader *r);
/* Adds `emulations`, the host bridge and the lpc. */
void tree_read_devices(struct tree_reader *r);
/* Returns whether the VM has an lpc.  After tree_read_devices(); an arm64 guest has none. */
bool tree_has_lpc(const struct tree_reader *r);
/*
 * Adds the keys that rows describe, from the variables PREFIXkey of `vars`, to an object; the rows
 * say which variable is whose.
 */
void tree_read_rows(const struct tree_reader *r, const struct field *rows, const struct pairs *vars,
    const char *prefix, struct node *object);
/* Drops the keys that have the presets of their rows. */
void tree_drop_presets(struct node *object, const struct field *rows);
/* Returns whether a key of a device sets the variable, perhaps to fewer values than bhyve takes. */
bool tree_is_known(const char *key);
/* Returns whether bhyve takes a value for true, or for false: "on", "1", ... */
bool tree_is_true(const char *value);
bool tree_is_false(const char *value);

#endif
