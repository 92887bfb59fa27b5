/* Commands in the background: how many, and when their places are free again. */
#include "vm.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "life.h"

static struct vm v = VM;

/* Runs the hook of a VM whose boot goes on, until it has printed the word. */
static void run_until(const char *body, const char *word)
{
	MEM_AUTO char *more = mem_format(
	    "vm.stop = { { ['do'] = 'kill', wait = 9 } }\nfunction vm.on_started() %s end", body);

	life_script("hang\n");
	vm_start(&v, more);
	while (strstr(vm_told(&v), word) == NULL)
		life_step(v.handle, 1000);
}

static void finish(void)
{
	machine_kill(v.machine);
	while (!machine_ended(v.machine))
		life_step(v.handle, 1000);
	assert_int_equal(v.machine->calls.backgrounds.count, 0);
	assert_null(ledger_process_at(v.machine->host.ledger, 0));
	vm_close(&v);
}

static void test_too_many(void **state)
{
	(void)state;
	run_until("for i = 1, 64 do assert(vmrun.exec { 'sleep', '600', background = true }) end "
		  "print(vmrun.exec { 'sleep', '600', background = true }) print 'over'",
	    "log over");
	vm_check_told(&v, "nil\t64 background commands are running already, which is the limit");
	assert_int_equal(v.machine->calls.backgrounds.count, 64);
	finish();
}

/* A command that leaves a process has its place only as long as that lives. */
static void test_places_are_freed(void **state)
{
	(void)state;
	run_until(
	    "for i = 1, 64 do assert(vmrun.exec { 'sh', '-c',"
	    "  'while [ ! -e go ]; do sleep 0.05; done & echo >' .. i, background = true }) end "
	    "for i = 1, 64 do"
	    "  while not vmrun.exists(tostring(i)) do vmrun.sleep(0.01) end end "
	    "print(vmrun.exec { 'true', background = true }) vmrun.exec { 'touch', 'go' } "
	    "while not vmrun.exec { 'true', background = true } do vmrun.sleep(0.01) end "
	    "print 'over'",
	    "log over");
	vm_check_told(&v, "nil\t64 background commands are");
	finish();
}

static void test_failure_warns(void **state)
{
	(void)state;
	run_until("vmrun.exec { 'sh', '-c', 'exit 3', background = true } vmrun.sleep(600)",
	    "a command in the background: sh ended with status 3");
	finish();
}

/* The machine is freed while commands run: nothing is left. */
static void test_freed(void **state)
{
	pid_t pid;

	(void)state;
	run_until("vmrun.exec { 'sleep', '600', background = true } print 'over'"
		  "vmrun.exec { 'sleep', '600' }",
	    "log over");
	pid = v.machine->calls.backgrounds.item[0].group;
	assert_int_not_equal(pid, 0);
	vm_close(&v);
	assert_int_equal(kill(pid, 0), -1);
}

#define BACKGROUND(test) cmocka_unit_test_setup_teardown(test, life_enter, life_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BACKGROUND(test_too_many),
		BACKGROUND(test_places_are_freed),
		BACKGROUND(test_failure_warns),
		BACKGROUND(test_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
