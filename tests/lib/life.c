/* VMs for the tests of the library. */
#include "life.h"

#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WAIT_MS 60000

static char directory[64];
static char spec[8192];
static char said[8192];

/* Makes a host that passes the checks: firmware, and the module. */
static int make_host(void)
{
	FILE *rom = fopen("rom", "w"), *modules = fopen("state/modules", "w");
	int wrong = rom == NULL || modules == NULL || fputs("vmm.ko\n", modules) < 0;

	if (rom != NULL)
		wrong |= fclose(rom) != 0 || truncate("rom", 4096) != 0;
	if (modules != NULL)
		wrong |= fclose(modules) != 0;
	return wrong ? -1 : 0;
}

int life_enter(void **state)
{
	char path[4096];
	const char *old = getenv("LIFE_PATH");

	(void)state;
	if (old == NULL) {
		(void)setenv("LIFE_PATH", getenv("PATH"), 1);
		old = getenv("LIFE_PATH");
	}
	(void)snprintf(directory, sizeof(directory), "/tmp/vmrun-lib.XXXXXX");
	if (mkdtemp(directory) == NULL || chdir(directory) != 0 || mkdir("state", 0700) != 0 ||
	    make_host() != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s:%s", FAKE_BIN, old);
	(void)setenv("PATH", path, 1);
	(void)snprintf(path, sizeof(path), "%s/state", directory);
	(void)setenv("FAKE_STATE_DIR", path, 1);
	(void)snprintf(path, sizeof(path), "%s/script", directory);
	(void)setenv("FAKEBHYVE_SCRIPT", path, 1);
	(void)setenv("FAKEBHYVE_NODISK", "1", 1);
	return 0;
}

static void remove_directory(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char inner[1024];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner) != 0)
			remove_directory(inner);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(path);
}

int life_leave(void **state)
{
	(void)state;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no handle has left a child */
	assert_int_equal(chdir("/"), 0);
	remove_directory(directory);
	return 0;
}

void life_script(const char *lines)
{
	FILE *f = fopen("script", "w");

	assert_non_null(f);
	(void)fprintf(f, "%s\n", lines);
	(void)fclose(f);
}

struct vmrun *life_open_with(struct vmrun_options *options, const char *name, const char *more)
{
	struct vmrun *vm;
	const struct vmrun_problem *p;

	(void)snprintf(spec, sizeof(spec),
	    "{\"name\":\"%s\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"rom\","
	    "\"bhyve\":{\"release\":14,\"arch\":\"amd64\"}%s}",
	    name, more);
	if (options->file == NULL) {
		options->text = spec;
		options->length = strlen(spec);
	}
	options->hypervisor = "bhyve";
	if (options->run_dir == NULL)
		options->run_dir = "run"; /* in the scratch directory */
	if (options->state_dir == NULL)
		options->state_dir = "keep";
	if (options->bhyve == NULL)
		options->bhyve = FAKEBHYVE;
	if (vmrun_open(&vm, options) != 0) {
		p = vmrun_problem(vm, 0);
		fail_msg("%s: %s: %s", spec, p->path, p->text);
	}
	return vm;
}

struct vmrun *life_open(const char *name, const char *more)
{
	struct vmrun_options options = VMRUN_OPTIONS;

	return life_open_with(&options, name, more);
}

bool life_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

void life_step(struct vmrun *vm, int ms)
{
	struct pollfd p = { .fd = vmrun_fd(vm), .events = POLLIN };

	if (poll(&p, 1, ms) > 0)
		assert_int_equal(vmrun_dispatch(vm), 0);
}

void life_wait_for(struct vmrun *vm, const char *file)
{
	for (int i = 0; i < MAX_WAIT_MS / 5 && !life_file_exists(file); i++)
		life_step(vm, 5);
	assert_true(life_file_exists(file));
}

static void say(const char *text)
{
	if (strlen(said) + strlen(text) + 1 < sizeof(said))
		(void)strcat(said, text);
}

const char *life_events(struct vmrun *vm)
{
	const struct vmrun_event *e;

	said[0] = '\0';
	while ((e = vmrun_next_event(vm)) != NULL) {
		const char *what = e->action != NULL ? e->action
		    : e->cause != NULL		     ? e->cause
		    : e->target != NULL		     ? e->target
						     : e->text;

		if (e->type == VMRUN_POLICY) /* comes at each start, and has other tests */
			continue;
		say(*said == '\0' ? "" : " ");
		say(e->name);
		if (what != NULL) {
			say(":");
			say(what);
		}
	}
	return said;
}

const char *life_run(struct vmrun *vm)
{
	assert_int_equal(vmrun_start(vm), 0);
	return life_end(vm);
}

const char *life_end(struct vmrun *vm)
{
	struct pollfd p = { .fd = vmrun_fd(vm), .events = POLLIN };

	while (!vmrun_ended(vm)) {
		assert_int_equal(poll(&p, 1, MAX_WAIT_MS), 1);
		assert_int_equal(vmrun_dispatch(vm), 0);
	}
	return life_events(vm);
}
