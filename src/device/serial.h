/* What a serial port is connected to: com1 to com4 of the spec, and the uart device. */
#ifndef DEVICE_SERIAL_H
#define DEVICE_SERIAL_H

#include <stdbool.h>

#include "base/pairs.h"
#include "base/words.h"
#include "device/host_use.h"
#include "device/needs.h"

/* Is it "stdio", a device, or tcp=ADDR:PORT with a numeric address? */
bool serial_is_backend(const char *text);
/* Adds what no other port of the VM can be connected to. */
void serial_claim(const char *backend, struct pairs *claims);
/* Do these claims have our stdin and stdout among them? */
bool serial_claims_stdio(const struct pairs *claims);
/* Adds what it needs of the host; `key` is where the backend stands. */
void serial_need(const char *backend, const char *key, struct needs *needs);
/* Finds what a backend names of the host: names function of rows that hold a char *. */
void serial_names(const void *value, const struct where *at, struct host_visit *visit);
/* -chardev with this id for qemu. */
void serial_qemu(const char *backend, const char *id, struct words *argv, struct words *notes);

#endif
