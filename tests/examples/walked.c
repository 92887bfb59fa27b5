/* Runs and simulates a list of exits. */
#include "walked.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_MS = 30000, MOST_ROWS = 100, MOST_BOOTS = 100, ITEM_SIZE = 64 };

/* The facts of a list that a run needs. */
struct boots {
	size_t count;		/* boots in which a hypervisor runs */
	bool stops[MOST_BOOTS]; /* those that get a stop request */
};

static const struct {
	const char *cause, *line;
} ways[] = {
	{ "reboot", "exit 0" },
	{ "poweroff", "exit 1" },
	{ "halt", "exit 2" },
	{ "triple_fault", "exit 3" },
	{ "error", "exit 4" },
	{ "killed", "signal 9" },
	{ "start_failed", "err broken exit 1" },
	{ "stopped", "acpi on wait exit 1" },
	{ "check_failed", "check_failed" },
	{ "loader_failed", "loader_failed" },
};

/* Writes how fakebhyve ends: by a cause, or with a status. */
static bool put_way(FILE *script, const char *item)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].cause, item) == 0)
			return fprintf(script, "%s\n", ways[i].line) > 0;
	}
	return fprintf(script, "exit %s\n", item) > 0;
}

static bool put_item(FILE *script, char *item, struct boots *boots)
{
	char *at = strchr(item, '@');

	if (at != NULL) {
		*at = '\0';
		if (fprintf(script, "sleep %.0f ", strtod(at + 1, NULL) * 1000) < 0)
			return false;
	}
	if (strcmp(item, "check_failed") != 0 && strcmp(item, "loader_failed") != 0) {
		if (boots->count == MOST_BOOTS)
			return false;
		boots->stops[boots->count++] = strcmp(item, "stopped") == 0;
	}
	return put_way(script, item);
}

/* Writes a line for each item; the boot after the last one runs until it is stopped. */
static bool write_script(const char *list, struct boots *boots)
{
	const char *path = getenv("FAKEBHYVE_SCRIPT");
	FILE *script = path == NULL ? NULL : fopen(path, "w");
	bool good = script != NULL;

	while (good && *list != '\0') {
		size_t n = strcspn(list, ",");
		char item[ITEM_SIZE];

		(void)snprintf(item, sizeof(item), "%.*s", (int)n, list);
		good = put_item(script, item, boots);
		list += n + (list[n] == ',');
	}
	if (script != NULL) {
		good = good && fputs("hang\n", script) >= 0;
		good = fclose(script) == 0 && good;
	}
	if (!good)
		(void)fprintf(stderr, "cannot write the script of fakebhyve\n");
	return good;
}

static const char *or_dash(const char *text)
{
	return text == NULL ? "-" : text;
}

static void add_row(FILE *to, const struct vmrun_event *e, struct walked *out)
{
	out->count++;
	(void)fprintf(to, "%lld\t%s\t%s\t%s\t%s\t%s\n", (long long)e->boot, or_dash(e->ended),
	    e->cause, e->action, or_dash(e->target), e->by);
}

static bool open_spec(const struct vmrun_options *options, struct vmrun **vm)
{
	const struct vmrun_problem *p;

	if (vmrun_open(vm, options) == 0)
		return true;
	for (size_t i = 0; (p = vmrun_problem(*vm, i)) != NULL; i++)
		(void)fprintf(stderr, "%s: %s: %s\n", or_dash(p->place), or_dash(p->path), p->text);
	return false;
}

/* Takes the events; returns true when all of the list has happened. */
static bool take_events(
    struct vmrun *vm, const struct boots *boots, size_t *spawned, FILE *to, struct walked *out)
{
	const struct vmrun_event *e;
	bool over = false;

	while (!over && (e = vmrun_next_event(vm)) != NULL) {
		if (e->type == VMRUN_DECIDED) {
			add_row(to, e, out);
			over = out->count >= MOST_ROWS || strcmp(e->action, "wait") == 0;
		} else if (e->type == VMRUN_SPAWNED) {
			over = *spawned == boots->count;
			if (!over && boots->stops[(*spawned)++])
				vmrun_stop(vm);
		} else if (e->type == VMRUN_WARNING || e->type == VMRUN_HOOK_FAILED ||
		    (e->type == VMRUN_EXITED && e->text != NULL && *e->text != '\0')) {
			(void)fprintf(stderr, "%s: %s\n", e->name, e->text);
		}
	}
	return over;
}

static void end_walk(struct vmrun *vm, FILE *to, struct walked *out)
{
	(void)fclose(to);
	out->ended = vmrun_ended(vm);
	out->status = out->ended ? vmrun_status(vm) : 0;
}

static bool supervise(
    struct vmrun *vm, const struct boots *boots, size_t *spawned, FILE *to, struct walked *out)
{
	struct pollfd p = { .events = POLLIN };

	if (vmrun_start(vm) != 0)
		return false;
	p.fd = vmrun_fd(vm);
	while (!take_events(vm, boots, spawned, to, out) && !vmrun_ended(vm)) {
		if (poll(&p, 1, LONGEST_MS) != 1 || vmrun_dispatch(vm) != 0)
			return false;
	}
	return true;
}

bool walk_run(const struct vmrun_options *options, const char *list, struct walked *out)
{
	struct boots boots = { 0 };
	struct vmrun *vm = NULL;
	size_t length, spawned = 0;
	FILE *to;
	bool good;

	memset(out, 0, sizeof(*out));
	good = write_script(list, &boots) && open_spec(options, &vm);
	to = good ? open_memstream(&out->rows, &length) : NULL;
	if (to != NULL) {
		good = supervise(vm, &boots, &spawned, to, out);
		end_walk(vm, to, out);
		if (!good)
			(void)fprintf(stderr, "%s: it came to a stop after\n%s", list, out->rows);
	}
	vmrun_close(vm);
	return good && to != NULL;
}

bool walk_simulate(const struct vmrun_options *options, const char *list, struct walked *out)
{
	struct vmrun_options dry = *options;
	struct vmrun *vm = NULL;
	const struct vmrun_event *e;
	size_t length;
	FILE *to;
	bool good;

	memset(out, 0, sizeof(*out));
	dry.dry_run = true;
	good = open_spec(&dry, &vm) && vmrun_simulate(vm, list) == 0;
	to = good ? open_memstream(&out->rows, &length) : NULL;
	if (to != NULL) {
		while ((e = vmrun_next_event(vm)) != NULL) {
			if (e->type == VMRUN_DECIDED)
				add_row(to, e, out);
			else if (e->type == VMRUN_HOOK_FAILED)
				(void)fprintf(stderr, "%s\n", e->text);
		}
		end_walk(vm, to, out);
	}
	vmrun_close(vm);
	return to != NULL;
}

bool walked_agree(const struct walked *run, const struct walked *simulated)
{
	size_t n = strlen(simulated->rows), most = strlen(run->rows);

	if (run->count >= MOST_ROWS && most < n)
		n = most; /* the VM boots for ever */
	if (run->ended != simulated->ended || run->status != simulated->status)
		return false;
	if (run->ended)
		return strcmp(run->rows, simulated->rows) == 0;
	return strncmp(run->rows, simulated->rows, n) == 0;
}

void walked_clear(struct walked *w)
{
	free(w->rows);
	memset(w, 0, sizeof(*w));
}
