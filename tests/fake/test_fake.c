/* From argv to the tree, and the statuses of refusals before any device is read. */
#include "rows.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void defaults_of_each_release(void **state)
{
	static const struct tree_row rows[] = {
		{ "13", "", "acpi_tables=false\nmemory.size=256M\nx86.strictmsr=true\nconfig" },
		{ "14", "",
		    "acpi_tables=false\nacpi_tables_in_memory=true\nmemory.size=256M\n"
		    "x86.strictmsr=true\nlpc.fwcfg=bhyve\nconfig" },
		{ "15", "",
		    "acpi_tables=true\nacpi_tables_in_memory=true\nmemory.size=256M\n"
		    "x86.strictmsr=true\nx86.verbosemsr=false\nlpc.fwcfg=bhyve\nconfig" },
		{ "16", "", "lpc.fwcfg=bhyve\nrundir=/var/run/bhyve/\nconfig.dump=1\nname=vm\n" },
		{ "arm15", "",
		    "acpi_tables=false\nacpi_tables_in_memory=false\nmemory.size=256M\nconfig" },
	};

	(void)state;
	check_tree_rows(ROWS(rows));
}

static void every_flag(void **state)
{
	static const struct tree_row rows[] = {
		{ "14", "-a", "x86.x2apic=false\n" },
		{ "14", "-x", "x86.x2apic=true\n" },
		{ "13", "-A", "acpi_tables=true\n" },
		{ "15", "-A -o acpi_tables=no", "acpi_tables=no\n" },
		{ "14", "-C", "memory.guest_in_core=true\n" },
		{ "14", "-D", "destroy_on_poweroff=true\n" },
		{ "14", "-e", "x86.strictio=true\n" },
		{ "14", "-H", "x86.vmexit_on_hlt=true\n" },
		{ "16", "-M", "monitor=true\n" },
		{ "14", "-P", "x86.vmexit_on_pause=true\n" },
		{ "14", "-S", "memory.wired=true\n" },
		{ "14", "-u", "rtc.use_localtime=false\n" },
		{ "14", "-W", "virtio_msix=false\n" },
		{ "14", "-w", "x86.strictmsr=false\n" },
		{ "14", "-Y", "x86.mptable=false\n" },
		{ "14", "-I -AHP", "acpi_tables=true\nconfig" },
		{ "14", "-K de_kbd", "keyboard.layout=de_kbd\n" },
		{ "14", "-U x-y", "uuid=x-y\n" },
		{ "14", "-m 1G -m2G", "memory.size=2G\n" },
		{ "14", "-G 1234", "gdb.port=1234\n" },
		{ "14", "-G w::1:99", "gdb.wait=true\ngdb.address=::1\ngdb.port=99\n" },
		{ "14", "-G :99", "gdb.address=\ngdb.port=99\n" },
		{ "14", "-o a.b.c=d=e -o a.b.c=f", "a.b.c=f\n" },
		{ "14", "-o a=1 -o b=2 -o a=3", "b=2\na=3\n" },
		{ "14", "-p 0:3 -p 1:4 -p 0:5x", "vcpu.0.cpuset=3,5\nvcpu.1.cpuset=4\n" },
		{ "14", "-p 0:1-2", "vcpu.0.cpuset=1\n" },
		{ "16", "-p 0-1:2-3 -p 1:7", "vcpu.0.cpuset=2-3\nvcpu.1.cpuset=2-3,7\n" },
		{ "14", "-c 4", "cpus=4\n" },
		{ "14", "-c ''", "sockets=1\ncores=1\nthreads=1\ncpus=1\n" },
		{ "14", "-c cores=2,threads=3,sockets=1,cpus=6",
		    "cores=2\nthreads=3\nsockets=1\ncpus=6\n" },
		{ "15", "-n id=1,size=1G,cpus=2-3,x=y,domain_policy=first-touch",
		    "domains.1.size=1G\ndomains.1.domain_policy=first-touch\n"
		    "domains.1.cpus=2-3\n" },
		{ "15", "-n id=0,cpus=0,1", "domains.0.cpus=0\nconfig" },
	};

	(void)state;
	check_tree_rows(ROWS(rows));
}

