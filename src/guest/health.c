/* The health of one boot's guest. */
#include "guest/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "base/str.h"
#include "guest/attempt.h"

static bool is_console(const struct probe *p)
{
	return p != NULL && p->kind == PROBE_CONSOLE;
}

/* Returns the probe that is asked now: `ready` until it has come true, then `alive`. */
static const struct probe *asked(const struct health *h)
{
	return h->ready != NULL && !h->is_ready ? h->ready : h->alive;
}

static void begin_text(struct health *h, const struct probe *p)
{
	search_free(&h->text);
	memset(&h->text, 0, sizeof(h->text));
	if (is_console(p) && p->text != NULL)
		search_begin(&h->text, p->text, strlen(p->text));
}

void health_begin(struct health *h, const struct probe *ready, const struct probe *alive,
    int64_t time_limit_ms, int64_t spawned_ms)
{
	health_end(h);
	h->ready = ready != NULL && ready->kind != PROBE_NONE ? ready : NULL;
	h->alive = alive != NULL && alive->kind != PROBE_NONE ? alive : NULL;
	h->limit_ms = time_limit_ms;
	h->limit_at_ms = time_limit_ms > 0 ? spawned_ms + time_limit_ms : -1;
	h->within_at_ms =
	    h->ready != NULL && h->ready->within_ms > 0 ? spawned_ms + h->ready->within_ms : -1;
	h->next_ms = -1;
	if (h->ready == NULL && h->alive != NULL)
		h->next_ms = spawned_ms + h->alive->every_ms;
	else if (h->ready != NULL && !is_console(h->ready))
		h->next_ms = spawned_ms;
	begin_text(h, asked(h));
}

static void become_ready(struct health *h, int64_t now_ms)
{
	h->is_ready = h->ready_is_new = h->armed = true;
	h->printed = false;
	h->within_at_ms = -1;
	h->next_ms = h->alive != NULL ? now_ms + h->alive->every_ms : -1;
	free(h->why);
	h->why = NULL;
	begin_text(h, h->alive);
}

bool health_hears(const struct health *h)
{
	return !h->rests && h->verdict == HEALTH_NOTHING && is_console(asked(h));
}

void health_hear(struct health *h, const char *bytes, size_t n, int64_t now_ms)
{
	size_t used = 0;

	if (n > 0 && health_hears(h) && asked(h) == h->ready) {
		used = h->ready->text == NULL ? 1 : search_bytes(&h->text, bytes, n);
		if (used == 0)
			return;
		become_ready(h, now_ms);
	}
	if (used == n || !health_hears(h))
		return;
	if (h->alive->text == NULL || search_bytes(&h->text, bytes + used, n - used) > 0)
		h->printed = true;
}

int64_t health_until_ms(const struct health *h)
{
	bool asks = h->ready != NULL || h->alive != NULL || h->limit_ms > 0;

	if (!asks || h->rests || h->verdict != HEALTH_NOTHING)
		return -1;
	return clock_earlier(
	    clock_earlier(h->within_at_ms, h->limit_at_ms), h->tries ? -1 : h->next_ms);
}

static void give_verdict(struct health *h, enum health_news verdict)
{
	h->verdict = verdict;
	h->tries = false;
}

/* Counts a result of `alive`; NULL: it succeeded. */
static void count_alive(struct health *h, const char *why)
{
	if (why == NULL) {
		h->armed = true;
		h->failures = 0;
	} else if (h->armed && ++h->failures >= h->alive->failures) {
		give_verdict(h, HEALTH_UNHEALTHY);
	}
}

/* Returns how a look at the console failed.  The caller frees it. */
static char *silence(const struct probe *p)
{
	STR_AUTO struct str s = { 0 };

	if (p->text == NULL) {
		str_add(&s, "the console printed nothing");
	} else {
		str_add(&s, "the console did not print ");
		attempt_quote(&s, p->text);
	}
	str_addf(&s, " within %.15g s", (double)p->every_ms / 1000);
	return str_take(&s);
}

