/*
 * Programs that a run executes: looked up as the spawn does, and not executed.  Only the first boot
 * is refused: a later one may find a companion that still runs, or can do without a script, and the
 * spawn tells of a program that has vanished.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "check/need.h"
#include "platform/spawn.h"

#define MAX_SCRIPT_LINE 256 /* bytes of the first line of a script; kernels read no more */

/* What has a program: its packages of FreeBSD and of Debian.  NULL: none, or FreeBSD itself. */
static const struct {
	const char *program, *port, *debian;
	bool in_base;
} packages[] = {
	{ "bhyve", NULL, NULL, true },
	{ "bhyvectl", NULL, NULL, true },
	{ "bhyveload", NULL, NULL, true },
	{ "grub-bhyve", "grub2-bhyve", NULL, false },
	{ "swtpm", "swtpm", "swtpm", false },
	{ "qemu-system-x86_64", "qemu", "qemu-system-x86", false },
	{ "qemu-system-aarch64", "qemu", "qemu-system-arm", false },
};

void check_advise_package(
    const struct check *c, struct finding *f, const char *port, const char *debian)
{
	if (c->host.freebsd && port != NULL)
		check_advise(f, COMMAND("pkg", "install", port));
	else if (!c->host.freebsd && debian != NULL)
		check_advise(f, COMMAND("apt-get", "install", debian));
}

/* Returns why a program was not found, without its name.  Caller frees. */
static char *reason_of(const char *name, const struct error *err)
{
	MEM_AUTO char *lead = mem_format("%s: ", name);
	const char *rest = str_after(err->text, lead);

	if (err->status == STATUS_EXEC_MISSING && strchr(name, '/') == NULL)
		return mem_copy("not found in PATH");
	return mem_copy(rest == NULL ? err->text : rest);
}

/* Reports a missing program and lends the finding. */
static struct finding *report_missing(
    struct check *c, const struct checked_need *need, const struct error *err)
{
	const char *name = need->need->what, *owner = need->need->owner;
	MEM_AUTO char *why = reason_of(name, err);
	MEM_AUTO char *whose = owner == NULL ? mem_copy("") : mem_format(" (%s)", owner);
	size_t i = 0, n = sizeof(packages) / sizeof(packages[0]);
	struct finding *f;

	while (i < n && strcmp(packages[i].program, name) != 0)
		i++;
	f = check_problem(c, need, name, "%s%s%s", why,
	    i < n && packages[i].in_base ? ": it is part of FreeBSD" : "", whose);
	if (i < n && err->status == STATUS_EXEC_MISSING)
		check_advise_package(c, f, packages[i].port, packages[i].debian);
	return f;
}

/* Reads the first line of a program that is a script. */
static bool read_script_line(const char *path, char line[MAX_SCRIPT_LINE])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, line, MAX_SCRIPT_LINE - 1);
	(void)close(fd);
	line[n < 0 ? 0 : n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return str_after(line, "#!") != NULL;
}

/*
 * Returns the interpreter of a script, or the program that env(1) looks up for it; NULL if neither
 * is named in a plain way.  Caller frees.
 */
static char *interpreter_of(const char *line)
{
	const char *from = line + strlen("#!");
	size_t n;

	from += strspn(from, " \t");
	n = strcspn(from, " \t");
	if (str_after(from, "/usr/bin/env") != NULL && n == strlen("/usr/bin/env")) {
		from += n;
		from += strspn(from, " \t");
		n = strcspn(from, " \t");
		return n == 0 || *from == '-' || memchr(from, '=', n) != NULL ? NULL
									      : mem_copy_n(from, n);
	}
	return *from == '/' ? mem_copy_n(from, n) : NULL;
}

/* A script whose interpreter is missing ends as if it were missing itself. */
static void check_interpreter(struct check *c, const struct checked_need *need, const char *path)
{
	const char *owner = need->need->owner;
	MEM_AUTO char *interpreter = NULL, *found = NULL;
	char line[MAX_SCRIPT_LINE];
	ERROR_AUTO struct error err = { 0 };

	if (read_script_line(path, line))
		interpreter = interpreter_of(line);
	if (interpreter == NULL)
		return;
	found = program_find(interpreter, &err);
	if (found != NULL)
		return;
	MEM_AUTO char *why = reason_of(interpreter, &err);

	(void)check_problem(c, need, need->need->what, "its interpreter %s: %s%s%s%s", interpreter,
	    why, owner == NULL ? "" : " (", owner == NULL ? "" : owner, owner == NULL ? "" : ")");
}

void check_program(struct check *c, const struct checked_need *need)
{
	ERROR_AUTO struct error err = { 0 };
	MEM_AUTO char *path = c->request->again ? NULL : program_find(need->need->what, &err);

	if (c->request->again)
		return;
	if (path == NULL)
		(void)report_missing(c, need, &err);
	else
		check_interpreter(c, need, path);
}

/*
 * Checks a program of vmrun itself, which may be NULL; `owner` says what has named it.  Returns the
 * problem, or NULL.
 */
static struct finding *check_own(
    struct check *c, char *program, char *owner, const struct where *at)
{
	struct need need = { .kind = NEED_PROGRAM };
	struct checked_need checked = { .need = &need, .at = at };
	ERROR_AUTO struct error err = { 0 };
	struct finding *f;

	if (program == NULL || c->request->again)
		return NULL;
	need.what = program;
	need.owner = owner;
	MEM_AUTO char *path = program_find(need.what, &err);

	if (path != NULL) {
		check_interpreter(c, &checked, path);
		return NULL;
	}
	f = report_missing(c, &checked, &err);
	f->exec_status = (int)err.status;
	return f;
}

static char *first_of(const struct words *command)
{
	return command->count == 0 ? NULL : command->item[0];
}

void check_hypervisor(struct check *c)
{
	const struct plan *plan = c->request->plan;
	struct where loader = { NULL, "loader", 0 }, prefix = { NULL, "prefix", 0 };
	WORDS_AUTO struct words destroy = { 0 };
	struct finding *f;

	if (plan->program > 0) {
		char owner[] = "prefix";

		(void)check_own(c, plan->argv.item[0], owner, &prefix);
	}
	(void)check_own(c, plan->argv.item[plan->program], NULL, NULL);
	f = check_own(c, first_of(&plan->loading.argv), NULL, &loader);
	if (f != NULL)
		f->of_loader = true;
	/* Elsewhere than on its own system, the hypervisor leaves nothing in the kernel. */
	if (!c->host.commands)
		plan->hyper->destroy_command(plan, &destroy);
	f = check_own(c, first_of(&destroy), NULL, NULL);
	if (f != NULL)
		f->exec_status = 0;
}
