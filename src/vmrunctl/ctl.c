/* The program vmrunctl, a client of the control socket and of the public library. */
#include "vmrunctl/ctl.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "base/vm_name.h"
#include "cli/rows.h"
#include "cli/standard.h"
#include "vmrun/vmrun.h"

#define MAX_SECONDS 1e9 /* of --timeout */

struct command {
	const char *name, *argument; /* argument NULL: none */
	bool is_required;	     /* the argument must be given */
	const char *options;	     /* accepted ones, apart from --json and -r */
	int (*run)(const struct ctl *ctl);
	const char *help;
};

static const struct command commands[] = {
	{ "status", NULL, false, "", ctl_status, "show the VM's state, or how it ended" },
	{ "why", NULL, false, "", ctl_why, "show how the VM ended last, and what to try next" },
	{ "history", NULL, false, "", ctl_history, "show the last ends of its boots and of vmrun" },
	{ "stop", NULL, false, "no-wait", ctl_stop,
	    "stop the VM and wait for it to exit; repeat to escalate to the next step at once" },
	{ "kill", NULL, false, "no-wait", ctl_stop, "kill the VM and wait for it to exit" },
	{ "reboot", "TARGET", false, "wait timeout", ctl_reboot,
	    "stop the guest, then boot again" },
	{ "next", "TARGET", true, "", ctl_simple, "boot this target at the next boot, once" },
	{ "reset", NULL, false, "", ctl_simple, "boot again after vmrun has given up" },
	{ "reload", NULL, false, "", ctl_simple,
	    "read the spec again; takes effect at the next boot" },
	{ "forget", "HOOK", true, "", ctl_forget, "drop the state that a stock hook has saved" },
	{ "events", NULL, false, "from", ctl_events, "print events until the VM exits" },
	{ "console", NULL, false, "read-only", ctl_console,
	    "attach to the serial console; ~. detaches" },
	{ "wait-for", "TEXT", true, "timeout backlog", ctl_wait,
	    "wait until the console prints a text" },
	{ "wait", NULL, false, "gone ready state timeout", ctl_wait,
	    "wait until the VM runs, or for what --ready, --state or --gone says" },
	{ "run", "FILE", true, "backlog", ctl_run,
	    "run a Lua script as a hook of the running VM, and print what it returns" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* The commands about all VMs of the runtime directory, which take no VM name. */
static const struct command overviews[] = {
	{ "list", NULL, false, "", ctl_list, "list all VMs of the runtime directory" },
	{ "metrics", NULL, false, "", ctl_metrics,
	    "print metrics of these VMs in the text format of Prometheus" },
};

#define OVERVIEWS (sizeof(overviews) / sizeof(overviews[0]))
#define AT(member) offsetof(struct ctl, member)

/* clang-format off */
static const struct row options[] = {
	{ 'r', "run-dir", "DIR", TEXT, AT(run_dir), "runtime directory (default: the default of vmrun)" },
	{ 0, "state-dir", "DIR", TEXT, AT(state_dir),
	    "state directory (default: the default of vmrun)" },
	{ 0, "json", NULL, FLAG, AT(json), "print JSON" },
	{ 0, "no-wait", NULL, FLAG, AT(no_wait), "stop, kill: do not wait for the VM to exit" },
	{ 0, "wait", NULL, FLAG, AT(wait), "reboot: wait until the next boot runs" },
	{ 0, "from", "N", COUNT, AT(from), "events: begin with event number N, if vmrun still has it" },
	{ 0, "read-only", NULL, FLAG, AT(read_only), "console: show output, send no input" },
	{ 0, "backlog", NULL, FLAG, AT(backlog), "wait-for, run: search earlier output, too" },
	{ 0, "gone", NULL, FLAG, AT(gone), "wait: until the VM's vmrun exits" },
	{ 0, "ready", NULL, FLAG, AT(ready), "wait: until the guest is ready, as its spec defines it" },
	{ 0, "state", "STATE", TEXT, AT(state), "wait: until the VM has this state" },
	{ 0, "timeout", "S", TEXT, AT(seconds), "reboot --wait, wait, wait-for: give up after S seconds" },
	{ 'h', "help", NULL, FLAG, AT(help), "show this help" },
	{ 'V', "version", NULL, FLAG, AT(version), "show the version" },
};
/* clang-format on */

static const struct rows rows = { options, sizeof(options) / sizeof(options[0]) };

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static const struct command *find_overview(const char *name)
{
	for (size_t i = 0; i < OVERVIEWS; i++) {
		if (strcmp(overviews[i].name, name) == 0)
			return &overviews[i];
	}
	return NULL;
}

/* Returns a hint of the command that a word may stand for, "" if none is near.  Caller frees. */
static char *hint_of(const char *word)
{
	struct near near = { .words = NEAR_COMMAND, .wanted = word };

	for (size_t i = 0; i < COMMANDS; i++)
		near_offer(&near, commands[i].name);
	for (size_t i = 0; i < OVERVIEWS; i++)
		near_offer(&near, overviews[i].name);
	return near_hint(&near);
}

/* Refuses two words of which none is a command: the first may be a misspelled one. */
static char *unknown_command(const char *first, const char *second)
{
	MEM_AUTO char *hint = hint_of(second);
	MEM_AUTO char *other = hint_of(first);
	bool is_first = *hint == '\0' && *other != '\0';

	return rows_error(
	    "unknown command \"%s\"%s", is_first ? first : second, is_first ? other : hint);
}

/* Returns whether the word is in a list of words separated by spaces. */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += n) {
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	}
	return false;
}

