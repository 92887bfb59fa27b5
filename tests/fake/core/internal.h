/* What the files of the core share. Functions that return int return a status of fake.h. */
#ifndef FAKE_INTERNAL_H
#define FAKE_INTERNAL_H

#include "fake.h"

#include <stdint.h>

enum {
	EXIT_POWEROFF = 1, /* also usage errors */
	EXIT_BAD = 4,
	EXIT_USAGE = 64,
	EXIT_OSERR = 71,
	MAX_BOOT_DEVICES = 128,
	MAX_TAKEN = 512,
	FAMILY_BY_NAME = -1, /* an address that may be a name */
	PAGE = 4096,
	BUSES = 256,
	SLOTS = 32,
	FUNCTIONS = 8,
};

/* One run of the parser and the checks. */
struct vm {
	const struct fake_host *host;
	struct fake_tree *tree;
	struct fake_machine *machine; /* NULL while options are read */
	char *message;
	size_t size;
	int cpus;
	int highest_pin; /* of the host's CPUs; -1: nothing is pinned */
	uint64_t memory;
	char *taken[MAX_TAKEN]; /* what a second device of the VM cannot have: fk_take() */
	size_t n_taken;
	int boot_indexes[MAX_BOOT_DEVICES];
	size_t n_boot_indexes;
};

/* tree.c */
/* Allocated; they abort without memory. */
char *fk_copy_text(const char *text, size_t length);
char *fk_join(const char *first, const char *between, const char *second);
struct fake_node *fk_node_child(const struct fake_node *node, const char *name);
struct fake_node *fk_node_first(const struct fake_node *node);
struct fake_node *fk_node_next(const struct fake_node *node);
const char *fk_node_name(const struct fake_node *node);
bool fk_node_is_value(const struct fake_node *node);
/* Walks `a.b.c`, making what is missing if asked to. NULL: not there, or no way there. */
struct fake_node *fk_node_at(struct fake_node *from, const char *path, bool make);
/* False if the name has a dot or belongs to a node. */
bool fk_node_set(struct fake_node *node, const char *name, const char *value);
const char *fk_node_get(const struct fake_node *node, const char *name); /* not expanded */
const char *fk_tree_expand_text(struct fake_tree *tree, const char *text, FILE *warn);

/* config.c */
int fk_fail(struct vm *vm, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void fk_warn(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Notes that a device has `name`; false if another one has it already. */
bool fk_take(struct vm *vm, const char *kind, const char *name);
void fk_forget_taken(struct vm *vm);
int fk_set(struct vm *vm, const char *path, const char *value);
int fk_set_child(struct vm *vm, struct fake_node *node, const char *name, const char *value);
/* Expanded, NULL if unset. */
const char *fk_get(struct vm *vm, const char *path);
const char *fk_get_child(struct vm *vm, const struct fake_node *node, const char *name);
/* Leaves *value alone if the variable is unset; EXIT_BAD if it is no boolean. */
int fk_get_bool(struct vm *vm, const char *path, bool *value);
int fk_get_child_bool(struct vm *vm, const struct fake_node *node, const char *name, bool *value);
int fk_take_option(struct vm *vm, const char *text);
int fk_take_config_file(struct vm *vm, const char *path);

/* cpu.c */
int fk_take_topology(struct vm *vm, const char *text);
int fk_take_pin(struct vm *vm, const char *text);
int fk_check_topology(struct vm *vm);
int fk_check_pins(struct vm *vm);
int fk_check_cpu_list(struct vm *vm, const char *list, int limit, int *highest);
/* memory.c */
int fk_take_domain(struct vm *vm, const char *text);
int fk_check_memory_size(struct vm *vm);
int fk_check_domains(struct vm *vm);
int fk_check_domain_cpus(struct vm *vm);

/* conf.c, lpc.c */
char *fk_cut_piece(
    char **rest, char separator); /* NULL at the end; *rest NULL: that was the last */
int fk_take_slot(struct vm *vm, const char *text);
int fk_take_lpc(struct vm *vm, const char *text);
const char *fk_bootrom(struct vm *vm); /* the image that is configured, or NULL */
int fk_load_bootrom(struct vm *vm);
/* devices.c, misc.c */
void fk_print_models(const struct vm *vm);
int fk_init_devices(struct vm *vm);
int fk_init_tpm(struct vm *vm);
int fk_check_mptable(struct vm *vm);
/* console.c */
int fk_open_serial(struct vm *vm, const char *path);
/* `family` is AF_UNSPEC, AF_INET or AF_INET6 for a numeric address of it. */
int fk_listen_tcp(struct vm *vm, int family, const char *address, const char *port, int status);
void fk_hold(struct vm *vm, int fd); /* keeps it open until the end of the machine */

#endif
