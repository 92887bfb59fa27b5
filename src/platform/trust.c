/* Files that root may trust. */
#include "platform/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_TRUST_LINKS 40
#define STICKY 01000 /* S_ISVTX, a name that only XSI has */

/* A walk over a path, one name at a time. */
struct walk {
	const char *named; /* the file, as named in messages */
	char *directory;   /* the directory that was reached: absolute, without links */
	char *rest;	   /* the rest of the path from there */
	int links;
};

static int cannot(const struct walk *w, const char *what, struct error *err)
{
	return error_set(err, STATUS_NO_INPUT,
	    "%s: cannot tell whether others may write it: %s: %s", w->named, what, strerror(errno));
}

/* Replaces the text of *into by another, perhaps made of the old one. */
static void replace(char **into, char *text)
{
	free(*into);
	*into = text;
}

static int check_directory(const struct walk *w, struct error *err)
{
	struct stat st;

	if (stat(w->directory, &st) != 0)
		return cannot(w, w->directory, err);
	if ((st.st_mode & S_IWOTH) == 0 || (st.st_mode & STICKY) != 0)
		return 0;
	return error_set(err, STATUS_NO_INPUT,
	    "%s: anyone may write the directory %s on the way to it (mode %04o), and so make root "
	    "run commands: chmod o-w %s",
	    w->named, w->directory, (unsigned)(st.st_mode & 07777), w->directory);
}

/* Follows the link at `path`: its target goes before the rest of the path. */
static int follow(struct walk *w, const char *path, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n >= 0 && ++w->links > MAX_TRUST_LINKS) {
		errno = ELOOP;
		n = -1;
	}
	if (n < 0)
		return cannot(w, path, err);
	target[n] = '\0';
	if (*target == '/')
		replace(&w->directory, mem_copy("/"));
	replace(&w->rest, mem_format("%s/%s", target, w->rest));
	return 0;
}

static void go_up(struct walk *w)
{
	char *slash = strrchr(w->directory, '/');

	slash[slash == w->directory ? 1 : 0] = '\0';
}

/* Takes the next name of the path.  Returns 1 at the end. */
static int step(struct walk *w, struct error *err)
{
	size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");
	MEM_AUTO char *name = mem_copy_n(w->rest + skip, n);
	MEM_AUTO char *path = NULL;
	struct stat st;

	if (n == 0)
		return 1;
	replace(&w->rest, mem_copy(w->rest + skip + n));
	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		go_up(w);
		return 0;
	}
	if (check_directory(w, err) != 0)
		return -1;
	path = MEM_JOIN(w->directory[1] == '\0' ? "" : w->directory, "/", name);
	if (lstat(path, &st) != 0)
		return cannot(w, path, err);
	if (S_ISLNK(st.st_mode))
		return follow(w, path, err);
	replace(&w->directory, path);
	path = NULL;
	return 0;
}

/* Walks from / to the file; at the end `directory` is the file. */
static int walk(struct walk *w, const struct stat *opened, struct error *err)
{
	struct stat st;
	int rc;

	do
		rc = step(w, err);
	while (rc == 0);
	if (rc < 0)
		return -1;
	if (stat(w->directory, &st) != 0)
		return cannot(w, w->directory, err);
	if (st.st_dev == opened->st_dev && st.st_ino == opened->st_ino)
		return 0;
	return error_set(
	    err, STATUS_NO_INPUT, "%s: another file took its place while it was read", w->named);
}

int trust_check(int fd, const char *path, struct error *err)
{
	struct walk w = { .named = path };
	char cwd[PATH_MAX] = "/";
	struct stat st;
	int rc;

	if (geteuid() != 0)
		return 0;
	if (fstat(fd, &st) != 0 || (*path != '/' && getcwd(cwd, sizeof(cwd)) == NULL))
		return cannot(&w, path, err);
	/* Pipes and devices (/dev/stdin) are the choice of the command line. */
	if (!S_ISREG(st.st_mode))
		return 0;
	if ((st.st_mode & S_IWOTH) != 0)
		return error_set(err, STATUS_NO_INPUT,
		    "%s: anyone may write this file (mode %04o), and so make root run commands: "
		    "chmod o-w %s",
		    path, (unsigned)(st.st_mode & 07777), path);
	w.directory = mem_copy("/");
	w.rest = *path == '/' ? mem_copy(path) : mem_format("%s/%s", cwd, path);
	rc = walk(&w, &st, err);
	free(w.directory);
	free(w.rest);
	return rc;
}
