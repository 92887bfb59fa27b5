/* Checks of the public functions that change nothing. */
#include "getters.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

bool getters_are_empty(const struct handle *h)
{
	return !h->good || h->started || h->simulated;
}

static void check_problems(const struct handle *h)
{
	assert_int_equal(vmrun_problem_count(h->vm) == 0, h->good);
	assert_int_equal(vmrun_problem(h->vm, 0) != NULL, !h->good);
	assert_null(vmrun_problem(h->vm, SIZE_MAX));
}

static void check_names(const struct handle *h)
{
	assert_int_equal(vmrun_name(h->vm) != NULL, h->read);
	assert_int_equal(vmrun_target(h->vm) != NULL, h->read);
	if (h->read)
		assert_string_equal(vmrun_hypervisor(h->vm), "bhyve");
	assert_int_equal(vmrun_refusal(h->vm) != NULL, h->refused);
}

void getters_check_text(char *text, bool wanted)
{
	assert_int_equal(text != NULL, wanted);
	free(text);
}

static void check_boot(const struct handle *h)
{
	assert_int_equal(vmrun_argv(h->vm) != NULL, h->prepared);
	getters_check_text(vmrun_command(h->vm), h->prepared);
	getters_check_text(vmrun_spec_json(h->vm), h->prepared);
	getters_check_text(vmrun_bhyve_config(h->vm), h->prepared);
	getters_check_text(vmrun_loader_command(h->vm), false); /* no example has one */
	assert_non_null(vmrun_bhyve_words(h->vm));
	assert_non_null(vmrun_placeholders(h->vm));
	assert_non_null(vmrun_notes(h->vm));
	if (!h->prepared) {
		assert_null(*vmrun_bhyve_words(h->vm));
		assert_null(*vmrun_placeholders(h->vm));
		assert_null(*vmrun_notes(h->vm));
	}
}

static void check_targets(const struct handle *h)
{
	static const char *const with_stdio[] = { "hello.lua", "readme.json", "policy.json" };
	bool has = false;

	for (size_t i = 0; i < sizeof(with_stdio) / sizeof(*with_stdio); i++)
		has = has || strstr(h->file, with_stdio[i]) != NULL;
	assert_int_equal(vmrun_uses_stdio(h->vm), has && !getters_are_empty(h));
	getters_check_text(vmrun_graph(h->vm), !getters_are_empty(h));
	getters_check_text(vmrun_policy(h->vm), !getters_are_empty(h));
}

static void check_findings(const struct handle *h)
{
	assert_int_equal(vmrun_finding(h->vm, 0) != NULL, h->wrong);
	assert_null(vmrun_finding(h->vm, SIZE_MAX));
	getters_check_text(vmrun_check_json(h->vm), h->checked);
}

static void check_state(const struct handle *h)
{
	struct vmrun_state s;

	s = *vmrun_get_state(h->vm);
	assert_non_null(s.state);
	if (!h->started && !h->simulated) {
		assert_null(s.target);
		assert_null(s.run_dir);
		assert_null(s.devices);
	}
	assert_int_equal(vmrun_fd(h->vm) >= 0, h->started || h->simulated);
	if (!h->simulated) { /* the policy decides on both in a simulation */
		assert_int_equal(vmrun_ended(h->vm), h->over);
		assert_int_equal(vmrun_status(h->vm) != 0, !h->good);
	}
	if (!h->over && !h->simulated)
		assert_int_equal(vmrun_guest_status(h->vm), -1);
	vmrun_restore_terminal(h->vm);
}

/* Checks the functions that need no handle. */
static void check_words(const struct handle *h)
{
	struct vmrun_import_options import = VMRUN_IMPORT_OPTIONS;
	char *why = NULL, *lines = NULL, *notes = NULL;

	(void)h;
	assert_int_equal(vmrun_forget("run", "none", "no-such-vm", "install_once", &why), 69);
	getters_check_text(why, true);
	assert_int_equal(vmrun_history("none", "no-such-vm", &lines, &why), 0);
	assert_null(lines);
	assert_null(why);
	assert_string_equal(vmrun_version(), VMRUN_VERSION);
	getters_check_text(vmrun_default_run_dir(), true);
	getters_check_text(vmrun_describe("devices", false), true);
	getters_check_text(vmrun_describe_device("nvme", false, &why), true);
	assert_null(why);
	assert_null(vmrun_describe_device("nvmf", true, &why));
	getters_check_text(why, true);
	why = NULL;
	import.file = "no/such.conf";
	assert_int_equal(vmrun_import(&import, &lines, &notes, &why), 66);
	assert_true(lines == NULL && notes == NULL);
	getters_check_text(why, true);
	import.directory = "relative";
	assert_int_equal(vmrun_import(&import, &lines, &notes, &why), 64);
	getters_check_text(why, true);
	getters_check_text(vmrun_message_json("error", NULL, NULL, "wrong"), true);
}

/* Checks that a program can do without a text, and that a missing word is an unknown one. */
static void check_without_texts(const struct handle *h)
{
	struct vmrun_import_options import = VMRUN_IMPORT_OPTIONS;

	(void)h;
	import.text = "bhyve -c 1 -m 64M x";
	import.length = strlen(import.text);
	assert_int_equal(vmrun_import(&import, NULL, NULL, NULL), 0);
	import.file = "both";
	assert_int_equal(vmrun_import(&import, NULL, NULL, NULL), 64);
	assert_int_equal(vmrun_import(NULL, NULL, NULL, NULL), 64);
	assert_int_equal(vmrun_forget("run", "none", "no-such-vm", "install_once", NULL), 69);
	assert_int_equal(vmrun_forget("run", "none", "no-such-vm", NULL, NULL), 69);
	assert_int_equal(vmrun_forget("run", "none", NULL, NULL, NULL), 64);
	assert_int_equal(vmrun_history("none", "no-such-vm", NULL, NULL), 0);
	assert_int_equal(vmrun_history("none", NULL, NULL, NULL), 64);
	assert_null(vmrun_describe(NULL, false));
	assert_null(vmrun_describe_device(NULL, false, NULL));
}

/* Reads and types on the console in any state; the examples have none. */
static void check_console(const struct handle *h)
{
	uint64_t at = 7;
	char byte;
	int status;

	assert_int_equal(vmrun_console_read(h->vm, &at, &byte, 1), 0);
	assert_int_equal(vmrun_console_write(h->vm, "x", 0), 0);
	assert_false(vmrun_console_find(h->vm, &at, "x"));
	status = vmrun_console_wait(h->vm, &at, "x", 0);
	assert_true(status == 64 || status == 69 || status == 75);
}

void getters_check(const struct handle *h)
{
	check_problems(h);
	check_names(h);
	check_boot(h);
	check_targets(h);
	check_findings(h);
	check_console(h);
	check_state(h);
	check_words(h);
	check_without_texts(h);
}
