/* The library's public functions with VMs that run under fakebhyve. */
#include "life.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_one_boot(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	life_script("exit 1");
	assert_string_equal(life_run(vm),
	    "starting:default checked:default spawned:default exit:poweroff cleaned:default "
	    "decided:stop ended:poweroff");
	assert_int_equal(vmrun_status(vm), 0);
	assert_int_equal(vmrun_guest_status(vm), 1);
	assert_true(vmrun_ended(vm));
	assert_int_equal(vmrun_dispatch(vm), 0); /* nothing happens any more */
	vmrun_stop(vm);
	assert_string_equal(life_events(vm), "");
	vmrun_close(vm);
}

static void test_facts_of_events(void **state)
{
	static const char *const order[] = { "starting", "checked", "spawned", "output", "exit",
		"cleaned", "decided", "ended" };
	struct vmrun *vm = life_open("facts", "");
	const struct vmrun_event *e;
	int64_t last = (int64_t)time(NULL) * 1000;
	uint64_t seq = 0;
	size_t i = 0;

	(void)state;
	life_script("err some_words exit 3");
	assert_int_equal(vmrun_start(vm), 0);
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	while ((e = vmrun_next_event(vm)) != NULL) {
		assert_string_equal(e->vm, "facts");
		assert_int_equal(e->seq, ++seq);
		/* time(3) may be a tick behind. */
		assert_true(e->time_ms >= last && e->time_ms / 1000 <= time(NULL) + 1);
		last = e->time_ms;
		if (e->type == VMRUN_POLICY && i == 0)
			continue; /* they come first */
		assert_true(i < 8);
		assert_string_equal(e->name, order[i++]);
		if (e->type == VMRUN_SPAWNED) {
			assert_true(e->pid > 0);
			assert_string_equal(e->argv[0], FAKEBHYVE);
			assert_false(e->console);
		} else if (e->type == VMRUN_OUTPUT) {
			assert_string_equal(e->text, "some words");
		} else if (e->type == VMRUN_EXITED) {
			assert_string_equal(e->cause, "triple_fault");
			assert_non_null(e->cause_text);
			assert_int_equal(e->status, 3);
			assert_int_equal(e->signal, 0);
			assert_true(e->uptime_ms >= 0);
			assert_string_equal(e->text, "some words\n");
		} else if (e->type == VMRUN_DECIDED) {
			assert_string_equal(e->by, "default");
		} else if (e->type == VMRUN_ENDED) {
			assert_int_equal(e->exit_status, 3);
		}
	}
	assert_int_equal(i, 8);
	vmrun_close(vm);
}

static void test_reboots(void **state)
{
	struct vmrun *vm = life_open("demo",
	    ",\"targets\":{\"install\":{\"next_target\":\"default\",\"cpu\":2}},"
	    "\"next_target\":\"install\"");

	(void)state;
	life_script("exit 0\nexit 0\nexit 1");
	assert_string_equal(life_run(vm),
	    "starting:default checked:default spawned:default exit:reboot cleaned:default "
	    "decided:boot "
	    "starting:install checked:install spawned:install exit:reboot cleaned:install "
	    "decided:boot "
	    "starting:default checked:default spawned:default exit:poweroff cleaned:default "
	    "decided:stop ended:poweroff");
	vmrun_close(vm);
}

static void test_limits_of_options(void **state)
{
	struct vmrun_options o = VMRUN_OPTIONS;
	struct vmrun *vm;

	(void)state;
	o.no_reboot = true;
	vm = life_open_with(&o, "demo", "");
	life_script("exit 0");
	assert_string_equal(life_run(vm),
	    "starting:default checked:default spawned:default exit:reboot cleaned:default "
	    "decided:stop ended:reboot");
	vmrun_close(vm);

	o.no_reboot = false;
	o.reboot_count = 1;
	o.reboot_on = "poweroff";
	vm = life_open_with(&o, "demo", "");
	life_script("exit 1\nexit 1\nexit 1");
	assert_string_equal(life_run(vm),
	    "starting:default checked:default spawned:default exit:poweroff cleaned:default "
	    "decided:boot "
	    "starting:default checked:default spawned:default exit:poweroff cleaned:default "
	    "decided:stop ended:poweroff");
	vmrun_close(vm);
}

