/* The list of terminals, kern.ttys: only the members that vmrun reads. */
#ifndef FREEBSD_SYS_TTY_H
#define FREEBSD_SYS_TTY_H

#include <stddef.h>
#include <stdint.h>

#define TF_OPENED_IN 0x00008U
#define TF_OPENED_OUT 0x00010U
#define TF_OPENED_CONS 0x00020U
#define TF_OPENED (TF_OPENED_IN | TF_OPENED_OUT | TF_OPENED_CONS)

struct xtty {
	size_t xt_size;
	unsigned xt_flags;
	uint32_t xt_dev;
};

#endif
