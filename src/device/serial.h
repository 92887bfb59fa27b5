/* What a serial port is connected to: com1 to com4 of the spec, and the uart device. */
#ifndef DEVICE_SERIAL_H
#define DEVICE_SERIAL_H

#include <stdbool.h>

#include "base/pairs.h"
#include "base/words.h"
#include "device/host_use.h"
#include "device/needs.h"

/* Returns whether the text is "stdio", a device, or tcp=ADDR:PORT with a numeric address. */
bool serial_is_backend(const char *text);
/* Returns the ADDR:PORT or [V6]:PORT of a tcp= backend, otherwise NULL. */
const char *serial_tcp_place(const char *backend);
/* Adds the backend, unless several ports of the VM can share it. */
void serial_claim(const char *backend, struct pairs *claims);
/* Returns whether vmrun's stdin and stdout are among the claims. */
bool serial_claims_stdio(const struct pairs *claims);
/* Adds what the backend needs of the host; `key` is the key that names the backend. */
void serial_need(const char *backend, const char *key, struct needs *needs);
/* Returns whether the path is one end of a nmdm(4) pair. */
bool serial_is_nmdm(const char *path);
/*
 * Returns the device that a user opens to reach the guest behind this one: the other end of a
 * nmdm(4) pair, else the same device.  Caller frees.
 */
char *serial_user_side(const char *path);
/* Finds what a backend names on the host: the `names` function for rows that hold a char *. */
void serial_names(const void *value, const struct where *at, struct host_visit *visit);
/* Adds a -chardev with this id for qemu. */
void serial_qemu(const char *backend, const char *id, struct words *argv, struct words *notes);

#endif
