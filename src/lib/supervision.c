/* libvmrun: starting, dispatching and controlling a VM or a simulation. */
#include "vmrun/vmrun.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "lib/handle.h"

/*
 * Opens standard descriptors that the program has closed, before the library opens one that it
 * keeps: that would get such a number, and a console on "stdio" would use it.
 */
static void open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDWR);
	}
}

/* Returns the descriptor of the console's input: the terminal if the spec came from stdin. */
static int open_console_input(struct vmrun *vm)
{
	if (vm->options.file == NULL || strcmp(vm->options.file, "-") != 0)
		return STDIN_FILENO;
	if (vm->console_input >= 0)
		return vm->console_input;
	vm->console_input = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (vm->console_input < 0)
		vm->console_input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return vm->console_input;
}

static int check_sigchld(struct error *err)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) == 0 &&
	    (action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT) != 0))
		return error_set(err, STATUS_USAGE,
		    "SIGCHLD is ignored: the end of the hypervisor could not be seen");
	return 0;
}

/*
 * Returns the status of a call that has reported why it failed and has left nothing behind: the
 * program may remove the reason and call again.
 */
static int fail_call(struct vmrun *vm)
{
	vm->is_usable = true;
	return (int)vm->report.status;
}

int handle_lock(struct vmrun *vm)
{
	struct error err = { 0 };

	if (vm->is_locked)
		return STATUS_OK;
	open_standard();
	/* Lock before any other step, which could disturb a running VM of that name. */
	if (check_sigchld(&err) != 0 ||
	    rundir_open(&vm->rundir, vm->run_dir, vm->name, &err) != 0) {
		report_take(&vm->report, NULL, &err);
		return fail_call(vm);
	}
	vm->is_locked = true;
	return STATUS_OK;
}

static int reload_spec(struct vmrun *vm, struct error *err);

static int control_reload(void *context, struct error *err)
{
	return reload_spec(context, err);
}

static int open_control(struct vmrun *vm)
{
	struct control_owner owner = { .reload = control_reload,
		.forget = handle_forget_state,
		.context = vm,
		.events = &vm->events,
		.vm = vm->name };
	MEM_AUTO char *path = mem_format("%s/" RUNDIR_CONTROL, vm->rundir.directory);
	struct error err = { 0 };

	if (control_open(&vm->control, vm->machine, vm->wait, path, &owner, &err) == 0)
		return STATUS_OK;
	report_take(&vm->report, NULL, &err);
	return (int)vm->report.status;
}

static int start_machine(struct vmrun *vm, struct machine_options *options)
{
	options->policy = vm->policy;
	options->target = vm->options.target;
	options->decide = vm->options.decide;
	options->decide_context = vm->options.decide_context;
	if (loop_open(vm) != STATUS_OK)
		return fail_call(vm);
	vm->events.find = handle_find;
	vm->events.find_context = vm;
	vm->events.free_findings = handle_free_findings;
	vm->machine =
	    machine_new(&vm->source, options, &vm->first, &vm->events, vm->wait, &vm->report);
	if (vm->machine == NULL)
		return fail_call(vm);
	if (vm->options.control && !vm->source.dry && open_control(vm) != STATUS_OK) {
		machine_free(vm->machine);
		vm->machine = NULL;
		return fail_call(vm);
	}
	machine_start(vm->machine);
	loop_update(vm);
	return STATUS_OK;
}

void handle_forget_refusal(struct vmrun *vm)
{
	free(vm->refusal);
	vm->refusal = NULL;
}

/* Stores why a request was refused, and returns its status. */
static int finish_request(struct vmrun *vm, int rc, struct error *err)
{
	int status = rc == 0 ? STATUS_OK : (int)err->status;

	handle_forget_refusal(vm);
	vm->refusal = err->text == NULL ? NULL : mem_copy(err->text);
	error_clear(err);
	loop_update(vm);
	return status;
}

int handle_refuse(struct vmrun *vm, const char *why)
{
	struct error err = { 0 };

	return finish_request(vm, error_set(&err, STATUS_USAGE, "%s", why), &err);
}

