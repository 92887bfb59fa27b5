/* The library's public functions before anything runs. */
#include "vmrun/vmrun.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOOD                                                                         \
	"{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"/fw/rom.fd\",\n" \
	"\"emulations\":[{\"device\":\"virtio-blk\",\"path\":\"disk.img\"}]}\n"

static struct vmrun_options buffer(const char *text)
{
	struct vmrun_options o = VMRUN_OPTIONS;

	o.text = text;
	o.length = strlen(text);
	o.name = "vm.json";
	o.directory = "/vm";
	o.dry_run = true;
	return o;
}

static bool has_word(struct vmrun *vm, const char *word)
{
	for (const char *const *w = vmrun_argv(vm); *w != NULL; w++) {
		if (strcmp(*w, word) == 0)
			return true;
	}
	return false;
}

static void test_version(void **state)
{
	(void)state;
	assert_string_equal(vmrun_version(), VMRUN_VERSION);
}

static void test_describe(void **state)
{
	char *schema = vmrun_describe("schema", false), *types = vmrun_describe("lua-types", false);
	char *table = vmrun_describe("devices", false), *list = vmrun_describe("devices", true);

	(void)state;
	assert_non_null(strstr(schema, "draft/2020-12/schema"));
	assert_non_null(strstr(types, "---@class (exact) vmrun.Spec\n"));
	assert_int_equal(strncmp(table, "DEVICE ", 7), 0);
	assert_int_equal(*list, '[');
	assert_null(vmrun_describe("spec", false));
	free(schema);
	free(types);
	free(table);
	free(list);
}

static void test_prepare(void **state)
{
	struct vmrun_options o = buffer(GOOD);
	struct vmrun *vm;
	char *text;

	(void)state;
	assert_int_equal(vmrun_open(&vm, &o), 0);
	assert_int_equal(vmrun_problem_count(vm), 0);
	assert_string_equal(vmrun_hypervisor(vm), "bhyve");
	assert_null(vmrun_argv(vm));
	assert_null(vmrun_command(vm));
	assert_null(vmrun_spec_json(vm));
	assert_null(vmrun_notes(vm)[0]);
	assert_int_equal(vmrun_prepare(vm), 0);
	assert_int_equal(vmrun_prepare(vm), 0); /* a second call has no effect */
	assert_string_equal(vmrun_argv(vm)[0], "bhyve");
	assert_true(has_word(vm, "0:1:0,virtio-blk,/vm/disk.img"));
	text = vmrun_command(vm);
	assert_ptr_equal(strstr(text, "bhyve -c "), text);
	free(text);
	text = vmrun_spec_json(vm);
	assert_non_null(strstr(text, "\"slot\": \"0:1:0\""));
	free(text);
	assert_int_equal(vmrun_fd(vm), -1);
	assert_false(vmrun_ended(vm));
	assert_int_equal(vmrun_status(vm), 0);
	assert_int_equal(vmrun_guest_status(vm), -1);
	vmrun_close(vm);
}

static void test_problems(void **state)
{
	struct vmrun_options o =
	    buffer("{\"name\":\"x\",\n \"cpu\":0,\n \"memm\":\"1G\",\n\"mem\":\"64M\"}");
	const struct vmrun_problem *p;
	struct vmrun *vm;

	(void)state;
	assert_int_equal(vmrun_open(&vm, &o), 65);
	assert_int_equal(vmrun_problem_count(vm), 2);
	p = vmrun_problem(vm, 0);
	assert_non_null(p);
	assert_string_equal(p->place, "vm.json:2:2");
	assert_string_equal(p->path, "cpu");
	assert_string_equal(p->text, "0 is out of range: expected 1 to 65535");
	p = vmrun_problem(vm, 1);
	assert_non_null(p);
	assert_string_equal(p->path, "memm");
	assert_null(vmrun_problem(vm, 2));
	assert_int_equal(vmrun_prepare(vm), 65);
	assert_int_equal(vmrun_start(vm), 65);
	assert_int_equal(vmrun_dispatch(vm), 64);
	assert_int_equal(vmrun_status(vm), 65);
	assert_null(vmrun_argv(vm));
	vmrun_stop(vm);
	vmrun_close(vm);
	vmrun_close(NULL);
}

