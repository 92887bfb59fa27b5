/* Programs that a run would execute, and the log of its console. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "base/mem.h"
#include "checked.h"
#include "platform/os.h"
#include "platform/spawn.h"

static char *old_path;

/* Goes to a scratch directory whose directory bin is all that PATH has. */
static int enter(void **state)
{
	int rc = scratch_enter(state);

	old_path = mem_copy(getenv("PATH"));
	MEM_AUTO char *bin = scratch_path("bin");

	return rc != 0 || mkdir("bin", 0700) != 0 || setenv("PATH", bin, 1) != 0 ? -1 : 0;
}

static int leave(void **state)
{
	int rc = setenv("PATH", old_path, 1);

	mem_free_at(&old_path);
	old_path = NULL;
	return scratch_leave(state) != 0 || rc != 0 ? -1 : 0;
}

/* Checks a spec with that hypervisor program, or the usual name if NULL. */
static void check_with(
    struct checked *c, const struct hypervisor *hyper, const char *program, const char *keys)
{
	c->planned.source.program = program;
	checked_make(c, hyper, keys);
}

/* There is one finding about the program, with this text; its fix is advice. */
static void lacks_program(const struct checked *c, const char *program, const char *text,
    const char *advice, const char *place)
{
	const struct finding *f = checked_has(c, program, text, advice, NULL);
	MEM_AUTO char *where = f->keys == NULL ? mem_copy("") : where_keys_path(f->keys);

	assert_int_equal(f->kind, FINDING_PROBLEM);
	assert_int_equal(f->advice, advice != NULL);
	assert_string_equal(where, place);
}

static void the_hypervisor(void **state)
{
	struct checked c = { 0 };

	(void)state;
	check_with(&c, &hyper_bhyve, "/nope", "");
	lacks_program(&c, "/nope", "No such file or directory", NULL, "");
	checked_free(&c);
	check_with(&c, &hyper_qemu, "no-such-qemu", "");
	lacks_program(&c, "no-such-qemu", "not found in PATH", NULL, "");
	checked_free(&c);
	scratch_write("bin/my-bhyve", "", 0600);
	check_with(&c, &hyper_bhyve, "bin/my-bhyve", "");
	lacks_program(&c, "bin/my-bhyve", "not executable: Permission denied", NULL, "");
	assert_int_equal(chmod("bin/my-bhyve", 0700), 0);
	checked_again(&c);
	checked_lacks(&c, "bin/my-bhyve");
	checked_free(&c);
	check_with(&c, &hyper_bhyve, "my-bhyve", "");
	checked_lacks(&c, "my-bhyve");
	checked_free(&c);
	assert_int_equal(chmod("bin/my-bhyve", 0600), 0);
	check_with(&c, &hyper_bhyve, "my-bhyve", "");
	MEM_AUTO char *path = scratch_path("bin/my-bhyve");
	MEM_AUTO char *text = mem_format("%s: not executable: Permission denied", path);

	lacks_program(&c, "my-bhyve", text, NULL, "");
	checked_free(&c);
}

/* A prefix is looked up, and so is the hypervisor that it executes. */
static void the_prefix(void **state)
{
	struct checked c = { 0 };

	(void)state;
	check_with(&c, &hyper_bhyve, "my-bhyve", "prefix = { 'no-nice', 'no-word' }");
	lacks_program(&c, "no-nice", "not found in PATH (prefix)", NULL, "prefix");
	lacks_program(&c, "my-bhyve", "not found in PATH", NULL, "");
	assert_int_equal(findings_missing_program(&c.out)->exec_status, STATUS_EXEC_MISSING);
	checked_lacks(&c, "no-word");
	scratch_write("bin/my-bhyve", "", 0700);
	checked_again(&c);
	checked_lacks(&c, "my-bhyve");
	(void)checked_has(&c, "no-nice", "not found in PATH (prefix)", NULL, NULL);
	scratch_write("bin/no-nice", "", 0700);
	checked_again(&c);
	checked_lacks(&c, "no-nice");
	checked_free(&c);
}

