/* Writing and reading the record. */
#include "run/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/node_json.h"
#include "base/json_node.h"
#include "run/machine_state.h"
#include "ledger/rundir.h"
#include "ledger/statefile.h"

#define VERSION 1

static struct node *list_of(const struct words *words)
{
	struct node *list = node_new(NODE_LIST);

	for (size_t i = 0; i < words->count; i++)
		node_append(list, node_string(words->item[i]));
	return list;
}

static void add_process(struct node *list, const char *name, pid_t pid, int64_t start)
{
	struct node *one = node_new(NODE_OBJECT);

	node_put(one, "name", node_string(name));
	node_put(one, "pid", node_int(pid));
	node_put(one, "start", node_int(start));
	node_append(list, one);
}

static struct node *processes(const struct machine *m)
{
	struct node *list = node_new(NODE_LIST);

	for (size_t i = 0; i < m->remains.process_count; i++) {
		const struct record_process *p = &m->remains.process[i];

		add_process(list, p->name, p->pid, p->start);
	}
	if (m->recorded_pid != 0)
		add_process(list, RECORD_HYPERVISOR, m->recorded_pid, m->recorded_start);
	for (size_t i = 0; i < m->companions.count; i++) {
		const struct companion_run *run = m->companions.item[i];

		if (run->wanted || run->pid != 0)
			add_process(list, run->name, run->pid, run->start);
	}
	return list;
}

static void add_taken(struct node *list, const struct taken *taken)
{
	for (size_t i = 0; i < taken->count; i++) {
		struct node *one = node_new(NODE_OBJECT);

		node_put(one, "name", node_string(taken->item[i].name));
		node_put(one, "undo", list_of(&taken->item[i].undo));
		node_append(list, one);
	}
}

/* The remains of a predecessor stay in it until they are undone. */
static void put_taken(const struct machine *m, struct node *record)
{
	struct node *list = node_new(NODE_LIST);

	add_taken(list, &m->remains.taken);
	add_taken(list, &m->taken);
	node_put(record, "taken", list);
}

static void put_words(
    struct node *record, const char *key, const struct words *left, const struct words *ours)
{
	struct words all = { 0 };

	words_append(&all, left);
	for (size_t i = 0; i < ours->count; i++) {
		if (!words_have(&all, ours->item[i]))
			words_add(&all, ours->item[i]);
	}
	node_put(record, key, list_of(&all));
	words_free(&all);
}

static char *record_text(const struct machine *m)
{
	struct node *record = node_new(NODE_OBJECT);
	struct str text = { 0 };

	node_put(record, "v", node_int(VERSION));
	node_put(record, "vm", node_string(m->events->vm));
	node_put(record, "supervisor", node_int(m->left_alone ? m->remains.supervisor : getpid()));
	node_put(record, "processes", processes(m));
	put_taken(m, record);
	put_words(record, "sockets", &m->remains.sockets, &m->recorded_sockets);
	put_words(record, "pid_files", &m->remains.pid_files, &m->pid_files);
	node_put(record, "destroy",
	    list_of(m->recorded_destroy.count > 0 ? &m->recorded_destroy : &m->remains.destroy));
	node_add_json(&text, record);
	str_add(&text, "\n");
	node_free(record);
	return str_take(&text);
}

bool record_keep(struct machine *m, struct error *err)
{
	const char *folder = m->options.folder;
	MEM_AUTO char *path = NULL;
	MEM_AUTO char *fresh = NULL;
	MEM_AUTO char *text = NULL;

	if (folder == NULL)
		return true;
	text = record_text(m);
	if (m->record != NULL && strcmp(m->record, text) == 0)
		return true;
	path = mem_format("%s/" RUNDIR_RECORD, folder);
	fresh = mem_format("%s/" RUNDIR_RECORD_NEW, folder);
	if (rundir_write(fresh, text, err) != 0)
		return false;
	/* Only the end of this process is provided for, not that of the system: no fsync(). */
	if (rename(fresh, path) != 0) {
		(void)error_set(err, STATUS_OS, "%s: cannot write: %s", path, strerror(errno));
		return false;
	}
	free(m->record);
	m->record = text;
	text = NULL;
	return true;
}