int vmrun_start(struct vmrun *vm)
{
	struct machine_options options = { .pid_file = vm->pid_file,
		.own_pid_file = vm->own_pid_file,
		.fix = vm->options.fix,
		.force = vm->options.force,
		.no_checks = vm->options.no_checks,
		.keeps_signals = vm->options.keeps_signals,
		.guest_status = vm->options.guest_status,
		.panic = vm->options.panic_on_failed_cleanup,
		.ask = vm->options.ask };
	int status;

	handle_forget_refusal(vm);
	if (handle_failed(vm))
		return (int)vm->report.status;
	if (vm->machine != NULL)
		return handle_refuse(vm, "the VM was started before");
	if (vm->source.dry)
		return handle_refuse(vm, "dry_run or check is set, which start nothing");
	status = handle_lock(vm);
	if (status != STATUS_OK)
		return status;
	options.directory = vm->rundir.directory;
	options.console_input = open_console_input(vm);
	return start_machine(vm, &options);
}

/* Returns the machine that runs a VM or did so; NULL before vmrun_start() and for a simulation. */
static struct machine *real_machine(const struct vmrun *vm)
{
	return vm->source.dry ? NULL : vm->machine;
}

void vmrun_answer(struct vmrun *vm, bool fix)
{
	if (real_machine(vm) != NULL)
		machine_allow_fixes(vm->machine, fix);
	loop_update(vm);
}

int vmrun_simulate(struct vmrun *vm, const char *list)
{
	struct machine_options options = { .simulation = &vm->simulation };
	int64_t now_ms = vm->simulation.now_ms; /* the spec's file may have slept */
	struct error err = { 0 };

	handle_forget_refusal(vm);
	if (handle_failed(vm))
		return (int)vm->report.status;
	if (vm->machine != NULL)
		return handle_refuse(vm, "the VM was simulated or started before");
	if (!vm->source.dry)
		return handle_refuse(vm, "dry_run is not set, without which nothing is simulated");
	if (simulation_parse(list, &vm->simulation, &err) != 0) {
		(void)error_prefix(&err, "--simulate");
		report_take(&vm->report, NULL, &err);
		vm->simulation.now_ms = now_ms;
		return fail_call(vm);
	}
	vm->simulation.now_ms = now_ms;
	open_standard(); /* another handle of the program may run a VM later */
	return start_machine(vm, &options);
}

int vmrun_fd(const struct vmrun *vm)
{
	return vm->machine == NULL ? -1 : waitset_fd(vm->wait);
}

int vmrun_dispatch(struct vmrun *vm)
{
	struct error err = { 0 };

	handle_forget_refusal(vm);
	if (vm->machine == NULL)
		return handle_refuse(vm, HANDLE_NOT_STARTED);
	if (loop_dispatch(vm, &err) == 0)
		return STATUS_OK;
	report_take(&vm->report, NULL, &err);
	return STATUS_OS;
}

enum vmrun_cause handle_cause_code(const char *name)
{
	enum cause cause;

	if (name == NULL || !cause_find(name, &cause))
		return VMRUN_CAUSE_NONE;
	return machine_cause_code(cause);
}

const struct vmrun_event *vmrun_next_event(struct vmrun *vm)
{
	struct vmrun_event *e = &vm->event;

	if (!event_next(&vm->events, e))
		return NULL;
	e->cause_code = handle_cause_code(e->cause);
	if (e->type == VMRUN_CHECKED)
		handle_take_findings(vm, &vm->events.lent->findings);
	return e;
}

void vmrun_stop(struct vmrun *vm)
{
	if (real_machine(vm) != NULL)
		machine_stop(vm->machine);
	loop_update(vm);
}

void vmrun_kill(struct vmrun *vm)
{
	if (real_machine(vm) != NULL)
		machine_kill(vm->machine);
	loop_update(vm);
}

int vmrun_reboot(struct vmrun *vm, const char *target)
{
	struct error err = { 0 };

	if (real_machine(vm) == NULL)
		return handle_refuse(vm, HANDLE_NOT_STARTED);
	return finish_request(vm, machine_reboot(vm->machine, target, &err), &err);
}

int vmrun_next(struct vmrun *vm, const char *target)
{
	struct error err = { 0 };

	if (real_machine(vm) == NULL)
		return handle_refuse(vm, HANDLE_NOT_STARTED);
	return finish_request(vm, machine_next(vm->machine, target, &err), &err);
}

