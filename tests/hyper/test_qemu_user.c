/* The user's own words for qemu: passed on, joined with vmrun's, or refused. */
#include "planned.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "hyper/qemu_user.h"

/* Makes a plan of a run with these words, divided at blanks, after `--`. */
static void make(struct planned *p, const char *keys, const char *words)
{
	memset(p, 0, sizeof(*p));
	p->run = true;
	assert_null(words_split(&p->extra, words));
	planned_make(p, &hyper_qemu, keys);
}

static void good(struct planned *p, const char *keys, const char *words)
{
	make(p, keys, words);
	if (!p->good)
		fail_msg("%s: refused: %s", words, p->report.item[0].text);
}

static bool has_note(const struct planned *p, const char *text)
{
	for (size_t i = 0; i < p->boot.plan.notes.count; i++) {
		if (strstr(p->boot.plan.notes.item[i], text) != NULL)
			return true;
	}
	return false;
}

static void test_passed_on(void **state)
{
	static const char *const rows[] = { "-name x", "--name x", "-no-reboot", "-m 128",
		"-rtc clock=vm", "-device e1000,id=help", "-vga none", "-nic none", "-net none",
		"-net user", "-audio none,model=pcspk", "-drive file=a,if=virtio", "-append help",
		"-chardev socket,id=a,path=p,server=on,wait=off", "-serial null", "-monitor none",
		"-chardev file,id=a,path=stdio", "-qmp unix:p,server,nowait", "-monitor stdiox",
		"-action panic=pause,reboot=shutdown", "-action shutdown=poweroff", "-M q35",
		"-machine type=pc-q35-7.2", "-set chardev.a.mux=on", "-S", "-bios f",
		"-machine sata=on -cdrom a", "-cdrom a -machine sata=on", "-display gtk" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p;
		MEM_AUTO char *end = mem_format(" %s ", rows[i]);

		good(&p, "", rows[i]);
		assert_non_null(strstr(planned_line(&p), end));
		assert_true(planned_has(&p, "-d cpu_reset -D /dev/fd/4"));
		assert_false(p.boot.plan.log.is_shown);
		assert_int_equal(p.boot.plan.notes.count, 0);
		assert_false(p.boot.plan.uses_stdio);
		planned_free(&p);
	}
}

#define DISK "emulations = { { device = 'virtio-blk', path = '/d', slot = 1 } }"

/* As `qemu-system-x86_64 -OPTION help` of QEMU 7.2 shows: it prints to stdout, and exits. */
static void test_lists(void **state)
{
	static const char *const options[] = { "L", "M", "accel", "action", "audio", "audiodev",
		"boot", "chardev", "cpu", "d", "device", "display", "global", "iscsi", "machine",
		"msg", "net", "netdev", "nic", "object", "overcommit", "rtc", "smp", "spice",
		"tpmdev", "trace", "vga", "vnc" };

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		MEM_AUTO char *words = mem_format("-%s help", options[i]);
		MEM_AUTO char *reason = mem_format("qemu: %s: qemu would print a list", words);
		struct planned p;

		make(&p, "", words);
		if (p.good || p.report.count == 0)
			fail_msg("%s: not refused", words);
		if (str_after(p.report.item[0].text, reason) == NULL)
			fail_msg("%s: %s", words, p.report.item[0].text);
		planned_free(&p);
	}
}

