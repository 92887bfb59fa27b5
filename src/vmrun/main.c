/* The program vmrun, a client of the public library. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "cli/standard.h"
#include "decision.h"
#include "options.h"
#include "ready.h"
#include "render.h"
#include "report.h"
#include "signals.h"
#include "supervise.h"
#include "vmrun/vmrun.h"

/* Returns a variable of the environment, or NULL if it is empty or not set. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/*
 * Takes the hypervisor and its program from the options, then from the environment; the library
 * chooses the one of which alone a program is named.
 */
static bool choose_hypervisor(struct command_line *line, struct vmrun_options *o)
{
	bool option = line->bhyve != NULL || line->qemu != NULL;
	const char *bhyve = line->bhyve, *qemu = line->qemu;

	if (!option) {
		bhyve = environment("VMRUN_BHYVE");
		if (bhyve == NULL)
			bhyve = environment("BHYVE_EXEC"); /* the name of the original vmrun */
		qemu = environment("VMRUN_QEMU");
	}
	o->hypervisor = line->hypervisor;
	if (o->hypervisor == NULL && !option)
		o->hypervisor = environment("VMRUN_HYPERVISOR");
	if (line->bhyve != NULL && line->qemu != NULL &&
	    (o->hypervisor == NULL || strcmp(o->hypervisor, "auto") == 0)) {
		(void)fputs(
		    "vmrun: --bhyve and --qemu are both given: choose one with --hypervisor\n",
		    stderr);
		return false;
	}
	o->bhyve = bhyve;
	o->qemu = qemu;
	return true;
}

static int flush(int status)
{
	return standard_flush("vmrun", status);
}

/* Prints the text and the end, and frees the text. */
static int print_text(char *text, const char *end)
{
	(void)fputs(text, stdout);
	(void)fputs(end, stdout);
	free(text);
	return flush(0);
}

static int print_check(struct vmrun *vm, bool json, struct renderer *renderer)
{
	int status = vmrun_check(vm);

	supervise_show(vm, renderer);
	if (vmrun_problem_count(vm) > 0)
		return status;
	sink_say(&renderer->sink, LEVEL_INFO, "%s: checked for %s", vmrun_name(vm),
	    vmrun_hypervisor(vm));
	if (json) {
		char *text = vmrun_check_json(vm);

		(void)puts(text);
		free(text);
	} else {
		report_print(vm, vmrun_target(vm), stdout);
		report_print_planned(vm, stdout);
	}
	return flush(status);
}

/* Returns whether messages are JSON. */
static bool is_json(const struct command_line *line)
{
	return line->log_format != NULL && strcmp(line->log_format, "json") == 0;
}

/* Returns whether vmrun can ask the user a question at the terminal. */
static bool can_ask(const struct command_line *line)
{
	return !line->syslog && !is_json(line) && strcmp(line->file, "-") != 0 &&
	    isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
}

static void print_notes(struct renderer *r, const char *intro, const char *const *notes)
{
	for (; *notes != NULL; notes++)
		sink_say(&r->sink, LEVEL_INFO, "note: %s%s", intro, *notes);
}

/* Prints the commands of the loader, if there is one, and of the hypervisor, one per line. */
static int print_commands(struct vmrun *vm, struct renderer *renderer)
{
	char *loader = vmrun_loader_command(vm);
	int status = 0;

	print_notes(renderer, "", vmrun_placeholders(vm));
	if (loader != NULL)
		status = print_text(loader, "\n");
	return status != 0 ? status : print_text(vmrun_command(vm), "\n");
}

static int print_config(struct vmrun *vm, struct renderer *renderer)
{
	char *text;

	if (strcmp(vmrun_hypervisor(vm), "bhyve") != 0) {
		(void)fputs("vmrun: --print bhyve_config: only bhyve reads such a file, and the "
			    "hypervisor is qemu: see --hypervisor\n",
		    stderr);
		return STATUS_USAGE;
	}
	text = vmrun_bhyve_config(vm);
	if (text == NULL)
		return vmrun_status(vm);
	print_notes(renderer, "not in the file: ", vmrun_bhyve_words(vm));
	print_notes(renderer, "", vmrun_placeholders(vm));
	return print_text(text, "");
}

static int print_boot(struct vmrun *vm, const char *what, struct renderer *renderer)
{
	int status = vmrun_prepare(vm);

	supervise_show(vm, renderer);
	if (status != 0)
		return status;
	print_notes(renderer, "", vmrun_notes(vm));
	if (strcmp(what, "bhyve_config") == 0)
		return print_config(vm, renderer);
	if (strcmp(what, "spec") == 0)
		return print_text(vmrun_spec_json(vm), "");
	return print_commands(vm, renderer);
}

