/*
 * Every public function in every state of a handle, each for several examples: a function does what
 * the header says, or says that it cannot yet.  The hypervisor is fakebhyve; nothing is checked, so
 * that disks that are not there do no harm.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "life.h"
#include "getters.h"

#define MAX_WAIT_MS 60000
#define EVERY 3 /* An example takes each third of the functions. */

static const char *const examples[] = { "hello.lua", "readme.json", "policy.json",
	"install-once.json", "rescue.json", "ab-upgrade.json", "staged.json", "backoff.json",
	"passthru.json", "fleet.lua", "window.json", "shrink.json", "jail/vm.json" };

/* --- the states --- */

static void open_handle(struct handle *h, int status)
{
	h->options.file = h->file;
	assert_int_equal(vmrun_open(&h->vm, &h->options), status);
	h->good = status == 0;
	h->read = status == 0;
}

static void no_such_file(struct handle *h)
{
	(void)strcat(h->file, ".gone");
	open_handle(h, 66);
}

static void wrong_option(struct handle *h)
{
	h->options.hypervisor = "xen";
	open_handle(h, 64);
}

/* A length without a text is an error. */
static void no_spec(struct handle *h)
{
	h->options.length = 100;
	assert_int_equal(vmrun_open(&h->vm, &h->options), 64);
}

static void wrong_spec(struct handle *h)
{
	static const char *const settings[] = { "cpu=0", NULL };

	h->options.set = settings;
	open_handle(h, 65);
}

static void opened(struct handle *h)
{
	open_handle(h, 0);
}

static void prepared(struct handle *h)
{
	open_handle(h, 0);
	assert_int_equal(vmrun_prepare(h->vm), 0);
	h->prepared = true;
}

static void printed(struct handle *h)
{
	h->dry = h->options.dry_run = true;
	prepared(h);
}

static void checked(struct handle *h)
{
	h->dry = h->options.check = true;
	open_handle(h, 0);
	h->wrong = vmrun_check(h->vm) == 69; /* most lack their disks */
	h->prepared = h->checked = true;
}

static void simulated(struct handle *h)
{
	h->dry = h->options.dry_run = true;
	open_handle(h, 0);
	assert_int_equal(vmrun_simulate(h->vm, "reboot,poweroff"), 0);
	h->simulated = true;
}

/* The VM's control socket could not be made, because a directory had its name. */
static void refused(struct handle *h)
{
	char path[512];

	prepared(h);
	(void)snprintf(path, sizeof(path), "run/%s", vmrun_name(h->vm));
	(void)mkdir("run", 0700);
	(void)mkdir(path, 0700);
	(void)strcat(path, "/control");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(vmrun_start(h->vm), 71);
	assert_int_equal(vmrun_problem_count(h->vm), 1);
	assert_int_equal(vmrun_status(h->vm), 71);
	(void)rmdir(path);
	assert_int_equal(vmrun_prepare(h->vm), 0);
}

static void started(struct handle *h)
{
	open_handle(h, 0);
	assert_int_equal(vmrun_start(h->vm), 0);
	h->started = h->first = true;
}

static bool step_to(struct handle *h, enum vmrun_event_type type)
{
	const struct vmrun_event *e;

	for (;;) {
		struct pollfd p = { .fd = vmrun_fd(h->vm), .events = POLLIN };

		while ((e = vmrun_next_event(h->vm)) != NULL) {
			if (e->type == type)
				return true;
		}
		if (vmrun_ended(h->vm))
			return false;
		assert_int_equal(poll(&p, 1, MAX_WAIT_MS), 1);
		assert_int_equal(vmrun_dispatch(h->vm), 0);
	}
}

static void running(struct handle *h)
{
	(void)unlink("up");
	life_script("acpi on ready up deaf");
	started(h);
	assert_true(step_to(h, VMRUN_SPAWNED));
	h->first = false;
	life_wait_for(h->vm, "up"); /* from here on it does not die of a SIGTERM */
}

static void stopping(struct handle *h)
{
	running(h);
	vmrun_stop(h->vm);
}

static void ended(struct handle *h)
{
	life_script("exit 1");
	started(h);
	h->first = false;
	assert_true(step_to(h, VMRUN_ENDED));
	h->over = true;
}

typedef void reach(struct handle *h);

/* --- functions that do something; each has a handle of its own --- */

static void do_prepare(struct handle *h)
{
	assert_int_equal(vmrun_prepare(h->vm) == 0, h->good);
	h->prepared = h->good && !h->started && !h->simulated;
}

static void do_check(struct handle *h)
{
	int status = vmrun_check(h->vm);

	if (getters_are_empty(h)) {
		assert_int_equal(status, h->good ? 64 : vmrun_status(h->vm));
		return;
	}
	assert_true(status == 0 || status == 69);
	h->prepared = h->checked = true;
	h->wrong = status == 69;
}

