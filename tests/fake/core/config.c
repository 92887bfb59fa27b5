/* Failures, variables read and written, and the files of -k. */
#include "internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int fk_fail(struct vm *vm, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(vm->message, vm->size, fmt, ap);
	va_end(ap);
	return status;
}

void fk_warn(struct vm *vm, const char *fmt, ...)
{
	va_list ap;

	if (vm->host->err == NULL)
		return;
	fputs("bhyve: ", vm->host->err);
	va_start(ap, fmt);
	(void)vfprintf(vm->host->err, fmt, ap);
	va_end(ap);
	fputc('\n', vm->host->err);
}

bool fk_take(struct vm *vm, const char *kind, const char *name)
{
	char *entry = fk_join(kind, " ", name);
	size_t i;

	for (i = 0; i < vm->n_taken; i++) {
		if (strcmp(vm->taken[i], entry) == 0) {
			free(entry);
			return false;
		}
	}
	if (vm->n_taken == MAX_TAKEN)
		free(entry);
	else
		vm->taken[vm->n_taken++] = entry;
	return true;
}

void fk_forget_taken(struct vm *vm)
{
	while (vm->n_taken > 0)
		free(vm->taken[--vm->n_taken]);
}

int fk_set(struct vm *vm, const char *path, const char *value)
{
	const char *name = strrchr(path, '.');
	struct fake_node *node = vm->tree->root;
	char *above;

	if (name != NULL) {
		above = fk_copy_text(path, (size_t)(name - path));
		node = fk_node_at(node, above, true);
		free(above);
		if (node == NULL)
			return fk_fail(
			    vm, EXIT_BAD, "no configuration node can be made for %s", path);
	}
	if (!fk_node_set(node, name == NULL ? path : name + 1, value))
		return fk_fail(
		    vm, EXIT_BAD, "%s is a node and cannot have the value %s", path, value);
	return 0;
}

int fk_set_child(struct vm *vm, struct fake_node *node, const char *name, const char *value)
{
	if (!fk_node_set(node, name, value))
		return fk_fail(vm, EXIT_BAD, "invalid variable name \"%s\" for %s", name, value);
	return 0;
}

const char *fk_get(struct vm *vm, const char *path)
{
	return fake_tree_expand(vm->tree, path, vm->host->err);
}

const char *fk_get_child(struct vm *vm, const struct fake_node *node, const char *name)
{
	const char *value = fk_node_get(node, name);

	return value == NULL ? NULL : fk_tree_expand_text(vm->tree, value, vm->host->err);
}

static bool parse_bool(const char *text, bool *value)
{
	static const char *const words[] = { "false", "true", "off", "on", "no", "yes", "0", "1" };
	size_t i;

	if (text == NULL)
		return true;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*value = i % 2 == 1;
			return true;
		}
	}
	return false;
}

bool fake_tree_bool(struct fake_tree *tree, const char *path, bool *value)
{
	return parse_bool(fake_tree_expand(tree, path, NULL), value);
}

static int read_bool(struct vm *vm, const char *name, const char *text, bool *value)
{
	if (parse_bool(text, value))
		return 0;
	return fk_fail(vm, EXIT_BAD, "invalid value %s for boolean variable %s", text, name);
}

int fk_get_bool(struct vm *vm, const char *path, bool *value)
{
	return read_bool(vm, path, fk_get(vm, path), value);
}

int fk_get_child_bool(struct vm *vm, const struct fake_node *node, const char *name, bool *value)
{
	return read_bool(vm, name, fk_get_child(vm, node, name), value);
}

/* Neither -o nor -k can set a variable to the empty text. */
static bool is_option(const char *text)
{
	const char *equals = strchr(text, '=');

	return equals != NULL && equals[1] != '\0';
}

static int set_option(struct vm *vm, const char *text)
{
	const char *equals = strchr(text, '=');
	char *path = fk_copy_text(text, (size_t)(equals - text));
	int rc = fk_set(vm, path, equals + 1);

	free(path);
	return rc;
}

int fk_take_option(struct vm *vm, const char *text)
{
	if (!is_option(text))
		return fk_fail(vm, EXIT_USAGE, "invalid configuration option '%s'", text);
	return set_option(vm, text);
}

/* Nothing is trimmed: blanks and a CR become part of the name or the value. */
int fk_take_config_file(struct vm *vm, const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	unsigned int number;
	int rc = 0;

	if (file == NULL)
		return fk_fail(vm, EXIT_BAD, "configuration file %s: %s", path, strerror(errno));
	for (number = 1; rc == 0 && getline(&line, &room, file) > 0; number++) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		line[strcspn(line, "\n")] = '\0';
		rc = is_option(line)
		    ? set_option(vm, line)
		    : fk_fail(vm, EXIT_BAD, "%s line %u: invalid config option '%s'", path, number,
			  line);
	}
	free(line);
	(void)fclose(file);
	return rc;
}
