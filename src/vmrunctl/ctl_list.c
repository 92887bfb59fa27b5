/* The command list: the VMs of the runtime directory, all queried at once. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "cli/mask.h"
#include "vmrunctl/ctl.h"
#include "vmrunctl/ctl_show.h"

#define MAX_CONNECTIONS 128 /* open at the same time */
#define COLUMNS 5	    /* of a row, that come from the answer */

struct vm {
	char *name;
	const char *state; /* for a vmrun that does not answer; NULL: see the answer */
	char *answer;
	struct connection connection;
};

/* Returns the path of a file in the VM's directory.  Caller frees. */
static char *vm_path(const struct ctl *ctl, const struct vm *vm, const char *file)
{
	return mem_format("%s/%s/%s", ctl->run_dir, vm->name, file);
}

/* Returns whether the file exists, or may exist in a directory of another user. */
static bool has_file(const struct ctl *ctl, const struct vm *vm, const char *file)
{
	MEM_AUTO char *path = vm_path(ctl, vm, file);

	return access(path, F_OK) == 0 || errno == EACCES;
}

/* Returns whether the process whose pid is in the lock file runs. */
static bool is_supervised(const struct ctl *ctl, const struct vm *vm)
{
	MEM_AUTO char *path = vm_path(ctl, vm, "lock");
	FILE *f = fopen(path, "r");
	char line[32] = "";
	long pid = 0;

	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		pid = strtol(line, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

static void send_status(const struct ctl *ctl, struct vm *vm, int64_t until)
{
	MEM_AUTO char *request = ctl_request_json("status", NULL, NULL);
	MEM_AUTO char *path = vm_path(ctl, vm, "control");

	vm->state = "silent";
	if (connection_open(&vm->connection, path, until) != 0)
		vm->state = errno == EACCES || errno == EPERM ? "denied"
		    : is_supervised(ctl, vm)		      ? "silent"
							      : "dead";
	else if (connection_send_line(&vm->connection, request, until) == 0)
		vm->state = NULL;
}

static void read_status(struct vm *vm, int64_t until)
{
	if (vm->state == NULL)
		vm->answer = connection_read_line(&vm->connection, until);
	if (vm->answer == NULL && vm->state == NULL)
		vm->state = "silent";
	connection_close(&vm->connection);
}

/* Queries all VMs with a common deadline, so that one that hangs does not delay the others. */
static void query_all(const struct ctl *ctl, struct vm *vm, size_t count)
{
	for (size_t first = 0; first < count; first += MAX_CONNECTIONS) {
		size_t end = first + MAX_CONNECTIONS < count ? first + MAX_CONNECTIONS : count;
		int64_t until = connection_deadline_ms(CTL_ANSWER_MS);

		for (size_t i = first; i < end; i++)
			send_status(ctl, &vm[i], until);
		for (size_t i = first; i < end; i++)
			read_status(&vm[i], until);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct vm *)a)->name, ((const struct vm *)b)->name);
}

/* Appends the VM of a directory to the list, if a vmrun uses the directory or has left files. */
static void add_vm(const struct ctl *ctl, const char *name, struct vm **list, size_t *count)
{
	struct vm vm = { .name = mem_copy(name), .connection = { .fd = -1 } };

	if (*name == '.' ||
	    (!has_file(ctl, &vm, "control") && !has_file(ctl, &vm, "lock") &&
		!has_file(ctl, &vm, "ledger.json"))) {
		free(vm.name);
		return;
	}
	*list = mem_resize(*list, *count + 1, sizeof(**list));
	(*list)[(*count)++] = vm;
}

/*
 * Stores the VMs of the runtime directory, sorted by name; there are none if it does not exist.
 * Returns 0, or -1 with errno if the directory cannot be read.
 */
static int find_vms(const struct ctl *ctl, struct vm **list, size_t *count)
{
	DIR *dir = opendir(ctl->run_dir);
	const struct dirent *entry;
	int error;

	if (dir == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	while ((errno = 0, entry = readdir(dir)) != NULL)
		add_vm(ctl, entry->d_name, list, count);
	error = errno;
	(void)closedir(dir);
	if (*count > 0)
		qsort(*list, *count, sizeof(**list), by_name);
	errno = error;
	return error == 0 ? 0 : -1;
}

static void free_vms(struct vm *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(list[i].name);
		free(list[i].answer);
	}
	free(list);
}

static void show_row(const struct vm *vm, int width)
{
	static const char *const keys[COLUMNS] = { "state", "target", "pid", "boots", "uptime_ms" };
	char *value[COLUMNS], text[DURATION_TEXT];
	MEM_AUTO char *name = mem_copy(vm->name);

	mask_control(name, "", '?');
	for (size_t i = 0; i < COLUMNS; i++)
		value[i] = vm->answer == NULL ? mem_copy("-") : show_member(vm->answer, keys[i]);
	(void)printf("%-*s  %-9s  %-12s  %7s  %5s  %s\n", width, name,
	    vm->state != NULL ? vm->state : value[0], value[1], value[2], value[3],
	    vm->answer == NULL ? "-" : show_duration(value[4], text));
	for (size_t i = 0; i < COLUMNS; i++)
		free(value[i]);
}

static void show_table(const struct vm *list, size_t count)
{
	int width = 4;

	for (size_t i = 0; i < count; i++) {
		if ((int)strlen(list[i].name) > width)
			width = (int)strlen(list[i].name);
	}
	if (count == 0)
		(void)puts("none");
	else
		(void)printf("%-*s  %-9s  %-12s  %7s  %5s  %s\n", width, "NAME", "STATE", "TARGET",
		    "PID", "BOOTS", "UPTIME");
	for (size_t i = 0; i < count; i++)
		show_row(&list[i], width);
}

/* Shows a VM whose vmrun did not answer. */
static void show_silent_json(const struct vm *vm)
{
	STR_AUTO struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_bool(&json, "ok", false);
	json_add_text(&json, "vm", vm->name);
	json_add_text(&json, "state", vm->state);
	json_end_object(&json);
	(void)fputs(json.text, stdout);
}

static void show_json(const struct vm *list, size_t count)
{
	(void)fputs("[", stdout);
	for (size_t i = 0; i < count; i++) {
		(void)fputs(i == 0 ? "" : ",\n ", stdout);
		if (list[i].answer != NULL) {
			(void)fputs(list[i].answer, stdout);
			continue;
		}
		show_silent_json(&list[i]);
	}
	(void)puts("]");
}

int ctl_list(const struct ctl *ctl)
{
	struct vm *list = NULL;
	size_t count = 0;
	int status = STATUS_OK;

	if (find_vms(ctl, &list, &count) != 0) {
		status = errno == EACCES || errno == EPERM ? STATUS_DENIED : STATUS_OS;
		status = ctl_error(ctl, status, "%s: %s", ctl->run_dir, strerror(errno));
	} else {
		query_all(ctl, list, count);
		if (ctl->json)
			show_json(list, count);
		else
			show_table(list, count);
	}
	free_vms(list, count);
	return status;
}