/* Statuses of errors before the spec is read; every handle can be queried. */
static void test_statuses(void **state)
{
	static const char *const no_equal[] = { "mem", NULL };
	struct vmrun_options rows[8];
	static const int statuses[8] = { 66, 64, 64, 64, 64, 65, 65, 64 };

	(void)state;
	for (size_t i = 0; i < 8; i++)
		rows[i] = buffer(GOOD);
	rows[0].file = "/no/such/file.json";
	rows[0].text = NULL;
	rows[1].hypervisor = "xen";
	rows[2].format = "toml";
	rows[3].reboot_on = "reboot,sometimes";
	rows[4].set = no_equal;
	rows[5].target = "install";
	rows[6].text = "";
	rows[6].length = 0;
	rows[7].file = "vm.json"; /* and a text */
	for (size_t i = 0; i < 8; i++) {
		const struct vmrun_problem *p;
		struct vmrun *vm;

		assert_int_equal(vmrun_open(&vm, &rows[i]), statuses[i]);
		p = vmrun_problem(vm, 0);
		assert_non_null(p);
		assert_non_null(p->text);
		(void)vmrun_hypervisor(vm);
		assert_null(vmrun_command(vm));
		assert_null(vmrun_spec_json(vm));
		assert_null(vmrun_notes(vm)[0]);
		vmrun_close(vm);
	}
}

/* The length ends a text, not a NUL; bytes after it are not read. */
static void test_buffer_has_a_length(void **state)
{
	struct vmrun_options o = buffer(GOOD "this is not JSON");
	struct vmrun *vm;

	(void)state;
	o.length = strlen(GOOD);
	assert_int_equal(vmrun_open(&vm, &o), 0);
	vmrun_close(vm);
	o = buffer(GOOD);
	o.length++; /* a NUL in the text */
	assert_int_equal(vmrun_open(&vm, &o), 65);
	vmrun_close(vm);
}

/* An older program, which has a shorter struct. */
static void test_older_options(void **state)
{
	struct vmrun_options o = buffer(GOOD);
	struct vmrun *vm;

	(void)state;
	o.size = offsetof(struct vmrun_options, no_reboot);
	o.no_reboot = true;
	o.reboot_on = "nonsense";
	o.pid_file = "/no/such/directory/pid";
	assert_int_equal(vmrun_open(&vm, &o), 0);
	assert_int_equal(vmrun_prepare(vm), 0);
	vmrun_close(vm);
}

/* Options whose size is not that of a header that this library knows. */
static void test_size_of_options(void **state)
{
	static const struct vmrun_options zeroed = { .text = GOOD };
	struct vmrun_options o = buffer(GOOD);
	struct vmrun *vm;

	(void)state;
	assert_int_equal(vmrun_open(&vm, NULL), 64);
	assert_string_equal(vmrun_problem(vm, 0)->text, "options: expected a pointer, got NULL");
	vmrun_close(vm);
	assert_int_equal(vmrun_open(&vm, &zeroed), 64);
	assert_string_equal(vmrun_problem(vm, 0)->text,
	    "options.size is 0: initialise the options with \"struct vmrun_options options = "
	    "VMRUN_OPTIONS;\"");
	vmrun_close(vm);
	o.size++;
	assert_int_equal(vmrun_open(&vm, &o), 64);
	assert_non_null(strstr(vmrun_problem(vm, 0)->text, "a later version than this library"));
	vmrun_close(vm);
}

/* Stock hooks and files; a program that was built before there were any passes a shorter struct. */
/* A spec of other people, and what the program lets it name. */
static void test_sandbox(void **state)
{
	static const char *const fw[] = { "/fw", NULL }, *const both[] = { "/fw", "/vm", NULL };
	struct vmrun_options o = buffer(GOOD);
	const struct vmrun_problem *problem;
	struct vmrun *vm;

	(void)state;
	o.directory = "/"; /* which cannot be the spec's own directory */
	o.text = "{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"/fw/rom.fd\",\n"
		 "\"emulations\":[{\"device\":\"virtio-blk\",\"path\":\"/vm/disk.img\"}]}\n";
	o.length = strlen(o.text);
	o.sandbox = true;
	assert_int_equal(vmrun_open(&vm, &o), 65);
	assert_int_equal(vmrun_problem_count(vm), 2);
	vmrun_close(vm);
	o.allow = fw;
	assert_int_equal(vmrun_open(&vm, &o), 65);
	assert_int_equal(vmrun_problem_count(vm), 1);
	problem = vmrun_problem(vm, 0);
	assert_non_null(problem);
	assert_string_equal(problem->path, "emulations[0].path");
	vmrun_close(vm);
	o.allow = both;
	assert_int_equal(vmrun_open(&vm, &o), 0);
	vmrun_close(vm);
	o.sandbox = false; /* forgotten */
	assert_int_equal(vmrun_open(&vm, &o), 64);
	assert_string_equal(vmrun_problem(vm, 0)->text, "options.allow requires options.sandbox");
	vmrun_close(vm);
	o.sandbox = true;
	o.size = offsetof(struct vmrun_options, allow); /* a program of before */
	assert_int_equal(vmrun_open(&vm, &o), 65);
	vmrun_close(vm);
}

