/* A wait set and a pipe for a test, and what such a test often asks. */
#ifndef TEST_WAITING_H
#define TEST_WAITING_H

#include <stdint.h>

#include "platform/waitset.h"

struct waiting {
	struct waitset *set;
	struct error err;
	struct wake wake; /* the last one */
	int in, out;	  /* a pipe */
};

extern struct waiting waiting;

/* Setup and teardown of a cmocka test. */
int waiting_setup(void **state);
int waiting_teardown(void **state);

void waiting_set_deadline(int64_t at_ms);
/* Nothing has happened by now. */
void waiting_assert_nothing(void);
/* Waits for the next wake, which is this one. */
void waiting_assert_wake(enum wake_kind kind, uintptr_t tag);
/* Waits until poll() sees the set as readable. */
void waiting_assert_pollable(void);

#endif