static const struct row option_rows[] = {
	{ "14", "", 0 },
	{ "14", "-h", FAKE_DONE },
	{ "14", "-Q", 1 },
	{ "14", "-", 1 }, /* an operand: two names */
	{ "14", "--", 0 },
	{ "14", "--help", 1 },
	{ "14", "-:", 1 },
	{ "13", "-f n,string=x", 1 },
	{ "14", "-n id=0,cpus=0", 1 },
	{ "15", "-M", 1 },
	{ "14", "-r file", 1 },
	{ "14", "-g 1", 1 },
	{ "14", "-s help", FAKE_DONE },
	{ "14", "-s h", FAKE_DONE },
	{ "14", "-s ''", FAKE_DONE },
	{ "14", "-l he", FAKE_DONE },
	{ "14", "-s helpx", 4 },
	{ "14", "-o x", 64 },
	{ "14", "-o x=", 64 },
	{ "14", "-o =x", 0 },
	{ "14", "-o a..b=1", 4 },
	{ "14", "-o .b=1", 4 },
	{ "14", "-o a=1 -o a.b=1", 4 },
	{ "14", "-o a.b=1 -o a=1", 4 },
	{ "14", "-f n,string=a,b", 0 },
	{ "14", "-f name=n,file=/f", 0 },
	{ "14", "-f n", 64 },
	{ "14", "-f n,data=x", 64 },
	{ "14", "-f 0123456789012345678901234567890123456789012345678901234,string=x", 0 },
	{ "14", "-f 01234567890123456789012345678901234567890123456789012345,string=x", 64 },
	{ "14", "-k /nonexistent/file", 4 },
	{ "14", "-o config.dump=maybe", 4 },
	{ "14", "-G x", 1 },
	{ "14", "-G 99999", 1 },
	{ "14", "-G w1234", 0 },
	{ "14", "-U 12345678-1234-1234-1234-123456789abc", 0 },
	{ "14", "-U 12345678-1234-1234-1234-123456789ab", 4 },
	{ "14", "-U 12345678-1234-1234-dfff-123456789abc", 0 },
	{ "14", "-U 12345678-1234-1234-e000-123456789abc", 4 },
	{ "14", "-U 12345678-1234-1234-Ffff-123456789abc", 4 },
	{ "14", "-G w:1234", 1 },
	{ "14", "-G :1234", 1 },
	{ "14", "-G localhost:1234", 0 },
	{ "14", "-G fe80::1%em0:1234", 0 },
	{ "14", "-o destroy_on_poweroff=maybe", 4 }, /* at the guest's power-off */
	{ "14", "-o destroy_on_poweroff=OFF", 0 },
	{ "14", "-o memory.wired=maybe", 4 },
	{ "14", "-o memory.wired=YES", 0 },
	{ "14", "-o name=other", 0 },
};

static void statuses_of_options(void **state)
{
	(void)state;
	check_rows(ROWS(option_rows));
}

static void operands(void **state)
{
	(void)state;
	assert_int_equal(row_status_bare("14", ""), 1);
	assert_int_equal(row_status_bare("14", "-H"), 1);
	assert_int_equal(row_status_bare("14", "vm1 -H"), 1);
	assert_int_equal(row_status_bare("14", "-o name=x vm1 vm2"), 1);
	assert_int_equal(row_status_bare("14", "-H vm1"), 0);
	assert_int_equal(row_status_bare("14", "-o name=x"), 0);
	assert_int_equal(row_status_bare("14", "-- -H"), 0);
	assert_int_equal(row_status_bare("14", "-m"), 1);
	assert_int_equal(row_status_bare("14", "''"), 4);
	assert_int_equal(row_status_bare("14", "a\"b"), 4);
	assert_int_equal(row_status_bare("14", ".."), 4);
	assert_string_equal(row_value("14", "-o name=x", "name"), "vm");
	assert_int_equal(row_status_bare("14", "-o config.dump=1"), 1);
	assert_non_null(strstr(row_message, "usage"));
}