static void do_start(struct handle *h)
{
	int status = vmrun_start(h->vm);

	if (!h->good)
		assert_int_equal(status, vmrun_status(h->vm));
	else
		assert_int_equal(status, h->dry || h->started ? 64 : 0);
	if (status == 0)
		h->started = true;
	h->prepared = h->prepared && !h->started;
}

static void do_simulate(struct handle *h)
{
	int status = vmrun_simulate(h->vm, "3,reboot@7");

	if (!h->good)
		assert_int_equal(status, vmrun_status(h->vm));
	else
		assert_int_equal(status, h->dry && !h->simulated ? 0 : 64);
	h->simulated = h->simulated || status == 0;
	h->prepared = h->prepared && !h->simulated;
}

static void do_simulate_nonsense(struct handle *h)
{
	assert_int_not_equal(vmrun_simulate(h->vm, "reboot,,sometimes"), 0);
	if (!h->good || !h->dry || h->simulated)
		return;
	/* The problem is of this call: the next one makes a new beginning. */
	assert_int_equal(vmrun_problem_count(h->vm), 1);
	assert_int_equal(vmrun_prepare(h->vm), 0);
	h->prepared = true;
}

static void hear_end(const struct vmrun_event *e, void *context)
{
	if (e->type == VMRUN_ENDED)
		*(int *)context = e->exit_status;
}

static void do_run(struct handle *h)
{
	int heard = -1, status;

	life_script("exit 1");
	status = vmrun_run(h->vm, hear_end, &heard);
	if (!h->good || h->dry || h->started) {
		assert_int_equal(status, h->good ? 64 : vmrun_status(h->vm));
		assert_int_equal(heard, -1);
		return;
	}
	assert_int_equal(status, 0);
	assert_int_equal(heard, 0);
	h->started = h->over = true;
	h->prepared = false;
}

static void do_dispatch(struct handle *h)
{
	const struct vmrun_event *e;

	assert_int_equal(vmrun_dispatch(h->vm), h->started || h->simulated ? 0 : 64);
	while ((e = vmrun_next_event(h->vm)) != NULL) {
		char *json = vmrun_event_json(e);

		assert_int_equal(*json, '{');
		assert_non_null(vmrun_event_level(e));
		free(json);
	}
	vmrun_close(NULL);
}

/* Requests the end in this way, twice, and checks that the VM ends. */
static void end_by(struct handle *h, void (*ask)(struct vmrun *vm))
{
	struct vmrun_state s;
	bool was_over = h->over;

	ask(h->vm);
	ask(h->vm);
	s = *vmrun_get_state(h->vm);
	assert_int_equal(s.stop_requested, h->started && !h->over);
	if (!h->started || h->over)
		return;
	vmrun_kill(h->vm);
	assert_true(step_to(h, VMRUN_ENDED) || was_over);
	h->over = true;
}

static void do_stop(struct handle *h)
{
	end_by(h, vmrun_stop);
}

static void do_kill(struct handle *h)
{
	end_by(h, vmrun_kill);
}

static void do_small_things(struct handle *h)
{
	vmrun_answer(h->vm, true);
	vmrun_answer(h->vm, false);
	assert_false(vmrun_reset(h->vm)); /* it has not given up */
	vmrun_reopen_logs(h->vm);
	vmrun_restore_terminal(h->vm);
}

/* Checks the status of a request, and that only a refusal has an explanation. */
static void expect_request(struct handle *h, int status, int wanted)
{
	assert_int_equal(status, h->started ? wanted : 64);
	assert_int_equal(vmrun_refusal(h->vm) != NULL, !h->started || wanted != 0);
}

static void do_next(struct handle *h)
{
	expect_request(h, vmrun_next(h->vm, "nowhere"), 65);
	expect_request(h, vmrun_next(h->vm, NULL), 65);
	expect_request(h, vmrun_next(h->vm, "default"), h->first ? 0 : 69); /* options.no_reboot */
}

static void do_reboot(struct handle *h)
{
	expect_request(h, vmrun_reboot(h->vm, "nowhere"), 65);
	expect_request(h, vmrun_reboot(h->vm, NULL), 69); /* options.no_reboot */
}

static void do_reload(struct handle *h)
{
	bool lives = h->started && !h->over;

	assert_int_equal(vmrun_reload(h->vm), h->first ? 0 : lives ? 69 : 64); /* no_reboot */
	assert_int_equal(vmrun_refusal(h->vm) == NULL, h->first);
	if (lives)
		assert_true(step_to(h, VMRUN_RELOADED));
	else if (h->over)
		assert_false(step_to(h, VMRUN_RELOADED)); /* nothing follows the end */
}

