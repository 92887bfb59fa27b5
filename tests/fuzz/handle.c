/* A handle whose functions are all called. */
#include "handle.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model.h"

#define ENDS "reboot,triple_fault@90,error,unhealthy,halt,reboot@600,3,poweroff"

static void check_text(const char *text)
{
	fuzz_check(text != NULL && *text != '\0', "a text is missing");
}

static void read_list(const char *const *list)
{
	fuzz_check(list != NULL, "a list that may be empty is NULL");
	for (size_t i = 0; list[i] != NULL; i++)
		check_text(list[i]);
}

static void read_problems(const struct vmrun *vm)
{
	const struct vmrun_problem *problem;
	size_t count = 0;

	for (; (problem = vmrun_problem(vm, count)) != NULL; count++)
		check_text(problem->text);
	fuzz_check(count == vmrun_problem_count(vm), "problems are missing");
}

static void read_findings(const struct vmrun *vm)
{
	const struct vmrun_finding *finding;

	for (size_t i = 0; (finding = vmrun_finding(vm, i)) != NULL; i++)
		fuzz_check(
		    finding->made || finding->problem != NULL, "a finding without a problem");
	free(vmrun_check_json(vm));
}

/* Calls the functions that change nothing. */
static void read_all(struct vmrun *vm)
{
	char bytes[16];
	uint64_t at = 0;

	read_problems(vm);
	read_findings(vm);
	read_list(vmrun_bhyve_words(vm));
	read_list(vmrun_placeholders(vm));
	read_list(vmrun_notes(vm));
	free(vmrun_command(vm));
	free(vmrun_loader_command(vm));
	(void)vmrun_uses_stdio(vm);
	(void)vmrun_name(vm);
	(void)vmrun_target(vm);
	(void)vmrun_refusal(vm);
	(void)vmrun_fd(vm);
	(void)vmrun_ended(vm);
	(void)vmrun_status(vm);
	(void)vmrun_guest_status(vm);
	check_text(vmrun_get_state(vm)->state);
	fuzz_check(vmrun_console_read(vm, &at, bytes, sizeof(bytes)) == 0, "a console");
	(void)vmrun_console_find(vm, &at, "login:");
}

/* Calls the functions that look at all targets: there is a graph exactly if there are no problems.
 */
static void read_policy(struct vmrun *vm, bool is_good)
{
	char *graph = vmrun_graph(vm), *policy = vmrun_policy(vm);

	fuzz_check((graph != NULL) == is_good, "a graph");
	fuzz_check((policy != NULL) == is_good, "a table of the policy");
	free(graph);
	free(policy);
}

static void read_events(struct vmrun *vm)
{
	const struct vmrun_event *event;

	while ((event = vmrun_next_event(vm)) != NULL) {
		char *json = vmrun_event_json(event);

		check_text(json);
		check_text(vmrun_event_level(event));
		free(json);
	}
}

/* Calls the functions that a dry run refuses. */
static void disturb(struct vmrun *vm)
{
	fuzz_check(vmrun_start(vm) != VMRUN_STATUS_OK, "a dry run starts");
	fuzz_check(vmrun_run(vm, NULL, NULL) != VMRUN_STATUS_OK, "a dry run runs");
	vmrun_answer(vm, true);
	vmrun_stop(vm);
	vmrun_kill(vm);
	vmrun_reopen_logs(vm);
	vmrun_restore_terminal(vm);
	fuzz_check(!vmrun_reset(vm), "a dry run resets");
	fuzz_check(vmrun_reboot(vm, NULL) != VMRUN_STATUS_OK, "a dry run reboots");
	fuzz_check(vmrun_next(vm, "default") != VMRUN_STATUS_OK, "a dry run has a next target");
	fuzz_check(vmrun_reload(vm) != VMRUN_STATUS_OK, "a dry run reloads");
	(void)vmrun_dispatch(vm);
	fuzz_check(vmrun_console_write(vm, "x", 1) == 0, "a dry run types");
}

/* Checks that the printed spec, which has no targets, makes the same command. */
static void read_again(const struct vmrun_options *options, const struct vmrun *vm)
{
	struct vmrun_options again = *options;
	char *spec = vmrun_spec_json(vm), *wanted = vmrun_command(vm), *got;
	const struct vmrun_problem *problem;
	struct vmrun *other;

	check_text(spec);
	again.text = spec;
	again.length = strlen(spec);
	again.format = "json";
	again.target = NULL;
	again.set = NULL;
	if (vmrun_open(&other, &again) == VMRUN_STATUS_OK)
		(void)vmrun_prepare(other);
	problem = vmrun_problem(other, 0);
	got = vmrun_command(other);
	if (problem == NULL)
		fuzz_check(strcmp(wanted, got) == 0, "the printed spec makes another command");
	else if (strstr(problem->text, "unknown target") == NULL)
		fuzz_check(false, problem->text);
	vmrun_close(other);
	free(got);
	free(wanted);
	free(spec);
}

static void prepare(const struct vmrun_options *options, struct vmrun *vm)
{
	char *config;

	if (vmrun_prepare(vm) != VMRUN_STATUS_OK) {
		fuzz_check(vmrun_problem_count(vm) > 0, "a failure without a problem");
		return;
	}
	read_list(vmrun_argv(vm));
	read_all(vm);
	if (strcmp(options->hypervisor, "bhyve") == 0 && options->args == NULL)
		model_check(vm);
	read_again(options, vm);
	config = vmrun_bhyve_config(vm);
	free(config);
}

void handle_use(const struct vmrun_options *options, bool checks)
{
	struct vmrun *vm;
	int status = vmrun_open(&vm, options);

	fuzz_check((status == VMRUN_STATUS_OK) == (vmrun_problem_count(vm) == 0),
	    "the status differs from the problems");
	read_all(vm);
	read_policy(vm, status == VMRUN_STATUS_OK);
	disturb(vm);
	prepare(options, vm);
	if (checks)
		(void)vmrun_check(vm);
	read_all(vm);
	read_events(vm);
	if (vmrun_simulate(vm, ENDS) == VMRUN_STATUS_OK)
		read_policy(vm, false);
	read_all(vm);
	read_events(vm);
	disturb(vm);
	vmrun_close(vm);
}