static void test_stop(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	life_script("acpi on ready up wait exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	vmrun_stop(vm);
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	assert_string_equal(life_events(vm),
	    "starting:default checked:default spawned:default stopping:acpi exit:stopped "
	    "cleaned:default decided:stop ended:stopped");
	assert_int_equal(vmrun_status(vm), 0);
	vmrun_close(vm);
}

/* Every further request takes the next step at once, without the time of a step. */
static void test_stop_again(void **state)
{
	struct vmrun *vm = life_open("demo",
	    ",\"stop\":[{\"do\":\"acpi\",\"wait\":60},{\"do\":\"poweroff\",\"wait\":60},"
	    "{\"do\":\"kill\",\"wait\":60}]");

	(void)state;
	life_script("acpi on ready up hang");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	for (int i = 0; i < 3; i++)
		vmrun_stop(vm);
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	assert_string_equal(life_events(vm),
	    "starting:default checked:default spawned:default stopping:acpi stopping:poweroff "
	    "stopping:kill exit:stopped cleaned:default decided:stop ended:stopped");
	vmrun_close(vm);
}

/* The ladder goes on by itself. */
static void test_ladder(void **state)
{
	struct vmrun *vm = life_open(
	    "demo", ",\"stop\":[{\"do\":\"acpi\",\"wait\":0},{\"do\":\"poweroff\",\"wait\":30}]");

	(void)state;
	life_script("acpi on ready up deaf");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	vmrun_stop(vm);
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	assert_string_equal(life_events(vm),
	    "starting:default checked:default spawned:default stopping:acpi stopping:poweroff "
	    "exit:stopped cleaned:default decided:stop ended:stopped");
	assert_int_equal(vmrun_guest_status(vm), 1);
	vmrun_close(vm);
}

static void test_stop_before_anything_ran(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	assert_int_equal(vmrun_start(vm), 0);
	vmrun_stop(vm);
	assert_true(vmrun_ended(vm));
	assert_string_equal(life_events(vm), "ended:stopped");
	assert_int_equal(vmrun_status(vm), 0);
	vmrun_close(vm);
}

static void test_starts_that_fail(void **state)
{
	static const struct {
		const char *program, *script, *events;
		int status;
		bool no_checks;
	} rows[] = {
		{ "/no/such/bhyve", "",
		    "starting:default checked:default exit:start_failed decided:stop "
		    "ended:start_failed",
		    127, false },
		{ "/dev/null", "",
		    "starting:default checked:default exit:start_failed decided:stop "
		    "ended:start_failed",
		    126, false },
		{ "/no/such/bhyve", "",
		    "starting:default exit:start_failed decided:stop ended:start_failed", 127,
		    true },
		{ "/dev/null", "",
		    "starting:default exit:start_failed decided:stop ended:start_failed", 126,
		    true },
		/* A line of bhyve's own: any other counts only within a second. */
		{ NULL, "err bind:_Address_already_in_use exit 4",
		    "starting:default checked:default spawned:default "
		    "output:bind: Address already in use exit:start_failed "
		    "cleaned:default decided:stop ended:start_failed",
		    4, false },
		{ NULL, "exit 4",
		    "starting:default checked:default spawned:default exit:error cleaned:default "
		    "decided:stop ended:error",
		    4, false },
		{ NULL, "signal 9",
		    "starting:default checked:default spawned:default exit:killed cleaned:default "
		    "decided:stop ended:killed",
		    137, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmrun_options o = VMRUN_OPTIONS;
		struct vmrun *vm;

		o.bhyve = rows[i].program;
		o.no_checks = rows[i].no_checks;
		vm = life_open_with(&o, "demo", "");
		life_script(rows[i].script);
		assert_string_equal(life_run(vm), rows[i].events);
		assert_int_equal(vmrun_status(vm), rows[i].status);
		vmrun_close(vm);
	}
}

/* Starts a VM whose start has failed, and runs it. */
static void starts_now(struct vmrun *vm)
{
	life_script("exit 1");
	assert_non_null(strstr(life_run(vm), "ended:poweroff"));
	assert_int_equal(vmrun_problem_count(vm), 0);
	assert_int_equal(vmrun_status(vm), 0);
}

static void test_ignored_sigchld_is_refused(void **state)
{
	struct sigaction old, ignore = { .sa_handler = SIG_IGN },
			      no_wait = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	const struct sigaction *const rows[] = { &ignore, &no_wait };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vmrun *vm = life_open("demo", "");
		const struct vmrun_problem *p;

		assert_int_equal(sigaction(SIGCHLD, rows[i], &old), 0);
		assert_int_equal(vmrun_start(vm), 64);
		assert_int_equal(sigaction(SIGCHLD, &old, NULL), 0);
		p = vmrun_problem(vm, 0);
		assert_non_null(p);
		assert_non_null(strstr(p->text, "SIGCHLD is ignored"));
		assert_int_equal(vmrun_fd(vm), -1);
		starts_now(vm);
		vmrun_close(vm);
	}
}

/* A start that was refused because the VM runs succeeds when that VM has ended. */
static void test_start_after_another_vmrun(void **state)
{
	struct vmrun *vm = life_open("demo", ""), *second = life_open("demo", "");
	const struct vmrun_problem *p;

	(void)state;
	life_script("hang");
	assert_int_equal(vmrun_start(vm), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vmrun_start(second), 75);
		assert_int_equal(vmrun_problem_count(second), 1);
		p = vmrun_problem(second, 0);
		assert_non_null(p);
		assert_non_null(strstr(p->text, "demo: already running as pid "));
		assert_int_equal(vmrun_status(second), 75);
	}
	vmrun_close(vm);
	starts_now(second);
	vmrun_close(second);
}