/* Refuses options that the command does not use, because they would be ignored silently. */
static char *check_options(const struct ctl *ctl, const char *name, const char *taken)
{
	const struct {
		bool given;
		const char *option;
	} given[] = { { ctl->no_wait, "no-wait" }, { ctl->wait, "wait" },
		{ ctl->from >= 0, "from" }, { ctl->read_only, "read-only" },
		{ ctl->backlog, "backlog" }, { ctl->gone, "gone" }, { ctl->ready, "ready" },
		{ ctl->state != NULL, "state" }, { ctl->seconds != NULL, "timeout" } };

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		if (given[i].given && !has_word(taken, given[i].option))
			return rows_error("%s takes no --%s", name, given[i].option);
	}
	if (ctl->json && strcmp(name, "console") == 0)
		return rows_error("console takes no --json: a console carries raw bytes");
	if (strcmp(name, "reboot") == 0 && ctl->seconds != NULL && !ctl->wait)
		return rows_error("reboot: --timeout needs --wait");
	if (ctl->gone && ctl->state != NULL)
		return rows_error("--gone and --state are mutually exclusive");
	if (ctl->ready && (ctl->gone || ctl->state != NULL))
		return rows_error(
		    "--ready and --%s are mutually exclusive", ctl->gone ? "gone" : "state");
	return NULL;
}

static char *check_seconds(struct ctl *ctl)
{
	char *end;
	double seconds;

	if (ctl->seconds == NULL)
		return NULL;
	seconds = strtod(ctl->seconds, &end);
	if (ctl->seconds[strspn(ctl->seconds, "0123456789.")] != '\0' || end == ctl->seconds ||
	    *end != '\0' || !(seconds <= MAX_SECONDS))
		return rows_error(
		    "invalid --timeout \"%s\": expected seconds, such as 30 or 0.5", ctl->seconds);
	ctl->timeout_ms = (int64_t)(seconds * 1000);
	return NULL;
}

/* Finds the command and the name: NAME COMMAND where the second word is one, else COMMAND NAME. */
static char *find_words(struct ctl *ctl, char **word, int count, const struct command **command)
{
	int at = count > 1 && find_command(word[1]) != NULL ? 1 : 0;

	*command = find_command(word[at]);
	if (*command != NULL && count == 1)
		return rows_error("missing VM name after \"%s\"", word[0]);
	if (!vm_name_is_valid(word[*command != NULL ? 1 - at : 0]))
		return rows_error("invalid VM name \"%s\": expected " VM_NAME_RULE,
		    word[*command != NULL ? 1 - at : 0], MAX_VM_NAME);
	if (*command == NULL && count == 1)
		return rows_error("missing command after \"%s\"", word[0]);
	if (*command == NULL)
		return unknown_command(word[0], word[1]);
	ctl->vm = word[1 - at];
	return NULL;
}

/*
 * Finds a command about all VMs; *command is NULL if the words are none.  Returns an error for one
 * with further words, unless these are the command of a VM of that name.
 */