static void topology(void **state)
{
	static const struct row rows[] = {
		{ "14", "-c 4,sockets=2,cores=2", 0 },
		{ "14", "-c 4,cores=2", 4 },
		{ "14", "-c sockets=2,cores=2", 0 },
		{ "14", "-c 0x10", 0 },
		{ "14", "-c 010,sockets=8", 0 },
		{ "14", "-c 08", 4 },
		{ "14", "-c 0", 4 },
		{ "14", "-c -1", 4 },
		{ "14", "-c 2x", 4 },
		{ "14", "-c ,", 4 },
		{ "14", "-c 65536", 4 },
		{ "14", "-c sockets=256,cores=256", 4 },
		{ "14", "-c 2,maxcpus=4", 64 },
		{ "14", "-c 64", 0 },
		{ "14", "-c 65", 71 },
		{ "14", "-c 65535", 71 },
		{ "14", "-p 0", 64 },
		{ "14", "-p -1:2", 64 },
		{ "14", "-p 0:-2", 64 },
		{ "13", "-p 0:256", 64 },
		{ "14", "-p 5:256", 0 }, /* not read, because the virtual CPU does not exist */
		{ "14", "-p 0:1024", 64 },
		{ "14", "-p 0:64", FAKE_SIGNAL(SIGABRT) },
		{ "14", "-o vcpu.0.cpuset=1-3,7", 0 },
		{ "14", "-o vcpu.0.cpuset=3-1", 4 },
		{ "14", "-o vcpu.0.cpuset=1-2-3", 4 },
		{ "14", "-o vcpu.0.cpuset=x", 4 },
		{ "14", "-o vcpu.0.cpuset=1,", 4 },
		{ "14", "-o vcpu.1.cpuset=x", 0 },
		{ "14", "-c 2 -o vcpu.1.cpuset=x", 4 },
	};

	(void)state;
	check_rows(ROWS(rows));
}

static void memory(void **state)
{
	static const struct row rows[] = {
		{ "14", "-m 512", 0 },
		{ "14", "-m 512M", 0 },
		{ "14", "-m 1g", 0 },
		{ "14", "-m 4096b", 0 },
		{ "14", "-m 1048576", 0 },
		{ "14", "-m 1048577", 4 },
		{ "14", "-m 010", 0 },
		{ "14", "-m 0", 4 },
		{ "14", "-m 1k", 4 },
		{ "14", "-m 4k", 0 },
		{ "14", "-m 1.5G", 64 },
		{ "14", "-m 1X", 64 },
		{ "14", "-m M", 64 },
		{ "14", "-m ''", 64 },
		{ "14", "-m 16E", 64 },
		{ "14", "-m 1GB", 0 },
		{ "14", "-m 1Gigabyte", 0 },
		{ "15", "-m 1GB", 0 },
		{ "15", "-m 1Gigabyte", 64 },
		{ "15", "-n size=1G,cpus=0", 64 },
		{ "15", "-n id=256,cpus=0", 4 },
		{ "15", "-n ''", 64 },
		{ "15", "-o acpi_tables=no -n id=0,cpus=0", 64 },
		{ "15", "-n id=0,cpus=0,size=1G", 0 },
		{ "15", "-n id=0,cpus=0,size=1.5G", 64 },
		{ "15", "-n id=0,cpus=0,size=1k", 4 },
		{ "15", "-n id=0,size=1G", 4 },
		{ "15", "-n id=0,cpus=x", 4 },
		{ "15", "-n id=1", 0 }, /* not read, because it follows a gap */
		{ "15", "-n id=0,cpus=0,domain_policy=prefer:0", 0 },
		{ "15", "-n id=0,cpus=0,domain_policy=round-robin", 0 },
		{ "15", "-n id=0,cpus=0,domain_policy=best", 64 },
		{ "15", "-m 1k -n id=0,cpus=0,size=1G", 0 }, /* replaced */
		{ "15", "-m 1k -n id=0,cpus=0", 4 },
	};

	(void)state;
	check_rows(ROWS(rows));
}