/* Each program that vmrun itself names, and the package that has it. */
static void packages(void **state)
{
	static const struct {
		const char *program, *keys, *text, *place;
		const char *bhyve, *debian; /* what to do for a VM of bhyve, and of qemu on Linux */
	} rows[] = {
		{ "bhyveload", "bootrom = vmrun.null, loader = 'bhyveload'",
		    "not found in PATH: it is part of FreeBSD", "loader", NULL, NULL },
		{ "grub-bhyve", "bootrom = vmrun.null, loader = 'grub'", "not found in PATH",
		    "loader", "pkg install grub2-bhyve", NULL },
		{ "swtpm",
		    "tpm = { type = 'swtpm', path = '/tmp/x.sock', managed = true },"
		    " bhyve = { release = 15, arch = 'amd64' }",
		    "not found in PATH (tpm)", "tpm.managed", "pkg install swtpm",
		    "apt-get install swtpm" },
		{ "qemu-system-x86_64", "", "not found in PATH", "", NULL,
		    "apt-get install qemu-system-x86" },
		{ "qemu-system-aarch64", "bhyve = { arch = 'arm64' }", "not found in PATH", "",
		    NULL, "apt-get install qemu-system-arm" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MEM_AUTO char *path = mem_format("bin/%s", rows[i].program);
		ERROR_AUTO struct error err = { 0 };
		MEM_AUTO char *elsewhere = program_find(rows[i].program, &err);
		bool is_of_qemu = strncmp(rows[i].program, "qemu", 4) == 0;

		if (elsewhere != NULL)
			continue; /* in a directory that is looked at whatever PATH says */
		for (int qemu = is_of_qemu; qemu <= (rows[i].debian != NULL); qemu++) {
			const char *port = is_of_qemu ? "pkg install qemu" : rows[i].bhyve;
			bool is_freebsd = qemu == 0 || !os_uses_ip();
			struct checked c = { 0 };

			check_with(&c, qemu ? &hyper_qemu : &hyper_bhyve,
			    is_of_qemu ? rows[i].program : NULL, rows[i].keys);
			lacks_program(&c, rows[i].program, rows[i].text,
			    is_freebsd ? port : rows[i].debian, rows[i].place);
			scratch_write(path, "", 0700);
			checked_again(&c);
			checked_lacks(&c, rows[i].program);
			checked_free(&c);
			assert_int_equal(unlink(path), 0);
		}
	}
}

static void programs_of_the_spec(void **state)
{
	struct checked c = { 0 };

	(void)state;
	checked_make(&c, &hyper_bhyve,
	    "post_start_script = 'no-script a b', companions = {"
	    "{ name = 'one', command = { 'good' } },"
	    "{ name = 'two', command = { 'no-two', 'x' }, ready = { 'no-ready' } } }");
	/* The VM runs without it. */
	assert_int_equal(
	    checked_has(&c, "no-script", "not found in PATH (post_start_script)", NULL, NULL)->kind,
	    FINDING_WARNING);
	lacks_program(
	    &c, "no-two", "not found in PATH (companion two)", NULL, "companions[1].command");
	lacks_program(&c, "no-ready", "not found in PATH (ready of companion two)", NULL,
	    "companions[1].ready");
	lacks_program(
	    &c, "good", "not found in PATH (companion one)", NULL, "companions[0].command");
	scratch_write("bin/good", "", 0700);
	checked_again(&c);
	checked_lacks(&c, "good");
	(void)checked_has(&c, "no-two", "not found in PATH (companion two)", NULL, NULL);
	c.again = true; /* only the first boot is refused */
	checked_again(&c);
	checked_lacks(&c, "no-two");
	checked_free(&c);
}

/* Hooks name the programs that they run. */
static void programs_of_hooks(void **state)
{
	MEM_AUTO char *file = scratch_path("hook.lua");
	MEM_AUTO char *keys = mem_format("hooks = { '%s', { use = 'notify', command = "
					 "{ 'LANG=C', 'no-tell', 'x=y' } } }",
	    file);
	MEM_AUTO char *whose = mem_format("not found in PATH (hook %s)", file);
	struct checked c = { 0 };

	(void)state;
	scratch_write("hook.lua", "return { programs = { 'good', 'no-mail' } }", 0600);
	scratch_write("bin/good", "", 0700);
	checked_make(&c, &hyper_bhyve, keys);
	checked_lacks(&c, "good");
	checked_lacks(&c, "LANG=C");
	lacks_program(&c, "no-mail", whose, NULL, "hooks[0]");
	lacks_program(&c, "no-tell", "not found in PATH (hook notify)", NULL, "hooks[1]");
	checked_free(&c);
}

/* A script is as good as its interpreter. */
static void interpreters(void **state)
{
	static const struct {
		const char *line, *text;
	} rows[] = {
		{ "#!/no/such/shell -e\n",
		    "its interpreter /no/such/shell: No such file or directory "
		    "(post_start_script)" },
		{ "#! /no/such/shell\n",
		    "its interpreter /no/such/shell: No such file or directory "
		    "(post_start_script)" },
		{ "#!/bin/sh\r\n",
		    "its interpreter /bin/sh\r: No such file or directory (post_start_script)" },
		{ "#!/usr/bin/env no-python\n",
		    "its interpreter no-python: not found in PATH (post_start_script)" },
		{ "#!/usr/bin/env -S no-python\n", NULL },
		{ "#!/usr/bin/env A=b no-python\n", NULL },
		{ "#!/usr/bin/env sh-of-ours\n", NULL },
		{ "#!/bin/sh\n", NULL },
		{ "#!\n", NULL },
		{ "#", NULL },
		{ "", NULL },
		{ "/no/such/shell\n", NULL },
	};

	(void)state;
	scratch_write("bin/sh-of-ours", "", 0700);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scratch_write("bin/script", rows[i].line, 0700);
		if (rows[i].text == NULL)
			checked_none(NULL, "post_start_script = 'script'", "script");
		else
			checked_one(NULL, "post_start_script = 'script'", "script", rows[i].text,
			    NULL, NULL);
	}
}

