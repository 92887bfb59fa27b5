/* Random specs that are meant to be good, with what bhyve must read out of their commands. */
#ifndef TESTS_HYPER_RANDOM_SPEC_H
#define TESTS_HYPER_RANDOM_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pairs.h"
#include "base/str.h"

#define RANDOM_DEVICES_MAX 64

struct random_device {
	struct pairs vars; /* variables below pci.B.S.F, `device` among them */
	bool checked;	   /* false: only its slot and its model are known */
	int extra;	   /* variables that vmrun adds by itself (a MAC address) */
};

struct random_spec {
	struct str json;
	int release;
	bool arm64;
	struct pairs vars;				 /* variables above the devices */
	struct random_device device[RANDOM_DEVICES_MAX]; /* the base's, then target "t"'s */
	size_t base_devices, devices;
	int named; /* names given so far, so that each is given once */
};

/* The same numbers for the same seed, on every system. */
void random_seed(unsigned seed);
unsigned random_below(unsigned n);

bool random_one_in(unsigned n);
/* `before`, and at most `most` pieces of at most 7 bytes. Caller frees. */
char *random_text(const char *before, unsigned most);
/* "key": with a comma before it where one belongs; NULL: the comma alone. */
void random_add_key(struct str *json, const char *key);
void random_add_text(struct str *json, const char *key, const char *value);
void random_add_number(struct str *json, const char *key, int64_t value);
/* Adds a device to the list that is open. */
void random_device(struct random_spec *s, bool may_pin);

void random_spec_make(struct random_spec *s);
void random_spec_free(struct random_spec *s);

#endif