static const struct {
	const char *keys, *words, *reason;
} refused[] = {
	{ "", "-daemonize", "qemu: -daemonize: qemu would leave vmrun" },
	{ "", "--daemonize", "qemu: --daemonize: qemu would leave vmrun" },
	{ "", "-no-shutdown", "qemu: -no-shutdown: qemu would stay after a power-off" },
	{ "", "-action shutdown=pause",
	    "qemu: -action shutdown=pause: qemu would stay after a power-off" },
	{ "", "-action panic=none,reboot=reset",
	    "qemu: -action panic=none,reboot=reset: qemu would reset the guest itself" },
	{ "", "-snapshot", "qemu: -snapshot: qemu applies it to its own -drive only" },
	{ "", "-help", "qemu: -help: qemu would print something and exit" },
	{ "", "-d help", "qemu: -d help: qemu would print a list and exit" },
	{ "", "-d trace:help", "qemu: -d trace:help: qemu would print a list and exit" },
	{ "", "-device e1000,help", "qemu: -device e1000,help: qemu would print a list" },
	{ "", "-machine help", "qemu: -machine help: qemu would print a list" },
	{ "", "-drive if=none,format=help",
	    "qemu: -drive if=none,format=help: qemu would print a list" },
	{ "", "-audio model=?", "qemu: -audio model=?: qemu would print a list" },
	{ "", "-name", "qemu: -name: its value is missing" },
	{ "", "a.img", "qemu: a.img: q35 has no IDE disks" },
	{ "", "-hda a.img", "qemu: -hda a.img: q35 has no IDE disks" },
	{ "", "-machine sata=off -hda a.img", "qemu: -hda a.img: q35 has no IDE disks" },
	{ "", "-drive file=a.img", "qemu: -drive file=a.img: q35 has no IDE disks" },
	{ "", "-drive if=ide", "qemu: -drive if=ide: q35 has no IDE disks" },
	{ "", "-M pc", "qemu: -M pc: the devices of the spec" },
	{ "", "-machine smm=off,type=virt", "qemu: -machine smm=off,type=virt: the devices" },
	{ "bhyve = { arch = 'arm64' }", "-M q35",
	    "qemu: -M q35: the devices of the spec are on buses and slots of virt" },
	{ "", "-d int,tid", "qemu: -d int,tid: vmrun reads one log" },
	{ "", "-D a%d", "qemu: -D a%d: vmrun writes this file" },
	{ "", "-trace a*,file=b%d", "qemu: -trace b%d: vmrun writes this file" },
	{ "", "-set chardev.qmp.fd=9", "qemu: -set chardev.qmp.fd=9: this is vmrun's own" },
	{ "", "-serial tcp::1,server", "qemu: -serial tcp::1,server: qemu would wait" },
	{ "", "-chardev socket,id=a,path=p,server=on,wait=on",
	    "qemu: -chardev socket,id=a,path=p,server=on,wait=on: qemu would wait" },
	{ "com1 = 'stdio'", "-monitor stdio", "qemu: -monitor stdio: a serial port" },
	{ "com2 = 'stdio'", "-chardev stdio,id=a", "qemu: -chardev stdio,id=a: a serial" },
	{ "com2 = 'stdio'", "-display curses", "qemu: -display curses: a serial port" },
	{ "com2 = '/dev/tty'", "-serial null -serial null",
	    "qemu: -serial null: this is serial port 2, which com2" },
	{ DISK, "-vga std", "qemu: -vga std: qemu places this device first" },
	{ DISK, "-nic user", "qemu: -nic user: qemu places this device first" },
	{ DISK, "-net nic", "qemu: -net nic: qemu places this device first" },
	{ DISK, "-audio none,model=hda", "qemu: -audio none,model=hda: qemu places" },
	{ "varfile = 'v', varfile_template = '/t'", "-bios f",
	    "qemu: -bios f: qemu ignores it beside firmware with variables" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct planned p;

		make(&p, refused[i].keys, refused[i].words);
		if (p.good || p.report.count == 0)
			fail_msg("%s: not refused", refused[i].words);
		if (str_after(p.report.item[0].text, refused[i].reason) == NULL)
			fail_msg("%s: %s", refused[i].words, p.report.item[0].text);
		assert_string_equal(p.report.item[0].place, "--");
		assert_int_equal(p.report.status, STATUS_SPEC);
		planned_free(&p);
	}
}

