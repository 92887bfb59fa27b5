/* Every public function that changes nothing. */
#include "getters.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

bool told_nothing(const struct handle *h)
{
	return !h->good || h->started || h->simulated;
}

static void tell_problems(const struct handle *h)
{
	struct vmrun_problem p;

	assert_int_equal(vmrun_problem_count(h->vm) == 0, h->good);
	assert_int_equal(vmrun_problem(h->vm, 0, &p), !h->good);
	assert_false(vmrun_problem(h->vm, SIZE_MAX, &p));
}

static void tell_names(const struct handle *h)
{
	assert_int_equal(vmrun_name(h->vm) != NULL, h->read);
	assert_int_equal(vmrun_target(h->vm) != NULL, h->read);
	if (h->read)
		assert_string_equal(vmrun_hypervisor(h->vm), "bhyve");
	assert_null(vmrun_refusal(h->vm));
}

void told_text(char *text, bool wanted)
{
	assert_int_equal(text != NULL, wanted);
	free(text);
}

static void tell_boot(const struct handle *h)
{
	assert_int_equal(vmrun_argv(h->vm) != NULL, h->prepared);
	told_text(vmrun_command(h->vm), h->prepared);
	told_text(vmrun_spec_json(h->vm), h->prepared);
	told_text(vmrun_bhyve_config(h->vm), h->prepared);
	told_text(vmrun_loader_command(h->vm), false); /* no example has one */
	assert_non_null(vmrun_bhyve_words(h->vm));
	assert_non_null(vmrun_placeholders(h->vm));
	assert_non_null(vmrun_notes(h->vm));
	if (!h->prepared) {
		assert_null(*vmrun_bhyve_words(h->vm));
		assert_null(*vmrun_placeholders(h->vm));
		assert_null(*vmrun_notes(h->vm));
	}
}

static void tell_targets(const struct handle *h)
{
	static const char *const with_stdio[] = { "hello.lua", "readme.json", "policy.json" };
	bool has = false;

	for (size_t i = 0; i < sizeof(with_stdio) / sizeof(*with_stdio); i++)
		has = has || strstr(h->file, with_stdio[i]) != NULL;
	assert_int_equal(vmrun_uses_stdio(h->vm), has && !told_nothing(h));
	told_text(vmrun_graph(h->vm), !told_nothing(h));
}

static void tell_findings(const struct handle *h)
{
	struct vmrun_finding f;

	assert_int_equal(vmrun_finding(h->vm, 0, &f), h->wrong);
	assert_false(vmrun_finding(h->vm, SIZE_MAX, &f));
	told_text(vmrun_check_json(h->vm), h->checked);
}

static void tell_state(const struct handle *h)
{
	struct vmrun_state s;

	vmrun_get_state(h->vm, &s);
	assert_non_null(s.state);
	if (!h->started && !h->simulated)
		assert_null(s.target);
	assert_int_equal(vmrun_fd(h->vm) >= 0, h->started || h->simulated);
	if (!h->simulated) { /* there the policy decides on both */
		assert_int_equal(vmrun_ended(h->vm), h->over);
		assert_int_equal(vmrun_status(h->vm) != 0, !h->good);
	}
	if (!h->over && !h->simulated)
		assert_int_equal(vmrun_guest_status(h->vm), -1);
	vmrun_restore_terminal(h->vm);
}

/* No handle: the same at any time. */
static void tell_words(const struct handle *h)
{
	struct vmrun_problem p = { .text = "wrong" };
	char *why = NULL;

	(void)h;
	assert_int_equal(vmrun_forget("run", "none", "no-such-vm", "install_once", &why), 69);
	told_text(why, true);
	assert_string_equal(vmrun_version(), VMRUN_VERSION);
	told_text(vmrun_default_run_dir(), true);
	told_text(vmrun_describe("devices", false), true);
	told_text(vmrun_problem_json(&p, "error"), true);
}

void told_all(const struct handle *h)
{
	tell_problems(h);
	tell_names(h);
	tell_boot(h);
	tell_targets(h);
	tell_findings(h);
	tell_state(h);
	tell_words(h);
}
