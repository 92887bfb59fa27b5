/*
 * bhyve(8) without a hypervisor: its options, its configuration tree and the checks that it makes
 * before the guest runs, for FreeBSD 13 to 16.  README.md has the environment of the program.
 *
 * A status is 0 (accepted), an exit status of bhyve, FAKE_DONE, or FAKE_SIGNAL(n).  Texts are our
 * own; statuses and the order of the checks are bhyve's.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define FAKE_DONE (-1)		   /* bhyve prints a list and exits with 0: -h, `-s help` */
#define FAKE_SIGNAL(n) (128 + (n)) /* bhyve dies of signal n: an assertion, a NULL pointer */

struct fake_node;

/* Variables in the order in which bhyve prints them; setting one again moves it to the end. */
struct fake_tree {
	struct fake_node *root;
	char **kept; /* expanded values, lent to callers until fake_tree_fini() */
	size_t n_kept;
};

void fake_tree_init(struct fake_tree *tree);
void fake_tree_fini(struct fake_tree *tree);
/* The value as it was given; NULL if there is none. Lent until the variable is set again. */
const char *fake_tree_get(const struct fake_tree *tree, const char *path);
/* The value with its %(references) filled in; warnings go to `warn` unless that is NULL. Lent. */
const char *fake_tree_expand(struct fake_tree *tree, const char *path, FILE *warn);
/* Leaves *value alone if the variable is unset. False: it is no boolean, bhyve exits with 4. */
bool fake_tree_bool(struct fake_tree *tree, const char *path, bool *value);
/* One `path=value` line for every variable: what `-o config.dump=1` prints. */
void fake_tree_dump(const struct fake_tree *tree, FILE *to);

/* The machine that bhyve believes to run on. */
struct fake_host {
	int release; /* 13 to 16 */
	bool arm64;
	int max_cpus;	       /* sysctl hw.vmm.maxcpu */
	int host_cpus;	       /* CPUs that a virtual one can be pinned to */
	bool no_files;	       /* believe that every file, device and VM is there and good */
	bool listen;	       /* bind the TCP ports of fbuf, gdb and serial ports */
	const char *bad_tap;   /* this interface is open in another process, or NULL */
	const char *state_dir; /* where the VMs and PCI devices of the host are listed, or NULL */
	FILE *out;	       /* what bhyve prints on stdout, or NULL */
	FILE *err;	       /* warnings, or NULL */
};

/* Reads FAKEBHYVE_RELEASE and its kin. Returns false, with *message set, if one is nonsense. */
bool fake_host_from_env(struct fake_host *host, const char **message);

enum { FAKE_MAX_SOCKETS = 64 };

/* What an accepted VM has open. */
struct fake_machine {
	char *name;
	int console_in; /* the first serial port with a backend; -1: none */
	int console_out;
	int sockets[FAKE_MAX_SOCKETS]; /* of virtio-console, listening */
	size_t n_sockets;
	int holds[FAKE_MAX_SOCKETS]; /* kept open, never served: TCP ports, the TPM */
	size_t n_holds;
};

/* Raw mode until exit(3) if stdin is a terminal, O_NONBLOCK for ever: what a stdio port does. */
void fake_take_stdio(void);

void fake_machine_init(struct fake_machine *machine);
void fake_machine_fini(struct fake_machine *machine);

/*
 * fake_options() fills an initialized tree from argv, as far as bhyve goes before `config.dump`.
 * fake_start() does the rest up to the first instruction of the guest.  A failure is told in
 * `message` (at most n bytes, terminated).
 */
int fake_options(const struct fake_host *host, int argc, char **argv, struct fake_tree *tree,
    char *message, size_t n);
int fake_start(const struct fake_host *host, struct fake_tree *tree, struct fake_machine *machine,
    char *message, size_t n);
/* Both, with the host of the environment and no files: would bhyve take this argv? */
int fake_parse(int argc, char **argv, struct fake_tree *out, char *message, size_t n);

#endif