/* The same after an error of the operating system. */
static void test_start_after_a_mend(void **state)
{
	struct vmrun_options o = VMRUN_OPTIONS;
	struct vmrun *vm;

	(void)state;
	o.control = true;
	vm = life_open_with(&o, "demo", "");
	assert_int_equal(symlink("elsewhere", "run"), 0);
	assert_int_equal(vmrun_start(vm), 71);
	assert_int_equal(unlink("run"), 0);
	assert_true(mkdir("run", 0700) == 0 && mkdir("run/demo", 0700) == 0 &&
	    mkdir("run/demo/control", 0700) == 0);
	assert_int_equal(vmrun_start(vm), 71);
	assert_int_equal(rmdir("run/demo/control"), 0);
	assert_int_equal(mkdir("run/demo/ledger.json", 0700), 0);
	assert_int_equal(vmrun_start(vm), 71);
	assert_int_equal(rmdir("run/demo/ledger.json"), 0);
	starts_now(vm);
	vmrun_close(vm);
}

static void test_second_start_is_refused(void **state)
{
	struct vmrun *vm = life_open("demo", "");

	(void)state;
	life_script("ready up exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	assert_int_equal(vmrun_start(vm), 64);
	assert_int_equal(vmrun_prepare(vm), 0);
	assert_null(vmrun_command(vm));
	assert_null(vmrun_spec_json(vm));
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	assert_int_equal(vmrun_status(vm), 0);
	vmrun_close(vm);
}

static pid_t running_pid(struct vmrun *vm)
{
	const struct vmrun_event *e;
	pid_t pid = 0;

	while ((e = vmrun_next_event(vm)) != NULL) {
		if (e->type == VMRUN_SPAWNED)
			pid = e->pid;
	}
	return pid;
}

/* Closing the handle kills the hypervisor and removes its sockets. */
static void test_close_kills(void **state)
{
	struct vmrun *vm = life_open(
	    "demo", ",\"emulations\":[{\"device\":\"virtio-console\",\"ports\":[\"con.sock\"]}]");
	pid_t pid;

	(void)state;
	life_script("ready up hang");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	assert_true(life_file_exists("con.sock"));
	pid = running_pid(vm);
	assert_int_equal(kill(pid, 0), 0);
	vmrun_close(vm);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_false(life_file_exists("con.sock"));
}

/* One thread supervises many VMs with one poll(2). */
static void test_several_at_once(void **state)
{
	enum { VMS = 8 };
	struct vmrun *vm[VMS];
	struct pollfd p[VMS];
	int running = VMS;

	(void)state;
	life_script(
	    "sleep 20 exit 0\nexit 0\nsleep 5 exit 0\nexit 0\nsleep 9 exit 0\nexit 0\nexit 0\n"
	    "exit 0\nexit 1\nsleep 7 exit 1\nexit 1\nexit 1\nexit 1\nexit 1\nexit 1\nexit 1");
	for (int i = 0; i < VMS; i++) {
		struct vmrun_options o = VMRUN_OPTIONS;
		char name[16];

		(void)snprintf(name, sizeof(name), "vm%d", i);
		o.reboot_count = 1;
		vm[i] = life_open_with(&o, name, "");
		assert_int_equal(vmrun_start(vm[i]), 0);
		p[i] = (struct pollfd){ .fd = vmrun_fd(vm[i]), .events = POLLIN };
	}
	while (running > 0) {
		assert_true(poll(p, VMS, 60000) > 0);
		for (int i = 0; i < VMS; i++) {
			if (p[i].fd < 0 || p[i].revents == 0)
				continue;
			assert_int_equal(vmrun_dispatch(vm[i]), 0);
			if (vmrun_ended(vm[i])) {
				p[i].fd = -1;
				running--;
			}
		}
	}
	for (int i = 0; i < VMS; i++) {
		const struct vmrun_event *e;
		char name[16];

		(void)snprintf(name, sizeof(name), "vm%d", i);
		while ((e = vmrun_next_event(vm[i])) != NULL)
			assert_string_equal(e->vm, name);
		assert_int_equal(vmrun_status(vm[i]), 0);
		vmrun_close(vm[i]);
	}
}

static void count_event(const struct vmrun_event *event, void *context)
{
	*(int *)context += event->type == VMRUN_POLICY ? 0 : 1;
}

static void test_run(void **state)
{
	struct vmrun *vm = life_open("demo", "");
	int events = 0;

	(void)state;
	life_script("exit 2");
	assert_int_equal(vmrun_run(vm, count_event, &events), 0);
	assert_int_equal(events, 7);
	assert_int_equal(vmrun_guest_status(vm), 2);
	vmrun_close(vm);
	vm = life_open("demo", "");
	life_script("exit 3");
	assert_int_equal(vmrun_run(vm, NULL, NULL), 3);
	vmrun_close(vm);
}

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
	return n;
}

