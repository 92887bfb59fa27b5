/* The frame buffer as `fbuf` devices and the spec's `graphic` know it. */
#ifndef DEVICE_FBUF_H
#define DEVICE_FBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/field.h"

#define FBUF_PORT_AUTO 0 /* a free one, 5900 or above */
#define FBUF_FIRST_PORT 5900

struct fbuf {
	char *host;	       /* NULL: 127.0.0.1 */
	int64_t port;	       /* or FBUF_PORT_AUTO */
	int64_t width, height; /* 0: the hypervisor's choice */
	int vga;	       /* index into fbuf_vga */
	char *password, *password_file;
	bool wait; /* the first boot waits for a client */
};

extern const char *const fbuf_vga[];
extern const struct field_custom fbuf_port_custom, fbuf_address_custom;

void fbuf_defaults(void *config);

/* The rows of a struct that has a struct fbuf at the offset `base`. */
/* clang-format off */
#define FBUF_ROWS(base) \
	{ "host", FIELD_CUSTOM, (base) + offsetof(struct fbuf, host), .custom = &fbuf_address_custom, \
	    .help = "address that VNC clients connect to" }, \
	{ "port", FIELD_CUSTOM, (base) + offsetof(struct fbuf, port), .custom = &fbuf_port_custom, \
	    .help = "port that VNC clients connect to; auto: a free one" }, \
	{ "vga", FIELD_CHOICE, (base) + offsetof(struct fbuf, vga), .choices = fbuf_vga, \
	    .help = "io, off or on: legacy VGA" }, \
	{ "password", FIELD_STRING, (base) + offsetof(struct fbuf, password), .longest = 8, \
	    .one_line = true, .host.kind = HOST_NONE, \
	    .help = "what VNC clients are asked for" }, \
	{ "password_file", FIELD_PATH, (base) + offsetof(struct fbuf, password_file), \
	    .host.kind = HOST_PATH, \
	    .help = "file whose first line is the password" }, \
	{ "wait", FIELD_BOOL, (base) + offsetof(struct fbuf, wait), \
	    .help = "the first boot waits for a client" }, \
	{ "width", FIELD_INT, (base) + offsetof(struct fbuf, width), .has_range = true, .min = 640, \
	    .max = 3840, .help = "pixels" }, \
	{ "height", FIELD_INT, (base) + offsetof(struct fbuf, height), .has_range = true, .min = 480, \
	    .max = 2160, .help = "pixels" }
/* clang-format on */

#endif
