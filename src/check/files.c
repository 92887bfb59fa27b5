/* Files, directories, character devices and serial lines. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "check/need.h"
#include "platform/os.h"

const char *check_access(const char *path, int mode)
{
	return access(path, mode) == 0 ? NULL : strerror(errno);
}

char *check_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_copy(".");
	return slash == path ? mem_copy("/") : mem_copy_n(path, (size_t)(slash - path));
}

const char *check_kind(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a FIFO";
	if (S_ISSOCK(mode))
		return "a socket";
	if (S_ISCHR(mode))
		return "a character device";
	return S_ISBLK(mode) ? "a block device" : "a file";
}

/* Returns whether programs read it like a file, from its begin to its end. */
static bool is_readable(mode_t mode, bool or_disk)
{
	return S_ISREG(mode) || (or_disk && (S_ISCHR(mode) || S_ISBLK(mode)));
}

/* As check_file_fault(), for a file that may also be a disk device. */
static char *file_fault(const char *path, int mode, bool or_disk)
{
	const char *why;
	struct stat st;

	if (stat(path, &st) < 0)
		return mem_copy(strerror(errno));
	if (!is_readable(st.st_mode, or_disk))
		return mem_format("%s: expected a file", check_kind(st.st_mode));
	why = check_access(path, mode);
	return why == NULL ? NULL : mem_copy(why);
}

char *check_file_fault(const char *path, int mode)
{
	return file_fault(path, mode, false);
}

/* Checks that the path exists, is of the right kind by its mode, and is accessible. */
static void check_path(struct check *c, const struct checked_need *need, bool (*is_kind)(mode_t),
    const char *not_kind, int mode)
{
	const char *path = need->need->what, *why;
	struct stat st;

	if (stat(path, &st) < 0)
		why = strerror(errno);
	else if (!is_kind(st.st_mode))
		why = not_kind;
	else
		why = check_access(path, mode);
	if (why != NULL)
		(void)check_problem(c, need, path, "%s", why);
}

static bool is_directory(mode_t mode)
{
	return S_ISDIR(mode);
}

static bool is_device(mode_t mode)
{
	return S_ISCHR(mode);
}

void check_file(struct check *c, const struct checked_need *need)
{
	const char *path = need->need->what, *why;
	/* Only the disks of a loader are opened for writing. */
	MEM_AUTO char *fault = file_fault(path, R_OK, need->need->write);

	if (fault != NULL) {
		(void)check_problem(c, need, path, "%s", fault);
		return;
	}
	why = need->need->password ? hyper_password_fault(path) : NULL;
	if (why != NULL)
		(void)check_problem(c, need, path, "%s", why);
	why = need->need->write ? check_access(path, W_OK) : NULL;
	if (why != NULL)
		(void)check_problem(c, need, path,
		    "%s: bhyveload opens each of its disks for writing "
		    "(name those that it needs in \"loader\": { \"disks\": ... })",
		    why);
}

void check_directory(struct check *c, const struct checked_need *need)
{
	check_path(
	    c, need, is_directory, "not a directory", R_OK | X_OK | (need->need->write ? W_OK : 0));
}

void check_device(struct check *c, const struct checked_need *need)
{
	size_t before = c->host.out->count;

	check_path(c, need, is_device, "not a character device", R_OK | W_OK);
	/* CAM's target layer creates its devices when it is loaded. */
	if (c->host.out->count > before && str_after(need->need->what, "/dev/cam/ctl") != NULL &&
	    access(need->need->what, F_OK) != 0)
		check_words(&c->host.out->item[before].fix, COMMAND("kldload", "ctl"));
}

/*
 * Checks one end of a null modem.  It is created when first opened, so the check must not touch it.
 */
static void check_nmdm(struct check *c, const struct checked_need *need)
{
	const char *path = need->need->what;
	char end = path[strlen(path) - 1];

	/* Under qemu a pseudo-terminal replaces it. */
	if (!c->host.bhyve)
		return;
	if (end != 'A' && end != 'B')
		(void)check_problem(c, need, path,
		    "not an end of an nmdm(4) pair: expected a name that ends in A or B");
	switch (host_module(&c->host, "nmdm")) {
	case TRUTH_NO:
		check_words(&check_problem(c, need, path, "the module nmdm is not loaded")->fix,
		    COMMAND("kldload", "nmdm"));
		return;
	case TRUTH_YES:
	case TRUTH_UNKNOWN:
	case TRUTH_PENDING:
		break;
	}
	if (os_device_is_listed(path + strlen("/dev/")) && os_terminal_is_open(path) &&
	    !check_is_ours(c, path))
		check_problem(c, need, path,
		    "open in another program: the VM needs this end of the pair, a console program "
		    "the other one")
		    ->busy = true;
}

void check_serial(struct check *c, const struct checked_need *need)
{
	if (str_after(need->need->what, "/dev/nmdm") != NULL)
		check_nmdm(c, need);
	else
		check_path(c, need, is_device, "not a serial device", R_OK | W_OK);
}

/*
 * Checks a file that vmrun opens for writing, or makes in a directory that exists.  Later boots do
 * without their log, and warn.
 */
void check_log(struct check *c, const struct checked_need *need)
{
	const char *path = need->need->what, *why;
	MEM_AUTO char *directory = check_parent(path);
	bool is_missing;
	struct finding *f;
	struct stat st;

	if (c->request->again)
		return;
	if (stat(path, &st) == 0) {
		why = check_access(path, W_OK);
		if (S_ISDIR(st.st_mode) || S_ISSOCK(st.st_mode))
			(void)check_problem(
			    c, need, path, "%s: expected a file", check_kind(st.st_mode));
		else if (why != NULL)
			(void)check_problem(c, need, path, "%s", why);
		return;
	}
	why = check_access(directory, W_OK | X_OK);
	if (why == NULL)
		return;
	is_missing = errno == ENOENT;
	f = check_problem(c, need, path, "its directory %s: %s", directory, why);
	if (is_missing)
		check_advise(f, COMMAND("mkdir", "-p", directory));
}
