/* The VMs of a runtime directory, all queried at once. */
#include "client/client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "platform/clock.h"

#define MAX_CONNECTIONS 128 /* open at the same time */

struct entry {
	char *name, *state, *status;
	struct vmrun_client *client;
	struct vmrun_listed listed;
};

struct vmrun_list {
	char *run_dir, *error;
	struct entry *entry;
	size_t count;
};

/* Returns the path of a file in the VM's directory.  Caller frees. */
static char *vm_path(const struct vmrun_list *list, const char *name, const char *file)
{
	return mem_format("%s/%s/%s", list->run_dir, name, file);
}

/* Returns whether the file exists, or may exist in a directory of another user. */
static bool has_file(const struct vmrun_list *list, const char *name, const char *file)
{
	MEM_AUTO char *path = vm_path(list, name, file);

	return access(path, F_OK) == 0 || errno == EACCES;
}

/* Returns whether the lock file names a process; one that could not be removed is empty. */
static bool has_lock(const struct vmrun_list *list, const char *name)
{
	MEM_AUTO char *path = vm_path(list, name, "lock");
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size > 0 : errno == EACCES;
}

/* Returns whether a vmrun holds the lock, or may hold it. */
static bool is_supervised(const struct vmrun_list *list, const char *name)
{
	MEM_AUTO char *directory = mem_format("%s/%s", list->run_dir, name);

	return client_supervisor(directory) != 0;
}

/* Stores the state of a VM whose vmrun does not answer. */
static void set_state(struct entry *e, const char *state)
{
	e->state = mem_copy(state);
}

static void send_status(const struct vmrun_list *list, struct entry *e, int64_t until_ms)
{
	int status = vmrun_client_open(&e->client, list->run_dir, e->name, clock_left_ms(until_ms));

	if (status == VMRUN_CLIENT_DENIED)
		set_state(e, "denied");
	else if (status != VMRUN_CLIENT_OK)
		set_state(e, is_supervised(list, e->name) ? "silent" : "dead");
	else if (vmrun_client_send(e->client, "{\"cmd\":\"status\"}", clock_left_ms(until_ms),
		     NULL) != VMRUN_CLIENT_OK)
		set_state(e, "silent");
}

static void receive_status(struct entry *e, int64_t until_ms)
{
	const struct vmrun_message *message;
	int status = e->state != NULL
	    ? VMRUN_CLIENT_USAGE
	    : vmrun_client_next(e->client, clock_left_ms(until_ms), &message);

	if (status == VMRUN_CLIENT_OK && message->ok) {
		e->status = mem_copy(message->json);
		e->state = json_member(e->status, "state");
	} else if (status == VMRUN_CLIENT_DENIED) {
		set_state(e, "denied");
	}
	if (e->state == NULL)
		set_state(e, "silent");
	vmrun_client_close(e->client);
	e->client = NULL;
	e->listed =
	    (struct vmrun_listed){ .name = e->name, .state = e->state, .status = e->status };
}

/*
 * Queries all VMs with a common deadline, so that one that hangs does not delay the others: those
 * that accept no connection take at most half of the time, and the rest is for the answers.
 */
static void query_all(struct vmrun_list *list, int64_t limit_ms)
{
	for (size_t first = 0; first < list->count; first += MAX_CONNECTIONS) {
		size_t end =
		    first + MAX_CONNECTIONS < list->count ? first + MAX_CONNECTIONS : list->count;
		int64_t until_ms = clock_deadline_ms(limit_ms);
		int64_t sent_until_ms = clock_deadline_ms(limit_ms < 0 ? -1 : limit_ms / 2);

		for (size_t i = first; i < end; i++)
			send_status(list, &list->entry[i], sent_until_ms);
		for (size_t i = first; i < end; i++)
			receive_status(&list->entry[i], until_ms);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Appends the VM of a directory, if a vmrun uses the directory or has left files there. */
static void add_vm(struct vmrun_list *list, const char *name)
{
	if (*name == '.' ||
	    (!has_file(list, name, "control") && !has_lock(list, name) &&
		!has_file(list, name, "ledger.json")))
		return;
	list->entry = mem_resize(list->entry, list->count + 1, sizeof(*list->entry));
	list->entry[list->count++] = (struct entry){ .name = mem_copy(name) };
}

/*
 * Finds the VMs of the runtime directory; there are none if it does not exist.  Returns 0, or -1
 * with errno if the directory cannot be read or is something else.
 */
static int find_all(struct vmrun_list *list)
{
	DIR *dir = opendir(list->run_dir);
	const struct dirent *entry;
	int why;

	if (dir == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((errno = 0, entry = readdir(dir)) != NULL)
		add_vm(list, entry->d_name);
	why = errno;
	(void)closedir(dir);
	if (list->count > 0)
		qsort(list->entry, list->count, sizeof(*list->entry), by_name);
	errno = why;
	return why == 0 ? 0 : -1;
}

int vmrun_list(struct vmrun_list **out, const char *run_dir, int64_t limit_ms)
{
	struct vmrun_list *list = mem_zero(sizeof(*list));

	*out = list;
	list->run_dir = run_dir != NULL ? mem_copy(run_dir) : vmrun_default_run_dir();
	if (find_all(list) != 0) {
		int why = errno;

		list->error = mem_format("%s: %s", list->run_dir, strerror(why));
		return why == EACCES || why == EPERM ? VMRUN_CLIENT_DENIED : VMRUN_CLIENT_OS;
	}
	query_all(list, limit_ms);
	return VMRUN_CLIENT_OK;
}

size_t vmrun_list_count(const struct vmrun_list *list)
{
	return list->error == NULL ? list->count : 0;
}

const struct vmrun_listed *vmrun_list_get(const struct vmrun_list *list, size_t index)
{
	return index < vmrun_list_count(list) ? &list->entry[index].listed : NULL;
}

const char *vmrun_list_error(const struct vmrun_list *list)
{
	return list->error;
}

void vmrun_list_free(struct vmrun_list *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->count; i++) {
		free(list->entry[i].name);
		free(list->entry[i].state);
		free(list->entry[i].status);
	}
	free(list->entry);
	free(list->run_dir);
	free(list->error);
	free(list);
}