static void test_relative_directory(void **state)
{
	struct vmrun_options o = buffer(GOOD);
	struct vmrun *vm;

	(void)state;
	o.directory = "vm";
	assert_int_equal(vmrun_open(&vm, &o), 64);
	assert_string_equal(
	    vmrun_problem(vm, 0)->text, "options.directory: expected an absolute path, got \"vm\"");
	vmrun_close(vm);
}

/* The spec refuses any other arguments than these. */
static void test_spec_args(void **state)
{
	static const char *const args[] = { "a=1", "b=", "a=2=3", NULL };
	static const char *const wrong[] = { "a=1", "1=a", "b", NULL };
	struct vmrun_options o = buffer("assert(vmrun.args.a == '2=3' and vmrun.args.b == '')"
					"return { name = 'a', cpu = 1, mem = '64M' }");
	const struct vmrun_problem *p;
	struct vmrun *vm;

	(void)state;
	o.format = "lua";
	o.dry_run = true;
	o.spec_args = args;
	assert_int_equal(vmrun_open(&vm, &o), 0);
	vmrun_close(vm);
	o.spec_args = wrong;
	assert_int_equal(vmrun_open(&vm, &o), 64);
	assert_int_equal(vmrun_problem_count(vm), 2);
	p = vmrun_problem(vm, 1);
	assert_non_null(p);
	assert_non_null(strstr(p->text, "the first a letter or _, got \"b\""));
	vmrun_close(vm);
	o.size = offsetof(struct vmrun_options, spec_args); /* a program of before: none */
	assert_int_equal(vmrun_open(&vm, &o), 65);
	vmrun_close(vm);
}

/* The spec refuses any other status than 7. */
static void test_exec_result(void **state)
{
	struct vmrun_options o = buffer("assert(vmrun.exec { 'false' } == 7 and vmrun.dry_run)"
					"return { name = 'a', cpu = 1, mem = '64M' }");
	const struct vmrun_problem *p;
	struct vmrun *vm;

	(void)state;
	o.format = "lua";
	o.dry_run = true;
	o.exec_result = 7;
	assert_int_equal(vmrun_open(&vm, &o), 0);
	vmrun_close(vm);
	o.size = offsetof(struct vmrun_options, exec_result); /* a program of before: 0 */
	assert_int_equal(vmrun_open(&vm, &o), 65);
	vmrun_close(vm);
	o.size = sizeof(o);
	for (o.exec_result = -1; o.exec_result <= 256; o.exec_result += 257) {
		assert_int_equal(vmrun_open(&vm, &o), 64);
		p = vmrun_problem(vm, 0);
		assert_non_null(p);
		assert_non_null(strstr(p->text, "exec-result: expected a status from 0 to 255"));
		vmrun_close(vm);
	}
}

static void test_hooks(void **state)
{
	const char *const good[] = { "backoff", NULL }, *const bad[] = { "bakoff", "no.lua", NULL };
	struct vmrun_options o = buffer(GOOD);
	const struct vmrun_problem *p;
	struct vmrun *vm;

	(void)state;
	o.hooks = good;
	assert_int_equal(vmrun_open(&vm, &o), 0);
	vmrun_close(vm);
	o.hooks = bad;
	assert_int_equal(vmrun_open(&vm, &o), 65);
	assert_int_equal(vmrun_problem_count(vm), 2);
	p = vmrun_problem(vm, 0);
	assert_non_null(p);
	assert_string_equal(p->place, "--hook bakoff");
	assert_null(p->path);
	assert_non_null(strstr(p->text, "did you mean \"backoff\"?"));
	p = vmrun_problem(vm, 1);
	assert_non_null(p);
	assert_string_equal(p->place, "--hook no.lua");
	vmrun_close(vm);
	o.size = offsetof(struct vmrun_options, hooks);
	assert_int_equal(vmrun_open(&vm, &o), 0);
	vmrun_close(vm);
}

