/*
 * Options of qemu, built pair by pair: the one place that knows how qemu quotes values.  Every
 * option that takes key=value reads a doubled comma as one (QEMU's keyval and QemuOpts parsers).
 */
#ifndef DEVICE_QEMU_WORDS_H
#define DEVICE_QEMU_WORDS_H

#include "base/words.h"
#include "device/device.h"

/*
 * Adds an option and its argument, which begins with `first`, such as the model of a device, or
 * with a pair if that is NULL.  The functions below extend the last word of argv.
 */
void qemu_begin(struct words *argv, const char *option, const char *first);
/* Extends the argument by "key=value", unless the value is NULL. */
void qemu_pair(struct words *argv, const char *key, const char *value);
void qemu_pairf(struct words *argv, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Extends the argument by pairs that the user wrote in qemu's syntax. */
void qemu_verbatim(struct words *argv, const char *pairs);
#define QEMU_BUS "bus%d" /* the id of the bridge to a bus above 0 */
/* Extends the argument of a -device by the device's PCI address. */
void qemu_address(const struct qemu_build *q, const struct device *dev);

#endif