/* Each row has two or more faults, of which bhyve reports the first. */
static void first_fault_decides(void **state)
{
	static const struct row rows[] = {
		{ "14", "-c 1,x=1 -Q", 64 },
		{ "14", "-Q -c 1,x=1", 1 },
		{ "14", "-s 3,nothing -m 1.5G", 4 },
		{ "14", "-m 1.5G -c 0", 4 },
		{ "14", "-m 1.5G -c 65", 64 },
		{ "14", "-m 1k -c 65", 71 },
		{ "14", "-m 1.5G -s 3,virtio-blk", 64 },
		{ "14", "-p 0:99 -s 3,virtio-blk", 4 },
	};

	(void)state;
	check_rows(ROWS(rows));
	assert_int_equal(row_status_bare("14", "-m 1.5G"), 1);
}

static void expansion(void **state)
{
	(void)state;
	assert_string_equal(row_value("14", "-o a=x -o b=<%(a)>", "b"), "<x>");
	assert_string_equal(row_value("14", "-o a=%(name) -o b=%(a)%(a)", "b"), "vmvm");
	assert_string_equal(row_value("14", "-o b=<%(nothing)>", "b"), "<>");
	assert_string_equal(row_value("14", "-o b=<%()>", "b"), "<>");
	assert_string_equal(row_value("14", "-o b=50%", "b"), "50%");
	assert_string_equal(row_value("14", "-o b=%%", "b"), "%%");
	assert_string_equal(row_value("14", "-o b=%(a", "b"), "%(a");
	assert_string_equal(row_value("14", "-o b=50\\%\\n", "b"), "50%n");
	assert_string_equal(row_value("14", "-o b=C:\\dir", "b"), "C:\\dir");
	assert_string_equal(row_value("14", "-o b=\\%(name)\\\\", "b"), "%(name)\\");
	assert_string_equal(row_value("14", "-o b=\\%\\", "b"), "%");
	/* Cyclic references and long chains of references end. */
	assert_string_equal(row_value("14", "-o a=%(a)", "a"), "%(a)");
	row_value("14", "-o a=%(b)%(b)%(b)%(b) -o b=%(a)%(a)%(a)%(a)", "a");
	assert_non_null(strstr(row_tree("14", "-o b=<%(name)>"), "b=<%(name)>\n"));
	/* Slots and booleans are expanded, too. */
	assert_int_equal(row_status("14", "-o t=4 -c %(t)"), 0);
	assert_int_equal(row_status("14", "-o t=y -o memory.wired=%(t)es"), 0);
}

static void config_files(void **state)
{
	char path[] = "/tmp/fake-config-XXXXXX", words[64];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)snprintf(words, sizeof(words), "-k %s", path);
#define FILE_IS(text)                          \
	assert_int_equal(ftruncate(fd, 0), 0); \
	assert_int_equal(pwrite(fd, text, strlen(text), 0), (int)strlen(text))
	FILE_IS("# comment\n\na.b=c,d e=f\nmemory.size=1G");
	assert_non_null(strstr(row_tree("14", words), "memory.size=1G\n"));
	assert_non_null(strstr(row_tree("14", words), "a.b=c,d e=f\n"));
	FILE_IS(" a = b\r\n");
	assert_non_null(strstr(row_tree("14", words), " a = b\r\n"));
	FILE_IS("a=1\n # no comment\n");
	assert_int_equal(row_status("14", words), 4);
	assert_non_null(strstr(row_message, "line 2"));
	FILE_IS("a=\n");
	assert_int_equal(row_status("14", words), 4);
	FILE_IS("a=1\na.b=1\n");
	assert_int_equal(row_status("14", words), 4);