static void test_settings_and_words(void **state)
{
	static const char *const set[] = { "mem=2G", "com1=/dev/nmdm0A", NULL };
	static const char *const args[] = { "-G", "1234", NULL };
	struct vmrun_options o = buffer(GOOD);
	struct vmrun *vm;

	(void)state;
	o.set = set;
	o.args = args;
	o.bhyve = "/opt/bhyve";
	assert_int_equal(vmrun_open(&vm, &o), 0);
	assert_int_equal(vmrun_prepare(vm), 0);
	assert_string_equal(vmrun_argv(vm)[0], "/opt/bhyve");
	assert_true(has_word(vm, "2048M"));
	assert_true(has_word(vm, "com1,/dev/nmdm0A"));
	assert_true(has_word(vm, "1234"));
	vmrun_close(vm);
}

/* Handles are independent of each other. */
static void test_several(void **state)
{
	enum { VMS = 5 };
	struct vmrun *vm[VMS];
	char text[VMS][256];

	(void)state;
	for (int i = 0; i < VMS; i++) {
		struct vmrun_options o;

		(void)snprintf(text[i], sizeof(text[i]),
		    "return { name = 'vm%d', cpu = %d, mem = '64M', bootrom = '/fw', "
		    "on_prepare = function(s) seen = (seen or 0) + 1; s.mem = seen .. 'M' "
		    "return s end }",
		    i, i + 1);
		o = buffer(text[i]);
		o.format = "lua";
		assert_int_equal(vmrun_open(&vm[i], &o), 0);
	}
	for (int i = VMS - 1; i >= 0; i--)
		assert_int_equal(vmrun_prepare(vm[i]), 0);
	for (int i = 0; i < VMS; i++) {
		char name[16], cpus[64];

		(void)snprintf(name, sizeof(name), "vm%d", i);
		(void)snprintf(
		    cpus, sizeof(cpus), "cpus=%d,sockets=1,cores=1,threads=%d", i + 1, i + 1);
		assert_true(has_word(vm[i], name));
		assert_true(has_word(vm[i], cpus));
		assert_true(has_word(vm[i], "1M")); /* each VM has its own Lua globals */
	}
	for (int i = 0; i < VMS; i++)
		vmrun_close(vm[(i * 2) % VMS]);
}

/* The resolved spec is a spec with the same meaning. */
static void test_resolved_spec_is_a_spec(void **state)
{
	static const char *const specs[] = {
		GOOD,
		"{\"name\":\"x\",\"cpu\":{\"threads\":2,\"cores\":3,\"sockets\":1},\"mem\":4096,"
		"\"bootrom\":\"r\",\"varfile\":\"v\",\"varfile_template\":\"t\","
		"\"hostbridge\":\"amd_hostbridge\",\"lpc_slot\":30,\"hostbridge_slot\":\"0:2:0\","
		"\"com1\":\"stdio\",\"com2\":\"/dev/nmdm0A\","
		"\"uuid\":\"12345678-1234-1234-1234-123456789abc\",\"utc_clock\":false,"
		"\"x2apic\":true,\"extra_options\":\"-G 1 'a b'\",\"reboot_on\":[\"reboot\",3],"
		"\"hook_timeout\":0.5,\"hook_memory\":\"32M\","
		"\"stop\":[{\"do\":\"acpi\",\"wait\":3}],"
		"\"bhyve\":{\"release\":14,\"arch\":\"amd64\",\"args\":[\"-K\",\"us\"]},"
		"\"qemu\":{\"accel\":\"tcg\",\"args\":\"-x\"},"
		"\"emulations\":[{\"device\":\"virtio-blk\",\"path\":\"/"
		"a,%b\",\"ser\":\"\\\"q\\\\\","
		"\"bootindex\":0,\"logical_sector_size\":512,\"physical_sector_size\":4096},"
		"{\"device\":\"ahci-cd\",\"path\":\"c\",\"nmrr\":0,\"model\":\"m\",\"slot\":\"9:"
		"1\"},"
		"{\"device\":\"ahci-hd\",\"path\":\"c\",\"id\":\"hd\",\"slot\":9},"
		"{\"device\":\"virtio-net\",\"name\":\"tap0\",\"mtu\":\"1500\"},"
		"{\"device\":\"e1000\",\"name\":\"netgraph\",\"path\":\"a:\",\"peerhook\":\"h\"},"
		"{\"device\":\"virtio-console\",\"ports\":{\"b\":\"/s/b\",\"a=,\":\"/s/a\"}},"
		"{\"device\":\"raw\",\"value\":\"virtio-rnd\"}]}",
		"{\"name\":\"x\",\"cpu\":1,\"mem\":\"1G\",\"hostbridge\":false,\"emulations\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct vmrun_options o = buffer(specs[i]);
		struct vmrun *one, *two;
		const struct vmrun_problem *p;
		char *json, *again, *command, *same;

		assert_int_equal(vmrun_open(&one, &o), 0);
		assert_int_equal(vmrun_prepare(one), 0);
		json = vmrun_spec_json(one);
		o = buffer(json);
		if (vmrun_open(&two, &o) != 0 && (p = vmrun_problem(two, 0)) != NULL)
			fail_msg("%s: %s: %s", p->place, p->path, p->text);
		assert_int_equal(vmrun_prepare(two), 0);
		again = vmrun_spec_json(two);
		command = vmrun_command(one);
		same = vmrun_command(two);
		assert_string_equal(json, again);
		assert_string_equal(command, same);
		free(json);
		free(again);
		free(command);
		free(same);
		vmrun_close(two);
		vmrun_close(one);
	}
}

