/*
 * Random specs that are meant to be good, with what bhyve must read out of their commands.  Keys
 * are rolled by their rows, so that new kinds of devices and new keys appear by themselves; tables
 * in random_devices.c and random_machine.c tell what no row does: rules between keys, and the
 * variables of bhyve_config(5).
 */
#ifndef TESTS_HYPER_RANDOM_SPEC_H
#define TESTS_HYPER_RANDOM_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pairs.h"
#include "base/str.h"

#define RANDOM_DEVICES_MAX 64
#define RANDOM_UNSET "(unset)" /* as a value: there is no such variable */
#define RANDOM_ANY "(any)"     /* as a value: whatever vmrun takes */

struct random_device {
	struct pairs vars; /* variables below pci.B.S.F, `device` among them */
	bool checked;	   /* false: only its slot is known */
};

/* Boots: the base, and target "t", whose devices come after the base's. */
enum { RANDOM_BASE, RANDOM_TARGET, RANDOM_BOOTS };

struct random_spec {
	struct str json;
	int release;
	bool arm64;
	struct pairs vars;				 /* variables outside of the devices */
	struct pairs boot_vars[RANDOM_BOOTS];		 /* those that differ between the boots */
	struct random_device device[RANDOM_DEVICES_MAX]; /* the base's, then the target's */
	size_t count[RANDOM_BOOTS];
	struct random_device graphic[2]; /* those of `graphic`: the last ones of every boot */
	size_t graphics;
	bool verbatim; /* with words that vmrun passes on unread: raw devices, extra_options */

	/* The rest is the generator's. */
	size_t devices;
	int named; /* names given so far, so that each is given once */
	int64_t cpus, mem;
	bool newlines;		    /* in texts */
	bool loads, numa, fwcfg;    /* has a loader, memory domains, fw_cfg items */
	bool acpi, wired;	    /* flags as given */
	int indexable;		    /* may disks have a boot index? */
	const char *fwcfg_type;	    /* NULL: not given */
	bool stdio, screen, usb;    /* taken */
	bool bridged;		    /* has an interface on a bridge */
	bool pinned[256][32];	    /* slots */
	bool indexed[RANDOM_BOOTS]; /* has a boot index */
	bool passes[RANDOM_BOOTS];  /* has a passthru, which wires the memory */
	int boot;		    /* whose devices are rolled now */
};

/* The same numbers for the same seed, on every system. */
void random_seed(unsigned seed);
unsigned random_below(unsigned n);

void random_spec_make(struct random_spec *s);
void random_spec_free(struct random_spec *s);
/* Does the generator know the variables of this kind of device? */
bool random_knows(const char *kind);

#endif