/*
 * Reads the spec again, with the same options.  Returns NULL and reports problems unless the new
 * spec is valid and has the same name.  Caller frees.
 */
static struct boot_source *read_new_source(struct vmrun *vm, struct report *report)
{
	struct boot_source *fresh = mem_zero(sizeof(*fresh));
	bool is_good;

	boot_source_renew(fresh, &vm->source);
	vm->is_reloading = true;
	is_good = handle_read(vm, fresh, report) == 0 && boot_source_check(fresh, report) == 0;
	vm->is_reloading = false;
	if (is_good) {
		if (strcmp(fresh->name, vm->name) == 0)
			return fresh;
		report_add(report, STATUS_SPEC, NULL,
		    "the name is \"%s\" now: a VM that runs keeps its name, \"%s\"", fresh->name,
		    vm->name);
	}
	boot_source_clear(fresh);
	free(fresh);
	return NULL;
}

/* Refuses a new source without a target that the VM runs or needs next. */
static struct boot_source *keep_targets(
    struct vmrun *vm, struct boot_source *fresh, struct report *report)
{
	if (fresh == NULL)
		return NULL;
	machine_check_reload(vm->machine, fresh, report);
	if (report->count == 0)
		return fresh;
	boot_source_clear(fresh);
	free(fresh);
	return NULL;
}

static bool can_reload(const struct vmrun *vm)
{
	return vm->options.file != NULL && strcmp(vm->options.file, "-") != 0;
}

static int reload_spec(struct vmrun *vm, struct error *err)
{
	struct report report = { 0 };
	struct boot_source *fresh = NULL;
	struct event_record *r;
	int rc = 0;

	if (can_reload(vm))
		fresh = keep_targets(vm, read_new_source(vm, &report), &report);
	else
		report_add(&report, STATUS_USAGE, NULL, "the spec came from no file");
	r = event_add(&vm->events, VMRUN_RELOADED);
	r->event.problems = (int)(report.count + report.more);
	if (fresh != NULL) {
		machine_reload(vm->machine, fresh);
	} else {
		MEM_AUTO char *text = report_text(&report);

		event_text(r, text);
		rc = error_set(err, report.status, "%s", text);
	}
	report_free(&report);
	return rc;
}

int vmrun_reload(struct vmrun *vm)
{
	struct error err = { 0 };
	int rc;

	if (real_machine(vm) == NULL)
		return handle_refuse(vm, HANDLE_NOT_STARTED);
	if (machine_ended(vm->machine))
		return handle_refuse(vm, "the VM has ended");
	rc = reload_spec(vm, &err);
	control_renew(vm->control);
	return finish_request(vm, rc, &err);
}

void vmrun_reopen_logs(struct vmrun *vm)
{
	if (real_machine(vm) != NULL && !machine_ended(vm->machine))
		machine_reopen_logs(vm->machine);
	control_renew(vm->control);
	loop_update(vm);
}

void vmrun_restore_terminal(const struct vmrun *vm)
{
	if (real_machine(vm) != NULL)
		machine_restore_terminal(vm->machine);
}

const char *vmrun_refusal(const struct vmrun *vm)
{
	return vm->refusal;
}

const struct vmrun_state *vmrun_get_state(const struct vmrun *vm)
{
	struct vmrun_state *state = &vm->lent->state;

	if (vm->machine != NULL)
		machine_get_state(vm->machine, state);
	else
		*state =
		    (struct vmrun_state){ .state = "waiting", .ready = -1, .requested_status = -1 };
	state->cause_code = handle_cause_code(state->cause);
	return state;
}

bool vmrun_reset(struct vmrun *vm)
{
	bool done = real_machine(vm) != NULL && machine_reset(vm->machine, false);

	loop_update(vm);
	return done;
}

bool vmrun_ended(const struct vmrun *vm)
{
	return vm->machine != NULL && machine_ended(vm->machine);
}

int vmrun_status(const struct vmrun *vm)
{
	return vm->machine == NULL ? (int)vm->report.status : machine_status(vm->machine);
}

int vmrun_guest_status(const struct vmrun *vm)
{
	return vm->machine == NULL ? -1 : machine_guest_status(vm->machine);
}
