/* What the files of the generator share: rolling an object by its rows. */
#ifndef TESTS_HYPER_RANDOM_ROLL_H
#define TESTS_HYPER_RANDOM_ROLL_H

#include "device/field.h"
#include "random_spec.h"

bool one_in(unsigned n);

/* random_text.c: pieces of JSON.  A NULL key is for the entries of lists. */
void add_key(struct str *json, const char *key);
void add_text(struct str *json, const char *key, const char *value);
void add_number(struct str *json, const char *key, int64_t value);
void add_bool(struct str *json, const char *key, bool value);
/* `before` and at most `most` pieces, of at most 7 bytes, that are hard to quote. Caller frees. */
char *odd_text(const struct random_spec *s, const char *before, unsigned most);

/* An object that is being written. */
struct roll {
	struct random_spec *spec;
	const char *kind;   /* "spec", or a kind of device: what the tables call it */
	const char *prefix; /* of its variables */
	struct pairs *vars; /* what it promises; NULL: nothing */

	const char *backend; /* of a network device */
	bool memory;	     /* an nvme without a disk */
	bool given;	     /* the key that others depend on is there */
};

/* How to roll a key that is more than its row says. */
struct special {
	const char *kind; /* NULL: of any device */
	const char *key;
	/* Whether to roll it at all is its own decision. NULL: some other key's function does. */
	void (*roll)(struct roll *r, const struct field *f);
};

/* What bhyve_config(5) calls a key. */
struct variable {
	const char *kind, *key;
	const char *name; /* NULL: it has none */
};

/* random_rows.c */
void roll_rows(struct roll *r, const struct field *rows);
/* As its type, or the schema of a custom one, says. */
void roll_plain(struct roll *r, const struct field *f);
/* Promises the variable of a key; roll_*() write the key, too. */
void promise(struct roll *r, const char *key, const char *value);
void roll_text(struct roll *r, const char *key, const char *value);
void roll_odd(struct roll *r, const char *key, const char *before, unsigned most);
void roll_number(struct roll *r, const char *key, int64_t value);

/* random_devices.c, _net.c, _machine.c and _guest.c: tables, each with a last row of NULLs. */
extern const struct special device_specials[], net_specials[], spec_specials[], guest_specials[];
extern const struct variable device_variables[], spec_variables[];
void roll_backend(struct roll *r);
void roll_devices(struct random_spec *s, unsigned n);
void roll_machine(struct random_spec *s);
/* fbuf and `graphic`: what its rows do not promise one by one. */
void roll_screen(struct roll *r);

#endif
