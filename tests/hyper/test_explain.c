/* The causes of exits of both hypervisors: their exit tables, then every combination of signs. */
#include "hyper/hyper.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "platform/spawn.h"

struct row {
	const char *what;
	struct signs signs;
	struct process_end end;
	struct outcome outcome;
};

static void check_rows(const struct hypervisor *hyper, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct outcome *wanted = &rows[i].outcome;
		struct outcome got;

		memset(&got, 0, sizeof(got)); /* as its callers do */
		hyper->explain(&rows[i].signs, &rows[i].end, &got);
		if (got.cause != wanted->cause || got.status != wanted->status ||
		    got.signal != wanted->signal || got.failed_start != wanted->failed_start ||
		    strcmp(got.text == NULL ? "" : got.text,
			wanted->text == NULL ? "" : wanted->text) != 0)
			fail_msg("%s: %s, status %d, signal %d, failed start %d", rows[i].what,
			    cause_name(got.cause), got.status, got.signal, got.failed_start);
	}
}

static void test_bhyve_table(void **state)
{
	static const struct row rows[] = {
		{ "reset", { 0 }, { 0, 0 }, { CAUSE_REBOOT, 0, 0, false, NULL } },
		{ "power off", { 0 }, { 1, 0 }, { CAUSE_POWEROFF, 1, 0, true, NULL } },
		{ "halt", { 0 }, { 2, 0 }, { CAUSE_HALT, 2, 0, false, NULL } },
		{ "triple fault", { 0 }, { 3, 0 }, { CAUSE_TRIPLE_FAULT, 3, 0, false, NULL } },
		{ "error", { 0 }, { 4, 0 }, { CAUSE_ERROR, 4, 0, true, "its own error" } },
		{ "suspended", { 0 }, { 5, 0 }, { CAUSE_ERROR, 5, 0, false, NULL } },
		{ "usage", { 0 }, { 64, 0 }, { CAUSE_START_FAILED, 64, 0, true, "usage error" } },
		{ "os error", { 0 }, { 71, 0 },
		    { CAUSE_ERROR, 71, 0, true, "refused by the operating system" } },
		{ "unknown reason", { 0 }, { 100, 0 },
		    { CAUSE_ERROR, 100, 0, false, "unknown suspend reason" } },
		{ "status 255", { 0 }, { 255, 0 }, { CAUSE_ERROR, 255, 0, false, NULL } },
		{ "SIGTERM", { 0 }, { -1, SIGTERM }, { CAUSE_KILLED, -1, SIGTERM, false, NULL } },
		{ "SIGABRT", { 0 }, { -1, SIGABRT }, { CAUSE_KILLED, -1, SIGABRT, false, NULL } },
		{ "SIGKILL", { 0 }, { -1, SIGKILL }, { CAUSE_KILLED, -1, SIGKILL, false, NULL } },
	};

	(void)state;
	check_rows(&hyper_bhyve, rows, sizeof(rows) / sizeof(rows[0]));
}

static void test_bhyve_statuses(void **state)
{
	(void)state;
	for (int status = 0; status < 256; status++) {
		struct process_end end = { status, 0 };
		struct signs signs = { .triple_fault = true, .fatal = "io-error" };
		struct outcome got = { 0 };

		hyper_bhyve.explain(&signs, &end, &got); /* signs have no effect for bhyve */
		assert_int_equal(got.cause,
		    status < 4	       ? (enum cause)status
			: status == 64 ? CAUSE_START_FAILED
				       : CAUSE_ERROR);
		assert_int_equal(got.status, status);
		assert_int_equal(got.signal, 0);
	}
	for (int signal = 1; signal < 32; signal++) {
		struct process_end end = { -1, signal };
		struct signs signs = { 0 };
		struct outcome got = { 0 };

		hyper_bhyve.explain(&signs, &end, &got);
		assert_int_equal(got.cause, CAUSE_KILLED);
		assert_int_equal(got.status, -1);
		assert_int_equal(got.signal, signal);
	}
}

