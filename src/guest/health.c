/* What is asked of a guest, when, and what the answers mean. */
#include "guest/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_QUOTED_TEXT 100 /* bytes of a text that a message repeats */

static const struct probe *given(const struct probe *p)
{
	return p->kind == PROBE_NONE ? NULL : p;
}

static bool listens(const struct probe *p)
{
	return p != NULL && p->kind == PROBE_CONSOLE;
}

/* Sets the reason; takes it. */
static void set_why(struct health *h, char *why)
{
	free(h->why);
	h->why = why;
}

char *health_probe_text(const struct probe *p)
{
	struct str s = { 0 };

	if (p->kind == PROBE_CONNECT) {
		bool is_v6 = strchr(p->address, ':') != NULL;

		str_addf(&s, "connect %s%s%s:%d", is_v6 ? "[" : "", p->address, is_v6 ? "]" : "",
		    p->port);
	} else if (p->kind == PROBE_EXEC) {
		str_addf(&s, "exec %s", p->command.item[0]);
	} else if (p->text == NULL) {
		str_add(&s, "console");
	} else {
		str_add(&s, "console \"");
		str_add_line(&s, p->text, MAX_QUOTED_TEXT);
		str_add(&s, "\"");
	}
	return str_take(&s);
}

void health_begin(struct health *h, const struct spec *spec, const struct attempt_host *host,
    int64_t now_ms)
{
	health_end(h);
	h->host = *host;
	h->ready = given(&spec->ready);
	h->alive = given(&spec->alive);
	h->time_limit_ms = spec->time_limit_ms;
	h->runs = true;
	h->is_ready = h->asks_alive = h->heard = false;
	h->failures = 0;
	h->news = HEALTH_NO_NEWS;
	h->began_ms = now_ms;
	h->ask_ms = -1;
	set_why(h, NULL);
	if (listens(h->ready))
		search_begin(&h->ready_text, h->ready->text, strlen(h->ready->text));
	else if (h->ready != NULL)
		h->ask_ms = now_ms;
	if (listens(h->alive) && h->alive->text != NULL)
		search_begin(&h->alive_text, h->alive->text, strlen(h->alive->text));
	if (h->ready == NULL && h->alive != NULL)
		h->ask_ms = now_ms + h->alive->every_ms;
}

void health_end(struct health *h)
{
	attempt_end(&h->attempt);
	search_free(&h->ready_text);
	search_free(&h->alive_text);
	h->runs = false;
	h->ask_ms = -1;
}

/* Ends the asking, because the boot must end. */
static void give_up(struct health *h, enum health_news news, char *why)
{
	set_why(h, why);
	health_end(h);
	h->news = news;
}

/* Returns what is asked now or next; NULL: nothing. */
static const struct probe *question(const struct health *h)
{
	return h->ready != NULL && !h->is_ready ? h->ready : h->alive;
}

static void become_ready(struct health *h, int64_t now_ms)
{
	h->is_ready = true;
	h->news = HEALTH_READY;
	h->ask_ms = -1;
	h->heard = false;
	search_free(&h->ready_text);
	search_restart(&h->alive_text);
	if (h->alive != NULL) {
		h->asks_alive = true;
		h->ask_ms = now_ms + h->alive->every_ms;
	}
}

static void count_failure(struct health *h, const char *why)
{
	if (question(h) == h->ready) {
		set_why(h, mem_copy(why));
	} else if (h->asks_alive && ++h->failures >= h->alive->failures) {
		give_up(h, HEALTH_UNHEALTHY, mem_copy(why));
	}
}

static void count_success(struct health *h, int64_t now_ms)
{
	if (question(h) == h->ready) {
		become_ready(h, now_ms);
		return;
	}
	h->asks_alive = true;
	h->failures = 0;
}

static void take_result(struct health *h, enum attempt_result result, int64_t now_ms)
{
	if (result == ATTEMPT_GOOD)
		count_success(h, now_ms);
	else if (result == ATTEMPT_FAILED)
		count_failure(h, h->attempt.why);
	/* A try that lasted longer than `every` is followed by the next one at once. */
	if (result != ATTEMPT_GOES_ON && h->runs && h->ask_ms >= 0 && h->ask_ms < now_ms)
		h->ask_ms = now_ms;
}

