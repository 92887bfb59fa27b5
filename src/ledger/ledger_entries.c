/* The entries of the ledger: each change writes the file. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ledger/ledger_file.h"
#include "ledger/pidfile.h"
#include "ledger/sockets.h"
#include "platform/os.h"
#include "platform/spawn.h"

bool ledger_is_alive(pid_t pid, int64_t start)
{
	int64_t now;

	return pid > 0 && os_process_start(pid, &now) && now == start;
}

/* --- things that a command gives back --- */

static bool find_thing(const struct ledger *l, const char *name, size_t *index)
{
	for (*index = 0; *index < l->content.thing_count; (*index)++) {
		if (strcmp(l->content.thing[*index].name, name) == 0)
			return true;
	}
	return false;
}

int ledger_take(struct ledger *l, const struct ledger_thing *thing, struct error *err)
{
	ledger_content_add_thing(&l->content, thing);
	if (ledger_write(l, err) == 0)
		return 0;
	ledger_content_drop_thing(&l->content, l->content.thing_count - 1);
	return -1;
}

void ledger_confirm(struct ledger *l, const char *name)
{
	size_t index;

	if (!find_thing(l, name, &index))
		return;
	l->content.thing[index].index = os_interface_index(name);
	l->content.thing[index].unsure = false;
	ledger_update(l);
}

void ledger_drop(struct ledger *l, const char *name)
{
	size_t index;

	if (!find_thing(l, name, &index))
		return;
	ledger_content_drop_thing(&l->content, index);
	ledger_update(l);
}

bool ledger_has(const struct ledger *l, const char *name)
{
	size_t index;

	return find_thing(l, name, &index);
}

const struct ledger_thing *ledger_at(const struct ledger *l, size_t index)
{
	return index < l->content.thing_count ? &l->content.thing[index] : NULL;
}

size_t ledger_count(const struct ledger *l)
{
	return l->content.thing_count;
}

bool ledger_thing_is_replaced(const struct ledger_thing *thing)
{
	unsigned now = thing->index == 0 ? 0 : os_interface_index(thing->name);

	return now != 0 && now != thing->index;
}

/* --- what a boot makes --- */

/* Adds the sockets of an earlier boot that still exist. */
static void add_remaining(const struct words *before, struct words *now)
{
	for (size_t i = 0; i < before->count; i++) {
		if (!words_have(now, before->item[i]) && access(before->item[i], F_OK) == 0)
			words_add(now, before->item[i]);
	}
}

int ledger_expect_boot(
    struct ledger *l, const struct words *sockets, const struct words *destroy, struct error *err)
{
	struct ledger_content *c = &l->content;
	struct words all = { 0 };
	bool is_known;

	words_append(&all, sockets);
	add_remaining(&c->sockets, &all);
	/* The text of the file need not be made to see that nothing has changed. */
	is_known = words_equal(&all, &c->sockets) &&
	    (destroy->count == 0 || words_equal(destroy, &c->destroy));
	words_free(&c->sockets);
	c->sockets = all;
	if (l->is_written && is_known)
		return 0;
	if (destroy->count > 0) {
		words_free(&c->destroy);
		words_append(&c->destroy, destroy);
	}
	return ledger_write(l, err);
}

int ledger_lock_vm(struct ledger *l, int *fd, struct error *err)
{
	*fd = -1;
	return l->directory == NULL ? 0 : vmlock_take(&l->lock, fd, err);
}

void ledger_note_hypervisor(struct ledger *l, pid_t pid)
{
	struct ledger_process *p = &l->content.hypervisor;

	p->pid = pid;
	p->start = 0;
	(void)os_process_start(pid, &p->start);
	vmlock_note(&l->lock, pid, p->start);
	ledger_update(l);
}

bool ledger_vm_is_locked(const struct ledger *l)
{
	return !l->lock.works || vmlock_is_held(&l->lock);
}

const struct words *ledger_destroy_command(const struct ledger *l)
{
	return &l->content.destroy;
}

void ledger_remove_sockets(const struct ledger *l)
{
	for (size_t i = 0; i < l->content.sockets.count; i++)
		(void)sockets_remove_stale(l->content.sockets.item[i]);
}

/* Removes the sockets and drops from the list those that are gone. */
static void clear_sockets(struct words *sockets)
{
	struct words left = { 0 };

	for (size_t i = 0; i < sockets->count; i++) {
		if (!sockets_remove_stale(sockets->item[i]))
			words_add(&left, sockets->item[i]);
	}
	words_free(sockets);
	*sockets = left;
}