typedef void act(struct handle *h);
static act *const acts[] = { do_prepare, do_check, do_start, do_simulate, do_simulate_nonsense,
	do_run, do_dispatch, do_stop, do_kill, do_small_things, do_next, do_reboot, do_reload };

/* --- all of them --- */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Sets a time zone in which it is between 0 and 1 o'clock, because window.json boots at night. */
static void set_night(void)
{
	time_t now = time(NULL);
	char zone[16];

	(void)snprintf(zone, sizeof(zone), "UTC%d", (int)(now % 86400 / 3600));
	(void)setenv("TZ", zone, 1);
	tzset();
}

static void make_host(void)
{
	char rom[256];

	assert_non_null(getcwd(rom, sizeof(rom) - 8));
	(void)strcat(rom, "/rom");
	(void)setenv("VMRUN_GUEST", rom, 1);
	(void)setenv("VM", "web1", 1); /* for fleet.lua */
	set_night();
	write_file("state/interfaces", "bridge0 up\n");
	write_file("state/pci",
	    "ppt0@pci0:3:0:0:\tclass=0x030000 rev=0xa1 hdr=0x00 vendor=0x10de device=0x1c03 "
	    "subvendor=0x1043 subdevice=0x85ac\n"
	    "ppt1@pci0:3:0:1:\tclass=0x030000 rev=0xa1 hdr=0x00 vendor=0x10de device=0x10f1 "
	    "subvendor=0x1043 subdevice=0x85ac\n");
}

static void one_case(const char *example, reach *reach_state, act *do_it)
{
	static int cases;
	struct handle h = { .options = VMRUN_OPTIONS };
	char keep[32];

	/* Each case has its own state, because one interrupts an installation. */
	(void)snprintf(keep, sizeof(keep), "keep%d", cases++);
	(void)snprintf(h.file, sizeof(h.file), SOURCE_DIR "/examples/%s", example);
	h.options.hypervisor = "bhyve";
	h.options.bhyve = FAKEBHYVE;
	h.options.run_dir = "run";
	h.options.state_dir = keep;
	h.options.set = (const char *[]){ "varfile=null", NULL }; /* no host has all templates */
	h.options.no_checks = h.options.no_reboot = h.options.control = true;
	life_script("deaf");
	reach_state(&h);
	getters_check(&h);
	do_it(&h);
	h.refused = vmrun_refusal(h.vm) != NULL;
	getters_check(&h);
	vmrun_close(h.vm);
}

static void every_act(void **state)
{
	reach *const *reach_state = *state;

	make_host();
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		for (size_t k = i % EVERY; k < sizeof(acts) / sizeof(*acts); k += EVERY)
			one_case(examples[i], *reach_state, acts[k]);
	}
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 17);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 17) - 1, f) > 0);
	assert_true(feof(f));
	(void)fclose(f);
	return text;
}

/* Fails for a function of the header that no text calls; returns the number of functions. */
static size_t count_called(const char *path, const char *const texts[2])
{
	char *header = read_file(path);
	size_t count = 0;

	for (char *p = strstr(header, "\nVMRUN_API "); p != NULL; p = strstr(p, "\nVMRUN_API ")) {
		char *end = strchr(p, '('), *name = end;
		char call[64];

		assert_non_null(end);
		while (isalnum((unsigned char)name[-1]) || name[-1] == '_')
			name--;
		(void)snprintf(call, sizeof(call), "%.*s(", (int)(end - name), name);
		if (strstr(texts[0], call) == NULL && strstr(texts[1], call) == NULL)
			fail_msg("%s) is called in no state", call);
		count++;
		p = end;
	}
	free(header);
	return count;
}

/* A function that is new in the headers is called here or in getters.c, too. */
static void test_no_function_is_missing(void **state)
{
	char *getters = read_file(SOURCE_DIR "/tests/lib/getters.c");
	char *here = read_file(SOURCE_DIR "/tests/lib/test_states.c");
	const char *const texts[] = { getters, here };

	(void)state;
	assert_true(count_called(SOURCE_DIR "/include/vmrun/vmrun.h", texts) > 40);
	assert_true(count_called(SOURCE_DIR "/include/vmrun/event.h", texts) >= 5);
	free(getters);
	free(here);
}

#define STATE(name)                                                                              \
	{                                                                                        \
		"test_every_function_when_" #name, every_act, life_enter, life_leave, &(reach *) \
		{                                                                                \
			name                                                                     \
		}                                                                                \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_function_is_missing),
		STATE(no_such_file),
		STATE(wrong_option),
		STATE(no_spec),
		STATE(wrong_spec),
		STATE(opened),
		STATE(prepared),
		STATE(printed),
		STATE(checked),
		STATE(simulated),
		STATE(refused),
		STATE(started),
		STATE(running),
		STATE(stopping),
		STATE(ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