void health_hear(struct health *h, const char *bytes, size_t n, int64_t now_ms)
{
	if (!h->runs || n == 0)
		return;
	if (listens(h->ready) && !h->is_ready) {
		if (search_bytes(&h->ready_text, bytes, n) > 0)
			become_ready(h, now_ms);
		return;
	}
	if (listens(h->alive))
		h->heard = h->heard || h->alive->text == NULL ||
		    search_bytes(&h->alive_text, bytes, n) > 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Returns when the boot must have become ready, or have ended; -1: never. */
static int64_t ready_limit_ms(const struct health *h)
{
	return h->ready == NULL || h->is_ready || h->ready->within_ms <= 0
	    ? -1
	    : h->began_ms + h->ready->within_ms;
}

static int64_t boot_limit_ms(const struct health *h)
{
	return h->time_limit_ms <= 0 ? -1 : h->began_ms + h->time_limit_ms;
}

int64_t health_until_ms(const struct health *h)
{
	int64_t next = h->attempt.probe != NULL ? h->attempt.until_ms : h->ask_ms;

	if (!h->runs)
		return -1;
	return earlier(next, earlier(ready_limit_ms(h), boot_limit_ms(h)));
}

static bool is_due(int64_t at_ms, int64_t now_ms)
{
	return at_ms >= 0 && at_ms <= now_ms;
}

/* Returns why a guest is not ready: what was awaited, and how the last try failed. */
static char *not_ready_text(const struct health *h)
{
	MEM_AUTO char *probe = health_probe_text(h->ready);
	double seconds = (double)h->ready->within_ms / 1000;

	if (listens(h->ready))
		return mem_format("not within %g s: %s was not printed", seconds, probe);
	return mem_format("not within %g s: %s: %s", seconds, probe,
	    h->why != NULL ? h->why : "the first try has not ended");
}

/* Looks whether the guest has printed something since the last look. */
static void look_at_console(struct health *h, int64_t now_ms)
{
	MEM_AUTO char *probe = health_probe_text(h->alive);
	double seconds = (double)h->alive->every_ms / 1000;

	if (h->heard) {
		count_success(h, now_ms);
	} else {
		MEM_AUTO char *why = h->alive->text == NULL
		    ? mem_format("nothing was printed on the console for %g s", seconds)
		    : mem_format("%s was not printed for %g s", probe, seconds);

		count_failure(h, why);
	}
	h->heard = false;
}

/* Begins the next try, or looks at what was heard. */
static void ask(struct health *h, int64_t now_ms)
{
	const struct probe *p = question(h);

	h->ask_ms += p->every_ms;
	if (h->ask_ms <= now_ms)
		h->ask_ms = now_ms + p->every_ms; /* vmrun was stopped meanwhile */
	if (listens(p))
		look_at_console(h, now_ms);
	else
		take_result(h, attempt_begin(&h->attempt, p, &h->host, now_ms), now_ms);
}

void health_wake(struct health *h, int64_t now_ms)
{
	if (!h->runs)
		return;
	if (is_due(boot_limit_ms(h), now_ms))
		give_up(h, HEALTH_TIMED_OUT,
		    mem_format("time_limit is %g s", (double)h->time_limit_ms / 1000));
	else if (is_due(ready_limit_ms(h), now_ms))
		give_up(h, HEALTH_NOT_READY, not_ready_text(h));
	else if (h->attempt.probe != NULL && is_due(h->attempt.until_ms, now_ms))
		take_result(h, attempt_late(&h->attempt), now_ms);
	else if (h->attempt.probe == NULL && is_due(h->ask_ms, now_ms))
		ask(h, now_ms);
}

void health_read(struct health *h, uintptr_t tag, int64_t now_ms)
{
	take_result(h, attempt_read(&h->attempt, tag), now_ms);
}

bool health_command_ended(struct health *h, pid_t pid, int64_t now_ms)
{
	if (pid == 0 || pid != h->attempt.job.pid)
		return false;
	take_result(h, attempt_ended(&h->attempt), now_ms);
	return true;
}

enum health_news health_take_news(struct health *h)
{
	enum health_news news = h->news;

	h->news = HEALTH_NO_NEWS;
	return news;
}

void health_close(struct health *h)
{
	attempt_close(&h->attempt);
	health_end(h);
	free(h->why);
	memset(h, 0, sizeof(*h));
}
