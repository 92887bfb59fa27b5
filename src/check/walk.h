/* The checks of one boot, file by file: private to this room. */
#ifndef CHECK_WALK_H
#define CHECK_WALK_H

#include "check/check.h"
#include "check/host.h"

struct check {
	const struct check_request *request;
	struct host host;
};

/* One need: whose it is (NULL: the VM's own) and where it stands. */
struct asked {
	const struct device *dev;
	const struct need *need;
	const struct where *at;
	size_t index; /* among the needs of its owner */
};

/* Is this ours, so that it may be there and be open? */
bool check_is_ours(const struct check *c, const char *what);
/* Adds a problem of a need, and lends it until the next one. */
struct finding *check_problem(struct check *c, const struct asked *a, const char *what,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Adds words to a command, up to a NULL. */
void check_words(struct words *command, ...);

/* vm.c: module, processors, memory, leftovers, acceleration */
void check_vm(struct check *c);
/* firmware.c */
void check_firmware(struct check *c);
/* disk.c */
void check_disk(struct check *c, const struct asked *a);
/* files.c */
void check_file(struct check *c, const struct asked *a);
void check_folder(struct check *c, const struct asked *a);
void check_device(struct check *c, const struct asked *a);
void check_serial(struct check *c, const struct asked *a);
/* network.c */
void check_interface(struct check *c, const struct asked *a);
void check_bridge(struct check *c, const struct asked *a);
void check_switch(struct check *c, const struct asked *a);
void check_netgraph(struct check *c, const struct asked *a);
/* sockets.c */
void check_socket(struct check *c, const struct asked *a);
void check_server(struct check *c, const struct asked *a);
void check_port(struct check *c, const struct asked *a);
/* passthru.c */
void check_pci(struct check *c, const struct asked *a);

/* Why this user cannot do that with a path (access(2)'s mode); NULL: he can. Static text. */
const char *check_access(const char *path, int mode);
/* The folder that a path is in. Caller frees. */
char *check_parent(const char *path);

#endif