#undef FILE_IS
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
}

static void arm64(void **state)
{
	static const struct row rows[] = {
		{ "arm15", "-o bootrom=/r", 0 },
		{ "arm15", "", 4 },
		{ "arm15", "-CDSW -c 2 -m 1G -o bootrom=/r -U x -p 0:1 -G 1234", 0 },
		{ "arm15", "-o bootrom=/r -o console=stdio", 0 },
		{ "arm15", "-o bootrom=/r -o console=tcp=127.0.0.1:80", 0 },
		{ "arm15", "-o bootrom=/r -o console=nothing", 4 },
		{ "arm15", "-o bootrom=/r -s 1:0:0,virtio-rnd", 0 }, /* no MPtable */
		{ "arm15", "-o bootrom=/r -s 0,hostbridge -s 3,virtio-blk,/x", 0 },
		{ "arm15", "-s 3,fbuf", 4 },
		{ "arm15", "-s 31,lpc", 4 },
		{ "arm15", "-s 3,passthru,ppt0", 4 },
		{ "arm15", "-h", FAKE_DONE },
		{ "arm15", "-s help", FAKE_DONE },
		{ "arm15", "-f n,string=x", 1 },
		{ "arm15", "-M -o bootrom=/r", 1 },
		{ "arm16", "-M -o bootrom=/r", 0 },
	};
	static const char *const unknown[] = { "-A", "-H", "-P", "-l com1,stdio", "-e", "-u", "-w",
		"-x", "-a", "-Y", "-K de", "-I", "-n id=0" };
	size_t i;

	(void)state;
	check_rows(ROWS(rows));
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(row_status("arm15", unknown[i]), 1);
}

static void parse_follows_the_environment(void **state)
{
	char *argv[] = { (char *)"bhyve", (char *)"-n", (char *)"id=0,cpus=0", (char *)"vm", NULL };
	struct fake_tree tree;
	char message[8]; /* long texts are cut */

	(void)state;
	fake_tree_init(&tree);
	assert_int_equal(setenv("FAKEBHYVE_RELEASE", "15", 1), 0);
	assert_int_equal(fake_parse(4, argv, &tree, message, sizeof(message)), 0);
	assert_string_equal(fake_tree_get(&tree, "domains.0.cpus"), "0");
	assert_null(fake_tree_get(&tree, "domains.0"));
	fake_tree_fini(&tree);
	fake_tree_init(&tree);
	assert_int_equal(setenv("FAKEBHYVE_RELEASE", "14", 1), 0);
	assert_int_equal(fake_parse(4, argv, &tree, message, sizeof(message)), 1);
	assert_int_equal(strlen(message), 7);
	assert_int_equal(setenv("FAKEBHYVE_ARCH", "arm64", 1), 0);
	assert_int_equal(fake_parse(4, argv, &tree, message, sizeof(message)), 64);
	assert_int_equal(unsetenv("FAKEBHYVE_RELEASE"), 0);
	assert_int_equal(fake_parse(4, argv, &tree, message, sizeof(message)), 1);
	assert_int_equal(unsetenv("FAKEBHYVE_ARCH"), 0);
	fake_tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_of_each_release),
		cmocka_unit_test(every_flag),
		cmocka_unit_test(statuses_of_options),
		cmocka_unit_test(operands),
		cmocka_unit_test(topology),
		cmocka_unit_test(memory),
		cmocka_unit_test(first_fault_decides),
		cmocka_unit_test(expansion),
		cmocka_unit_test(config_files),
		cmocka_unit_test(arm64),
		cmocka_unit_test(parse_follows_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
