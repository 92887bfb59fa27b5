#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/handle.h"

#define MAX_WAIT_MS 60000

void vm_open(struct vm *v, const char *more)
{
	char text[2048];
	const struct vmrun_problem *p;

	(void)snprintf(text, sizeof(text),
	    "vm = { name = 'walk', cpu = 1, mem = '64M', bootrom = 'rom', backoff = false,\n"
	    "  bhyve = { release = 14, arch = 'amd64' }, targets = { other = {} } }\n%s\nreturn vm",
	    more);
	v->options.text = text;
	v->options.length = strlen(text);
	v->options.format = "lua";
	v->options.hypervisor = "bhyve";
	v->options.run_dir = "run";
	v->options.state_dir = "keep";
	if (v->options.bhyve == NULL)
		v->options.bhyve = FAKEBHYVE;
	if (vmrun_open(&v->handle, &v->options) != 0) {
		p = vmrun_problem(v->handle, 0);
		fail_msg("%s: %s", p->path, p->text);
	}
}

static void make_machine(struct vm *v, struct machine_options *o)
{
	struct vmrun *h = v->handle;
	struct report report = { 0 };

	o->policy = h->policy;
	o->target = h->options.target;
	assert_int_equal(loop_open(h), 0);
	h->machine = machine_new(&h->source, o, &h->first, &h->events, h->wait, &report);
	assert_non_null(h->machine);
	v->machine = h->machine;
	v->machine->present.entered = v->entered;
}

void vm_begin(struct vm *v, struct machine_options *o)
{
	make_machine(v, o);
	machine_start(v->machine);
	loop_update(v->handle);
}

void vm_start(struct vm *v, const char *more)
{
	struct machine_options o = { .panic = v->options.panic_on_failed_cleanup };

	vm_open(v, more);
	assert_int_equal(handle_lock(v->handle), 0);
	o.directory = v->handle->rundir.directory;
	o.console_input = STDIN_FILENO;
	vm_begin(v, &o);
}

void vm_simulate(struct vm *v, const char *more, const char *list)
{
	struct machine_options o = { .simulation = NULL };
	struct error err = { 0 };

	v->options.dry_run = true;
	vm_open(v, more);
	assert_int_equal(simulation_parse(list, &v->handle->simulation, &err), 0);
	o.simulation = &v->handle->simulation;
	vm_begin(v, &o);
}

void vm_reach(struct vm *v, enum state state)
{
	struct pollfd p = { .fd = vmrun_fd(v->handle), .events = POLLIN };

	while (v->machine->present.state != state) {
		if (machine_ended(v->machine) || poll(&p, 1, MAX_WAIT_MS) != 1)
			fail_msg("it is %s, not %s", machine_states[v->machine->present.state].name,
			    machine_states[state].name);
		assert_int_equal(vmrun_dispatch(v->handle), 0);
		while (vmrun_next_event(v->handle) != NULL)
			;
	}
}

void vm_close(struct vm *v)
{
	vmrun_close(v->handle);
	str_free(&v->told);
	*v = (struct vm){ .options = VMRUN_OPTIONS, .entered = v->entered };
}

void vm_end(struct vm *v)
{
	vm_reach(v, STATE_ENDED);
	vm_close(v);
}

void vm_prepare(struct vm *v, const char *more)
{
	struct machine_options o = { .panic = v->options.panic_on_failed_cleanup };

	v->options.dry_run = true;
	vm_open(v, more);
	assert_int_equal(vmrun_prepare(v->handle), 0);
	o.simulation = &v->handle->simulation;
	make_machine(v, &o);
}

void vm_make(struct vm *v, const char *more, struct machine_options *o)
{
	struct machine_options none = { .simulation = NULL };

	if (o == NULL)
		o = &none;
	vm_open(v, more);
	assert_int_equal(vmrun_prepare(v->handle), 0);
	assert_int_equal(handle_lock(v->handle), 0);
	o->directory = v->handle->rundir.directory;
	o->console_input = STDIN_FILENO;
	make_machine(v, o);
}

void vm_await(struct vm *v, bool (*holds)(const struct machine *m))
{
	struct pollfd p = { .fd = vmrun_fd(v->handle), .events = POLLIN };

	loop_update(v->handle);
	while (!holds(v->machine)) {
		if (poll(&p, 1, MAX_WAIT_MS) != 1)
			fail_msg("nothing happened: it is %s",
			    machine_states[v->machine->present.state].name);
		assert_int_equal(vmrun_dispatch(v->handle), 0);
	}
}

void vm_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

void vm_check_event(struct vm *v, enum vmrun_event_type type, const char *text)
{
	const struct vmrun_event *e = vm_event(v, type);

	assert_non_null(e);
	assert_non_null(e->text);
	assert_string_equal(e->text, text);
}

static void add_word(struct str *told, const char *word)
{
	if (word != NULL && *word != '\0')
		str_addf(told, " %s", word);
}

const char *vm_told(struct vm *v)
{
	struct vmrun_event e;

	while (event_next(&v->handle->events, &e)) {
		str_add(&v->told, e.name);
		add_word(&v->told, e.cause);
		add_word(&v->told, e.text);
		str_add(&v->told, "\n");
	}
	return v->told.text == NULL ? "" : v->told.text;
}

void vm_check_told(struct vm *v, const char *text)
{
	if (strstr(vm_told(v), text) == NULL)
		fail_msg("not told: %s\n%s", text, vm_told(v));
}

void vm_check_not_told(struct vm *v, const char *text)
{
	if (strstr(vm_told(v), text) != NULL)
		fail_msg("told: %s\n%s", text, vm_told(v));
}

void vm_stub(const char *program, const char *script)
{
	char path[8192], text[1024];

	(void)mkdir("front", 0700);
	(void)snprintf(path, sizeof(path), "front/%s", program);
	(void)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	vm_write(path, text);
	assert_int_equal(chmod(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "./front:%s", getenv("PATH"));
	(void)setenv("PATH", path, 1);
}

void vm_put(struct vm *v, enum state state)
{
	v->machine->present.state = state;
}

struct next vm_act(struct vm *v, enum event event)
{
	action *act = machine_states[v->machine->present.state].on[event];

	assert_non_null(act);
	return act(v->machine);
}

void vm_check_next(struct next next, enum state state, int64_t ms)
{
	if (next.state != state)
		fail_msg("it goes to %s, not %s",
		    next.state == STATES ? "no state" : machine_states[next.state].name,
		    state == STATES ? "no state" : machine_states[state].name);
	assert_int_equal(next.ms, ms);
}

const struct vmrun_event *vm_event(struct vm *v, enum vmrun_event_type type)
{
	static struct vmrun_event e;

	while (event_next(&v->handle->events, &e)) {
		if (e.type == type)
			return &e;
	}
	return NULL;
}

int vm_count_events(struct vm *v, enum vmrun_event_type type)
{
	int n = 0;

	while (vm_event(v, type) != NULL)
		n++;
	return n;
}