static void live_and_die(void)
{
	struct vmrun *vm = life_open(
	    "demo", ",\"emulations\":[{\"device\":\"virtio-console\",\"ports\":[\"con.sock\"]}]");

	life_script("err words exit 0\nexit 1");
	(void)life_run(vm);
	vmrun_close(vm);
	vm = life_open("demo", "");
	life_script("ready up2 hang");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up2");
	(void)unlink("up2");
	vmrun_close(vm);
}

/* Descriptors, signal handlers, signal mask and directory are as before; nothing was printed. */
static void test_leaves_the_process_alone(void **state)
{
	struct sigaction before[32], after;
	sigset_t mask, mask_after;
	char directory[256], directory_after[256];
	int descriptors, out, err, file;
	struct stat printed;

	(void)state;
	live_and_die(); /* opens what is opened only once */
	descriptors = count_descriptors();
	for (int i = 1; i < 32; i++)
		(void)sigaction(i, NULL, &before[i]);
	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_non_null(getcwd(directory, sizeof(directory)));
	(void)fflush(NULL);
	out = dup(STDOUT_FILENO);
	err = dup(STDERR_FILENO);
	file = open("printed", O_RDWR | O_CREAT | O_TRUNC, 0600);
	(void)dup2(file, STDOUT_FILENO);
	(void)dup2(file, STDERR_FILENO);
	for (int i = 0; i < 5; i++)
		live_and_die();
	(void)fflush(NULL);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	assert_int_equal(fstat(file, &printed), 0);
	(void)close(out);
	(void)close(err);
	(void)close(file);
	assert_int_equal(printed.st_size, 0);
	assert_int_equal(count_descriptors(), descriptors);
	for (int i = 1; i < 32; i++) {
		(void)sigaction(i, NULL, &after);
		assert_true(after.sa_handler == before[i].sa_handler);
	}
	(void)sigprocmask(SIG_SETMASK, NULL, &mask_after);
	for (int i = 1; i < 32; i++)
		assert_int_equal(sigismember(&mask, i), sigismember(&mask_after, i));
	assert_non_null(getcwd(directory_after, sizeof(directory_after)));
	assert_string_equal(directory, directory_after);
}

