/* The checks of needs, file by file: private to this room. */
#ifndef CHECK_NEED_H
#define CHECK_NEED_H

#include <sys/types.h>

#include "check/check.h"
#include "check/host.h"

struct check {
	const struct check_request *request;
	struct host host;
};

/* A need with its device (NULL: the VM itself) and its place in the spec. */
struct checked_need {
	const struct device *dev;
	const struct need *need;
	const struct where *at;
	size_t index; /* index among the needs of the device or the VM */
};

/* Returns whether vmrun made or holds this, so that it may exist and be open. */
bool check_is_ours(const struct check *c, const char *what);
/*
 * Returns whether these checks are to look at what a companion (NULL: none) makes; says of what
 * comes later who makes it.
 */
bool check_is_due(
    struct check *c, const struct checked_need *need, const char *what, const char *maker);
/*
 * Adds a problem of a need, or a warning if the need is optional, and lends it until the next one
 * is added.
 */
struct finding *check_problem(struct check *c, const struct checked_need *need, const char *what,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Gives a finding a command as its fix that is for the user: vmrun does not run it. */
void check_advise(struct finding *finding, const char *const *command);
/* A command for check_words() and check_advise(). */
#define COMMAND(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* Adds words, up to a NULL, to a command. */
void check_words(struct words *command, const char *const *words);

/* program.c: the programs of the hypervisor and its loader; a program that a need names */
void check_hypervisor(struct check *c);
void check_program(struct check *c, const struct checked_need *need);
/* Advises to install a package: a port of FreeBSD, or a package of Debian; NULL: there is none. */
void check_advise_package(
    const struct check *c, struct finding *finding, const char *port, const char *debian);
/* vm.c: module, processors, memory, leftovers, acceleration */
void check_vm(struct check *c);
/* firmware.c */
void check_firmware(struct check *c);
/* disk.c */
void check_disk(struct check *c, const struct checked_need *need);
/* image.c: of a disk that can be read */
void check_image(struct check *c, const struct checked_need *need);
/* image.c: of a file with a kernel, after check_file() */
void check_kernel(struct check *c, const struct checked_need *need);
/* files.c */
void check_file(struct check *c, const struct checked_need *need);
void check_directory(struct check *c, const struct checked_need *need);
void check_device(struct check *c, const struct checked_need *need);
void check_serial(struct check *c, const struct checked_need *need);
void check_log(struct check *c, const struct checked_need *need);
/* network.c */
void check_interface(struct check *c, const struct checked_need *need);
void check_bridge(struct check *c, const struct checked_need *need);
void check_switch(struct check *c, const struct checked_need *need);
void check_netgraph(struct check *c, const struct checked_need *need);
/* sockets.c */
void check_socket(struct check *c, const struct checked_need *need);
void check_server(struct check *c, const struct checked_need *need);
void check_port(struct check *c, const struct checked_need *need);
/* Returns why no program can listen at an address, of an errno of port_probe(). */
const char *check_port_fault(int why);
/* passthru.c */
void check_pci(struct check *c, const struct checked_need *need);

/* Returns why the user has no access to a path (mode of access(2)), or NULL.  Static text. */
const char *check_access(const char *path, int mode);
/* Returns what a path is by its mode: "a directory".  Static text. */
const char *check_kind(mode_t mode);
/*
 * Returns why the user cannot use a path as a file in this mode (of access(2)), or NULL.  Caller
 * frees.
 */
char *check_file_fault(const char *path, int mode);
/* Returns the directory of a path.  Caller frees. */
char *check_parent(const char *path);

#endif
