/* The guest of a boot: what is asked, who hears the answers, and what stays of a try. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"

/* A guest that is deaf stays until it is killed. */
#define LADDER "vm.stop = { { ['do'] = 'acpi', wait = 600 } }\n"

static struct vm v = VM;

static const struct ledger_process *process(void)
{
	return ledger_process_at(v.machine->host.ledger, 0);
}

/* Makes the machine and begins a try of this command, whose process it returns. */
static pid_t begin_try(const char *command)
{
	MEM_AUTO char *more = mem_format("vm.ready = { exec = { %s } }", command);
	pid_t pid;

	vm_make(&v, more, NULL);
	v.machine->run.child.started_ms = machine_now(v.machine);
	guest_begin(v.machine);
	guest_deadline(v.machine);
	pid = v.machine->guest.attempt.job.pid;
	assert_int_not_equal(pid, 0);
	return pid;
}

/* The ledger lists the command of a probe as long as its process may live. */
static void test_command_in_the_ledger(void **state)
{
	siginfo_t info;
	pid_t pid = begin_try("'sleep', '600'");

	(void)state;
	assert_non_null(process());
	assert_string_equal(process()->name, "command of a probe: sleep");
	assert_int_equal(process()->pid, pid);
	assert_false(guest_command_ended(v.machine, pid + 1));
	assert_false(guest_command_ended(v.machine, 0));
	assert_non_null(process());
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(guest_command_ended(v.machine, pid));
	assert_null(process());
	assert_false(guest_command_ended(v.machine, 0));
	vm_close(&v);
	/* A try that the end of the boot cuts short. */
	pid = begin_try("'sleep', '600'");
	guest_end(v.machine);
	assert_null(process());
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	vm_close(&v);
}

/* No process of a try is left when the machine is freed, and no loop reaps it. */
static void test_freed_during_a_try(void **state)
{
	pid_t pid = begin_try("'sleep', '600'");

	(void)state;
	vm_close(&v);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
}

/* What the guest has printed by the deadline counts, though vmrun has not read it yet. */
static void test_text_that_is_not_read_yet(void **state)
{
	struct console_settings settings = { .log = NULL };
	struct pollfd p = { .events = POLLIN };
	struct machine *m;

	(void)state;
	vm_make(&v, "vm.com1 = 'console' vm.ready = { console = 'login:', within = 60 }", NULL);
	m = v.machine;
	assert_int_equal(console_open(&m->console, &settings, false, NULL), 0);
	m->run.child.started_ms = machine_now(m) - 60000;
	guest_begin(m);
	assert_int_equal(write(m->console.guest_fd, "login:", 6), 6);
	p.fd = m->console.fd;
	assert_int_equal(poll(&p, 1, 60000), 1);
	guest_deadline(m);
	assert_int_equal(guest_readiness(m), 1);
	assert_non_null(vm_event(&v, VMRUN_READY));
	vm_close(&v);
}

static bool is_stopping(const struct machine *m)
{
	return m->present.state == STATE_STOPPING;
}

static bool is_ready(const struct machine *m)
{
	return guest_readiness(m) == 1;
}

static void test_event_of_an_unhealthy_guest(void **state)
{
	const struct vmrun_event *e;

	(void)state;
	life_script("deaf");
	vm_start(&v,
	    LADDER "vm.alive = { exec = { 'false' }, every = 0.01, failures = 2 }\n"
		   "vm.ready = { exec = { 'true' } }");
	vm_await(&v, is_stopping);
	e = vm_event(&v, VMRUN_READY);
	assert_non_null(e);
	assert_string_equal(e->target, "default");
	assert_string_equal(e->by, "exec true");
	e = vm_event(&v, VMRUN_UNHEALTHY);
	assert_non_null(e);
	assert_string_equal(e->target, "default");
	assert_string_equal(e->text, "false ended with status 1");
	assert_int_equal(e->failures, 2);
	vm_close(&v);
}

/* Only a spec with `ready` says what a ready guest is. */
static void test_readiness(void **state)
{
	(void)state;
	vm_prepare(&v, "");
	assert_int_equal(guest_readiness(v.machine), -1);
	vm_close(&v);
	life_script("deaf");
	vm_start(&v, LADDER "vm.ready = { exec = { 'test', '-e', 'up' }, every = 0.01 }");
	vm_reach(&v, STATE_RUNNING);
	assert_int_equal(guest_readiness(v.machine), 0);
	assert_false(v.machine->guest.started);
	vm_write("up", "");
	vm_await(&v, is_ready);
	assert_true(v.machine->guest.started);
	vm_close(&v);
}