/* bhyve's table has its statuses; the uptime and the message decide about other statuses. */
static void test_start_failed(void **state)
{
	static const int own[] = { 1, 4, 64, 71 };

	(void)state;
	for (int status = -1; status < 256; status++) {
		struct process_end end = { status, status < 0 ? SIGKILL : 0 };
		struct signs signs = { 0 };
		struct outcome got = { 0 };
		enum cause plain;
		bool is_own = false;

		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			is_own = is_own || own[i] == status;
		hyper_bhyve.explain(&signs, &end, &got);
		plain = got.cause;
		hyper_judge_messages(&hyper_bhyve, &got, 1000, "text\n");
		assert_int_equal(got.cause, plain);
		hyper_judge_messages(&hyper_bhyve, &got, 0, "");
		assert_int_equal(got.cause, plain);
		hyper_judge_messages(&hyper_bhyve, &got, 0,
		    "Error return from kevent change: Operation not supported by device\n");
		assert_int_equal(got.cause, plain);
		hyper_judge_messages(&hyper_bhyve, &got, 999, "text\n");
		assert_int_equal(got.cause, is_own ? CAUSE_START_FAILED : plain);
		assert_int_equal(got.status, status);
	}
}

/* A fault of bhyve's start is known by its last line, however long a busy host has taken. */
static void test_start_faults(void **state)
{
	static const struct {
		const char *text;
		bool fault;
	} rows[] = {
		{ "bhyve: gdb socket bind: Address already in use\n", true },
		{ "bhyve: gdb address resolution: Name does not resolve\n", true },
		{ "gdb socket create: Protocol not supported", true },
		{ "bhyve-15: vm_set_topology\n", true },
		{ "Usage: bhyve [-aC]\n       -Y: disable MPtable generation\n", true },
		{ "bhyve: vm_setup_pptdev_msix: Device busy\n", true },
		{ "bhyve: open(/fw.bin): No such file or directory\n", true },
		{ "x\r\nDevice emulation initialization error: No such file or directory\r\n\r\n",
		    true },
		{ "device emulation initialization error: Device busy\n", true },
		{ "Unable to setup memory (12)\n", true },
		{ "bhyve: /run/a.conf line 2: invalid config option 'x'\n", true },
		{ "bhyve: virtual machine cannot be booted\n", true },
		{ "Device emulation initialization error: x\nfbuf: client gone\n", false },
		{ "vm_run error -1, errno 6\nfbuf: client gone\n", false },
		{ "rdmsr to register 0x3a on vcpu 0\n", false },
		{ "the guest says: vm_set_topologyx\n", false },
		{ "\n\r\n", false },
		{ "", false },
	};
	static const int statuses[] = { 1, 4, 71 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < sizeof(statuses) / sizeof(statuses[0]); k++) {
			struct process_end end = { statuses[k], 0 };
			struct signs signs = { 0 };
			struct outcome got = { 0 };
			enum cause plain;

			hyper_bhyve.explain(&signs, &end, &got);
			plain = got.cause;
			hyper_judge_messages(&hyper_bhyve, &got, 3600000, rows[i].text);
			if (got.cause != (rows[i].fault ? CAUSE_START_FAILED : plain))
				fail_msg("%s: %s", rows[i].text, cause_name(got.cause));
		}
	}
}

/* A guest that cannot run on has not powered off, whatever the status. */
static void test_guest_that_cannot_run_on(void **state)
{
	static const int statuses[] = { 1, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct process_end end = { statuses[i], 0 };
		struct signs signs = { 0 };
		struct outcome got = { 0 };

		hyper_bhyve.explain(&signs, &end, &got);
		hyper_judge_messages(&hyper_bhyve, &got, 1000,
		    "rdmsr to register 0x3a on vcpu 0\r\nvm_run error -1, errno 14\r\n");
		assert_int_equal(got.cause, CAUSE_ERROR);
		assert_int_equal(got.status, statuses[i]);
		assert_string_equal(got.text, "its own error");
	}
}

/* A guest's own exit keeps its cause, and qemu has no such lines. */
static void test_no_start_faults(void **state)
{
	struct outcome reboot = { .cause = CAUSE_REBOOT };
	struct outcome of_qemu = { .cause = CAUSE_ERROR, .failed_start = true };

	(void)state;
	hyper_judge_messages(&hyper_bhyve, &reboot, 0, "bhyve: vm_set_topology\n");
	assert_int_equal(reboot.cause, CAUSE_REBOOT);
	hyper_judge_messages(&hyper_bhyve, &reboot, 0, "vm_run error -1, errno 14\n");
	assert_int_equal(reboot.cause, CAUSE_REBOOT);
	hyper_judge_messages(&hyper_qemu, &of_qemu, 1000, "bhyve: vm_set_topology\n");
	assert_int_equal(of_qemu.cause, CAUSE_ERROR);
	hyper_judge_messages(&hyper_qemu, &of_qemu, 1000, "vm_run error -1, errno 14\n");
	assert_null(of_qemu.text);
}

