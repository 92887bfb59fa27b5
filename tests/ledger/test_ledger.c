/* The ledger: the file has an entry before the resource is taken, until it is given back. */
#include "ledger/ledger.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../platform/scratch.h"
#include "base/mem.h"
#include "base/str.h"
#include "ledger/ledger_file.h"
#include "ledger/statefile.h"
#include "platform/os.h"

static int warnings;

static void count_warning(void *context, const char *text)
{
	(void)context;
	assert_non_null(strstr(text, "ledger.json"));
	warnings++;
}

static struct ledger_options options = { .directory = ".", .vm = "demo", .warn = count_warning };

static struct ledger *open_ledger(void)
{
	struct ledger *l = NULL;
	struct error err = { 0 };

	warnings = 0;
	if (ledger_open(&l, &options, &err) != 0)
		fail_msg("%s", err.text);
	return l;
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Returns whether the file has the text. */
static bool says(const char *text)
{
	MEM_AUTO char *all = NULL;
	struct error err = { 0 };
	size_t length;

	assert_int_equal(statefile_read("ledger.json", &all, &length, &err), 0);
	return all != NULL && strstr(all, text) != NULL;
}

static struct ledger_thing tap(const char *name)
{
	struct ledger_thing thing = { .name = mem_copy(name) };