/* What belongs to the command but is not a word of it. */
static void test_beside_the_command(void **state)
{
	struct vmrun_options o =
	    buffer("{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"loader\":\"bhyveload\",\"com1\":"
		   "\"nmdm\",\"emulations\":[{\"device\":\"raw\",\"value\":\"virtio-rnd\"}]}");
	struct vmrun *vm;
	char *loader, *config;

	(void)state;
	assert_int_equal(vmrun_open(&vm, &o), 0);
	assert_null(vmrun_loader_command(vm)); /* not before vmrun_prepare() */
	assert_null(vmrun_bhyve_config(vm));
	assert_null(vmrun_placeholders(vm)[0]);
	assert_null(vmrun_bhyve_words(vm)[0]);
	assert_int_equal(vmrun_prepare(vm), 0);
	loader = vmrun_loader_command(vm);
	config = vmrun_bhyve_config(vm);
	assert_string_equal(loader, "bhyveload -c /dev/nmdmAUTOA -m 64M demo");
	assert_non_null(strstr(config, "\nlpc.com1.path=/dev/nmdmAUTOA\n"));
	assert_non_null(strstr(vmrun_placeholders(vm)[0], "/dev/nmdmAUTOA is a placeholder"));
	assert_null(vmrun_placeholders(vm)[1]);
	assert_non_null(strstr(vmrun_bhyve_words(vm)[0], "-s 0:1:0,virtio-rnd"));
	assert_null(vmrun_bhyve_words(vm)[1]);
	free(loader);
	free(config);
	vmrun_close(vm);
}

static void test_no_file_for_bhyve(void **state)
{
	struct vmrun_options o = buffer(GOOD);
	struct vmrun *vm;
	const struct vmrun_problem *p;

	(void)state;
	o.hypervisor = "qemu";
	assert_int_equal(vmrun_open(&vm, &o), 0);
	assert_int_equal(vmrun_prepare(vm), 0);
	assert_null(vmrun_bhyve_config(vm));
	assert_null(vmrun_loader_command(vm));
	assert_int_equal(vmrun_problem_count(vm), 0);
	vmrun_close(vm);
	o = buffer("{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"/a\\nb\"}");
	assert_int_equal(vmrun_open(&vm, &o), 0);
	assert_int_equal(vmrun_prepare(vm), 0);
	assert_null(vmrun_bhyve_config(vm));
	p = vmrun_problem(vm, 0);
	assert_non_null(p);
	assert_non_null(strstr(p->text, "bootrom has a value with a line end"));
	assert_int_equal(vmrun_status(vm), 65);
	/* The boot itself is as good as before. */
	assert_int_equal(vmrun_prepare(vm), 0);
	assert_int_equal(vmrun_problem_count(vm), 0);
	assert_null(vmrun_problem(vm, 0));
	assert_null(vmrun_bhyve_config(vm));
	assert_null(vmrun_bhyve_config(vm));
	assert_int_equal(vmrun_problem_count(vm), 1);
	vmrun_close(vm);
}

