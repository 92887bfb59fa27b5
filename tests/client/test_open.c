/* Opening a client, and listing VMs. */
#include "vmrun_of_test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_nobody_listens(void **state)
{
	struct vmrun_client *c;
	char path[256];

	(void)state;
	assert_int_equal(vmrun_client_open(&c, directory, "other", 0), VMRUN_CLIENT_NOT_RUNNING);
	assert_non_null(strstr(vmrun_client_error(c), "does not exist"));
	assert_int_equal(vmrun_client_fd(c), -1);
	assert_int_equal(vmrun_client_ask(c, "{\"cmd\":\"status\"}", 0, NULL), VMRUN_CLIENT_USAGE);
	vmrun_client_close(c);
	(void)close(listener);
	listener = -1;
	assert_int_equal(vmrun_client_open(&c, directory, "demo", 0), VMRUN_CLIENT_NOT_RUNNING);
	assert_non_null(strstr(vmrun_client_error(c), "no process listens at"));
	vmrun_client_close(c);
	(void)snprintf(path, sizeof(path), "%s%0100d", directory, 0);
	assert_int_equal(vmrun_client_open(&c, path, "demo", 0), VMRUN_CLIENT_OS);
	vmrun_client_close(c);
	vmrun_client_close(NULL);
}

/* Takes the lock of the VM, as its vmrun does, readable by every user; returns its descriptor. */
static int take_lock(char *path, size_t size)
{
	char pid[16];
	int fd;

	(void)snprintf(path, size, "%s/demo/lock", directory);
	(void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(write(fd, pid, strlen(pid)), strlen(pid));
	assert_int_equal(flock(fd, LOCK_EX), 0);
	return fd;
}

/* Fails unless a client that cannot be opened knows the vmrun all the same. */
static void expect_survivor(int status)
{
	struct vmrun_client *c;
	bool is_vmrun = false;

	assert_int_equal(vmrun_client_open(&c, directory, "demo", 0), status);
	assert_int_equal(vmrun_client_survivor(c, &is_vmrun), getpid());
	assert_true(is_vmrun);
	/* Whether that one is gone takes a connection. */
	assert_int_equal(vmrun_client_wait(c, "gone", 0), VMRUN_CLIENT_USAGE);
	vmrun_client_close(c);
}

static void test_the_survivor_of_a_denied_client(void **state)
{
	char lock[128], path[128];
	bool is_root = geteuid() == 0;
	int fd = take_lock(lock, sizeof(lock));

	(void)state;
	assert_int_equal(chmod(directory, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/demo", directory);
	assert_int_equal(chmod(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/demo/control", directory);
	assert_int_equal(chmod(path, 0), 0);
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	expect_survivor(VMRUN_CLIENT_DENIED);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	(void)close(fd);
	assert_int_equal(unlink(lock), 0);
}

#ifdef __linux__ /* FreeBSD does not tell a full listen queue from a socket without a listener. */
static void test_the_survivor_of_a_client_too_late(void **state)
{
	struct vmrun_client *c[16];
	char lock[128];
	int fd = take_lock(lock, sizeof(lock)), count = 0, status;

	(void)state;
	do
		status = vmrun_client_open(&c[count], directory, "demo", 0);
	while (status == VMRUN_CLIENT_OK && ++count < 16);
	assert_true(count < 16);
	vmrun_client_close(c[count]);
	expect_survivor(VMRUN_CLIENT_TIMED_OUT);
	while (count > 0)
		vmrun_client_close(c[--count]);
	(void)close(fd);
	assert_int_equal(unlink(lock), 0);
}

/* Answers the first request of the next client of "demo" after a moment, in another process. */
static pid_t answer_later(void)
{
	static const char answer[] = "{\"id\":1,\"ok\":true,\"state\":\"running\"}\n";
	char request[64];
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	fd = accept(listener, NULL, NULL);
	(void)!read(fd, request, sizeof(request));
	(void)poll(NULL, 0, 50);
	(void)!write(fd, answer, sizeof(answer) - 1);
	(void)poll(NULL, 0, 10000); /* until it is killed */
	_exit(0);
}

/* Makes the socket of "busy", which accepts no connection, and fills its queue. */
static int fill_queue(const char *path, struct vmrun_client *c[16])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), count = 0, status;

	assert_true(fd >= 0 && strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	do
		status = vmrun_client_open(&c[count++], directory, "busy", 0);
	while (status == VMRUN_CLIENT_OK && count < 16);
	assert_int_equal(status, VMRUN_CLIENT_TIMED_OUT);
	return fd;
}

/* A VM that accepts no connection leaves the others time to answer. */
static void test_a_list_with_a_vm_that_hangs(void **state)
{
	struct vmrun_client *c[16] = { NULL };
	struct vmrun_list *list;
	char path[96], socket_path[108];
	pid_t pid = answer_later();
	int fd;

	(void)state;
	assert_true(pid > 0);
	(void)snprintf(path, sizeof(path), "%s/busy", directory);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/control", path);
	assert_int_equal(mkdir(path, 0700), 0);
	fd = fill_queue(socket_path, c);
	assert_int_equal(vmrun_list(&list, directory, 2000), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_list_count(list), 2);
	assert_string_equal(vmrun_list_get(list, 1)->name, "demo");
	assert_string_equal(vmrun_list_get(list, 1)->state, "running");
	vmrun_list_free(list);
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		vmrun_client_close(c[i]);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(fd);
	assert_int_equal(unlink(socket_path), 0);
	assert_int_equal(rmdir(path), 0);
}
#endif

static void test_names_stay_in_the_directory(void **state)
{
	static const char *const names[] = { "", ".", "..", "../demo", "a/b", NULL };
	struct vmrun_client *c;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(vmrun_client_open(&c, directory, names[i], 0), VMRUN_CLIENT_USAGE);
		assert_non_null(strstr(vmrun_client_error(c), "invalid VM name"));
		vmrun_client_close(c);
	}
}

static void test_a_list(void **state)
{
	const struct vmrun_listed *vm;
	struct vmrun_list *list;
	char lock[128];

	(void)state;
	/* A vmrun that does not answer, and whose pid is not known. */
	assert_int_equal(vmrun_list(&list, directory, 0), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_list_count(list), 1);
	vm = vmrun_list_get(list, 0);
	assert_string_equal(vm->name, "demo");
	assert_string_equal(vm->state, "silent");
	assert_null(vm->status);
	assert_null(vmrun_list_get(list, 1));
	assert_null(vmrun_list_error(list));
	vmrun_list_free(list);
	(void)close(listener);
	listener = -1;
	assert_int_equal(vmrun_list(&list, directory, 0), VMRUN_CLIENT_OK);
	assert_string_equal(vmrun_list_get(list, 0)->state, "dead");
	vmrun_list_free(list);
	/* A directory that does not exist has no VM; a file is a mistyped one. */
	(void)snprintf(lock, sizeof(lock), "%s/none", directory);
	assert_int_equal(vmrun_list(&list, lock, 0), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_list_count(list), 0);
	vmrun_list_free(list);
	(void)snprintf(lock, sizeof(lock), "%s/demo/lock", directory);
	(void)close(take_lock(lock, sizeof(lock)));
	assert_int_equal(vmrun_list(&list, lock, 0), VMRUN_CLIENT_OS);
	assert_non_null(strstr(vmrun_list_error(list), "demo/lock: Not a directory"));
	vmrun_list_free(list);
	assert_int_equal(unlink(lock), 0);
	/* A FIFO does not block, and names no process. */
	(void)snprintf(lock, sizeof(lock), "%s/demo/lock", directory);
	assert_int_equal(mkfifo(lock, 0600), 0);
	assert_int_equal(vmrun_list(&list, directory, 0), VMRUN_CLIENT_OK);
	assert_string_equal(vmrun_list_get(list, 0)->state, "dead");
	vmrun_list_free(list);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(vmrun_list(&list, "/nonexistent", 0), VMRUN_CLIENT_OK);
	assert_int_equal(vmrun_list_count(list), 0);
	vmrun_list_free(list);
	vmrun_list_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_listens),
		TEST(the_survivor_of_a_denied_client),
#ifdef __linux__
		TEST(the_survivor_of_a_client_too_late),
		TEST(a_list_with_a_vm_that_hangs),
#endif
		TEST(names_stay_in_the_directory),
		TEST(a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
