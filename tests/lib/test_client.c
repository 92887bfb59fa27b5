/* Clients in a process of their own, of a VM that the test supervises. */
#include "life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmrun/client.h"

#define LIMIT_MS 60000
#define SCRIPT "print login: ready up waitfile go exit 0\nready again hang"
#define SPEC ",\"com1\":\"console\",\"backoff\":false,\"restart_limit\":false"

/* In the client's process: ends it with the line of a condition that does not hold. */
#define EXPECT(condition)                                                             \
	do {                                                                          \
		if (!(condition)) {                                                   \
			(void)fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			_exit(1);                                                     \
		}                                                                     \
	} while (0)

static struct vmrun_client *connect_to_vm(void)
{
	struct vmrun_client *c;

	EXPECT(vmrun_client_open(&c, "run", "demo", LIMIT_MS) == VMRUN_CLIENT_OK);
	return c;
}

static pid_t start_client(void (*work)(void))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		work();
		_exit(0);
	}
	return pid;
}

/* Runs a client in another process while the VM runs; fails unless it ends with 0. */
static void run_client(struct vmrun *vm, void (*work)(void))
{
	pid_t pid = start_client(work);
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0)
		life_step(vm, 20);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void list_vms(void)
{
	struct vmrun_list *list;

	EXPECT(vmrun_list(&list, "run", LIMIT_MS) == VMRUN_CLIENT_OK);
	EXPECT(vmrun_list_count(list) == 1);
	EXPECT(strcmp(vmrun_list_get(list, 0)->name, "demo") == 0);
	EXPECT(strcmp(vmrun_list_get(list, 0)->state, "running") == 0);
	EXPECT(strstr(vmrun_list_get(list, 0)->status, "\"boots\":1,") != NULL);
	vmrun_list_free(list);
}

static void ask(void)
{
	struct vmrun_client *c = connect_to_vm();
	const char *answer;

	EXPECT(vmrun_client_ask(c, "{\"cmd\":\"status\"}", LIMIT_MS, &answer) == VMRUN_CLIENT_OK);
	EXPECT(strncmp(answer, "{\"ok\":true,\"v\":1,\"vm\":\"demo\"", 27) == 0);
	EXPECT(vmrun_client_ask(c, "{\"cmd\":\"next\",\"target\":\"none\"}", LIMIT_MS, &answer) ==
	    VMRUN_CLIENT_REFUSED);
	EXPECT(strncmp(answer, "{\"ok\":false,\"error\":\"", 21) == 0);
	EXPECT(strstr(vmrun_client_error(c), "none") != NULL);
	EXPECT(vmrun_client_wait(c, "running", LIMIT_MS) == VMRUN_CLIENT_OK);
	EXPECT(vmrun_client_wait(c, "given_up", 10) == VMRUN_CLIENT_REFUSED);
	EXPECT(vmrun_client_wait_for(c, "login:", true, LIMIT_MS) == VMRUN_CLIENT_OK);
	EXPECT(vmrun_client_wait_for(c, "login:", false, 10) == VMRUN_CLIENT_REFUSED);
	vmrun_client_close(c);
}

static void use_console(void)
{
	struct vmrun_client *c = connect_to_vm(), *second = connect_to_vm();
	char bytes[64];
	size_t n;

	EXPECT(vmrun_client_attach(c, true, LIMIT_MS) == VMRUN_CLIENT_OK);
	EXPECT(vmrun_client_read(c, bytes, sizeof(bytes), &n, LIMIT_MS) == VMRUN_CLIENT_OK);
	EXPECT(n >= 6 && memcmp(bytes, "login:", 6) == 0);
	EXPECT(vmrun_client_write(c, "root\r", 5, &n, LIMIT_MS) == VMRUN_CLIENT_OK && n == 5);
	EXPECT(vmrun_client_attach(second, true, LIMIT_MS) == VMRUN_CLIENT_REFUSED);
	EXPECT(strstr(vmrun_client_error(second), "only one client can write") != NULL);
	/* A refused client stays one of requests. */
	EXPECT(vmrun_client_ask(second, "{\"cmd\":\"status\"}", LIMIT_MS, NULL) == VMRUN_CLIENT_OK);
	EXPECT(vmrun_client_attach(second, false, LIMIT_MS) == VMRUN_CLIENT_OK);
	vmrun_client_close(c);
	vmrun_client_close(second);
}

/* Follows the VM over a reboot, and stops it on the same connection. */
static void follow_to_the_end(void)
{
	struct vmrun_client *c = connect_to_vm();
	const struct vmrun_message *m;
	bool stopped = false, ended = false;
	uint64_t stop = 0;
	FILE *go;

	EXPECT(vmrun_client_follow(c, 0, LIMIT_MS) == VMRUN_CLIENT_OK);
	EXPECT(vmrun_client_next(c, LIMIT_MS, &m) == VMRUN_CLIENT_OK);
	EXPECT(strstr(m->json, "\"seq\":1,") != NULL);
	go = fopen("go", "w");
	EXPECT(go != NULL && fclose(go) == 0);
	while (!ended || !stopped) {
		EXPECT(vmrun_client_next(c, LIMIT_MS, &m) == VMRUN_CLIENT_OK);
		if (m->type == VMRUN_MESSAGE_ANSWER) {
			EXPECT(m->ok && m->id == stop && stop != 0);
			stopped = true;
		} else if (strstr(m->json, "\"event\":\"exit\"") != NULL && stop == 0) {
			EXPECT(vmrun_client_send(c, "{\"cmd\":\"kill\",\"wait\":true}", LIMIT_MS,
				   &stop) == VMRUN_CLIENT_OK);
		} else if (strstr(m->json, "\"event\":\"ended\"") != NULL) {
			ended = true;
		}
	}
	vmrun_client_close(c);
}

static void wait_until_gone(void)
{
	struct vmrun_client *c = connect_to_vm();

	EXPECT(vmrun_client_ask(c, "{\"cmd\":\"kill\"}", LIMIT_MS, NULL) == VMRUN_CLIENT_OK);
	EXPECT(vmrun_client_wait(c, "gone", LIMIT_MS) == VMRUN_CLIENT_OK);
	vmrun_client_close(c);
}

/* Starts the VM, and waits until its guest has printed "login:". */
static struct vmrun *begin(void)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm;

	options.control = true;
	(void)unsetenv("FAKEBHYVE_NODISK"); /* for a terminal */
	vm = life_open_with(&options, "demo", SPEC);
	life_script(SCRIPT);
	assert_int_equal(vmrun_start(vm), 0);
	life_wait_for(vm, "up");
	return vm;
}

static void test_list_ask_and_console(void **state)
{
	struct vmrun *vm = begin();

	(void)state;
	run_client(vm, list_vms);
	run_client(vm, ask);
	run_client(vm, use_console);
	vmrun_kill(vm);
	(void)life_end(vm);
	vmrun_close(vm);
}

static void test_follow(void **state)
{
	struct vmrun *vm = begin();

	(void)state;
	run_client(vm, follow_to_the_end);
	(void)life_end(vm);
	vmrun_close(vm);
}

static void test_gone(void **state)
{
	struct vmrun *vm = begin();
	pid_t pid = start_client(wait_until_gone);
	int status;

	(void)state;
	/* The VM may end before the client's second request, which only the close answers then. */
	(void)life_end(vm);
	vmrun_close(vm);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(list_ask_and_console),
		TEST(follow),
		TEST(gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
