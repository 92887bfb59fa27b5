/* The frame buffer, which `fbuf` devices and the spec's `graphic` describe. */
#ifndef DEVICE_FBUF_H
#define DEVICE_FBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/field.h"

#define FBUF_PORT_AUTO 0 /* a free port, FBUF_FIRST_PORT or above */
#define FBUF_FIRST_PORT 5900
#define MAX_FBUF_PASSWORD 8 /* bytes, of the DES key of VNC */
/* Pixels of a screen. */
#define MIN_FBUF_WIDTH 640
#define MAX_FBUF_WIDTH 3840
#define MIN_FBUF_HEIGHT 480
#define MAX_FBUF_HEIGHT 2160

/* Legacy VGA, in the order of fbuf_vga_words. */
enum fbuf_vga { FBUF_VGA_UNSET, FBUF_VGA_IO, FBUF_VGA_OFF, FBUF_VGA_ON, FBUF_VGAS };

struct fbuf {
	char *host;	       /* NULL: 127.0.0.1 */
	int64_t port;	       /* or FBUF_PORT_AUTO */
	int64_t width, height; /* 0: the hypervisor's choice */
	int vga;	       /* enum fbuf_vga */
	char *password, *password_file;
	bool wait; /* the first boot waits for a VNC client */
};

extern const char *const fbuf_vga_words[];
DESCRIBES(fbuf_port_custom, int64_t);
DESCRIBES(fbuf_address_custom, char *);
extern const struct field_custom fbuf_port_custom, fbuf_address_custom;

/*
 * Return the address and the port in a place as bhyve has it, "ADDR:PORT", "[V6]:PORT" or "PORT";
 * NULL: it has none.
 */
struct node *fbuf_read_host(const char *place);
struct node *fbuf_read_port(const char *place);

/* The rows of a struct whose members `in` (as "fbuf.", or nothing) are those of a struct fbuf. */
/* clang-format off */
#define FBUF_ROWS(owner, in) \
	ROW_CUSTOM("host", owner, in host, fbuf_address_custom, .variable = "rfb", \
	    .preset = "\"127.0.0.1\"", .read = fbuf_read_host, \
	    .help = "numeric address for VNC clients"), \
	ROW_CUSTOM("port", owner, in port, fbuf_port_custom, \
	    .preset = NUMBER_TEXT(FBUF_FIRST_PORT), .variable = "rfb", .read = fbuf_read_port, \
	    .qemu = NUMBER_TEXT(FBUF_FIRST_PORT) " and above", \
	    .help = "port for VNC clients, 1 to 65535; auto: a free port"), \
	ROW_CHOICE("vga", owner, in vga, fbuf_vga_words, .qemu = "off, else on", .help = "legacy VGA: io, off or on"), \
	ROW_STRING("password", owner, in password, .max_length = MAX_FBUF_PASSWORD, \
	    .one_line = true, .secret = true, .host.kind = HOST_NONE, \
	    .help = "password of VNC clients"), \
	ROW_PATH("password_file", owner, in password_file, .variable = "", .host.kind = HOST_PATH, \
	    .help = "file whose first line is the password"), \
	ROW_BOOL("wait", owner, in wait, .help = "make the first boot wait for a VNC client"), \
	ROW_INT("width", owner, in width, .variable = "w", .has_range = true, .min = MIN_FBUF_WIDTH, \
	    .max = MAX_FBUF_WIDTH, .help = "pixels"), \
	ROW_INT("height", owner, in height, .variable = "h", .has_range = true, .min = MIN_FBUF_HEIGHT, \
	    .max = MAX_FBUF_HEIGHT, .help = "pixels")
/* clang-format on */

#endif