static void the_log_of_a_console(void **state)
{
	MEM_AUTO char *log = scratch_path("logs/a.log"), *directory = scratch_path("logs");
	MEM_AUTO char *keys = mem_format("com1 = 'console', console = { log = '%s' }", log);
	MEM_AUTO char *unused = mem_format("console = { log = '%s' }", log);
	MEM_AUTO char *text = mem_format("its directory %s: No such file or directory", directory);
	MEM_AUTO char *advice = mem_format("mkdir -p %s", directory);
	struct checked c = { 0 };

	(void)state;
	checked_none(NULL, unused, log);
	checked_make(&c, &hyper_bhyve, keys);
	lacks_program(&c, log, text, advice, "console.log");
	c.again = true; /* only the first boot needs it */
	checked_again(&c);
	checked_lacks(&c, log);
	checked_free(&c);
	assert_int_equal(mkdir("logs", 0700), 0);
	checked_none(NULL, keys, log);
	assert_int_equal(mkdir("logs/a.log", 0700), 0);
	checked_one(NULL, keys, log, "a directory: expected a file", NULL, NULL);
	assert_int_equal(rmdir("logs/a.log"), 0);
	scratch_write("logs/a.log", "", 0600);
	checked_none(NULL, keys, log);
	if (geteuid() == 0) {
		print_message("skipped: root can write to every file\n");
		return;
	}
	assert_int_equal(chmod("logs/a.log", 0400), 0);
	checked_one(NULL, keys, log, "Permission denied", NULL, NULL);
	assert_int_equal(unlink("logs/a.log"), 0);
	assert_int_equal(chmod("logs", 0500), 0);
	MEM_AUTO char *denied = mem_format("its directory %s: Permission denied", directory);

	checked_one(NULL, keys, log, denied, NULL, NULL);
	assert_int_equal(chmod("logs", 0700), 0);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(the_hypervisor),
		IN_SCRATCH(the_prefix),
		IN_SCRATCH(packages),
		IN_SCRATCH(programs_of_the_spec),
		IN_SCRATCH(programs_of_hooks),
		IN_SCRATCH(interpreters),
		IN_SCRATCH(the_log_of_a_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