/* The time left until a guest must be ready, of a VM that is waited for: 1 ms at least. */
static void test_time_left(void **state)
{
	static const struct {
		int64_t at, left;
	} times[] = { { 0, 60000 }, { 59998, 2 }, { 59999, 1 }, { 60000, 1 }, { 60001, 1 } };
	struct machine *m;

	(void)state;
	vm_prepare(&v, "vm.com1 = 'console' vm.ready = { console = 'login:', within = 60 }");
	m = v.machine;
	assert_int_equal(guest_ready_within_ms(m), 0); /* it has not begun */
	guest_begin(m);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		m->options.simulation->now_ms = times[i].at;
		assert_int_equal(guest_ready_within_ms(m), times[i].left);
	}
	m->guest.health.is_ready = true;
	assert_int_equal(guest_ready_within_ms(m), 0);
	m->guest.health.is_ready = false;
	assert_int_equal(guest_ready_within_ms(m), 1);
	guest_rest(m);
	assert_int_equal(guest_ready_within_ms(m), 0);
	vm_close(&v);
	/* No limit, and nothing to wait for. */
	vm_prepare(&v, "vm.com1 = 'console' vm.ready = { console = 'login:' }");
	guest_begin(v.machine);
	assert_int_equal(guest_ready_within_ms(v.machine), 0);
	vm_close(&v);
	vm_prepare(&v, "");
	guest_begin(v.machine);
	assert_int_equal(guest_ready_within_ms(v.machine), 0);
	vm_close(&v);
}

static void test_hook_of_a_ready_guest(void **state)
{
	struct machine *m;

	(void)state;
	vm_prepare(&v,
	    "vm.com1 = 'console' vm.ready = { console = 'login:' }\n"
	    "function vm.on_ready() print('it is up') end");
	m = v.machine;
	guest_begin(m);
	m->console.notice(m->console.notice_context, "login", 5);
	vm_check_not_told(&v, "log it is up\n");
	m->console.notice(m->console.notice_context, ":", 1);
	vm_check_told(&v, "log it is up\n");
	/* It has been ready also where its boot has ended before vmrun looks. */
	guest_end(m);
	assert_int_equal(guest_readiness(m), 0);
	guest_note_start(m);
	assert_true(m->guest.started);
	vm_close(&v);
}

/* A guest has started while its hypervisor runs, not while none does. */
static void test_start_without_a_hypervisor(void **state)
{
	(void)state;
	life_script("deaf");
	vm_start(&v, LADDER);
	vm_reach(&v, STATE_RUNNING);
	assert_true(v.machine->guest.started);
	vm_close(&v);
	vm_prepare(&v, "");
	vm_put(&v, STATE_RUNNING);
	guest_note_start(v.machine);
	assert_false(v.machine->guest.started);
	vm_close(&v);
}

/* A thread that runs all processors keeps their CPUs; the next thread begins without them. */
static void test_cpus_of_a_thread(void **state)
{
	struct guest *guest;

	(void)state;
	vm_prepare(&v, "");
	guest = &v.machine->guest;
	guest_pin(v.machine, 0, 4711);
	guest->pinned.cpus[7] = true;
	guest_pin(v.machine, 1, 4711);
	assert_true(guest->pinned.cpus[7]);
	guest_pin(v.machine, 2, 4712);
	assert_false(guest->pinned.cpus[7]);
	assert_int_equal(guest->pinned.thread, 4712);
	vm_close(&v);
}

static const char *halt_question; /* that the hypervisor is asked, or NULL */

static const char *halt_request(struct signs *signs)
{
	(void)signs;
	return halt_question;
}

/* Lets the time come to ask whether the guest has halted, and returns what was asked. */
static const char *ask_at(int64_t now_ms, int fd)
{
	static char asked[64];
	ssize_t n;

	v.machine->options.simulation->now_ms = now_ms;
	guest_deadline(v.machine);
	n = recv(fd, asked, sizeof(asked) - 1, MSG_DONTWAIT);
	asked[n < 0 ? 0 : n] = '\0';
	return asked;
}

static void test_question_for_a_halt(void **state)
{
	static const struct hypervisor hypervisor = { .halt_request = halt_request };
	struct job_stream *control;
	struct machine *m;
	int ends[2];

	(void)state;
	vm_prepare(&v, "");
	m = v.machine;
	m->boot.plan.hyper = &hypervisor;
	m->boot.plan.processors = 1;
	m->boot.spec->qemu.halt_poll_ms = 1;
	guest_begin(m);
	assert_int_equal(guest_until_ms(m), 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	control = &m->run.child.job.stream[CHANNEL_CONTROL];
	control->fd = ends[0];
	control->is_open = true;
	halt_question = "halted?";
	assert_string_equal(ask_at(1, ends[1]), "halted?");
	assert_int_equal(guest_until_ms(m), 2);
	halt_question = NULL; /* its answer is still awaited */
	assert_string_equal(ask_at(2, ends[1]), "");
	assert_int_equal(guest_until_ms(m), 3);
	control->is_open = false;
	m->boot.plan.hyper = &hyper_bhyve;
	(void)close(ends[0]);
	(void)close(ends[1]);
	vm_close(&v);
}

#define GUEST(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUEST(test_command_in_the_ledger),
		GUEST(test_freed_during_a_try),
		GUEST(test_text_that_is_not_read_yet),
		GUEST(test_event_of_an_unhealthy_guest),
		GUEST(test_readiness),
		GUEST(test_time_left),
		GUEST(test_hook_of_a_ready_guest),
		GUEST(test_start_without_a_hypervisor),
		GUEST(test_cpus_of_a_thread),
		GUEST(test_question_for_a_halt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