static void test_pid_files(void **state)
{
	struct vmrun_options o = VMRUN_OPTIONS;
	struct vmrun *vm, *second;
	const struct vmrun_problem *p;
	char text[32] = "", own[32];
	FILE *f;

	(void)state;
	o.pid_file = "guest.pid";
	o.supervisor_pid_file = "own.pid";
	vm = life_open_with(&o, "demo", "");
	life_script("acpi on ready up wait exit 1");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	f = fopen("own.pid", "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	(void)fclose(f);
	(void)snprintf(own, sizeof(own), "%ld\n", (long)getpid());
	assert_string_equal(text, own);
	assert_true(life_file_exists("guest.pid"));
	second = life_open_with(&o, "other", "");
	assert_int_equal(vmrun_start(second), 75);
	p = vmrun_problem(second, 0);
	assert_non_null(p);
	assert_non_null(strstr(p->text, "own.pid: locked by a running process, pid "));
	assert_true(life_file_exists("own.pid"));
	vmrun_stop(vm);
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	vmrun_close(vm);
	starts_now(second);
	vmrun_close(second);
	assert_false(life_file_exists("guest.pid"));
	assert_false(life_file_exists("own.pid"));
}

/* Returns the pid in guest.pid, 0 if it is empty. */
static long guest_pid(void)
{
	char text[32] = "";
	FILE *f = fopen("guest.pid", "r");

	assert_non_null(f);
	(void)!fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	return strtol(text, NULL, 10);
}

/* The file is empty between boots, because another process may have the pid of the last one. */
static void test_pid_file_between_boots(void **state)
{
	struct vmrun_options o = VMRUN_OPTIONS;
	struct vmrun_state now = { 0 };
	struct vmrun *vm;
	FILE *f;

	(void)state;
	o.pid_file = "guest.pid";
	vm =
	    life_open_with(&o, "demo", ",\"on\":{\"reboot\":{\"boot\":\"default\",\"delay\":600}}");
	life_script("ready up waitfile go exit 0");
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	now = *vmrun_get_state(vm);
	assert_true(now.pid > 0);
	assert_int_equal(guest_pid(), now.pid);
	f = fopen("go", "w");
	assert_non_null(f);
	(void)fclose(f);
	while (strcmp(now.state, "backoff") != 0) {
		life_step(vm, 5);
		now = *vmrun_get_state(vm);
	}
	assert_int_equal(guest_pid(), 0);
	vmrun_stop(vm);
	while (!vmrun_ended(vm))
		life_step(vm, 1000);
	vmrun_close(vm);
	assert_false(life_file_exists("guest.pid"));
}

#define LIFE(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIFE(test_one_boot),
		LIFE(test_facts_of_events),
		LIFE(test_reboots),
		LIFE(test_limits_of_options),
		LIFE(test_stop),
		LIFE(test_stop_again),
		LIFE(test_ladder),
		LIFE(test_stop_before_anything_ran),
		LIFE(test_starts_that_fail),
		LIFE(test_ignored_sigchld_is_refused),
		LIFE(test_second_start_is_refused),
		LIFE(test_start_after_another_vmrun),
		LIFE(test_start_after_a_mend),
		LIFE(test_close_kills),
		LIFE(test_several_at_once),
		LIFE(test_run),
		LIFE(test_leaves_the_process_alone),
		LIFE(test_pid_files),
		LIFE(test_pid_file_between_boots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