char *ledger_clear_boot(struct ledger *l)
{
	struct ledger_content *c = &l->content;
	char *left = NULL;

	clear_sockets(&c->sockets);
	if (!os_vm_exists(l->vm))
		words_free(&c->destroy);
	if (c->destroy.count > 0)
		left = mem_format("/dev/vmm/%s", l->vm);
	else if (c->sockets.count > 0)
		left = mem_copy(c->sockets.item[0]);
	ledger_update(l);
	return left;
}

/* --- files that hold a pid --- */

int ledger_take_pid_file(struct ledger *l, const char *path, struct error *err)
{
	struct words *files = &l->content.pid_files;
	size_t before = files->count;

	if (words_have(files, path))
		return 0;
	words_add(files, path);
	if (ledger_write(l, err) == 0)
		return 0;
	words_truncate(files, before);
	return -1;
}

void ledger_drop_pid_files(struct ledger *l)
{
	words_free(&l->content.pid_files);
	ledger_update(l);
}

/* Adds the pids that a dead vmrun can have written. */
static void add_dead_pids(const struct ledger *l, struct words *pids)
{
	pid_t noted;
	int64_t start;

	words_append(pids, &l->content.dead);
	words_addf(pids, "%ld", (long)l->content.hypervisor.pid);
	if (vmlock_noted(&l->lock, &noted, &start))
		words_addf(pids, "%ld", (long)noted);
}

int ledger_remove_pid_files(struct ledger *l, const struct words *held, struct error *err)
{
	struct words *files = &l->content.pid_files;
	WORDS_AUTO struct words pids = { 0 };
	struct words kept = { 0 };
	bool failed = false;

	add_dead_pids(l, &pids);
	for (size_t i = 0; i < files->count; i++) {
		bool keep = words_have(held, files->item[i]);

		if (!keep && pidfile_remove_stale(files->item[i], &pids, err) != 0)
			keep = failed = true;
		if (keep)
			words_add(&kept, files->item[i]);
	}
	words_free(files);
	*files = kept;
	ledger_update(l);
	return failed ? -1 : 0;
}

/* --- processes beside the hypervisor --- */

static bool find_process(const struct ledger *l, const char *name, pid_t pid, size_t *index)
{
	for (*index = 0; *index < l->content.process_count; (*index)++) {
		const struct ledger_process *p = &l->content.process[*index];

		if (p->pid == pid && strcmp(p->name, name) == 0)
			return true;
	}
	return false;
}

int ledger_expect_process(struct ledger *l, const char *name, struct error *err)
{
	size_t index;

	if (find_process(l, name, 0, &index))
		return ledger_write(l, err);
	(void)ledger_content_add_process(&l->content, name);
	if (ledger_write(l, err) == 0)
		return 0;
	ledger_content_drop_process(&l->content, index);
	return -1;
}

void ledger_note_process(struct ledger *l, const char *name, pid_t pid)
{
	struct ledger_process *p;
	size_t index;

	if (find_process(l, name, pid, &index))
		return;
	p = find_process(l, name, 0, &index) ? &l->content.process[index]
					     : ledger_content_add_process(&l->content, name);
	p->pid = pid;
	(void)os_process_start(pid, &p->start);
	ledger_update(l);
}

void ledger_forget_process(struct ledger *l, const char *name, pid_t pid)
{
	size_t index;

	if (!find_process(l, name, pid, &index))
		return;
	ledger_content_drop_process(&l->content, index);
	ledger_update(l);
}

const struct ledger_process *ledger_process_at(const struct ledger *l, size_t index)
{
	return index < l->content.process_count ? &l->content.process[index] : NULL;
}

bool ledger_process_runs(const struct ledger_process *p)
{
	return ledger_is_alive(p->pid, p->start) || process_group_remains(p->pid);
}

void ledger_signal_process(const struct ledger_process *p, int signal)
{
	/* A leader that is a zombie may have left members that run. */
	if (ledger_process_runs(p) || (p->pid > 0 && os_process_was(p->pid, p->start)))
		(void)kill(-p->pid, signal);
	/* The process may have gone to another group. */
	if (ledger_is_alive(p->pid, p->start) && getpgid(p->pid) != p->pid)
		(void)kill(p->pid, signal);
}

void ledger_forget_dead_processes(struct ledger *l)
{
	for (size_t i = l->content.process_count; i > 0; i--) {
		if (!ledger_process_runs(&l->content.process[i - 1]))
			ledger_content_drop_process(&l->content, i - 1);
	}
	ledger_update(l);
}