/* Looks whether the guest has printed something since the last look. */
static void look_at_console(struct health *h, int64_t now_ms)
{
	bool printed = h->printed;

	h->printed = false;
	h->next_ms = now_ms + h->alive->every_ms;
	free(h->why);
	h->why = NULL;
	if (!printed)
		h->why = silence(h->alive);
	count_alive(h, h->why);
}

static bool is_due(int64_t at_ms, int64_t now_ms)
{
	return at_ms >= 0 && at_ms <= now_ms;
}

const struct probe *health_due(struct health *h, int64_t now_ms)
{
	if (!is_due(health_until_ms(h), now_ms))
		return NULL;
	if (is_due(h->within_at_ms, now_ms)) {
		give_verdict(h, HEALTH_NOT_READY);
	} else if (is_due(h->limit_at_ms, now_ms)) {
		give_verdict(h, HEALTH_TIMED_OUT);
	} else if (is_console(asked(h))) {
		look_at_console(h, now_ms);
	} else {
		h->tries = true;
		h->next_ms = now_ms + asked(h)->every_ms;
		return asked(h);
	}
	return NULL;
}

void health_answer(struct health *h, const char *why, int64_t now_ms)
{
	if (!h->tries)
		return;
	h->tries = false;
	free(h->why);
	h->why = why == NULL ? NULL : mem_copy(why);
	/* A late try is not followed by the tries that it has displaced. */
	if (h->next_ms < now_ms)
		h->next_ms = now_ms;
	if (h->is_ready || h->ready == NULL)
		count_alive(h, why);
	else if (why == NULL)
		become_ready(h, now_ms);
}

enum health_news health_take(struct health *h)
{
	enum health_news news = h->verdict;

	if (h->ready_is_new) {
		h->ready_is_new = false;
		return HEALTH_READY;
	}
	if (news != HEALTH_NOTHING)
		health_rest(h);
	return news;
}

char *health_probe_text(const struct probe *p)
{
	STR_AUTO struct str s = { 0 };

	if (p->kind == PROBE_CONSOLE && p->text == NULL) {
		str_add(&s, "console");
	} else if (p->kind == PROBE_CONSOLE) {
		str_add(&s, "console ");
		attempt_quote(&s, p->text);
	} else if (p->kind == PROBE_CONNECT) {
		MEM_AUTO char *place = attempt_place(p);

		str_addf(&s, "connect %s", place);
	} else {
		str_add(&s, "exec ");
		str_add_line(&s, attempt_program(p), MAX_ATTEMPT_QUOTE);
	}
	return str_take(&s);
}

static char *not_ready_reason(const struct health *h)
{
	double seconds = (double)h->ready->within_ms / 1000;
	MEM_AUTO char *what = health_probe_text(h->ready);

	if (is_console(h->ready))
		return mem_format(
		    "the guest did not become ready within %.15g s: %s was not printed", seconds,
		    what);
	return mem_format("the guest did not become ready within %.15g s: %s", seconds,
	    h->why != NULL ? h->why : what);
}

char *health_reason(const struct health *h, enum health_news news)
{
	const char *why;

	if (news == HEALTH_NOT_READY)
		return not_ready_reason(h);
	if (news == HEALTH_TIMED_OUT)
		return mem_format(
		    "the boot lasted longer than time_limit, %.15g s", (double)h->limit_ms / 1000);
	why = h->why != NULL ? h->why : "the reason is unknown";
	if (h->failures == 1)
		return mem_format("a try failed: %s", why);
	return mem_format("%lld tries in a row failed: %s", (long long)h->failures, why);
}

void health_rest(struct health *h)
{
	search_free(&h->text);
	memset(&h->text, 0, sizeof(h->text));
	h->within_at_ms = h->limit_at_ms = h->next_ms = -1;
	h->tries = h->ready_is_new = false;
	h->verdict = HEALTH_NOTHING;
	h->rests = true;
}

void health_end(struct health *h)
{
	search_free(&h->text);
	free(h->why);
	memset(h, 0, sizeof(*h));
}
