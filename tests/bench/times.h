/* The file that a benchmark's guest shares with the script: BENCH_TIMES names it. */
#ifndef BENCH_TIMES_H
#define BENCH_TIMES_H

#include <stdint.h>

/* Nanoseconds of the monotonic clock.  turn.c stores two for each life, guest.c only the first. */
struct times {
	int64_t limit; /* lives before the guest powers off; set by the script */
	int64_t n;     /* lives so far; for guest.c: 1 once it waits for the signal */
	int64_t life;  /* nanoseconds that turn.c lives; set by the script */
	int64_t at[];
};

#endif
