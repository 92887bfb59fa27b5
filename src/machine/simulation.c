/* Simulation: feeds exits from a list to the machine. */
#include "machine/simulation.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "platform/spawn.h"
#include "machine/machine_inside.h"

#define MAX_UPTIME 1e9	/* seconds: 31 years */
#define MAX_REFUSED 200 /* boots that used no exit of the list */

/* Explains a status as for a bhyve that printed nothing. */
static void explain_status(int status, struct outcome *out)
{
	struct signs signs = { .greeted = true };
	struct process_end end = { .status = status };

	hyper_bhyve.explain(&signs, &end, out);
}

/* Makes an outcome of a cause. */
static void explain_cause(enum cause cause, struct outcome *out)
{
	if (cause_has_status(cause)) {
		explain_status(cause_status(cause), out); /* reboot 0 to error 4 */
		return;
	}
	*out = (struct outcome){ .cause = cause, .status = -1 };
	if (cause == CAUSE_KILLED)
		out->signal = SIGKILL;
	else if (cause == CAUSE_START_FAILED || cause == CAUSE_LOADER_FAILED)
		out->status = 1;
}

static int parse_uptime(const char *text, int64_t *ms, struct error *err)
{
	size_t digits = strspn(text, "0123456789"), point = text[digits] == '.' ? 1 : 0;
	size_t fraction = strspn(text + digits + point, "0123456789");
	double seconds = json_double(text);

	if (digits == 0 || text[digits + point + fraction] != '\0' || !(seconds <= MAX_UPTIME))
		return error_set(err, STATUS_USAGE,
		    "invalid uptime \"%s\": expected seconds, as in reboot@90", text);
	*ms = llround(seconds * 1000);
	return 0;
}

/* Parses one item, and cuts it at its "@". */
static int parse_item(char *text, struct simulated_exit *out, struct error *err)
{
	struct reboot_list list = { 0 };
	char *at = strchr(text, '@');
	int rc = 0;

	if (at != NULL) {
		*at = '\0';
		rc = parse_uptime(at + 1, &out->uptime_ms, err);
	}
	if (rc == 0)
		rc = reboot_list_parse(text, &list, err);
	if (rc == 0 && list.count != 1)
		rc = error_set(err, STATUS_USAGE, "missing exit: expected a cause or a status");
	else if (rc == 0 && list.item[0].is_status)
		explain_status(list.item[0].status, &out->outcome);
	else if (rc == 0 && list.item[0].cause == CAUSE_GIVEN_UP)
		rc = error_set(err, STATUS_USAGE,
		    "given_up cannot be simulated: it follows from too many boots");
	else if (rc == 0)
		explain_cause(list.item[0].cause, &out->outcome);
	reboot_list_free(&list);
	return rc;
}

int simulation_parse(const char *list, struct simulation *out, struct error *err)
{
	MEM_AUTO char *copy = mem_copy(list);
	char *rest = copy;

	memset(out, 0, sizeof(*out));
	while (rest != NULL) {
		char *text = rest;

		rest = strchr(rest, ',');
		if (rest != NULL)
			*rest++ = '\0';
		out->item = mem_resize(out->item, out->count + 1, sizeof(*out->item));
		memset(&out->item[out->count], 0, sizeof(*out->item));
		if (parse_item(text, &out->item[out->count++], err) != 0) {
			simulation_free(out);
			return -1;
		}
	}
	return 0;
}

void simulation_free(struct simulation *s)
{
	free(s->item);
	memset(s, 0, sizeof(*s));
}

/* Returns the next exit of the list, or NULL. */
static const struct simulated_exit *due(const struct simulation *s)
{
	return s->next < s->count ? &s->item[s->next] : NULL;
}

bool simulation_check(struct machine *m)
{
	const struct simulated_exit *e = due(m->options.simulation);

	if (e == NULL || e->outcome.cause != CAUSE_CHECK_FAILED)
		return true;
	m->options.simulation->next++;
	return false;
}

void simulation_exit(struct machine *m)
{
	struct simulation *s = m->options.simulation;
	const struct simulated_exit *e = due(s);

	s->next++;
	m->history.outcome = e->outcome;
	m->requests.stop = m->history.outcome.cause == CAUSE_STOPPED;
	m->history.uptime_ms = s->now_ms - s->started_ms;
}

/* Starts a loader only where the list lets it fail: a loader that succeeds has no events. */
struct next simulation_start(struct machine *m)
{
	const struct simulated_exit *e = due(m->options.simulation);
	bool loader_fails = e != NULL && e->outcome.cause == CAUSE_LOADER_FAILED;

	m->options.simulation->started_ms = m->options.simulation->now_ms;
	return go(loader_fails ? STATE_LOADING : STATE_RUNNING, -1);
}

bool simulation_becomes_ready(const struct machine *m)
{
	const struct simulated_exit *e = due(m->options.simulation);

	return e == NULL || e->outcome.cause != CAUSE_NOT_READY;
}

int64_t simulation_end_of_boot(const struct machine *m)
{
	const struct simulation *s = m->options.simulation;

	if (m->present.state == STATE_LOADING)
		return s->now_ms;
	if (m->present.state != STATE_RUNNING || due(s) == NULL)
		return -1;
	return s->started_ms + due(s)->uptime_ms;
}

void simulation_say_rest(struct machine *m)
{
	const struct simulation *s = m->options.simulation;

	if (s->next == s->count)
		return;
	MEM_AUTO char *text =
	    mem_format("the simulation ended after %zu of %zu exits", s->next, s->count);

	machine_note(m, text);
}

bool simulation_loops(struct machine *m)
{
	const struct simulation *s = m->options.simulation;

	if (m->history.ends - (int64_t)s->next < MAX_REFUSED)
		return false;
	machine_note(m, "endless loop: hooks refuse every boot and the policy keeps retrying");
	return true;
}

bool simulation_is_used_up(const struct machine *m)
{
	return due(m->options.simulation) == NULL;
}

/* Lets the next event happen; returns false when there is none. */
static bool simulate_event(struct machine *m)
{
	struct simulation *s = m->options.simulation;
	int64_t at = machine_until_ms(m), end = simulation_end_of_boot(m);
	bool exits = end >= 0 && (at < 0 || end <= at);

	if (exits)
		at = end;
	if (at < 0 || (m->present.state == STATE_WAITING && simulation_is_used_up(m)))
		return false;
	if (at > s->now_ms)
		s->now_ms = at;
	if (exits)
		machine_handle(m, EVENT_EXIT);
	else
		machine_deadline(m);
	return true;
}

void simulation_run(struct machine *m)
{
	while (m->present.state != STATE_ENDED && !simulation_loops(m) && simulate_event(m))
		;
}