/* The line of each hypervisor that cannot listen at the port of its screen, among others. */
static void test_lost_port(void **state)
{
	static const char qemu[] = "qemu-system-x86_64: -vnc 127.0.0.1:0,password=on: Failed to "
				   "find an available port: Address already in use\n";

	(void)state;
	assert_true(hyper_has_lost_port(&hyper_qemu, qemu));
	assert_true(hyper_has_lost_port(&hyper_bhyve,
	    "fbuf frame buffer base: 0x1 [sz 16777216]\r\nbind: Address already in use\r\n"
	    "Device emulation initialization error: Address already in use\r\n"));
	assert_true(hyper_has_lost_port(&hyper_bhyve, "bind: Address already in use"));
	assert_false(hyper_has_lost_port(&hyper_bhyve, ""));
	assert_false(hyper_has_lost_port(&hyper_bhyve, "bind: Permission denied\n"));
	assert_false(hyper_has_lost_port(&hyper_bhyve, qemu));
	/* A port that the spec names: another port for the screen would not help. */
	assert_false(hyper_has_lost_port(&hyper_qemu,
	    "qemu: -chardev socket,id=com1: Failed to find an available port: "
	    "Address already in use\n"));
	assert_false(hyper_has_lost_port(
	    &hyper_qemu, "qemu: -vnc 127.0.0.1:0: no\n\nqemu: Address already in use\n"));
}

#define SAID(text)                              \
	{                                       \
		.greeted = true, .reason = text \
	}
#define RAN(text)                                                \
	{                                                        \
		.greeted = true, .reason = text, .resumed = true \
	}
#define HALTED(text)                                                           \
	{                                                                      \
		.greeted = true, .reason = text, .halt = {.has_halted = true } \
	}
#define TRIPLE(text)                                                  \
	{                                                             \
		.greeted = true, .reason = text, .triple_fault = true \
	}
#define FATAL(text, state)                                      \
	{                                                       \
		.greeted = true, .reason = text, .fatal = state \
	}

