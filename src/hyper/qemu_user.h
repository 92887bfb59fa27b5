/* The user's own words for qemu (qemu_user.c), and what vmrun knows of each option. */
#ifndef HYPER_QEMU_USER_H
#define HYPER_QEMU_USER_H

#include "hyper/qemu_plan.h"

/* One reading of the words, which are read twice. */
struct qemu_reader {
	struct qemu_plan *b;
	bool is_early;		/* the first time: only what decides the machine and its log */
	const struct where *at; /* of the word; NULL: after `--` */
	const char *word;	/* the option */
	size_t serial_ports;
	int early_devices; /* that qemu makes before those of the spec */
};

struct qemu_option {
	const char *name;
	bool has_value;
	bool lists;	     /* "help" as a value makes qemu print a list and exit */
	bool is_early;	     /* decides the machine or its log */
	const char *refused; /* the reason why it is never passed on, or NULL */
	/* Reads it.  Returns whether its words are passed on.  NULL: they are. */
	bool (*take)(struct qemu_reader *r, const char *value);
};

/* Returns the option that a word like "-name" or "--name" gives, or NULL. */
const struct qemu_option *qemu_option_find(const char *word);

/* Adds the problem that an option, with its value unless that is NULL, is not passed to qemu. */
void qemu_refuse_word(struct qemu_reader *r, const char *value, const char *reason);
/* Adds the pieces of "a,b=c,d" as qemu reads them: a doubled comma is one. */
void qemu_split(const char *value, struct words *pieces);

/* Functions of options (struct qemu_option). */
bool qemu_take_accel(struct qemu_reader *r, const char *value);
bool qemu_take_action(struct qemu_reader *r, const char *value);
bool qemu_take_audio(struct qemu_reader *r, const char *value);
bool qemu_take_bios(struct qemu_reader *r, const char *value);
bool qemu_take_chardev(struct qemu_reader *r, const char *value);
bool qemu_take_cpu(struct qemu_reader *r, const char *value);
bool qemu_take_display(struct qemu_reader *r, const char *value);
bool qemu_take_drive(struct qemu_reader *r, const char *value);
bool qemu_take_early(struct qemu_reader *r, const char *value);
bool qemu_take_hold(struct qemu_reader *r, const char *value);
bool qemu_take_ide(struct qemu_reader *r, const char *value);
bool qemu_take_kvm(struct qemu_reader *r, const char *value);
bool qemu_take_log_file(struct qemu_reader *r, const char *value);
bool qemu_take_log_items(struct qemu_reader *r, const char *value);
bool qemu_take_machine(struct qemu_reader *r, const char *value);
bool qemu_take_net(struct qemu_reader *r, const char *value);
bool qemu_take_serial(struct qemu_reader *r, const char *value);
bool qemu_take_set(struct qemu_reader *r, const char *value);
bool qemu_take_smp(struct qemu_reader *r, const char *value);
bool qemu_take_stream(struct qemu_reader *r, const char *value);
bool qemu_take_trace(struct qemu_reader *r, const char *value);
bool qemu_take_user(struct qemu_reader *r, const char *value);

#endif