/* A program that the options name chooses its hypervisor, unless they name both. */
static void test_named_program(void **state)
{
	static const struct {
		const char *hypervisor, *bhyve, *qemu, *chosen;
	} rows[] = {
		{ NULL, NULL, "/q", "qemu" },
		{ "auto", "/b", NULL, "bhyve" },
		{ "bhyve", NULL, "/q", "bhyve" },
		{ NULL, "/b", "/q", "bhyve" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmrun_options o = buffer(GOOD);
		struct vmrun *vm;

		o.hypervisor = rows[i].hypervisor;
		o.bhyve = rows[i].bhyve;
		o.qemu = rows[i].qemu;
		assert_int_equal(vmrun_open(&vm, &o), 0);
		assert_string_equal(vmrun_hypervisor(vm), rows[i].chosen);
		vmrun_close(vm);
	}
}

/* Any target or loader counts, not only the first to boot; the call changes nothing. */
static void test_uses_stdio(void **state)
{
	static const struct {
		bool uses;
		const char *keys;
	} rows[] = {
		{ false, "\"bootrom\":\"/fw/rom.fd\"" },
		{ false, "\"bootrom\":\"/fw/rom.fd\",\"com1\":\"/dev/nmdm0A\"" },
		{ true, "\"bootrom\":\"/fw/rom.fd\",\"com2\":\"stdio\"" },
		{ true, "\"bootrom\":\"/fw/rom.fd\",\"targets\":{\"x\":{\"com1\":\"stdio\"}}" },
		{ false,
		    "\"bootrom\":\"/fw/rom.fd\",\"com1\":\"stdio\","
		    "\"targets\":{\"default\":{\"com1\":null}}" },
		{ true,
		    "\"loader\":{\"type\":\"bhyveload\",\"console\":\"stdio\"},"
		    "\"emulations\":[{\"device\":\"virtio-blk\",\"path\":\"a.img\"}]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmrun *vm;
		char spec[512];
		struct vmrun_options o;

		(void)snprintf(spec, sizeof(spec),
		    "{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",%s}", rows[i].keys);
		o = buffer(spec);
		assert_int_equal(vmrun_open(&vm, &o), 0);
		assert_int_equal(vmrun_uses_stdio(vm), rows[i].uses);
		assert_int_equal(vmrun_prepare(vm), 0);
		assert_int_equal(vmrun_uses_stdio(vm), rows[i].uses);
		assert_non_null(vmrun_argv(vm));
		vmrun_close(vm);
	}
}

static void test_default_run_dir(void **state)
{
	char *directory = vmrun_default_run_dir();

	(void)state;
	assert_non_null(strstr(directory, "/vmrun"));
	free(directory);
}

/* Statuses of forget; tests/cli/ctl.bats tests its effect on files. */
static void test_forget(void **state)
{
	static const char *const names[] = { "", ".", "../demo", "a/b", "-a", NULL };
	char *why;

	(void)state;
	assert_int_equal(vmrun_forget("/nowhere/run", "/nowhere", "demo", "backoff", &why), 69);
	assert_non_null(strstr(why, "no stock hook \"backoff\" keeps state"));
	free(why);
	assert_int_equal(
	    vmrun_forget("/nowhere/run", "/nowhere", "demo", "install_once:x", &why), 71);
	assert_non_null(strstr(why, "/nowhere/run"));
	free(why);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *lines;

		assert_int_equal(vmrun_forget("run", "keep", names[i], "install_once", &why), 64);
		assert_non_null(strstr(why, "invalid VM name \""));
		free(why);
		assert_int_equal(vmrun_history("keep", names[i], &lines, &why), 64);
		assert_null(lines);
		assert_non_null(strstr(why, "invalid VM name \""));
		free(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_named_program),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_buffer_has_a_length),
		cmocka_unit_test(test_older_options),
		cmocka_unit_test(test_size_of_options),
		cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_relative_directory),
		cmocka_unit_test(test_spec_args),
		cmocka_unit_test(test_exec_result),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_settings_and_words),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_resolved_spec_is_a_spec),
		cmocka_unit_test(test_beside_the_command),
		cmocka_unit_test(test_no_file_for_bhyve),
		cmocka_unit_test(test_uses_stdio),
		cmocka_unit_test(test_default_run_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
