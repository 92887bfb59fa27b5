/* The options of vmrun as rows of a table. */
#include "options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"
#include "cli/rows.h"

#define AT(member) offsetof(struct command_line, member)

/* clang-format off */
static const struct row options[] = {
	{ 'c', "config", "FILE", TEXT, AT(file), "read the spec (JSON, Lua or UCL); - is stdin" },
	{ 't', "target", "NAME", TEXT, AT(target), "boot this target first (default: default)" },
	{ 'd', "dry-run", NULL, FLAG, AT(dry_run), "print the command of that boot; start nothing" },
	{ 0, "debug", NULL, FLAG, AT(debug), "print the resolved spec as JSON; start nothing" },
	{ 0, "print", "WHAT", TEXT, AT(print),
	    "argv (as -d), spec (as --debug), bhyve_config, graph, policy, schema, lua-types, "
	    "devices [NAME]" },
	{ 0, "import", "FILE", TEXT, AT(import),
	    "print the spec of a bhyve command, a bhyve_config file or a vm-bhyve .conf; - is stdin" },
	{ 0, "import-format", "NAME", TEXT, AT(import_format), "vm-bhyve, argv or bhyve_config" },
	{ 0, "json", NULL, FLAG, AT(json), "print devices, the report of --check or --simulate in JSON" },
	{ 'n', "check", NULL, FLAG, AT(check), "check the host for that boot; change nothing" },
	{ 0, "simulate", "LIST", TEXT, AT(simulate),
	    "simulate the policy without a VM; LIST: causes or statuses, such as reboot,3@90 (90 s up)" },
	{ 0, "exec-result", "N", COUNT, AT(exec_result),
	    "what vmrun.exec returns where nothing is started: 0 (default) to 255" },
	{ 0, "fix", NULL, FLAG, AT(fix), "apply the known fixes of failed checks without asking" },
	{ 0, "recover", NULL, FLAG, AT(fix), "the same as --fix" },
	{ 'f', "force", NULL, FLAG, AT(force),
	    "as --fix, and destroy an unsupervised VM of this name" },
	{ 0, "no-requirement-check", NULL, FLAG, AT(no_checks), "start without host checks" },
	{ 0, "panic-on-failed-cleanup", NULL, FLAG, AT(panic_on_failed_cleanup),
	    "exit with status 71 if a cleanup fails" },
	{ 0, "format", "NAME", TEXT, AT(format), "json, lua, ucl or auto (default)" },
	{ 0, "set", "KEY=VALUE", LIST, AT(set), "override one key of the merged spec; repeatable" },
	{ 0, "arg", "KEY=VALUE", LIST, AT(spec_args),
	    "set vmrun.args.KEY to the string VALUE in a Lua spec and in hooks; repeatable" },
	{ 0, "hook", "FILE", LIST, AT(hooks),
	    "add a hook file or stock hook after the spec's hooks; repeatable" },
	{ 0, "no-reboot", NULL, FLAG, AT(no_reboot), "never boot again, whatever the policy says" },
	{ 0, "reboot-count", "N", COUNT, AT(reboot_count), "allow at most N automatic boots after the first" },
	{ 0, "reboot-on", "LIST", EMPTY_TEXT, AT(reboot_on), "boot again after these causes or statuses" },
	{ 0, "hypervisor", "NAME", TEXT, AT(hypervisor), "bhyve, qemu or auto (default)" },
	{ 0, "bhyve", "PATH", TEXT, AT(bhyve), "path of the bhyve program" },
	{ 0, "qemu", "PATH", TEXT, AT(qemu), "path of the qemu program" },
	{ 0, "run-dir", "DIR", TEXT, AT(run_dir), "runtime directory (default for root: /var/run/vmrun)" },
	{ 0, "state-dir", "DIR", TEXT, AT(state_dir), "directory for persistent state (default for root: /var/db/vmrun)" },
	{ 'p', NULL, "FILE", TEXT, AT(pid_file), "write the hypervisor's pid to FILE" },
	{ 'P', NULL, "FILE", TEXT, AT(supervisor_pid_file), "write vmrun's pid to FILE" },
	{ 0, "events", "DEST", TEXT, AT(events),
	    "write events as JSON lines to a file, fd:N or - (stdout)" },
	{ 0, "log-level", "LEVEL", TEXT, AT(log_level), "error, warning, info (default) or debug" },
	{ 0, "log-format", "FORMAT", TEXT, AT(log_format), "format of messages: text (default) or json" },
	{ 0, "log-time", NULL, FLAG, AT(log_time),
	    "begin messages with the time (default: unless stderr is a terminal or the journal)" },
	{ 0, "no-log-time", NULL, FLAG, AT(no_log_time), "begin no message with the time" },
	{ 0, "syslog", NULL, FLAG, AT(syslog), "send messages to syslog, not stderr" },
	{ 0, "exit-status", "WHOSE", TEXT, AT(exit_status),
	    "guest: exit with the hypervisor's own last status" },
	{ 0, "ready-fd", "N", COUNT, AT(ready_fd),
	    "write a newline to descriptor N once the guest is ready (see ready of the spec)" },
	{ 0, "sandbox", NULL, FLAG, AT(sandbox),
	    "for untrusted specs: refuse host commands and names of host resources" },
	{ 0, "allow", "WHAT", LIST, AT(allow),
	    "in the sandbox: allow a path, device, interface or address; repeatable" },
	{ 'h', "help", NULL, FLAG, AT(help), "show this help" },
	{ 'V', "version", NULL, FLAG, AT(version), "show the version" },
};
/* clang-format on */