static void test_qemu_table(void **state)
{
	static const struct row rows[] = {
		{ "reset", SAID("guest-reset"), { 0, 0 }, { CAUSE_REBOOT, 0, 0, false, NULL } },
		{ "power off", SAID("guest-shutdown"), { 0, 0 },
		    { CAUSE_POWEROFF, 1, 0, false, NULL } },
		{ "triple fault", TRIPLE("guest-reset"), { 0, 0 },
		    { CAUSE_TRIPLE_FAULT, 3, 0, false, NULL } },
		{ "a triple fault before", TRIPLE("guest-shutdown"), { 0, 0 },
		    { CAUSE_POWEROFF, 1, 0, false, NULL } },
		{ "panic", { .greeted = true, .reason = "guest-panic", .panicked = true }, { 0, 0 },
		    { CAUSE_ERROR, 4, 0, false, "the guest panicked" } },
		{ "halt", HALTED("host-qmp-quit"), { 0, 0 }, { CAUSE_HALT, 2, 0, false, NULL } },
		{ "reset before the quit", HALTED("guest-reset"), { 0, 0 },
		    { CAUSE_REBOOT, 0, 0, false, NULL } },
		{ "internal error", FATAL("host-qmp-quit", "internal-error"), { 0, 0 },
		    { CAUSE_ERROR, 4, 0, false, "its own error" } },
		{ "internal error, killed", FATAL("", "internal-error"), { -1, SIGKILL },
		    { CAUSE_ERROR, 4, 0, false, "its own error" } },
		{ "bad option", { 0 }, { 1, 0 }, { CAUSE_ERROR, 4, 0, true, "its own error" } },
		{ "ended without a word", { 0 }, { 0, 0 },
		    { CAUSE_ERROR, 4, 0, true, "its own error" } },
		{ "image in use", SAID(""), { 1, 0 },
		    { CAUSE_ERROR, 4, 0, true, "its own error" } },
		{ "isa-debug-exit", RAN(""), { 33, 0 }, { CAUSE_ERROR, 33, 0, false, NULL } },
		{ "isa-debug-exit 0", RAN(""), { 1, 0 }, { CAUSE_ERROR, 1, 0, false, NULL } },
		{ "isa-debug-exit 1", RAN(""), { 3, 0 }, { CAUSE_ERROR, 3, 0, false, NULL } },
		{ "isa-debug-exit, told", RAN("guest-shutdown"), { 33, 0 },
		    { CAUSE_ERROR, 33, 0, false, NULL } },
		{ "a status at a reset", TRIPLE("guest-reset"), { 5, 0 },
		    { CAUSE_ERROR, 5, 0, false, NULL } },
		{ "crash", SAID(""), { -1, SIGSEGV }, { CAUSE_KILLED, -1, SIGSEGV, false, NULL } },
		{ "SIGKILL", SAID(""), { -1, SIGKILL },
		    { CAUSE_KILLED, -1, SIGKILL, false, NULL } },
		{ "SIGKILL at once", { 0 }, { -1, SIGKILL },
		    { CAUSE_KILLED, -1, SIGKILL, false, NULL } },
		{ "SIGTERM", SAID("host-signal"), { 0, 0 },
		    { CAUSE_KILLED, -1, SIGTERM, false, NULL } },
		{ "quit", SAID("host-qmp-quit"), { 0, 0 }, { CAUSE_POWEROFF, 1, 0, false, NULL } },
		{ "window closed", SAID("host-ui"), { 0, 0 },
		    { CAUSE_POWEROFF, 1, 0, false, NULL } },
		{ "system_reset", SAID("host-qmp-system-reset"), { 0, 0 },
		    { CAUSE_REBOOT, 0, 0, false, NULL } },
		{ "a reason of tomorrow", SAID("guest-nap"), { 0, 0 },
		    { CAUSE_ERROR, 4, 0, false, "its own error" } },
	};

	(void)state;
	check_rows(&hyper_qemu, rows, sizeof(rows) / sizeof(rows[0]));
}

/* Returns the expected cause, computed in another way. */
static enum cause expected(const struct signs *s, const struct process_end *end)
{
	bool reset = strstr(s->reason, "reset") != NULL;

	if (*s->fatal != '\0' || (s->greeted && end->status > 0))
		return CAUSE_ERROR;
	if (end->signal != 0 || strcmp(s->reason, "host-signal") == 0)
		return CAUSE_KILLED;
	if (reset)
		return s->triple_fault ? CAUSE_TRIPLE_FAULT : CAUSE_REBOOT;
	if (strcmp(s->reason, "guest-shutdown") == 0 || strcmp(s->reason, "host-qmp-quit") == 0)
		return CAUSE_POWEROFF;
	return CAUSE_ERROR;
}

static void check_one(const struct signs *signs, const struct process_end *end)
{
	struct outcome got = { 0 };

	hyper_qemu.explain(signs, end, &got);
	if (got.cause != expected(signs, end))
		fail_msg("reason \"%s\" fatal \"%s\" triple %d status %d signal %d: %s",
		    signs->reason, signs->fatal, signs->triple_fault, end->status, end->signal,
		    cause_name(got.cause));
	/* The result has a status or a signal. */
	if (got.cause == CAUSE_KILLED) {
		assert_int_equal(got.status, -1);
		assert_true(got.signal > 0);
		if (end->signal != 0)
			assert_int_equal(got.signal, end->signal);
	} else {
		assert_int_equal(got.status,
		    end->status > 0 && !got.failed_start ? end->status : (int)got.cause);
		assert_int_equal(got.signal, 0);
	}
	if (!signs->greeted && end->signal == 0)
		assert_true(got.failed_start);
	if (end->signal != 0 || (signs->greeted && *signs->reason != '\0'))
		assert_false(got.failed_start);
}

