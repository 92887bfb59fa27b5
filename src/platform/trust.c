/* Files that root may believe. */
#include "platform/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_LINKS 40
#define STICKY 01000 /* S_ISVTX, a name that only XSI has */

/* A walk over a path, one name at a time. */
struct walk {
	const char *named; /* the file, as messages have it */
	char *folder;	   /* the folder that was reached: absolute, without links */
	char *rest;	   /* names to go from there */
	int links;
};

static int cannot(const struct walk *w, const char *what, struct error *err)
{
	return error_set(err, STATUS_NO_INPUT,
	    "%s: cannot tell whether others may write it: %s: %s", w->named, what, strerror(errno));
}

/* Puts another text into *into, perhaps made of the old one. */
static void replace(char **into, char *text)
{
	free(*into);
	*into = text;
}

static int check_folder(const struct walk *w, struct error *err)
{
	struct stat st;

	if (stat(w->folder, &st) != 0)
		return cannot(w, w->folder, err);
	if ((st.st_mode & S_IWOTH) == 0 || (st.st_mode & STICKY) != 0)
		return 0;
	return error_set(err, STATUS_NO_INPUT,
	    "%s: anyone may write the folder %s on the way to it (mode %04o), and so make root run "
	    "commands: chmod o-w %s",
	    w->named, w->folder, (unsigned)(st.st_mode & 07777), w->folder);
}

/* The link at `path` leads elsewhere: what it says stands before what is left of the way. */
static int follow(struct walk *w, const char *path, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n >= 0 && ++w->links > MAX_LINKS) {
		errno = ELOOP;
		n = -1;
	}
	if (n < 0)
		return cannot(w, path, err);
	target[n] = '\0';
	if (*target == '/')
		replace(&w->folder, mem_copy("/"));
	replace(&w->rest, mem_format("%s/%s", target, w->rest));
	return 0;
}

static void go_up(struct walk *w)
{
	char *slash = strrchr(w->folder, '/');

	slash[slash == w->folder ? 1 : 0] = '\0';
}

/* Takes the next name of the way; 1: there is none left. */
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
	if (check_folder(w, err) != 0)
		return -1;
	path = mem_format("%s/%s", w->folder[1] == '\0' ? "" : w->folder, name);
	if (lstat(path, &st) != 0)
		return cannot(w, path, err);
	if (S_ISLNK(st.st_mode))
		return follow(w, path, err);
	replace(&w->folder, path);
	path = NULL;
	return 0;
}

/* The way from / to the file; at its end `folder` is the file. */
static int walk(struct walk *w, const struct stat *opened, struct error *err)
{
	struct stat st;
	int rc;

	do
		rc = step(w, err);
	while (rc == 0);
	if (rc < 0)
		return -1;
	if (stat(w->folder, &st) != 0)
		return cannot(w, w->folder, err);
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
	/* Pipes and devices (/dev/stdin) are what the command line says. */
	if (!S_ISREG(st.st_mode))
		return 0;
	if ((st.st_mode & S_IWOTH) != 0)
		return error_set(err, STATUS_NO_INPUT,
		    "%s: anyone may write this file (mode %04o), and so make root run commands: "
		    "chmod o-w %s",
		    path, (unsigned)(st.st_mode & 07777), path);
	w.folder = mem_copy("/");
	w.rest = *path == '/' ? mem_copy(path) : mem_format("%s/%s", cwd, path);
	rc = walk(&w, &st, err);
	free(w.folder);
	free(w.rest);
	return rc;
}