static const struct rows rows = { options, sizeof(options) / sizeof(options[0]) };

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcmp(*words, word) == 0)
			return true;
	}
	return false;
}

bool options_describe(const struct command_line *line)
{
	static const char *const words[] = { "schema", "lua-types", "devices", NULL };

	return line->print != NULL && is_one_of(line->print, words);
}

bool options_print_only(const struct command_line *line)
{
	return line->dry_run || line->debug || line->print != NULL || line->simulate != NULL;
}

static char *check_exec_result(const struct command_line *line)
{
	if (line->exec_result > UINT8_MAX)
		return rows_error(
		    "--exec-result takes a status from 0 to 255, got %" PRId64, line->exec_result);
	if (line->exec_result >= 0 && !line->check && !options_print_only(line))
		return rows_error("--exec-result is only for --check, --debug, --dry-run, --print "
				  "and --simulate");
	return NULL;
}

/*
 * Refuses a wrong name in the environment, where no option overrides it: the library, which refuses
 * others, would blame the option.
 */
static char *check_environment(const struct command_line *line)
{
	static const char *const names[] = { "bhyve", "qemu", "auto", NULL };
	const char *name = getenv("VMRUN_HYPERVISOR");
	struct near near = { .wanted = name };

	if (name == NULL || *name == '\0' || is_one_of(name, names) || options_describe(line) ||
	    line->hypervisor != NULL || line->bhyve != NULL || line->qemu != NULL)
		return NULL;
	for (size_t i = 0; names[i] != NULL; i++)
		near_offer(&near, names[i]);
	MEM_AUTO char *hint = near_hint(&near);

	return rows_error(
	    "the environment variable VMRUN_HYPERVISOR takes bhyve, qemu or auto, got "
	    "\"%s\"%s",
	    name, hint);
}

static char *check_run(const struct command_line *line)
{
	char *wrong = check_environment(line);

	return wrong != NULL ? wrong : check_exec_result(line);
}

static char *check_messages(const struct command_line *line)
{
	static const char *const levels[] = { "error", "warning", "info", "debug", NULL };
	static const char *const formats[] = { "text", "json", NULL };

	if (line->log_level != NULL && !is_one_of(line->log_level, levels))
		return rows_error(
		    "--log-level takes error, warning, info or debug, got \"%s\"", line->log_level);
	if (line->log_format != NULL && !is_one_of(line->log_format, formats))
		return rows_error("--log-format takes text or json, got \"%s\"", line->log_format);
	if (line->log_time && line->no_log_time)
		return rows_error("--log-time and --no-log-time exclude each other");
	if (line->events != NULL && (line->check || options_print_only(line)))
		return rows_error("--events is for a run: it excludes --check, --debug, --dry-run, "
				  "--print and --simulate");
	return check_run(line);
}

