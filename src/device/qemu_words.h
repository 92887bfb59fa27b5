/* The one place that knows how qemu's options quote their values. */
#ifndef DEVICE_QEMU_WORDS_H
#define DEVICE_QEMU_WORDS_H

#include "base/words.h"

/*
 * Adds `option` and one word made of fmt, where each %s that stands for a value has its commas
 * doubled (every option with key=value reads them so: reference of QEMU's keyval and QemuOpts
 * parsers).  Only %s is understood.
 */
void qemu_option(struct words *argv, const char *option, const char *fmt, ...);

#endif
