/*
 * What the stand-in for FreeBSD's kernel answers, for tests to change.  kernel.c has the values
 * that a program begins with.
 */
#ifndef TEST_FREEBSD_KERNEL_H
#define TEST_FREEBSD_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct xtty;

/* A variable of sysctl(3): the number of `size` bytes, 4 or 8. */
struct freebsd_variable {
	const char *name;
	size_t size;
	int64_t value;
};

struct freebsd_kernel {
	int kqueue_error;  /* errno of each kqueue(); 0: it works */
	int kevent_error;  /* errno of each kevent(); 0: it works */
	bool misses_ended; /* EVFILT_PROC does not find a child that has ended, and has not been
			      reaped */

	const struct freebsd_variable *variables; /* up to one without a name */
	const uint8_t *boot_id;	 /* 16 bytes; NULL: there is none, as before FreeBSD 14 */
	int64_t boottime_us;	 /* kern.boottime */
	int clock_steps;	 /* so many looks at a process find the clock set meanwhile */
	const struct xtty *ttys; /* kern.ttys */
	size_t tty_count;
	size_t new_ttys; /* ttys that appear between the question for the size and the list */

	const char *const *modules; /* names, up to NULL */
	const char
	    *tap_status;      /* what if_tuntap.c adds to SIOCGIFSTATUS; NULL: no such interface */
	unsigned sector_size; /* of every character device; 0: DIOCGSECTORSIZE fails */
	int protect_error;    /* errno of PROC_SPROTECT */
	pid_t protected;      /* the last process of PROC_SPROTECT */
	bool no_peer_pid;     /* LOCAL_PEERCRED fails */
};

extern struct freebsd_kernel freebsd;

#endif