/* The place of a problem is the key that has the word. */
static void test_places(void **state)
{
	(void)state;
	planned_refused(&hyper_qemu, "extra_options = '-S -daemonize', qemu = { args = '-S' }",
	    "extra_options: qemu: -daemonize");
	planned_refused(&hyper_qemu, "extra_options = '-S', qemu = { args = '-daemonize' }",
	    "qemu.args: qemu: -daemonize");
	planned_refused(&hyper_qemu, "qemu = { machine = 'type=pc' }",
	    "qemu.machine: qemu: -machine type=pc: the devices of the spec");
}

/* The user's log is joined with vmrun's, whatever words it comes from. */
static void test_log(void **state)
{
	struct planned p;

	(void)state;
	good(&p, "extra_options = '-d int'", "-d in_asm -D f,g");
	assert_true(planned_has(&p, "-d cpu_reset,int,in_asm -D /dev/fd/4"));
	assert_null(strstr(planned_line(&p), "f,g"));
	assert_true(p.boot.plan.log.is_shown);
	assert_false(p.boot.plan.log.shows_all);
	assert_string_equal(p.boot.plan.log.path, "f,g");
	planned_free(&p);

	good(&p, "", "-d cpu_reset");
	assert_true(p.boot.plan.log.shows_all);
	assert_null(p.boot.plan.log.path);
	planned_free(&p);

	/* vmrun's own stderr may be a file, which vmrun must not empty. */
	good(&p, "", "-d int -D /dev/stderr");
	assert_true(p.boot.plan.log.is_shown);
	assert_null(p.boot.plan.log.path);
	planned_free(&p);

	/* qemu would write its whole log to the file of -trace. */
	good(&p, "", "-trace enable=a*,events=e,file=f,,g");
	assert_true(planned_has(&p, "-d cpu_reset -D /dev/fd/4"));
	assert_true(planned_has(&p, "-trace enable=a*,events=e"));
	assert_string_equal(p.boot.plan.log.path, "f,g");
	assert_true(p.boot.plan.log.is_shown);
	planned_free(&p);
	good(&p, "", "-trace file=f");
	assert_false(planned_has(&p, "-trace"));
	assert_string_equal(p.boot.plan.log.path, "f");
	planned_free(&p);
}

/* Under KVM vmrun has no log, and a printed command neither: the words stay as they are. */
static void test_log_of_the_user_alone(void **state)
{
	struct planned p;

	(void)state;
	good(&p, "", "-d int,tid -D f%d -accel kvm -trace a*,file=g");
	assert_true(planned_has(&p, "-d int,tid -D f%d"));
	assert_true(planned_has(&p, "-trace a*,file=g"));
	assert_false(p.boot.plan.has_log);
	planned_free(&p);
	memset(&p, 0, sizeof(p));
	assert_null(words_split(&p.extra, "-d int -D f -trace a*,file=g -S"));
	planned_good(&p, &hyper_qemu, "");
	assert_true(planned_has(&p, "-d int -D f"));
	assert_true(planned_has(&p, "-trace a*,file=g -S"));
	assert_false(p.boot.plan.log.is_shown);
	planned_free(&p);
}

/* Only x86 processors have triple faults, and q35's buses. */
static void test_arm64(void **state)
{
	struct planned p;

	(void)state;
	good(&p, "bhyve = { arch = 'arm64' }, cpu = 2", "-M virt-7.2");
	planned_free(&p);
	good(&p, "bhyve = { arch = 'arm64' }, cpu = 2", "-d int -machine virt -hda a");
	assert_true(planned_has(&p, "-d int"));
	assert_false(p.boot.plan.has_log);
	assert_true(planned_has(&p, "-machine virt -hda a"));
	assert_true(planned_has(&p, "-smp cpus=2,sockets=1,cores=1,threads=2"));
	planned_free(&p);
}

