/* The ledger: its file, and recovery after a vmrun that died. */
#include "ledger/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ledger/ledger_file.h"
#include "ledger/rundir.h"
#include "ledger/statefile.h"
#include "platform/filelock.h"
#include "platform/os.h"

static char *path_of(const struct ledger *l, const char *name)
{
	return mem_format("%s/%s", l->directory, name);
}

/* --- the file --- */

int ledger_write(struct ledger *l, struct error *err)
{
	MEM_AUTO char *path = NULL;
	MEM_AUTO char *fresh = NULL;
	MEM_AUTO char *text = NULL;

	if (l->directory == NULL)
		return 0;
	text = ledger_content_text(&l->content, l->vm);
	l->is_written = l->text != NULL && strcmp(l->text, text) == 0;
	if (l->is_written)
		return 0;
	path = path_of(l, RUNDIR_LEDGER);
	fresh = path_of(l, RUNDIR_LEDGER_NEW);
	if (rundir_write(fresh, text, err) != 0)
		return -1;
	/* No fsync(): what the ledger lists does not survive a crash of the system. */
	if (rename(fresh, path) != 0)
		return error_set(err, STATUS_OS, "%s: cannot write: %s", path, strerror(errno));
	free(l->text);
	l->text = text;
	text = NULL;
	l->is_written = true;
	return 0;
}

void ledger_update(struct ledger *l)
{
	ERROR_AUTO struct error err = { 0 };

	if (ledger_write(l, &err) == 0 || l->warned)
		return;
	MEM_AUTO char *text = mem_format(
	    "%s (the record of this VM's resources is out of date until vmrun can write it)",
	    err.text);

	l->warned = true;
	l->options.warn(l->options.context, text);
}

static int set_aside(struct ledger *l, const char *path, const struct error *why, struct error *err)
{
	MEM_AUTO char *aside = mem_format("%s.unreadable", path);
	MEM_AUTO char *text = mem_format(
	    "%s: renamed to %s, because of --force: what it lists is not undone", why->text, aside);

	if (rename(path, aside) != 0)
		return error_set(
		    err, STATUS_OS, "%s: cannot rename it to %s: %s", path, aside, strerror(errno));
	l->options.warn(l->options.context, text);
	return 0;
}

/* Returns 1 if the file was read, 0 if there is none, -1 if it cannot be read. */
static int read_file(struct ledger *l, const char *name, struct error *err)
{
	MEM_AUTO char *path = path_of(l, name);
	MEM_AUTO char *text = NULL;
	ERROR_AUTO struct error why = { 0 };
	size_t length;

	if (statefile_read(path, &text, &length, &why) == 0) {
		if (text == NULL)
			return 0;
		if (ledger_content_read(&l->content, text))
			return 1;
		(void)error_set(&why, STATUS_OS, "%s: not a ledger that vmrun wrote", path);
	}
	if (l->options.set_aside)
		return l->only_looks ? 0 : set_aside(l, path, &why, err);
	return error_set(err, STATUS_OS,
	    "%s: the resources of an earlier vmrun are unknown, so vmrun starts nothing "
	    "(--force renames the file and starts)",
	    why.text);
}

/* Notes the present boot of the host; nothing of an earlier one is left to undo. */
static void note_boot(struct ledger_content *c)
{
	MEM_AUTO char *boot = os_boot_id();

	if (*boot == '\0')
		return;
	if (c->boot != NULL && strcmp(c->boot, boot) != 0)
		ledger_content_forget_boot(c);
	free(c->boot);
	c->boot = boot;
	boot = NULL;
}

/* Reads the ledger of a vmrun that died, under its name of today or of vmrun 0.1. */
static int read_previous(struct ledger *l, struct error *err)
{
	struct ledger_content *c = &l->content;
	int rc = read_file(l, RUNDIR_LEDGER, err);

	if (rc == 0)
		rc = read_file(l, RUNDIR_LEDGER_OLD, err);
	if (rc < 0)
		return -1;
	note_boot(c);
	l->needs_recovery = rc > 0 || vmlock_is_held(&l->lock);
	l->previous_supervisor = c->supervisor;
	l->previous_dead_count = c->dead.count;
	l->previous_pid_file_count = c->pid_files.count;
	if (c->supervisor != 0)
		words_addf(&c->dead, "%ld", (long)c->supervisor);
	return 0;
}

static int open_files(struct ledger *l, struct error *err)
{
	MEM_AUTO char *old = path_of(l, RUNDIR_LEDGER_OLD);

	if (vmlock_open(&l->lock, l->directory, err) != 0 || read_previous(l, err) != 0)
		return -1;
	l->content.supervisor = getpid();
	if (ledger_write(l, err) != 0)
		return -1;
	(void)unlink(old);
	return 0;
}