static void test_qemu_combinations(void **state)
{
	static const char *const reasons[] = { "", "guest-reset", "host-qmp-system-reset",
		"guest-shutdown", "guest-panic", "host-signal", "host-qmp-quit", "host-error" };
	static const char *const fatals[] = { "", "internal-error", "io-error" };
	static const struct process_end ends[] = { { 0, 0 }, { 1, 0 }, { 33, 0 }, { 255, 0 },
		{ -1, SIGTERM }, { -1, SIGKILL }, { -1, SIGABRT } };
	size_t seen = 0;

	(void)state;
	for (size_t r = 0; r < sizeof(reasons) / sizeof(reasons[0]); r++) {
		for (size_t k = 0; k < 3 * 2 * 2 * 7; k++) {
			struct signs signs = { .greeted = k % 2 == 1,
				.triple_fault = k / 2 % 2 == 1 };

			(void)snprintf(signs.reason, sizeof(signs.reason), "%s", reasons[r]);
			(void)snprintf(signs.fatal, sizeof(signs.fatal), "%s", fatals[k / 4 % 3]);
			check_one(&signs, &ends[k / 12]);
			seen++;
		}
	}
	assert_int_equal(seen, 8 * 84);
}

/* 126 and 127 are the prefix's own: it could not execute the hypervisor. */
static void test_prefix(void **state)
{
	static const struct {
		int status, signal;
		size_t program;
		bool greeted, is_failure;
	} rows[] = {
		{ 127, 0, 3, false, true },
		{ 126, 0, 3, false, true },
		{ 125, 0, 3, false, false },
		{ 128, 0, 3, false, false },
		{ 127, 0, 0, false, false },
		{ 127, 0, 3, true, false },
		{ 127, SIGKILL, 3, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan plan = { .program = rows[i].program, .has_control = true };
		struct process_end end = { rows[i].status, rows[i].signal };
		struct signs signs = { .greeted = rows[i].greeted };
		struct outcome got = { .cause = CAUSE_ERROR, .status = 4 };

		hyper_judge_prefix(&plan, &signs, &end, &got);
		assert_int_equal(got.cause, rows[i].is_failure ? CAUSE_START_FAILED : CAUSE_ERROR);
		assert_int_equal(got.status, rows[i].is_failure ? rows[i].status : 4);
		plan.has_control = false; /* bhyve has no greeting */
		got.cause = CAUSE_ERROR;
		hyper_judge_prefix(&plan, &signs, &end, &got);
		assert_int_equal(got.cause,
		    rows[i].is_failure || rows[i].greeted ? CAUSE_START_FAILED : CAUSE_ERROR);
	}
}

/* Only TCG's log shows a triple fault. */
static void test_qemu_log(void **state)
{
	struct signs s = { 0 };

	(void)state;
	assert_null(hyper_qemu.hear(&s, CHANNEL_LOG, "CPU Reset (CPU 0)"));
	assert_null(hyper_qemu.hear(&s, CHANNEL_LOG, "EAX=0 Triple fault"));
	assert_null(hyper_qemu.hear(&s, CHANNEL_STDERR, "Triple fault"));
	assert_null(hyper_qemu.hear(&s, CHANNEL_CONTROL, "Triple fault"));
	assert_false(s.triple_fault);
	assert_null(hyper_qemu.hear(&s, CHANNEL_LOG, "Triple fault"));
	assert_true(s.triple_fault);
}

/* The fault that follows SeaBIOS's own reset counts as that reset. */
static void test_reset_by_seabios(void **state)
{
	struct signs s = { 0 };

	(void)state;
	assert_null(hyper_qemu.hear(&s, CHANNEL_STDERR, "Attempting a hard reboot"));
	assert_false(s.bios_resets);
	assert_null(hyper_qemu.hear(&s, CHANNEL_LOG, "Attempting a hard reboot"));
	assert_null(hyper_qemu.hear(&s, CHANNEL_LOG, "Triple fault"));
	assert_false(s.triple_fault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bhyve_table),
		cmocka_unit_test(test_bhyve_statuses),
		cmocka_unit_test(test_start_failed),
		cmocka_unit_test(test_start_faults),
		cmocka_unit_test(test_guest_that_cannot_run_on),
		cmocka_unit_test(test_no_start_faults),
		cmocka_unit_test(test_lost_port),
		cmocka_unit_test(test_qemu_table),
		cmocka_unit_test(test_qemu_combinations),
		cmocka_unit_test(test_qemu_log),
		cmocka_unit_test(test_reset_by_seabios),
		cmocka_unit_test(test_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
