/* The commands of $(...) whose output depends on the text alone. */
#include "shell/shell_substitute.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/shell_directory.h"
#include "shell/shell_expand.h"
#include "shell/shell_output.h"
#include "shell/shell_text.h"

void shell_set_file(struct shell_values *v)
{
	static const char *const names[] = { "0", "BASH_SOURCE" };

	for (size_t i = 0; v->home != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		struct shell_basis basis = { 0 };
		const char *slash = v->file == NULL ? NULL : strrchr(v->file, '/');
		const char *file = slash == NULL ? v->file : slash + 1;
		MEM_AUTO char *problem =
		    mem_format("%s: $%s is not known, because the text has no file: write its "
			       "value in its place",
			v->text_name, names[i]);

		if (file == NULL)
			shell_add_missing(&basis, "$0", problem);
		(void)shell_set(v, names[i], strlen(names[i]), 1, &basis,
		    shell_directory_join(v->home, file == NULL ? "-" : file));
	}
}

void shell_forget_file(const struct shell_values *v, struct shell_basis *basis)
{
	if (v->file != NULL || basis->missing.count != 1 ||
	    strcmp(basis->missing.item[0], "$0") != 0)
		return;
	words_free(&basis->missing);
	words_free(&basis->problem);
	basis->is_unknown = false;
}

char *shell_working_directory(const struct shell_values *v, struct shell_basis *basis)
{
	const struct shell_place *place;
	char *path;

	if (v->home == NULL || v->directory == NULL)
		return NULL;
	place = shell_directory_now(v->directory);
	for (size_t i = 0; i < place->problem.count; i++)
		shell_add_missing(basis, place->problem.item[i], place->problem.item[i]);
	for (size_t i = 0; i < place->note.count; i++)
		shell_add_once(&basis->note, place->note.item[i]);
	path = shell_directory_join(v->home, place->path);
	if (place->doubt != NULL) {
		MEM_AUTO char *note =
		    mem_format("%s: the import takes the directory to be %s", place->doubt, path);

		shell_add_once(&basis->note, note);
	}
	return path;
}

/* Returns a path as dirname prints it.  Caller frees. */
static char *directory_of(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	return n == 0 ? mem_copy(".") : mem_copy_n(path, n);
}

/* Returns a path as basename prints it.  Caller frees. */
static char *base_of(const char *path, const char *suffix)
{
	size_t n = strlen(path), first, cut = strlen(suffix);

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (first = n; first > 0 && path[first - 1] != '/';)
		first--;
	if (first == n)
		return mem_copy_n(path, n);
	if (n - first > cut && memcmp(path + n - cut, suffix, cut) == 0)
		n -= cut;
	return mem_copy_n(path + first, n - first);
}

static char *real_path(const struct shell_values *v, const char *path, struct shell_basis *basis)
{
	MEM_AUTO char *now = *path == '/' ? mem_copy("/") : shell_working_directory(v, basis);

	return now == NULL ? NULL : shell_directory_join(now, path);
}

/* Returns what a command with these words prints, or NULL.  Caller frees. */
static char *print(const struct shell_values *v, const struct words *w, struct shell_basis *basis)
{
	const char *name = w->item[0];
	size_t i = 1;

	while (i < w->count && w->item[i][0] == '-' && w->item[i][1] != '\0')
		i++; /* --, readlink -f, pwd -P */
	if (strcmp(name, "pwd") == 0 && i == w->count)
		return shell_working_directory(v, basis);
	if (strcmp(name, "basename") == 0 && i == 1 && (w->count == 2 || w->count == 3))
		return base_of(w->item[1], w->count == 3 ? w->item[2] : "");
	if (i + 1 != w->count)
		return NULL;
	if (strcmp(name, "dirname") == 0) {
		shell_forget_file(v, basis);
		return directory_of(w->item[i]);
	}
	if (strcmp(name, "realpath") == 0 ||
	    (strcmp(name, "readlink") == 0 && i == 2 && strcmp(w->item[1], "-f") == 0))
		return real_path(v, w->item[i], basis);
	return NULL;
}

static void expand_all(struct shell_values *v, const struct shell_script *script,
    const struct shell_command *c, struct words *w, struct shell_basis *basis)
{
	for (size_t i = 0; i < c->words; i++)
		shell_expand(v, &script->word[c->word + i], w, basis);
}

/* Returns what "cd DIRECTORY && pwd" prints, or NULL.  Caller frees. */
static char *print_cd(
    struct shell_values *v, const struct shell_script *script, struct shell_basis *basis)
{
	const struct shell_command *c = script->command;
	WORDS_AUTO struct words cd = { 0 }, pwd = { 0 };
	size_t last;

	if ((strcmp(c->end, "&&") != 0 && strcmp(c->end, ";") != 0) || c->words < 2 || c->depth > 0)
		return NULL;
	expand_all(v, script, c, &cd, basis);
	expand_all(v, script, c + 1, &pwd, basis);
	last = cd.count - 1;
	if (cd.count < 2 || pwd.count == 0 || strcmp(cd.item[0], "cd") != 0 ||
	    strcmp(pwd.item[0], "pwd") != 0 || strcmp(cd.item[last], "-") == 0 ||
	    (cd.count > 2 && *cd.item[1] != '-'))
		return NULL;
	return real_path(v, cd.item[last], basis);
}

/* Returns what the commands print, or NULL.  Caller frees. */
static char *print_script(
    struct shell_values *v, const struct shell_script *script, struct shell_basis *basis)
{
	const struct shell_command *c = script->command;
	WORDS_AUTO struct words w = { 0 };

	if (script->commands == 2)
		return print_cd(v, script, basis);
	if (script->commands != 1 || c->words == 0 || c->depth > 0)
		return NULL;
	for (size_t i = 0; i < c->redirects; i++) {
		const struct shell_redirect *r = &script->redirect[c->redirect + i];

		/* Only 2>/dev/null leaves the output as it is. */
		if (r->kind != SHELL_OUT || r->target.text - script->text < 2 ||
		    r->target.text[-1] != '>' || r->target.text[-2] != '2')
			return NULL;
	}
	expand_all(v, script, c, &w, basis);
	if (w.count == 0)
		return NULL;
	if (strcmp(w.item[0], "echo") == 0 || strcmp(w.item[0], "printf") == 0)
		return shell_output(v, script, c, basis);
	return print(v, &w, basis);
}

char *shell_substitute(
    struct shell_values *v, const char *text, size_t n, size_t line, struct shell_basis *basis)
{
	SHELL_BASIS_AUTO struct shell_basis all = { 0 };
	struct shell_script script;
	ERROR_AUTO struct error err = { 0 };
	char *printed = NULL;
	size_t levels = v->levels;

	shell_values_enter(v, levels + 1);
	if (shell_read(text, n, line, SHELL_COMMENTS, &script, &err) == 0)
		printed = print_script(v, &script, &all);
	shell_values_leave(v, levels);
	shell_free(&script);
	if (printed == NULL)
		return NULL;
	n = strlen(printed);
	while (n > 0 && printed[n - 1] == '\n')
		printed[--n] = '\0';
	shell_basis_append(basis, &all);
	return printed;
}
