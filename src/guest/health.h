/*
 * The health of one boot's guest: whether it is ready, whether it is still alive, and how long the
 * boot may last.  Knows neither processes nor descriptors: the caller passes on the console's
 * output, the time and the results of tries, and asks what follows.
 */
#ifndef GUEST_HEALTH_H
#define GUEST_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/search.h"
#include "spec/spec.h"

enum health_news {
	HEALTH_NOTHING,
	HEALTH_READY,
	/* The boot has to end; nothing follows after one of these. */
	HEALTH_NOT_READY,
	HEALTH_UNHEALTHY,
	HEALTH_TIMED_OUT,
};

/* A zeroed struct watches no boot. */
struct health {
	const struct probe *ready, *alive; /* lent until health_end(); NULL: no such question */
	bool is_ready;			   /* stays true until health_end() */
	bool ready_is_new;		   /* HEALTH_READY is due */
	bool armed;			   /* failures of `alive` count */
	bool tries;			   /* a try is under way */
	bool printed;			   /* what `alive` waits for, since the last look */
	bool rests;			   /* nothing is asked any more in this boot */
	enum health_news verdict;	   /* the end that is due */
	struct search text;		   /* that `ready` or `alive` looks for on the console */
	int64_t within_at_ms, limit_at_ms; /* the ends of those times; -1: none */
	int64_t limit_ms;
	int64_t next_ms;  /* of the next try or look; -1: none */
	int64_t failures; /* of `alive`, in a row */
	char *why;	  /* how the last try failed, or NULL */
};

/* Begins with a boot that was spawned at that time; the probes are lent until health_end(). */
void health_begin(struct health *h, const struct probe *ready, const struct probe *alive,
    int64_t time_limit_ms, int64_t spawned_ms);
/* Returns whether the console's output matters now. */
bool health_hears(const struct health *h);
/* Takes output of the console. */
void health_hear(struct health *h, const char *bytes, size_t n, int64_t now_ms);
/* Returns when health_due() has to be called, or -1. */
int64_t health_until_ms(const struct health *h);
/*
 * Handles what is due.  Returns the probe of a try that the caller begins now and whose result it
 * gives to health_answer(), or NULL.
 */
const struct probe *health_due(struct health *h, int64_t now_ms);
/* Takes the result of a try: why it failed (copied), or NULL for success. */
void health_answer(struct health *h, const char *why, int64_t now_ms);
/* Takes the next piece of news. */
enum health_news health_take(struct health *h);
/* Returns why the boot has to end, for the user.  The caller frees it. */
char *health_reason(const struct health *h, enum health_news news);
/* Returns what the probe asks for: connect 127.0.0.1:22, say.  The caller frees it. */
char *health_probe_text(const struct probe *probe);
/* Asks and waits for nothing more in this boot; is_ready stays as it is. */
void health_rest(struct health *h);
/* Ends the boot: frees everything and zeroes the struct. */
void health_end(struct health *h);

#endif
