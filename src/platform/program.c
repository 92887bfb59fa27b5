/* Where a program is. */
#include "platform/spawn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Where bhyve, qemu and their helpers live, and what cron and services leave out of PATH. */
static const char *const more_places[] = {
	"/usr/sbin",
	"/sbin",
	"/usr/local/sbin",
	"/usr/local/bin",
};

static int judge(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		enum status status =
		    errno == ENOENT || errno == ENOTDIR ? STATUS_EXEC_MISSING : STATUS_CANNOT_EXEC;

		return error_set(err, status, "%s: %s", path, strerror(errno));
	}
	if (S_ISDIR(st.st_mode))
		return error_set(err, STATUS_CANNOT_EXEC, "%s: a directory, not a program", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, STATUS_CANNOT_EXEC, "%s: not a program", path);
	if (access(path, X_OK) < 0)
		return error_set(
		    err, STATUS_CANNOT_EXEC, "%s: not executable: %s", path, strerror(errno));
	return 0;
}

/* Keeps in *err the first one that is there, but cannot be run. */
static char *try_place(const char *place, size_t length, const char *name, struct error *err)
{
	/* An empty one means the current directory, as for the shell. */
	char *path = length == 0 ? mem_format("./%s", name)
				 : mem_format("%.*s/%s", (int)length, place, name);
	struct error why = { 0 };

	if (judge(path, &why) == 0)
		return path;
	if (why.status != STATUS_EXEC_MISSING)
		(void)error_set(err, why.status, "%s", why.text);
	error_clear(&why);
	free(path);
	return NULL;
}

static char *search(const char *places, const char *name, struct error *err)
{
	char *found = NULL;

	for (const char *at = places; found == NULL; at++) {
		size_t length = strcspn(at, ":");

		found = try_place(at, length, name, err);
		at += length;
		if (*at == '\0')
			break;
	}
	for (size_t i = 0; found == NULL && i < sizeof(more_places) / sizeof(*more_places); i++)
		found = try_place(more_places[i], strlen(more_places[i]), name, err);
	return found;
}

char *program_find(const char *name, struct error *err)
{
	const char *places = getenv("PATH");
	struct error why = { 0 };
	char *found;

	if (strchr(name, '/') != NULL)
		return judge(name, err) == 0 ? mem_copy(name) : NULL;
	if (places == NULL)
		places = "/usr/bin:/bin";
	found = *name == '\0' ? NULL : search(places, name, &why);
	if (found == NULL && why.text != NULL)
		(void)error_set(err, why.status, "%s", why.text);
	else if (found == NULL)
		(void)error_set(err, STATUS_EXEC_MISSING,
		    "%s: not found in PATH (%s), nor in %s, %s, %s, %s",
		    *name == '\0' ? "\"\"" : name, places, more_places[0], more_places[1],
		    more_places[2], more_places[3]);
	error_clear(&why);
	return found;
}