/* Refuses two options that say different things to do in place of a run. */
static char *check_mode(const struct command_line *line)
{
	const char *print = line->print != NULL ? line->print : "";
	const bool argv = strcmp(print, "argv") == 0, spec = strcmp(print, "spec") == 0;
	const struct {
		const char *option;
		bool given;
	} modes[] = {
		{ "--import", line->import != NULL },
		{ "--check", line->check },
		{ "--simulate", line->simulate != NULL },
		{ line->dry_run ? "--dry-run" : "--print", line->dry_run || argv },
		{ line->debug ? "--debug" : "--print", line->debug || spec },
		{ "--print", *print != '\0' && !argv && !spec },
	};
	const char *first = NULL;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (modes[i].given && first != NULL)
			return rows_error("%s and %s exclude each other", first, modes[i].option);
		if (modes[i].given)
			first = modes[i].option;
	}
	return NULL;
}

static char *check_import(const struct command_line *line)
{
	if (line->import != NULL && line->file != NULL)
		return rows_error("--import excludes a spec, got \"%s\"", line->file);
	if (line->import == NULL && line->import_format != NULL)
		return rows_error("--import-format requires --import FILE");
	return NULL;
}

static char *check(const struct command_line *line)
{
	static const char *const boots[] = { "argv", "spec", "bhyve_config", "graph", "policy",
		NULL };
	char *wrong;

	if (line->help || line->version)
		return NULL;
	wrong = check_mode(line);
	if (wrong == NULL)
		wrong = check_import(line);
	if (wrong != NULL || line->import != NULL)
		return wrong;
	if (line->print != NULL && !is_one_of(line->print, boots) && !options_describe(line))
		return rows_error(
		    "--print takes argv, spec, bhyve_config, graph, policy, schema, lua-types "
		    "or devices, got \"%s\"",
		    line->print);
	if (line->json && !line->check && line->simulate == NULL &&
	    (line->print == NULL || strcmp(line->print, "devices") != 0))
		return rows_error("--json is only for --check, --simulate or --print devices");
	if (line->file == NULL && !options_describe(line))
		return rows_error("missing FILE: name the spec, or - for stdin");
	if (line->check && line->no_checks)
		return rows_error("--check and --no-requirement-check exclude each other");
	if (*line->allow != NULL && !line->sandbox)
		return rows_error("--allow requires --sandbox");
	if (line->exit_status != NULL && strcmp(line->exit_status, "guest") != 0)
		return rows_error("--exit-status takes guest, got \"%s\"", line->exit_status);
	return check_messages(line);
}

char *options_parse(int argc, char **argv, struct command_line *out)
{
	char *wrong = NULL;

	memset(out, 0, sizeof(*out));
	out->reboot_count = out->ready_fd = out->exec_result = -1;
	out->set = mem_zero(((size_t)argc + 1) * sizeof(*out->set));
	out->spec_args = mem_zero(((size_t)argc + 1) * sizeof(*out->spec_args));
	out->hooks = mem_zero(((size_t)argc + 1) * sizeof(*out->hooks));
	out->allow = mem_zero(((size_t)argc + 1) * sizeof(*out->allow));
	for (int i = 1; i < argc && wrong == NULL; i++) {
		const char *file = out->file;

		if (strcmp(argv[i], "--") == 0) {
			out->args = (const char *const *)&argv[i + 1];
			break;
		}
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			wrong = rows_parse(&rows, argc, argv, &i, out);
		else if (argv[i][0] == '\0')
			wrong = rows_error("FILE is \"\": name the spec, or - for stdin");
		else
			out->file = out->operand = argv[i];
		if (file != NULL && out->file != file && wrong == NULL)
			wrong = rows_error("one FILE only, got \"%s\" and \"%s\"", file, out->file);
	}
	return wrong != NULL ? wrong : check(out);
}

void options_free(struct command_line *line)
{
	free(line->set);
	free(line->spec_args);
	free(line->hooks);
	free(line->allow);
}

void options_usage(FILE *to)
{
	(void)fputs("usage: vmrun [options] FILE [-- HYPERVISOR-ARGS...]\n"
		    "       vmrun [options] -c FILE [-- HYPERVISOR-ARGS...]\n"
		    "       vmrun -h\n",
	    to);
}

void options_help(FILE *to)
{
	options_usage(to);
	(void)fputs("\nSupervises one bhyve (or qemu) virtual machine described by FILE.\n\n", to);
	rows_help(&rows, to);
}