/* A version of the machine in qemu.machine takes the place of vmrun's type. */
static void test_machine_type(void **state)
{
	static const struct {
		const char *keys, *words;
	} rows[] = {
		{ "qemu = { machine = 'pc-q35-7.2,hpet=off' }", "-machine pc-q35-7.2,sata=off," },
		{ "qemu = { machine = 'pc-q35-7.2,hpet=off' }", ",dump-guest-core=off,hpet=off" },
		{ "qemu = { machine = 'q35' }", "-machine q35,sata=off," },
		{ "qemu = { machine = 'q35,' }", ",dump-guest-core=off -accel" },
		{ "qemu = { machine = 'hpet=off' }", "-machine q35,sata=off," },
		{ "qemu = { machine = 'hpet=off' }", ",dump-guest-core=off,hpet=off" },
		{ "bhyve = { arch = 'arm64' }, qemu = { machine = 'virt-7.2,secure=on' }",
		    "-machine virt-7.2,gic-version=max,dump-guest-core=off,secure=on" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p;

		good(&p, rows[i].keys, "");
		if (strstr(planned_line(&p), rows[i].words) == NULL)
			fail_msg("%s: %s", rows[i].keys, planned_line(&p));
		planned_free(&p);
	}
}

/* Words that qemu would join with vmrun's replace those. */
static void test_replaced(void **state)
{
	struct planned p;

	(void)state;
	good(&p, "", "-smp 4 -cpu qemu64");
	assert_null(strstr(planned_line(&p), "-smp cpus"));
	assert_false(planned_has(&p, "-cpu max"));
	assert_true(planned_has(&p, "-smp 4 -cpu qemu64"));
	planned_free(&p);
	good(&p, "wire_guest_mem = true", "-accel kvm,dirty-ring-size=0");
	assert_false(planned_has(&p, "-accel tcg"));
	assert_string_equal(p.boot.plan.accel, "kvm: the words for qemu name it");
	assert_true(planned_has(&p, "-overcommit mem-lock=on"));
	assert_false(p.boot.plan.has_log);
	planned_free(&p);
	good(&p, "", "-enable-kvm");
	assert_false(planned_has(&p, "-accel tcg"));
	assert_false(p.boot.plan.has_log);
	planned_free(&p);
	good(&p, "qemu = { machine = 'accel=kvm:tcg' }", "");
	assert_null(strstr(planned_line(&p), "-accel"));
	assert_true(p.boot.plan.has_log);
	planned_free(&p);
	good(&p, "qemu = { accel = 'kvm' }", "-accel accel=tcg,thread=single");
	assert_false(planned_has(&p, "-accel kvm"));
	assert_true(p.boot.plan.has_log);
	planned_free(&p);
}

static void test_held(void **state)
{
	struct planned p;

	(void)state;
	good(&p, "", "-s -S");
	assert_null(strstr(p.boot.plan.first_message, "cont"));
	planned_free(&p);
	good(&p, "", "-s");
	assert_non_null(strstr(p.boot.plan.first_message, "cont"));
	planned_free(&p);
}

static void test_stdio(void **state)
{
	static const char *const rows[] = { "-monitor stdio", "-serial mon:stdio",
		"-debugcon stdio", "-chardev stdio,id=a,mux=on", "-chardev id=a,backend=stdio",
		"-gdb stdio", "-display curses", "-qmp stdio" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct planned p;

		good(&p, "", rows[i]);
		assert_true(p.boot.plan.uses_stdio);
		assert_true(hyper_uses_stdio(&hyper_qemu, p.boot.spec, &p.extra));
		assert_false(hyper_uses_stdio(&hyper_qemu, p.boot.spec, NULL));
		assert_false(hyper_uses_stdio(&hyper_bhyve, p.boot.spec, &p.extra));
		planned_free(&p);
	}
}

static void test_notes(void **state)
{
	struct planned p;

	(void)state;
	good(&p, "", "-new-option -S -newer value -runas nobody");
	assert_true(has_note(&p, "vmrun does not know qemu's option -new-option"));
	assert_true(has_note(&p, "vmrun does not know qemu's option -newer"));
	assert_true(has_note(&p, "-runas: a change of the user"));
	assert_int_equal(p.boot.plan.notes.count, 3);
	assert_true(planned_has(&p, "-new-option -S -newer value -runas nobody"));
	assert_null(strstr(p.boot.plan.first_message, "cont"));
	planned_free(&p);
}

/* TCG's processor is one of AMD's, where qemu has no threads; it warns of them. */
static void test_threads(void **state)
{
	struct planned p;

	(void)state;
	good(&p, "cpu = 2", "");
	assert_true(planned_has(&p, "-smp cpus=2,sockets=1,cores=2,threads=1"));
	assert_int_equal(p.boot.plan.notes.count, 0);
	planned_free(&p);
	good(&p, "cpu = { sockets = 2, cores = 3, threads = 2 }", "");
	assert_true(planned_has(&p, "-smp cpus=12,sockets=2,cores=6,threads=1"));
	assert_true(has_note(&p, "the guest sees 12 cores"));
	planned_free(&p);
	good(&p, "cpu = { sockets = 2, cores = 3, threads = 1 }", "");
	assert_true(planned_has(&p, "-smp cpus=6,sockets=2,cores=3,threads=1"));
	assert_int_equal(p.boot.plan.notes.count, 0);
	planned_free(&p);
	/* The user has chosen the processor. */
	good(&p, "cpu = 2", "-cpu max,vendor=GenuineIntel");
	assert_true(planned_has(&p, "-smp cpus=2,sockets=1,cores=1,threads=2"));
	planned_free(&p);
}

/* Hears a line of the log.  Returns whether it is there for vmrun alone. */
static bool is_own(struct signs *signs, const char *line)
{
	assert_null(hyper_qemu.hear(signs, CHANNEL_LOG, line));
	return signs->is_own_line;
}

static void test_own_lines(void **state)
{
	struct signs signs = { 0 };

	(void)state;
	assert_false(is_own(&signs, "EAX=00000000 EBX=00000000"));
	assert_true(is_own(&signs, "CPU Reset (CPU 1)"));
	assert_true(is_own(&signs, "EAX=00000000 EBX=00000000"));
	assert_true(is_own(&signs, "ES =0000 00000000"));
	assert_true(is_own(&signs, "XMM06=0000000000000000"));
	assert_true(is_own(&signs, "CPU Reset (CPU 0)"));
	assert_true(is_own(&signs, "RAX=0000000000000000"));
	assert_true(is_own(&signs, "R8 =0000000000000000"));
	/* A dump that the user has asked for follows at once. */
	assert_false(is_own(&signs, "RAX=0000000000000000"));
	assert_false(is_own(&signs, "R8 =0000000000000000"));
	assert_true(is_own(&signs, "CPU Reset (CPU 0)"));
	assert_false(is_own(&signs, "     0: v=08 e=0000 i=0 cpl=0"));
	assert_false(is_own(&signs, "EAX=00000000 EBX=00000000"));
	assert_false(signs.triple_fault);
	assert_false(is_own(&signs, "Triple fault"));
	assert_true(signs.triple_fault);
}

/* The table is found by both forms of an option, and by whole names only. */
static void test_find(void **state)
{
	(void)state;
	assert_string_equal(qemu_option_find("-name")->name, "name");
	assert_ptr_equal(qemu_option_find("--name"), qemu_option_find("-name"));
	assert_ptr_not_equal(qemu_option_find("-d"), qemu_option_find("-D"));
	assert_null(qemu_option_find("name"));
	assert_null(qemu_option_find("-nam"));
	assert_null(qemu_option_find("-name=x"));
	assert_null(qemu_option_find("-"));
	assert_null(qemu_option_find("--"));
	assert_null(qemu_option_find("---name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed_on),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_of_the_user_alone),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_machine_type),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_stdio),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_own_lines),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
