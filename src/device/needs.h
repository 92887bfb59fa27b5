/*
 * What a VM needs of its host: checked before the start, and in part taken for the VM.  A device
 * lists its needs; src/check knows how to check and to fix each kind.
 */
#ifndef DEVICE_NEEDS_H
#define DEVICE_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PORT 65535 /* of TCP */
/* Bytes of an interface's name on every system: IFNAMSIZ less its NUL. */
#define MAX_INTERFACE 15

enum need_kind {
	NEED_DISK,	  /* an image or disk device that no other VM writes to */
	NEED_FILE,	  /* a file that can be read, or opened for writing by a loader */
	NEED_KERNEL,	  /* a file with a kernel that qemu boots */
	NEED_DIRECTORY,	  /* a directory that the guest gets */
	NEED_INTERFACE,	  /* an interface that the hypervisor opens: a tap */
	NEED_BRIDGE,	  /* a bridge, which a tap of vmrun joins */
	NEED_SWITCH,	  /* a vale(4) switch or a netmap port */
	NEED_NETGRAPH,	  /* a node of ng_socket(4)'s graph */
	NEED_SOCKET,	  /* a unix socket that the hypervisor creates and leaves behind */
	NEED_SERVER,	  /* a unix socket that another program serves */
	NEED_PORT,	  /* a TCP port to listen on, "ADDR:PORT" or "[V6]:PORT" */
	NEED_FORWARD,	  /* a TCP port that is forwarded to the guest, "ADDR:PORT" */
	NEED_FORWARD_UDP, /* the same of UDP */
	NEED_SERIAL,	  /* a serial device: a tty or one end of a nmdm(4) pair */
	NEED_DEVICE,	  /* a character device */
	NEED_PCI,	  /* a PCI device of the host, "B/S/F", "pptN" or "lookup VENDOR DEVICE" */
	NEED_PROGRAM,	  /* a program that vmrun executes: a path, or a name that PATH finds */
	NEED_LOG,	  /* a file that vmrun writes, and makes if it is missing */
	NEED_KINDS
};

/* What is said of a NEED_DISK that another vmrun has locked.  The lock names no process. */
#define NEED_DISK_IN_USE "in use by another vmrun (fuser or fstat names it)"

/* Names of the kinds that are an address and a port. */
#define NEED_PORT_NAME "port"
#define NEED_UDP_PORT_NAME "UDP port"
#define NEED_LOOKUP "lookup " /* how a NEED_PCI begins that is found by its ids */

struct need {
	enum need_kind kind;
	char *what;
	/* The key of the spec or the device that has `what`; static.  NULL: the entry of a list. */
	const char *key;
	/* Of the spec: the object with the key, or the list and the entry's index. */
	const char *above; /* static; NULL: none */
	bool listed;
	size_t index;
	bool bhyve_only; /* not needed under qemu */
	/* NEED_DISK, NEED_DIRECTORY: the guest may write to it; NEED_FILE: a loader opens it so. */
	bool write;
	bool cd;	/* NEED_DISK: the guest sees a CD drive */
	bool password;	/* NEED_FILE: the first line is the password of a screen */
	bool optional;	/* the VM runs without it, and vmrun warns */
	char *owner;	/* NEED_PROGRAM: what executes it, "companion dhcp"; NULL: vmrun */
	int64_t sector; /* NEED_DISK: the logical sector size of the spec, 0: none */
	/* NEED_DISK: what the spec says that its image is, as qemu-img names it; static */
	const char *format;
};

struct needs {
	struct need *item;
	size_t count;
};

/* Adds a need and lends it until the next one is added. `what` is copied. */
struct need *needs_add(struct needs *needs, enum need_kind kind, const char *key, const char *what);
/*
 * Returns the name of the kind for messages: "disk", "interface", ...  What two exclusive kinds
 * with one name stand for is one thing.
 */
const char *need_name(enum need_kind kind);
/* Returns whether only one device of a VM can have it. */
bool need_is_exclusive(const struct need *need);
void needs_clear(struct needs *needs);
#define NEEDS_AUTO __attribute__((cleanup(needs_clear)))

#endif