static int print_request(
    struct vmrun *vm, const struct command_line *line, struct renderer *renderer)
{
	if (line->print == NULL)
		return print_boot(vm, line->debug ? "spec" : "argv", renderer);
	if (strcmp(line->print, "graph") == 0)
		return print_text(vmrun_graph(vm), "");
	if (strcmp(line->print, "policy") == 0)
		return print_text(vmrun_policy(vm), "");
	return print_boot(vm, line->print, renderer);
}

static void print_decision(const struct vmrun_event *e, const char *reason, bool json, int64_t row)
{
	MEM_AUTO char *text = json ? decision_json(e, reason) : decision_line(e);

	if (json)
		(void)printf("%s%s", row == 0 ? "[" : ",\n ", text);
	else
		(void)puts(text);
}

/* Returns whether the event says why a boot was refused. */
static bool is_refusal(const struct vmrun_event *e)
{
	return e->type == VMRUN_EXITED && strcmp(e->cause, "check_failed") == 0 &&
	    e->text != NULL && *e->text != '\0';
}

/* Returns whether a simulation shows the event: a script's output, or why a boot was refused. */
static bool is_shown(const struct vmrun_event *e)
{
	return is_refusal(e) || e->type == VMRUN_LOG || e->type == VMRUN_WARNING ||
	    e->type == VMRUN_NOTE || e->type == VMRUN_HOOK_FAILED || e->type == VMRUN_HOOK_EVENT ||
	    e->type == VMRUN_LOST;
}

/* Prints decisions to stdout and messages to stderr. */
static int simulate(struct vmrun *vm, const struct command_line *line, struct renderer *renderer)
{
	int status = vmrun_simulate(vm, line->simulate);
	const struct vmrun_event *event;
	int64_t rows = 0;
	char *reason = NULL;

	while (status == 0 && (event = vmrun_next_event(vm)) != NULL) {
		if (event->type == VMRUN_DECIDED)
			print_decision(event, reason, line->json, rows++);
		if (event->type == VMRUN_DECIDED || is_refusal(event)) {
			free(reason);
			reason = is_refusal(event) ? mem_copy(event->text) : NULL;
		}
		if (is_shown(event))
			render_event(event, renderer);
	}
	free(reason);
	if (status == 0 && line->json)
		(void)puts(rows == 0 ? "[]" : "]");
	return status == 0 ? flush(0) : status;
}

static int run(struct vmrun *vm, struct renderer *renderer, struct ready *ready)
{
	const char *wrong = ready_open(ready);

	if (wrong != NULL)
		sink_say(&renderer->sink, LEVEL_WARNING, "warning: NOTIFY_SOCKET: %s", wrong);
	return supervise(vm, renderer, ready);
}

static void fill_options(const struct command_line *line, struct vmrun_options *options)
{
	options->file = line->file;
	options->format = line->format;
	options->target = line->target;
	options->set = line->set;
	options->spec_args = line->spec_args;
	options->hooks = line->hooks;
	options->args = line->args;
	options->dry_run = options_print_only(line);
	options->exec_result = line->exec_result < 0 ? 0 : (int)line->exec_result;
	options->ask = can_ask(line);
	options->check = line->check;
	options->fix = line->fix;
	options->force = line->force;
	options->no_checks = line->no_checks;
	options->keeps_signals = true;
	options->guest_status = line->exit_status != NULL;
	options->panic_on_failed_cleanup = line->panic_on_failed_cleanup;
	options->sandbox = line->sandbox;
	options->allow = line->allow;
	options->control = true;
	options->no_reboot = line->no_reboot;
	options->reboot_count = line->reboot_count;
	options->reboot_on = line->reboot_on;
	options->pid_file = line->pid_file;
	options->run_dir = line->run_dir;
	options->state_dir = line->state_dir;
	options->supervisor_pid_file = line->supervisor_pid_file;
}

static bool is_run(const struct command_line *line)
{
	return !line->help && !line->version && !line->check && !options_print_only(line);
}

static void open_sink(const struct command_line *line, struct sink *sink)
{
	sink->max_level = LEVEL_INFO;
	if (line->log_level != NULL)
		(void)sink_level(line->log_level, &sink->max_level);
	sink->json = is_json(line);
	sink->syslog = line->syslog;
	if (is_run(line))
		sink_set_times(sink, line->log_time, line->no_log_time);
	sink_open(sink);
}

static int refuse_events(struct renderer *r, int status, const char *why)
{
	char text[512];
	struct vmrun_problem p = { .text = text };

	(void)snprintf(text, sizeof(text), "--events %s: %s", r->events.destination, why);
	sink_problem(&r->sink, &p);
	return status;
}

