/*
 * Whether the guest of a boot is ready and alive, and how long its boot may last: what to ask when,
 * and what the answers mean.
 *
 * `ready` is looked for from the start of the boot, and stays true once it is.  `alive` is asked
 * from then on; without `ready`, its first success counts as that.  Nothing wakes vmrun up but what
 * the spec asks for; a text on the console costs no wake-up.
 */
#ifndef GUEST_HEALTH_H
#define GUEST_HEALTH_H

#include "guest/attempt.h"

enum health_news {
	HEALTH_NO_NEWS,
	HEALTH_READY,
	HEALTH_NOT_READY, /* `within` is over */
	HEALTH_UNHEALTHY, /* `alive` has failed too often in a row */
	HEALTH_TIMED_OUT, /* `time_limit` is over */
};

struct health {
	struct attempt_host host;
	const struct probe *ready, *alive; /* lent; NULL: not set */
	int64_t time_limit_ms;
	bool runs;	 /* health_begin() was called, and health_end() was not */
	bool is_ready;	 /* in this boot */
	bool asks_alive; /* `alive` counts failures */
	int64_t began_ms;
	int64_t ask_ms; /* when the next try begins; -1: none does */
	struct attempt attempt;
	struct search ready_text, alive_text;
	bool heard;	  /* what `alive` wants to hear, since the last look */
	int64_t failures; /* of `alive`, in a row */
	char *why;	  /* the last failure, or why the boot must end */
	enum health_news news;
};

/* Begins a boot of this spec, which is lent until health_end(). */
void health_begin(struct health *h, const struct spec *spec, const struct attempt_host *host,
    int64_t now_ms);
/* Ends all asking; what is known stays. */
void health_end(struct health *h);
/* Takes what the guest has printed on the console. */
void health_hear(struct health *h, const char *bytes, size_t n, int64_t now_ms);
/* Returns when health_wake() is due; -1: never. */
int64_t health_until_ms(const struct health *h);
void health_wake(struct health *h, int64_t now_ms);
/* Handles a stream of the try, by its tag less the first one. */
void health_read(struct health *h, uintptr_t tag, int64_t now_ms);
/* Handles the exit of a process; returns false when it is not the try's. */
bool health_command_ended(struct health *h, pid_t pid, int64_t now_ms);
/*
 * Returns what has happened since the last call.  All but HEALTH_READY end the asking, and `why`
 * has the reason as text for the user.
 */
enum health_news health_take_news(struct health *h);
/* Returns a probe as text for the user: `console "login: "`.  Caller frees. */
char *health_probe_text(const struct probe *p);
/* Frees everything, and reaps a command that runs. */
void health_close(struct health *h);

#endif