static char *find_overview_words(char **word, int count, const struct command **command)
{
	*command = count == 1 ? find_overview(word[0]) : NULL;
	for (int i = 0; i < 2 && count > 1; i++) {
		if (find_command(word[1]) == NULL && find_command(word[0]) == NULL &&
		    find_overview(word[i]) != NULL)
			return rows_error("%s takes no VM name: it shows all VMs", word[i]);
	}
	return NULL;
}

static char *check_words(struct ctl *ctl, char **word, int count)
{
	const struct command *command;
	char *wrong = find_overview_words(word, count, &command);
	int max_words;

	if (wrong != NULL)
		return wrong;
	if (command != NULL) {
		ctl->run = command->run;
		return check_options(ctl, command->name, command->options);
	}
	if (count == 0)
		return rows_error("missing VM name and command, or list or metrics");
	wrong = find_words(ctl, word, count, &command);
	if (wrong != NULL)
		return wrong;
	ctl->command = command->name;
	ctl->run = command->run;
	max_words = command->argument == NULL ? 2 : 3;
	if (count > max_words)
		return rows_error("%s: unexpected argument \"%s\"", command->name, word[max_words]);
	if (command->is_required && (count < 3 || *word[2] == '\0'))
		return rows_error("%s needs %s", command->name, command->argument);
	ctl->argument = count == 3 ? word[2] : NULL;
	return check_options(ctl, command->name, command->options);
}

static char *parse(int argc, char **argv, struct ctl *ctl)
{
	char *wrong = NULL, **word = mem_zero(((size_t)argc + 1) * sizeof(*word));
	int count = 0;

	for (int i = 1; i < argc && wrong == NULL; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				word[count++] = argv[i];
		} else if (argv[i][0] == '-' && argv[i][1] != '\0') {
			wrong = rows_parse(&rows, argc, argv, &i, ctl);
		} else {
			word[count++] = argv[i];
		}
	}
	if (wrong == NULL && !ctl->help && !ctl->version)
		wrong = check_words(ctl, word, count);
	if (wrong == NULL)
		wrong = check_seconds(ctl);
	free(word);
	return wrong;
}

static void usage(FILE *to)
{
	(void)fputs("usage: vmrunctl [options] NAME COMMAND [ARGUMENT]\n"
		    "       vmrunctl [options] COMMAND NAME [ARGUMENT]\n"
		    "       vmrunctl [options] list | metrics\n"
		    "       vmrunctl -h\n",
	    to);
}

static void help_command(const struct command *c)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%s%s%s%s%s", c->name, c->argument == NULL ? "" : " ",
	    c->is_required || c->argument == NULL ? "" : "[",
	    c->argument == NULL ? "" : c->argument,
	    c->is_required || c->argument == NULL ? "" : "]");
	(void)printf("  %-26s  %s\n", left, c->help);
}

static void help(void)
{
	usage(stdout);
	(void)puts("\nSends the command to the vmrun that supervises the VM NAME.\n");
	for (size_t i = 0; i < COMMANDS; i++)
		help_command(&commands[i]);
	for (size_t i = 0; i < OVERVIEWS; i++)
		help_command(&overviews[i]);
	(void)putchar('\n');
	rows_help(&rows, stdout);
}

static int refuse(char *wrong)
{
	(void)fprintf(stderr, "vmrunctl: %s\n", wrong);
	usage(stderr);
	free(wrong);
	return STATUS_USAGE;
}

static int run(struct ctl *ctl)
{
	char *directory = NULL;
	int status;

	if (ctl->run_dir == NULL)
		ctl->run_dir = directory = vmrun_default_run_dir();
	status = ctl->run(ctl);
	free(directory);
	return standard_flush("vmrunctl", status);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .run = ctl_list, .timeout_ms = -1, .from = -1 };
	char *wrong;

	standard_open();
	wrong = parse(argc, argv, &ctl);
	/* A write beyond the limit on the size of files then fails, as on a full disk. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (wrong != NULL)
		return refuse(wrong);
	if (ctl.help)
		help();
	else if (ctl.version)
		(void)puts("vmrunctl " VMRUN_VERSION);
	else
		return run(&ctl);
	return standard_flush("vmrunctl", STATUS_OK);
}