/* Sets the destination of --events. */
static int prepare_events(
    const struct command_line *line, const struct ready *ready, struct renderer *r)
{
	const char *why =
	    line->events == NULL ? NULL : events_prepare(&r->events, line->events, &r->sink);

	/* Another file could get its number, and the events. */
	if (why == NULL && ready->fd >= 0 && r->events.fd == ready->fd)
		why = "--ready-fd names that descriptor, too, and closes it after its newline";
	return why == NULL ? 0 : refuse_events(r, STATUS_USAGE, why);
}

static int open_events(struct vmrun *vm, struct renderer *r)
{
	const char *why = NULL;
	int status = r->events.destination == NULL ? 0 : events_open(&r->events, vm, &why);

	return status == 0 ? 0 : refuse_events(r, status, why);
}

static int run_with_spec(struct command_line *line, struct ready *ready)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct renderer renderer = { 0 };
	struct vmrun *vm;
	int status;

	fill_options(line, &options);
	open_sink(line, &renderer.sink);
	if (!choose_hypervisor(line, &options) || prepare_events(line, ready, &renderer) != 0)
		return STATUS_USAGE;
	status = vmrun_open(&vm, &options);
	if (status == 0)
		status = open_events(vm, &renderer);
	renderer.hypervisor = status == 0 ? vmrun_hypervisor(vm) : "";
	supervise_show(vm, &renderer);
	if (status == 0 && options.check)
		status = print_check(vm, line->json, &renderer);
	else if (status == 0 && line->simulate != NULL)
		status = simulate(vm, line, &renderer);
	else if (status == 0 && options.dry_run)
		status = print_request(vm, line, &renderer);
	else if (status == 0)
		status = run(vm, &renderer, ready);
	render_problems(vm, &renderer);
	events_close(&renderer.events);
	vmrun_close(vm);
	return status;
}

static int usage(const char *wrong)
{
	(void)fprintf(stderr, "vmrun: %s\n", wrong);
	options_usage(stderr);
	return STATUS_USAGE;
}

/* Prints one device. */
static int describe_device(const char *name, bool json)
{
	char *why, *text = vmrun_describe_device(name, json, &why);

	if (text != NULL)
		return print_text(text, "");
	(void)fprintf(stderr, "vmrun: --print devices: %s\n", why);
	free(why);
	return STATUS_USAGE;
}

/* Prints a description that needs no spec; an operand of "devices" is the device, or a file. */
static int describe(const struct command_line *line)
{
	const char *operand = strcmp(line->print, "devices") == 0 ? line->operand : NULL;

	if (operand != NULL && strpbrk(operand, "./") == NULL && strcmp(operand, "-") != 0)
		return describe_device(operand, line->json);
	return print_text(vmrun_describe(line->print, line->json), "");
}

/* Prints the notes of an import on stderr, a line each. */
static void print_import_notes(const char *notes)
{
	for (const char *line = notes; line != NULL && *line != '\0';) {
		size_t n = strcspn(line, "\n");

		(void)fprintf(stderr, "vmrun: note: %.*s\n", (int)n, line);
		line += n + (line[n] == '\n' ? 1 : 0);
	}
}

/* Prints the spec of a VM that another program ran. */
static int import(const struct command_line *line)
{
	struct vmrun_import_options options = VMRUN_IMPORT_OPTIONS;
	char *spec, *notes, *why;
	int status;

	options.file = line->import;
	options.format = line->import_format;
	options.set = line->set;
	status = vmrun_import(&options, &spec, &notes, &why);

	print_import_notes(notes);
	if (status == 0)
		status = print_text(spec, "");
	else
		(void)fprintf(stderr, "vmrun: %s\n", why);
	free(notes);
	free(why);
	return status;
}

/* Runs what the command line requests. */
static int run_command_line(struct command_line *line, struct ready *ready)
{
	const char *wrong = ready_prepare(ready, line->ready_fd);
	char text[128];

	if (wrong != NULL) {
		(void)snprintf(
		    text, sizeof(text), "--ready-fd %" PRId64 ": %s", line->ready_fd, wrong);
		return usage(text);
	}
	if (line->help) {
		options_help(stdout);
		return flush(0);
	}
	if (line->version) {
		(void)printf("vmrun %s\n", vmrun_version());
		return flush(0);
	}
	if (line->import != NULL)
		return import(line);
	if (options_describe(line))
		return describe(line);
	return run_with_spec(line, ready);
}

int main(int argc, char **argv)
{
	struct command_line line;
	struct ready ready;
	char *wrong;
	int status;

	standard_open();
	wrong = options_parse(argc, argv, &line);
	signals_begin(wrong == NULL && is_run(&line));
	if (wrong != NULL) {
		status = usage(wrong);
		free(wrong);
	} else {
		status = run_command_line(&line, &ready);
		ready_close(&ready);
	}
	options_free(&line);
	return status;
}