	words_add(&thing.undo, "undo");
	words_add(&thing.undo, name);
	return thing;
}

static int take(struct ledger *l, const char *name)
{
	struct ledger_thing thing = tap(name);
	struct error err = { 0 };
	int rc = ledger_take(l, &thing, &err);

	ledger_thing_clear(&thing);
	error_clear(&err);
	return rc;
}

/* Makes all writes fail, by a directory in the place of the new file. */
static void fill_disk(void)
{
	assert_int_equal(mkdir("ledger.json.new", 0700), 0);
}

static void free_disk(void)
{
	assert_int_equal(rmdir("ledger.json.new"), 0);
}

/* Between two equal boots nothing is written, unless the last write has failed. */
static void test_equal_boots(void **state)
{
	struct ledger *l = open_ledger();
	WORDS_AUTO struct words sockets = { 0 }, destroy = { 0 }, none = { 0 };
	struct error err = { 0 };

	(void)state;
	words_add(&sockets, "socket");
	words_add(&destroy, "destroy");
	assert_int_equal(ledger_expect_boot(l, &sockets, &destroy, &err), 0);
	fill_disk();
	assert_int_equal(ledger_expect_boot(l, &sockets, &destroy, &err), 0);
	assert_int_equal(ledger_expect_boot(l, &sockets, &none, &err), 0);
	words_add(&destroy, "it");
	assert_int_equal(ledger_expect_boot(l, &sockets, &destroy, &err), -1);
	error_clear(&err);
	assert_int_equal(ledger_expect_boot(l, &sockets, &destroy, &err), -1);
	error_clear(&err);
	free_disk();
	assert_int_equal(ledger_expect_boot(l, &sockets, &destroy, &err), 0);
	fill_disk();
	words_add(&sockets, "second");
	assert_int_equal(ledger_expect_boot(l, &sockets, &destroy, &err), -1);
	error_clear(&err);
	free_disk();
	ledger_close(l);
	(void)unlink("ledger.json");
}

static void test_adding_and_dropping_write(void **state)
{
	struct ledger *l = open_ledger();

	(void)state;
	assert_false(ledger_needs_recovery(l));
	assert_int_equal(take(l, "tap3"), 0);
	assert_int_equal(take(l, "tap4"), 0);
	assert_true(says("\"tap3\"") && says("\"tap4\""));
	assert_true(ledger_has(l, "tap4"));
	assert_int_equal(ledger_count(l), 2);
	assert_string_equal(ledger_at(l, 1)->name, "tap4");
	assert_int_equal(ledger_at(l, 1)->undo.count, 2);
	assert_string_equal(ledger_at(l, 1)->sign, "tap4");
	assert_null(ledger_at(l, 2));
	ledger_drop(l, "tap3");
	assert_false(says("\"tap3\""));
	assert_true(says("\"tap4\""));
	ledger_drop(l, "tap4");
	ledger_close(l);
	assert_false(is_there("ledger.json"));
	assert_false(is_there("vm"));
	assert_int_equal(warnings, 0);
}

static void test_what_is_not_undone_outlives_us(void **state)
{
	struct ledger *l = open_ledger();
	struct words none = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(take(l, "tap3"), 0);
	ledger_close(l);
	assert_true(says("\"tap3\""));
	l = open_ledger();
	assert_true(ledger_needs_recovery(l));
	assert_int_equal(ledger_previous_supervisor(l), getpid());
	assert_true(ledger_has(l, "tap3"));
	assert_int_equal(ledger_remove_pid_files(l, &none, &err), 0);
	ledger_end_recovery(l);
	assert_false(ledger_needs_recovery(l));
	ledger_close(l);
	assert_true(says("\"tap3\""));
	l = open_ledger();
	ledger_drop(l, "tap3");
	ledger_close(l);
	assert_false(is_there("ledger.json"));
}

static void test_what_cannot_be_written_is_not_taken(void **state)
{
	struct ledger *l = open_ledger();
	struct words sockets = { 0 }, none = { 0 };
	struct error err = { 0 };

	(void)state;
	words_add(&sockets, "a.sock");
	fill_disk();
	assert_int_equal(take(l, "tap3"), -1);
	assert_false(ledger_has(l, "tap3"));
	assert_int_equal(ledger_expect_process(l, "side", &err), -1);
	assert_null(ledger_process_at(l, 0));
	error_clear(&err);
	assert_int_equal(ledger_take_pid_file(l, "x.pid", &err), -1);
	error_clear(&err);
	assert_int_equal(ledger_expect_boot(l, &sockets, &none, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	error_clear(&err);
	assert_int_equal(warnings, 0);
	free_disk();
	assert_int_equal(take(l, "tap4"), 0);
	assert_false(says("tap3") || says("x.pid") || says("side"));
	ledger_drop(l, "tap4");
	free(ledger_clear_boot(l));
	ledger_close(l);
	assert_false(is_there("ledger.json"));
	words_free(&sockets);
}

static void test_what_cannot_be_dropped_is_told_once(void **state)
{
	struct ledger *l = open_ledger();

	(void)state;
	assert_int_equal(take(l, "tap3"), 0);
	assert_int_equal(take(l, "tap4"), 0);
	fill_disk();
	ledger_drop(l, "tap3");
	ledger_note_process(l, "side", getpid());
	assert_int_equal(warnings, 1);
	assert_true(says("\"tap3\""));
	free_disk();
	ledger_forget_process(l, "side", getpid());
	assert_false(says("\"tap3\"")); /* the next write has all entries */
	fill_disk();
	ledger_drop(l, "tap4");
	ledger_close(l); /* a removal needs no space */
	assert_false(is_there("ledger.json"));
	free_disk();
}

static void test_left_alone(void **state)
{
	struct ledger *l = open_ledger();
	MEM_AUTO char *before = NULL;
	MEM_AUTO char *after = NULL;
	struct error err = { 0 };
	size_t length;

	(void)state;
	assert_int_equal(take(l, "tap3"), 0);
	assert_int_equal(ledger_take_pid_file(l, "a.pid", &err), 0);
	l->content.supervisor = 4711; /* another vmrun, which died */
	ledger_close(l);
	l = open_ledger();
	l->content.supervisor = 4711;
	words_truncate(&l->content.dead, 0);
	ledger_update(l);
	ledger_close(l);
	assert_int_equal(statefile_read("ledger.json", &before, &length, &err), 0);
	l = open_ledger();
	assert_int_equal(ledger_previous_supervisor(l), 4711);
	assert_int_equal(ledger_take_pid_file(l, "b.pid", &err), 0);
	assert_true(says("b.pid"));
	ledger_restore(l);
	ledger_close(l);
	assert_int_equal(statefile_read("ledger.json", &after, &length, &err), 0);
	assert_string_equal(after, before);
}

static void test_pid_files_of_the_dead(void **state)
{
	struct ledger *l = open_ledger();
	struct rlimit limit, none = { 0 };
	struct words held = { 0 };
	struct error err = { 0 };
	char own[32];

	(void)state;
	(void)snprintf(own, sizeof(own), "%ld\n", (long)getpid());
	scratch_write("ours.pid", own, 0644);
	scratch_write("empty.pid", "", 0644);
	scratch_write("other.pid", "1\n", 0644);
	scratch_write("text.pid", "secret\n", 0644);
	scratch_write("held.pid", own, 0644);
	for (const char *const *p = (const char *const[]){ "ours.pid", "empty.pid", "other.pid",
		 "text.pid", "held.pid", "missing.pid", NULL };
	     *p != NULL; p++)
		assert_int_equal(ledger_take_pid_file(l, *p, &err), 0);
	ledger_close(l);
	l = open_ledger();
	words_add(&held, "held.pid");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	/* A file that cannot be opened stays in the ledger. */
	assert_int_equal(ledger_remove_pid_files(l, &held, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_string_equal(err.text, "ours.pid: cannot remove the pid file: Too many open files");
	error_clear(&err);
	assert_true(is_there("ours.pid") && says("ours.pid") && says("other.pid"));
	assert_int_equal(ledger_remove_pid_files(l, &held, &err), 0);
	assert_false(is_there("ours.pid") || is_there("empty.pid"));
	assert_true(is_there("other.pid") && is_there("text.pid") && is_there("held.pid"));
	assert_true(says("held.pid"));
	assert_false(says("other.pid"));
	ledger_drop_pid_files(l);
	ledger_close(l);
	assert_false(is_there("ledger.json"));
	words_free(&held);
}

static void test_sockets_of_a_boot(void **state)
{
	struct words first = { 0 }, second = { 0 }, none = { 0 };
	struct ledger *l = open_ledger();
	struct error err = { 0 };

	(void)state;
	words_add(&first, "a.sock");
	words_add(&first, "b.sock");
	words_add(&second, "c.sock");
	assert_int_equal(ledger_expect_boot(l, &first, &none, &err), 0);
	scratch_write("a.sock", "not a socket", 0644); /* not removed, and kept in the ledger */
	assert_int_equal(ledger_expect_boot(l, &second, &none, &err), 0);
	assert_true(says("a.sock") && says("c.sock"));
	assert_false(says("b.sock"));
	assert_null(ledger_clear_boot(l)); /* vmrun does not remove another program's file */
	assert_true(is_there("a.sock"));
	ledger_close(l);
	assert_false(is_there("ledger.json"));
	words_free(&first);
	words_free(&second);
}

/* A socket that cannot be examined is named, and stays in the ledger. */
static void test_socket_that_stays(void **state)
{
	struct words sockets = { 0 }, none = { 0 };
	struct ledger *l = open_ledger();
	struct error err = { 0 };
	MEM_AUTO char *left = NULL;

	(void)state;
	words_add(&sockets, "loop/a.sock");
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(ledger_expect_boot(l, &sockets, &none, &err), 0);
	left = ledger_clear_boot(l);
	assert_string_equal(left, "loop/a.sock");
	assert_true(says("loop/a.sock"));
	assert_int_equal(unlink("loop"), 0);
	assert_null(ledger_clear_boot(l));
	ledger_close(l);
	assert_false(is_there("ledger.json"));
	words_free(&sockets);
}

static void write_pid(const char *path, pid_t pid)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%ld\n", (long)pid);
	scratch_write(path, text, 0644);
}

/* The pid of a hypervisor is in the ledger, and in its lock for the case that the disk is full. */
static void test_pid_file_of_a_dead_hypervisor(void **state)
{
	struct words none = { 0 };
	struct error err = { 0 };
	struct ledger *l = open_ledger();
	int fd;

	(void)state;
	assert_int_equal(ledger_take_pid_file(l, "guest.pid", &err), 0);
	ledger_note_hypervisor(l, 4711);
	ledger_close(l);
	assert_false(is_there("vm")); /* only the ledger knows the pid */
	write_pid("guest.pid", 4711);
	l = open_ledger();
	assert_int_equal(ledger_remove_pid_files(l, &none, &err), 0);
	assert_false(is_there("guest.pid"));
	assert_int_equal(ledger_take_pid_file(l, "guest.pid", &err), 0);
	assert_int_equal(ledger_lock_vm(l, &fd, &err), 0);
	fill_disk();
	ledger_note_hypervisor(l, 4712);
	ledger_close(l); /* the lock is held, so that its file stays */
	free_disk();
	assert_false(says("4712"));
	write_pid("guest.pid", 4712);
	l = open_ledger();
	assert_int_equal(ledger_remove_pid_files(l, &none, &err), 0);
	assert_false(is_there("guest.pid"));
	(void)close(fd);
	ledger_close(l);
	assert_false(is_there("ledger.json"));
}

static void test_processes(void **state)
{
	struct ledger *l = open_ledger();
	struct error err = { 0 };
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		(void)setpgid(0, 0);
		for (;;)
			(void)pause();
	}
	(void)setpgid(child, child);
	assert_int_equal(ledger_expect_process(l, "side", &err), 0);
	assert_true(says("\"side\""));
	assert_false(ledger_process_runs(ledger_process_at(l, 0)));
	ledger_note_process(l, "side", child);
	ledger_note_process(l, "side", child);
	assert_null(ledger_process_at(l, 1));
	ledger_forget_dead_processes(l);
	assert_non_null(ledger_process_at(l, 0));
	l->content.process[0].start++; /* another process of that pid */
	assert_false(ledger_process_runs(ledger_process_at(l, 0)));
	ledger_signal_process(ledger_process_at(l, 0), SIGKILL);
	l->content.process[0].start--;
	assert_true(ledger_process_runs(ledger_process_at(l, 0)));
	ledger_signal_process(ledger_process_at(l, 0), SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(ledger_process_runs(ledger_process_at(l, 0)));
	ledger_forget_dead_processes(l);
	assert_false(says("\"side\""));
	ledger_close(l);
	assert_false(is_there("ledger.json"));
}

/* A process that has left its group is not in the one that bears its pid. */
static void test_process_that_left_its_group(void **state)
{
	struct ledger *l = open_ledger();
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		(void)alarm(20); /* ends it if the signal is lost */
		for (;;)
			(void)pause();
	}
	ledger_note_process(l, "side", child);
	assert_true(ledger_process_runs(ledger_process_at(l, 0)));
	ledger_signal_process(ledger_process_at(l, 0), SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	ledger_forget_process(l, "side", child);
	ledger_close(l);
}

/* A wrapper closed the lock, and vmrun died before it noticed. */
static void test_hypervisor_without_its_lock(void **state)
{
	struct ledger *l = open_ledger();
	pid_t child = fork(), pid;

	(void)state;
	if (child == 0) {
		for (;;)
			(void)pause();
	}
	ledger_note_hypervisor(l, child);
	assert_false(ledger_vm_is_locked(l));
	ledger_close(l);
	l = open_ledger();
	assert_true(ledger_hypervisor_runs(l, &pid));
	assert_int_equal(pid, child);
	l->content.hypervisor.start++; /* another process of that pid */
	assert_false(ledger_hypervisor_runs(l, &pid));
	l->content.hypervisor.start--;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(ledger_hypervisor_runs(l, &pid));
	ledger_close(l);
	assert_false(is_there("ledger.json"));
}

/* Replaces the boot id of the host in the file. */
static void say_boot(const char *boot)
{
	MEM_AUTO char *all = NULL;
	MEM_AUTO char *here = os_boot_id();
	MEM_AUTO char *changed = NULL;
	struct error err = { 0 };
	size_t length;
	char *at;

	assert_int_equal(statefile_read("ledger.json", &all, &length, &err), 0);
	at = strstr(all, here);
	assert_true(*here != '\0' && at != NULL);
	changed = mem_format("%.*s%s%s", (int)(at - all), all, boot, at + strlen(here));
	scratch_write("ledger.json", changed, 0600);
}

/* Writes a ledger with a process, whose pid leads a group now, and an interface that exists. */
static struct ledger *left_by_a_boot(const char *boot, pid_t group)
{
	struct ledger *l = open_ledger();
	struct words none = { 0 };
	WORDS_AUTO struct words destroy = { 0 };
	struct error err = { 0 };

	words_add(&destroy, "bhyvectl");
	assert_int_equal(take(l, "tap3"), 0);
	assert_int_equal(ledger_expect_boot(l, &none, &destroy, &err), 0);
	ledger_note_process(l, "side", group);
	ledger_note_hypervisor(l, group);
	assert_int_equal(ledger_take_pid_file(l, "guest.pid", &err), 0);
	ledger_close(l);
	if (boot != NULL)
		say_boot(boot);
	return open_ledger();
}

static void test_another_boot_of_the_host(void **state)
{
	struct words held = { 0 };
	struct error err = { 0 };
	pid_t group = fork(), pid;
	char own[32];
	struct ledger *l;

	(void)state;
	if (group == 0) {
		for (;;)
			(void)pause();
	}
	(void)setpgid(group, group);
	l = left_by_a_boot(NULL, group);
	assert_true(ledger_process_runs(ledger_process_at(l, 0)));
	assert_true(ledger_hypervisor_runs(l, &pid));
	assert_true(ledger_has(l, "tap3"));
	assert_int_equal(ledger_destroy_command(l)->count, 1);
	ledger_end_recovery(l);
	ledger_drop(l, "tap3");
	ledger_forget_process(l, "side", group);
	ledger_close(l);
	(void)snprintf(own, sizeof(own), "%ld\n", (long)group);
	scratch_write("guest.pid", own, 0644);
	l = left_by_a_boot("another", group);
	assert_true(ledger_needs_recovery(l));
	assert_null(ledger_process_at(l, 0));
	assert_false(ledger_hypervisor_runs(l, &pid));
	assert_int_equal(l->content.hypervisor.pid, 0);
	assert_int_equal(ledger_count(l), 0);
	assert_int_equal(ledger_destroy_command(l)->count, 0);
	/* Files outlive a boot of the host. */
	assert_int_equal(ledger_remove_pid_files(l, &held, &err), 0);
	assert_false(is_there("guest.pid"));
	assert_false(says("another"));
	ledger_close(l);
	assert_false(is_there("ledger.json"));
	assert_int_equal(kill(group, SIGKILL), 0);
	assert_int_equal(waitpid(group, NULL, 0), group);
}

/* Paths may hold any byte but NUL. */
static void test_names_of_any_bytes(void **state)
{
	static const char *const names[] = { "\xff.pid", "ab\xc3", "\xc3\xa4", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "\"\\\n\x01\x7f", "hex", "" };
	struct words sockets = { 0 }, none = { 0 };
	struct ledger *l = open_ledger();
	struct error err = { 0 };
	char all[256];

	(void)state;
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	words_add(&sockets, all);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(take(l, names[i]), 0);
		words_add(&sockets, names[i]);
		assert_int_equal(ledger_take_pid_file(l, names[i], &err), 0);
		assert_int_equal(ledger_expect_process(l, names[i], &err), 0);
	}
	assert_int_equal(ledger_expect_boot(l, &sockets, &none, &err), 0);
	ledger_close(l);
	l = open_ledger();
	assert_true(ledger_needs_recovery(l));
	assert_true(words_equal(&l->content.sockets, &sockets));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_string_equal(ledger_at(l, i)->name, names[i]);
		assert_string_equal(ledger_at(l, i)->sign, names[i]);
		assert_string_equal(ledger_at(l, i)->undo.item[1], names[i]);
		assert_string_equal(l->content.pid_files.item[i], names[i]);
		assert_string_equal(ledger_process_at(l, i)->name, names[i]);
	}
	ledger_close(l);
	words_free(&sockets);
}

static void test_unreadable(void **state)
{
	struct ledger *l = NULL;
	struct error err = { 0 };

	(void)state;
	scratch_write("ledger.json", "{\"v\":2}", 0600);
	assert_int_equal(ledger_open(&l, &options, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_non_null(strstr(err.text, "ledger.json: not a ledger that vmrun wrote"));
	assert_null(l);
	error_clear(&err);
	assert_true(says("{\"v\":2}"));
	warnings = 0;
	options.set_aside = true;
	assert_int_equal(ledger_open(&l, &options, &err), 0);
	options.set_aside = false;
	assert_int_equal(warnings, 1);
	assert_true(is_there("ledger.json.unreadable"));
	assert_false(ledger_needs_recovery(l) && ledger_count(l) > 0);
	ledger_close(l);
}

/* Looks at what was left.  Returns the names, a blank before each.  Caller frees. */
static char *look(bool *runs, pid_t *pid)
{
	struct ledger_remains left;
	struct error err = { 0 };
	struct str all = { 0 };

	if (ledger_look(&options, &left, &err) != 0)
		fail_msg("%s", err.text);
	*runs = left.runs;
	*pid = left.pid;
	for (size_t i = 0; i < left.names.count; i++)
		str_addf(&all, " %s", left.names.item[i]);
	words_free(&left.names);
	str_add(&all, "");
	return str_take(&all);
}

static void expect_look(bool runs, pid_t pid, const char *names)
{
	bool seen;
	pid_t found;
	MEM_AUTO char *all = look(&seen, &found);

	assert_int_equal(seen, runs);
	assert_int_equal(found, pid);
	assert_string_equal(all, names);
}

/* A look finds what ledger_open() would, and changes nothing. */
static void test_look(void **state)
{
	struct ledger *l;
	WORDS_AUTO struct words sockets = { 0 }, destroy = { 0 };
	struct error err = { 0 };
	int fd;

	(void)state;
	expect_look(false, 0, "");
	assert_false(is_there("vm") || is_there("ledger.json"));
	l = open_ledger();
	words_add(&sockets, "a.sock");
	words_add(&destroy, "bhyvectl");
	assert_int_equal(take(l, "tap3"), 0);
	assert_int_equal(ledger_expect_boot(l, &sockets, &destroy, &err), 0);
	assert_int_equal(ledger_lock_vm(l, &fd, &err), 0);
	ledger_note_hypervisor(l, getpid());
	ledger_close(l);
	expect_look(true, getpid(), " tap3 a.sock /dev/vmm/demo");
	(void)close(fd);
	/* Without its lock a hypervisor is known by its start. */
	expect_look(true, getpid(), " tap3 a.sock /dev/vmm/demo");
	assert_true(is_there("ledger.json"));
}

/* The lock tells of a program that a hypervisor has left, and of no pid. */
static void test_look_at_a_lock(void **state)
{
	struct ledger *l = open_ledger();
	struct error err = { 0 };
	int fd;

	(void)state;
	assert_int_equal(ledger_lock_vm(l, &fd, &err), 0);
	ledger_close(l);
	expect_look(true, 0, "");
	(void)close(fd);
	expect_look(false, 0, "");
	assert_true(is_there("vm"));
}

/* The file of vmrun 0.1, which has no lock. */
static void test_look_at_an_old_file(void **state)
{
	MEM_AUTO char *text = NULL;
	int64_t start;

	(void)state;
	assert_true(os_process_start(getpid(), &start));
	text = mem_format("{\"v\":1,\"supervisor\":1,\"processes\":[{\"name\":\"hypervisor\","
			  "\"pid\":%ld,\"start\":%lld}],\"taken\":[],\"sockets\":[\"a.sock\"],"
			  "\"pid_files\":[],\"destroy\":[]}",
	    (long)getpid(), (long long)start);
	scratch_write("state.json", text, 0600);
	expect_look(true, getpid(), " a.sock");
	assert_true(is_there("state.json"));
}

/* What cannot be read is told as ledger_open() does, and --force sees nothing in it. */
static void test_look_at_something_else(void **state)
{
	struct ledger_remains left;
	struct ledger *l = NULL;
	struct error err = { 0 }, same = { 0 };

	(void)state;
	scratch_write("ledger.json", "garbage\n", 0600);
	assert_int_equal(ledger_look(&options, &left, &err), -1);
	assert_int_equal(left.names.count, 0);
	assert_int_equal(err.status, STATUS_OS);
	assert_int_equal(ledger_open(&l, &options, &same), -1);
	assert_string_equal(err.text, same.text);
	error_clear(&err);
	error_clear(&same);
	options.set_aside = true;
	expect_look(false, 0, "");
	options.set_aside = false;
	assert_true(is_there("ledger.json"));
	assert_int_equal(unlink("ledger.json"), 0);
	assert_true(unlink("vm") == 0 || !is_there("vm"));
	assert_int_equal(mkdir("vm", 0700), 0);
	assert_int_equal(ledger_look(&options, &left, &err), -1);
	assert_int_equal(err.status, STATUS_OS);
	assert_non_null(strstr(err.text, "./vm: not a regular file"));
	error_clear(&err);
}

/* A process has its pid and its start; init is one, and 0 names none. */
static void test_alive(void **state)
{
	int64_t start;

	(void)state;
	assert_true(os_process_start(getpid(), &start));
	assert_true(ledger_is_alive(getpid(), start));
	assert_false(ledger_is_alive(getpid(), start + 1));
	assert_false(ledger_is_alive(0, start));
	if (os_process_start(1, &start))
		assert_true(ledger_is_alive(1, start));
}

/* Of a damaged file nothing is used. */
static void test_damaged(void **state)
{
	static const char whole[] = "{\"v\":1,\"supervisor\":0,\"processes\":[],\"taken\":[],"
				    "\"sockets\":[],\"pid_files\":[],\"destroy\":[]}";
	static const char *const keys[] = { "processes", "taken", "sockets", "pid_files",
		"destroy" };
	struct ledger_content content;

	(void)state;
	assert_true(ledger_content_read(&content, whole));
	ledger_content_clear(&content);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		MEM_AUTO char *text = mem_copy(whole);
		MEM_AUTO char *key = mem_format("\"%s\":[", keys[i]);
		char *at = strstr(text, key), *list = at + strlen(key) - 1;

		/* The list becomes a string, and then the key another one. */
		list[0] = list[1] = '"';
		assert_false(ledger_content_read(&content, text));
		list[0] = '[';
		list[1] = ']';
		at[1] = 'x';
		assert_false(ledger_content_read(&content, text));
	}
}

/* Reads a ledger of this supervisor, with a thing of this index. */
static bool read_numbers(struct ledger_content *content, int64_t supervisor, const char *index)
{
	MEM_AUTO char *text = mem_format("{\"v\":1,\"supervisor\":%lld,\"processes\":[],"
					 "\"taken\":[{\"name\":\"tap3\",\"undo\":[\"x\"]%s}],"
					 "\"sockets\":[],\"pid_files\":[],\"destroy\":[]}",
	    (long long)supervisor, index);

	return ledger_content_read(content, text);
}

/* An index that no interface can have is none; a pid must fit. */
static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned index;
	} rows[] = {
		{ "", 0 },
		{ ",\"index\":0", 0 },
		{ ",\"index\":-1", 0 },
		{ ",\"index\":1", 1 },
		{ ",\"index\":2147483647", INT32_MAX },
		{ ",\"index\":2147483648", 0 },
	};
	struct ledger_content content;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(read_numbers(&content, INT32_MAX, rows[i].text));
		assert_int_equal(content.supervisor, INT32_MAX);
		assert_int_equal(content.thing[0].index, rows[i].index);
		ledger_content_clear(&content);
	}
	assert_false(read_numbers(&content, (int64_t)INT32_MAX + 1, ""));
	assert_false(read_numbers(&content, -1, ""));
}

/* An interface with another index is a different interface. */
static void test_another_interface(void **state)
{
	struct ledger_thing thing = tap("lo");

	(void)state;
	assert_false(ledger_thing_is_replaced(&thing));
	thing.index = os_interface_index("lo");
	assert_false(ledger_thing_is_replaced(&thing));
	if (thing.index != 0) {
		thing.index++;
		assert_true(ledger_thing_is_replaced(&thing));
	}
	ledger_thing_clear(&thing);
	assert_null(thing.name);
	ledger_thing_clear(&thing); /* has no effect */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_equal_boots, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_adding_and_dropping_write, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_what_is_not_undone_outlives_us, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_what_cannot_be_written_is_not_taken, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_what_cannot_be_dropped_is_told_once, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_left_alone, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_pid_files_of_the_dead, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_sockets_of_a_boot, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_socket_that_stays, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_pid_file_of_a_dead_hypervisor, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_processes, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_process_that_left_its_group, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_hypervisor_without_its_lock, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_another_boot_of_the_host, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_names_of_any_bytes, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_unreadable, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_look, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_look_at_a_lock, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_look_at_an_old_file, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
		    test_look_at_something_else, scratch_enter, scratch_leave),
		cmocka_unit_test(test_alive),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_another_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
