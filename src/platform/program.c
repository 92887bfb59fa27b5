/* Finds programs. */
#include "platform/spawn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/words.h"

/* Directories of bhyve, qemu and their helpers that PATH lacks under cron and in services. */
static const char *const more_places[] = {
	"/usr/sbin",
	"/sbin",
	"/usr/local/sbin",
	"/usr/local/bin",
};

/* A lookup in one directory after the other, with the facts for the message of a failure. */
struct search {
	const char *name;
	struct error unusable;	   /* the first file of this name that cannot be run */
	struct words unsearchable; /* directories in which the name cannot even be looked up */
};

static int judge(const char *path, const struct stat *st, struct error *err)
{
	if (S_ISDIR(st->st_mode))
		return error_set(err, STATUS_CANNOT_EXEC, "%s: a directory, not a program", path);
	if (!S_ISREG(st->st_mode))
		return error_set(err, STATUS_CANNOT_EXEC, "%s: not a program", path);
	if (access(path, X_OK) < 0)
		return error_set(
		    err, STATUS_CANNOT_EXEC, "%s: not executable: %s", path, strerror(errno));
	return 0;
}

/* Checks a name with a slash, which is not looked up. */
static int judge_path(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		enum status status =
		    errno == ENOENT || errno == ENOTDIR ? STATUS_EXEC_MISSING : STATUS_CANNOT_EXEC;

		return error_set(err, status, "%s: %s", path, strerror(errno));
	}
	return judge(path, &st, err);
}

/* Notes a directory that cannot be searched: the program may be there, so the message names it. */
static void note_unsearchable(struct search *s, const char *directory, int why)
{
	MEM_AUTO char *text = mem_format("%s (%s)", directory, strerror(why));

	if (why != ENOENT && why != ENOTDIR && !words_have(&s->unsearchable, text))
		words_add(&s->unsearchable, text);
}

static char *try_place(struct search *s, const char *place, size_t length)
{
	/* An empty one means the current directory, as for the shell. */
	MEM_AUTO char *directory = length == 0 ? mem_copy(".") : mem_copy_n(place, length);
	char *path = mem_format("%s/%s", directory, s->name);
	struct stat st;

	if (stat(path, &st) < 0)
		note_unsearchable(s, directory, errno);
	else if (judge(path, &st, &s->unusable) == 0)
		return path;
	free(path);
	return NULL;
}

static char *try_places(struct search *s, const char *places)
{
	char *found = NULL;

	for (const char *at = places; found == NULL; at++) {
		size_t length = strcspn(at, ":");

		found = try_place(s, at, length);
		at += length;
		if (*at == '\0')
			break;
	}
	for (size_t i = 0; found == NULL && i < sizeof(more_places) / sizeof(*more_places); i++)
		found = try_place(s, more_places[i], strlen(more_places[i]));
	return found;
}

static void explain_missing(const struct search *s, const char *places, struct error *err)
{
	STR_AUTO struct str text = { 0 };

	str_addf(&text, "%s: not found in PATH (%s), nor in ", *s->name == '\0' ? "\"\"" : s->name,
	    places);
	for (size_t i = 0; i < sizeof(more_places) / sizeof(*more_places); i++)
		str_addf(&text, "%s%s", i == 0 ? "" : ", ", more_places[i]);
	for (size_t i = 0; i < s->unsearchable.count; i++)
		str_addf(
		    &text, "%s%s", i == 0 ? "; cannot search " : ", ", s->unsearchable.item[i]);
	(void)error_set(err, STATUS_EXEC_MISSING, "%s", text.text);
}

char *program_find(const char *name, struct error *err)
{
	const char *places = getenv("PATH");
	struct search s = { .name = name };
	char *found;

	if (strchr(name, '/') != NULL)
		return judge_path(name, err) == 0 ? mem_copy(name) : NULL;
	if (places == NULL)
		places = "/usr/bin:/bin";
	found = *name == '\0' ? NULL : try_places(&s, places);
	if (found == NULL && s.unusable.text != NULL)
		(void)error_set(err, s.unusable.status, "%s", s.unusable.text);
	else if (found == NULL)
		explain_missing(&s, places, err);
	error_clear(&s.unusable);
	words_free(&s.unsearchable);
	return found;
}