int ledger_open(struct ledger **out, const struct ledger_options *options, struct error *err)
{
	struct ledger *l = mem_zero(sizeof(*l));

	l->options = *options;
	l->vm = mem_copy(options->vm);
	l->directory = options->directory == NULL ? NULL : mem_copy(options->directory);
	l->changes = l->directory == NULL ? NULL : path_of(l, RUNDIR_CHANGES);
	if (l->directory == NULL || open_files(l, err) == 0) {
		*out = l;
		return 0;
	}
	/* ledger_close() must keep the file: it may list what this process could not read. */
	free(l->directory);
	l->directory = NULL;
	ledger_close(l);
	return -1;
}

static bool is_empty(const struct ledger *l)
{
	const struct ledger_content *c = &l->content;
	pid_t pid;

	/*
	 * A process that holds the lock without a pid is none of ours: the file of the lock stays
	 * for it.
	 */
	return c->thing_count == 0 && c->process_count == 0 && c->sockets.count == 0 &&
	    c->pid_files.count == 0 && c->destroy.count == 0 &&
	    (!ledger_hypervisor_runs(l, &pid) || pid == 0);
}

int ledger_remove_file(struct ledger *l, struct error *err)
{
	MEM_AUTO char *path = NULL;

	if (l->directory == NULL || !is_empty(l))
		return 0;
	path = path_of(l, RUNDIR_LEDGER);
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return error_set(err, STATUS_OS, "%s is left behind: %s", path, strerror(errno));
}

void ledger_close(struct ledger *l)
{
	pid_t pid;

	if (l == NULL)
		return;
	(void)ledger_remove_file(l, NULL);
	if (l->directory != NULL && !ledger_change_runs(l, &pid))
		(void)unlink(l->changes);
	vmlock_close(&l->lock);
	ledger_content_clear(&l->content);
	free(l->changes);
	free(l->directory);
	free(l->vm);
	free(l->text);
	free(l);
}

/* --- commands that change the host --- */

const char *ledger_changes_file(const struct ledger *l)
{
	return l->changes;
}

bool ledger_change_runs(const struct ledger *l, pid_t *pid)
{
	*pid = 0;
	return l->changes != NULL && filelock_is_held(l->changes, pid);
}

/* --- what a dead vmrun left --- */

static void add_names(const struct ledger_content *c, const char *vm, struct words *names)
{
	for (size_t i = 0; i < c->thing_count; i++)
		words_add(names, c->thing[i].name);
	words_append(names, &c->sockets);
	if (c->destroy.count > 0)
		words_addf(names, "/dev/vmm/%s", vm);
}

int ledger_look(const struct ledger_options *options, struct ledger_remains *out, struct error *err)
{
	struct ledger l = {
		.options = *options, .directory = mem_copy(options->directory), .only_looks = true
	};
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (vmlock_look(&l.lock, l.directory, err) != 0 || read_previous(&l, err) != 0)
		rc = -1;
	else
		out->runs = ledger_hypervisor_runs(&l, &out->pid);
	if (rc == 0)
		add_names(&l.content, options->vm, &out->names);
	vmlock_forget(&l.lock);
	ledger_content_clear(&l.content);
	free(l.directory);
	return rc;
}

bool ledger_needs_recovery(const struct ledger *l)
{
	return l->needs_recovery;
}

pid_t ledger_previous_supervisor(const struct ledger *l)
{
	return l->previous_supervisor;
}

bool ledger_hypervisor_runs(const struct ledger *l, pid_t *pid)
{
	const struct ledger_process *p = &l->content.hypervisor;
	bool alive = ledger_is_alive(p->pid, p->start);
	int64_t start;

	*pid = alive ? p->pid : 0;
	/* A wrapper may have closed the lock just before vmrun died. */
	if (!vmlock_is_held(&l->lock))
		return alive;
	if (!alive && (!vmlock_noted(&l->lock, pid, &start) || !ledger_is_alive(*pid, start)))
		*pid = 0;
	return true;
}

void ledger_end_recovery(struct ledger *l)
{
	words_free(&l->content.dead);
	l->needs_recovery = false;
	ledger_update(l);
}

void ledger_restore(struct ledger *l)
{
	l->content.supervisor = l->previous_supervisor;
	words_truncate(&l->content.dead, l->previous_dead_count);
	words_truncate(&l->content.pid_files, l->previous_pid_file_count);
	ledger_update(l);
}
