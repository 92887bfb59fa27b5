/* The VMs of the runtime directory, all queried at once. */
#include "vmrunctl/vms.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_CONNECTIONS 128 /* open at the same time */

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
static int find(const struct ctl *ctl, struct vm **list, size_t *count)
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

void vms_free(struct vm *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(list[i].name);
		free(list[i].answer);
	}
	free(list);
}

int vms_query(const struct ctl *ctl, struct vm **list, size_t *count)
{
	*list = NULL;
	*count = 0;
	if (find(ctl, list, count) != 0) {
		int status = errno == EACCES || errno == EPERM ? STATUS_DENIED : STATUS_OS;
		return ctl_error(ctl, status, "%s: %s", ctl->run_dir, strerror(errno));
	}
	query_all(ctl, *list, *count);
	return STATUS_OK;
}