void record_update(struct machine *m)
{
	struct error ignored = { 0 };

	(void)record_keep(m, &ignored);
	error_clear(&ignored);
}

void record_remove(struct machine *m)
{
	if (m->options.folder == NULL || m->record == NULL)
		return;
	MEM_AUTO char *path = mem_format("%s/" RUNDIR_RECORD, m->options.folder);

	(void)unlink(path);
	free(m->record);
	m->record = NULL;
}

/* --- reading --- */

static bool read_words(const struct node *record, const char *key, struct words *out)
{
	const struct node *list = node_get(record, key);

	if (list == NULL || !node_is_list(list))
		return false;
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		if (n->kind != NODE_STRING)
			return false;
		words_add(out, n->text);
	}
	return true;
}

static bool read_integer(const struct node *record, const char *key, int64_t *out)
{
	const struct node *n = node_get(record, key);

	if (n == NULL || n->kind != NODE_INT)
		return false;
	*out = n->integer;
	return true;
}

static bool read_process(const struct node *n, struct record_process *out)
{
	const char *name = node_get_text(n, "name");
	int64_t pid;

	if (name == NULL || !read_integer(n, "pid", &pid) || pid < 0 || pid > INT32_MAX ||
	    !read_integer(n, "start", &out->start))
		return false;
	out->name = mem_copy(name);
	out->pid = (pid_t)pid;
	return true;
}

static bool read_processes(const struct node *record, struct remains *out)
{
	const struct node *list = node_get(record, "processes");

	if (list == NULL || !node_is_list(list))
		return false;
	out->process = mem_zero((list->count + 1) * sizeof(*out->process));
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		if (!read_process(n, &out->process[out->process_count]))
			return false;
		out->process_count++;
	}
	return true;
}

static bool read_taken(const struct node *record, struct remains *out)
{
	const struct node *list = node_get(record, "taken");

	if (list == NULL || !node_is_list(list))
		return false;
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		const char *name = node_get_text(n, "name");
		struct words undo = { 0 };
		bool good = name != NULL && read_words(n, "undo", &undo) && undo.count > 0;

		if (good)
			taken_add(&out->taken, name, &undo);
		words_free(&undo);
		if (!good)
			return false;
	}
	return true;
}

static bool read_record(const struct node *record, struct remains *out)
{
	int64_t version, pid;

	if (!read_integer(record, "v", &version) || version != VERSION ||
	    !read_integer(record, "supervisor", &pid))
		return false;
	out->supervisor = (pid_t)pid;
	return read_processes(record, out) && read_taken(record, out) &&
	    read_words(record, "sockets", &out->sockets) &&
	    read_words(record, "pid_files", &out->pid_files) &&
	    read_words(record, "destroy", &out->destroy);
}

int record_read(const char *folder, struct remains *out, struct error *err)
{
	MEM_AUTO char *path = mem_format("%s/" RUNDIR_RECORD, folder);
	MEM_AUTO char *text = NULL;
	struct node *record;
	size_t length;

	memset(out, 0, sizeof(*out));
	if (statefile_read(path, &text, &length, err) != 0)
		return -1;
	if (text == NULL)
		return 0;
	record = json_node(text);
	out->found = record != NULL && read_record(record, out);
	node_free(record);
	if (out->found)
		return 0;
	remains_clear(out);
	return error_set(err, STATUS_OS,
	    "%s: this is no record of a vmrun: what it left behind is not known", path);
}

void remains_clear(struct remains *r)
{
	for (size_t i = 0; i < r->process_count; i++)
		free(r->process[i].name);
	free(r->process);
	taken_clear(&r->taken);
	words_free(&r->sockets);
	words_free(&r->pid_files);
	words_free(&r->destroy);
	memset(r, 0, sizeof(*r));
}
