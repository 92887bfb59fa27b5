/* What the files of the import of vm-bhyve share: the guest that is being read. */
#ifndef IMPORT_VM_BHYVE_GUEST_H
#define IMPORT_VM_BHYVE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "import/import.h"
#include "import/vm_bhyve_conf.h"

/* The CD of the install target, whose path the user has to fill in. */
#define GUEST_ISO "/path/to/install.iso"
#define GUEST_CD "cd0"	    /* the id of that drive */
#define GUEST_SCREEN "fbuf" /* the id of the screen */

/* Where vm-bhyve puts the next device: it leaves slot 31 of bus 0 to the lpc. */
struct guest_slot {
	int bus, slot, function;
	int limit; /* of slots on that bus */
};

struct guest {
	const char *path;   /* of the .conf, NULL: it has none */
	const char *source; /* its name in messages */
	char *name;	    /* as vm-bhyve has it */
	char *directory;    /* of the guest's files */
	char *datastore;    /* the directory above */
	struct conf conf;
	const char *loader; /* the value of the setting */
	bool has_firmware;  /* a loader of the family "uefi" */
	struct guest_slot next;
	char *cpu;	       /* the processors as vm-bhyve gives them to bhyve, or NULL */
	char *console;	       /* the first serial port, or NULL */
	size_t cds;	       /* drives of the type ahci-cd */
	bool waits_at_install; /* for a client of the screen */
	struct node *spec, *devices;
	struct words *notes;
	struct report *report;
};

/* Add a problem, with the line of its setting if there is one, or a note, equal ones once. */
void guest_fault(struct guest *g, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void guest_note(struct guest *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Lends a value, or NULL; a value that is set wins over the preset even when it is empty. */
const char *guest_get(struct guest *g, const char *key);
const char *guest_get_or(struct guest *g, const char *key, const char *preset);
bool guest_yes(struct guest *g, const char *key, const char *preset);
/* Lends the value of KEY<number>_SUFFIX ("disk", 0, "_name"), or NULL. */
const char *guest_get_numbered(struct guest *g, const char *key, int number, const char *suffix);
/* Returns whether it has a value, without noting that it is used. */
bool guest_has_numbered(const struct guest *g, const char *key, int number, const char *suffix);
/*
 * Lends a value that becomes part of one word of bhyve's command.  The shell of vm-bhyve splits
 * words at blanks, so a value with one is a fault.
 */
const char *guest_word(struct guest *g, const char *key);
const char *guest_numbered_word(struct guest *g, const char *key, int number, const char *suffix);

/* Returns whether the text has decimal digits only. */
bool guest_is_number(const char *text);
void guest_put_text(struct node *object, const char *key, const char *text);
void guest_put_format(struct node *object, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void guest_put_flag(struct node *object, const char *key, bool value);
/* Puts an option of a device under the key of the same name; returns false if there is none. */
bool guest_put_option(struct node *device, const char *kind, const char *option);
/* Puts a variable of bhyve for which no key is. */
void guest_put_config(struct guest *g, const char *variable, const char *value);
/* Takes the text up to the next comma, or NULL behind the last piece.  Caller frees. */
char *guest_piece(const char **rest);
/* Adds the words of a text, split at blanks as the shell does without quotes. */
void guest_split(const char *text, struct words *out);

/* Appends a device (taken) at an address. */
void guest_put_device(struct guest *g, struct node *device, const struct guest_slot *at);
/* Appends a new device at an address and lends it. */
struct node *guest_add_device(
    struct guest *g, const char *device, const char *id, const struct guest_slot *at);
/* Go to the next slot, or only leave a slot that the bus does not have. */
void guest_next_slot(struct guest *g);
void guest_wrap_slot(struct guest *g);

/* Add the parts of the spec. */
void guest_add_machine(struct guest *g);
void guest_add_options(struct guest *g);
void guest_add_disks(struct guest *g);
void guest_add_networks(struct guest *g);
void guest_add_random(struct guest *g);
void guest_add_passthru(struct guest *g);
void guest_add_other_devices(struct guest *g);
void guest_add_loader(struct guest *g);
void guest_add_install(struct guest *g);
void guest_add_policy(struct guest *g);

/* Set the processors, from a text such as "4,sockets=2,cores=2", or the size of the memory. */
void guest_set_cpu(struct guest *g, const char *key, const char *text);
void guest_set_memory(struct guest *g, const char *key, const char *text);
/* Returns the path of a disk of the guest.  Caller frees. */
char *guest_disk_path(struct guest *g, int number, const char *name);

#endif
