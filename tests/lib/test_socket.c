/* The file of a control socket, deleted or replaced while clients use it. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/handle.h"
#include "life.h"
#include "control/control_inside.h"
#include "talk.h"

#define AWAY "run/demo/elsewhere"

static bool is_socket(void)
{
	struct stat st;

	return lstat(SOCKET, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600;
}

/* Returns the number of warnings with these words that the supervisor's user got. */
static int count_warnings(struct vmrun *vm, const char *words)
{
	const struct vmrun_event *e;
	int count = 0;

	while ((e = vmrun_next_event(vm)) != NULL)
		count += e->type == VMRUN_WARNING && strstr(e->text, words) != NULL;
	return count;
}

/* Checks that clients of the old socket go on, including one that is not accepted yet. */
static void expect_renewed(struct vmrun *vm, int old, int waiting)
{
	assert_true(is_socket());
	talk_expect_alive(vm);
	talk_say(old, STATUS);
	talk_expect(vm, old, "\"vm\":\"demo\"");
	talk_say(waiting, STATUS);
	talk_expect(vm, waiting, "\"vm\":\"demo\"");
	(void)close(waiting);
	assert_int_equal(count_warnings(vm, "control was deleted: created it again"), 1);
}

static void test_deleted(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	int old, waiting;

	(void)state;
	life_wait_for(vm, "one");
	old = talk_client(vm);
	while (vm->control->count == 0)
		life_step(vm, 5);
	waiting = talk_try();
	assert_int_equal(unlink(SOCKET), 0);
	(void)vmrun_reload(vm);
	expect_renewed(vm, old, waiting);
	waiting = talk_try();
	assert_int_equal(unlink(SOCKET), 0);
	vmrun_reopen_logs(vm);
	expect_renewed(vm, old, waiting);
	waiting = talk_try();
	assert_int_equal(unlink(SOCKET), 0);
	talk_expect_reboot(vm, "go", "two");
	expect_renewed(vm, old, waiting);
	(void)close(old);
	talk_finish(vm);
}

static void test_renamed(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);

	(void)state;
	life_wait_for(vm, "one");
	assert_int_equal(rename(SOCKET, AWAY), 0);
	vmrun_reopen_logs(vm);
	assert_true(is_socket());
	talk_expect_alive(vm);
	assert_int_equal(rename(AWAY, SOCKET), 0); /* where nothing listens any more */
	vmrun_reopen_logs(vm);
	talk_expect_alive(vm);
	assert_int_equal(count_warnings(vm, "created it again"), 2);
	talk_finish(vm);
}

/* A socket that was not touched stays after all requests. */
static void test_untouched(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	struct stat before, after;

	(void)state;
	life_wait_for(vm, "one");
	assert_int_equal(stat(SOCKET, &before), 0);
	vmrun_reopen_logs(vm);
	(void)vmrun_reload(vm);
	talk_expect_reboot(vm, "go", "two");
	assert_int_equal(stat(SOCKET, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	assert_int_equal(count_warnings(vm, "control"), 0);
	talk_finish(vm);
}

/* vmrun does not delete another program's file; it warns once, and after each request. */
static void test_replaced(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS "\nready three waitfile go3 exit 0", AT_ONCE);
	FILE *f;

	(void)state;
	life_wait_for(vm, "one");
	assert_int_equal(unlink(SOCKET), 0);
	f = fopen(SOCKET, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	talk_expect_reboot(vm, "go", "two");
	talk_expect_reboot(vm, "go2", "three");
	assert_int_equal(count_warnings(vm, "not a socket: move it away"), 1);
	vmrun_reopen_logs(vm);
	assert_int_equal(count_warnings(vm, "not a socket: move it away"), 1);
	vmrun_kill(vm);
	(void)life_end(vm);
	vmrun_close(vm);
	assert_true(life_file_exists(SOCKET));
}

static int bind_another(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int other = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(unlink(SOCKET), 0);
	assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof(address)), 0);
	return other;
}

/* A file system may give the inode of a deleted file to the next one. */
static void test_same_inode(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	struct stat st;

	(void)state;
	life_wait_for(vm, "one");
	(void)close(bind_another());
	assert_int_equal(stat(SOCKET, &st), 0);
	vm->control->listener.device = st.st_dev;
	vm->control->listener.inode = st.st_ino;
	vmrun_reopen_logs(vm);
	talk_expect_alive(vm);
	assert_int_equal(count_warnings(vm, "created it again"), 1);
	talk_finish(vm);
}

static void test_listened_at_by_another(void **state)
{
	struct vmrun *vm = talk_begin(TWO_BOOTS, AT_ONCE);
	int other;

	(void)state;
	life_wait_for(vm, "one");
	other = bind_another();
	assert_int_equal(listen(other, 1), 0);
	vmrun_reopen_logs(vm);
	assert_int_equal(count_warnings(vm, "another process listens there"), 1);
	vmrun_kill(vm);
	(void)life_end(vm);
	vmrun_close(vm);
	assert_true(life_file_exists(SOCKET));
	(void)close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_deleted, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_renamed, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_untouched, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_replaced, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(test_same_inode, life_enter, life_leave),
		cmocka_unit_test_setup_teardown(
		    test_listened_at_by_another, life_enter, life_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
