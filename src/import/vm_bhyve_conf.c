/* The lines of a guest's .conf. */
#include "import/vm_bhyve_conf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

/* Returns a text without its double quotes.  Caller frees. */
static char *unquoted(const char *text, size_t n)
{
	struct str s = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (text[i] != '"')
			str_add_n(&s, text + i, 1);
	}
	return str_take(&s);
}

/*
 * Keeps the number and the name of a line that is neither a setting nor a comment.  The value may
 * be a password.
 */
static void keep_ignored(struct conf *conf, const char *line, size_t n, size_t number)
{
	size_t end = 0;

	while (n > 0 && strchr(" \t\r", *line) != NULL) {
		line++;
		n--;
	}
	while (end < n && strchr("=#\r", line[end]) == NULL)
		end++;
	if (n > 0 && *line != '#')
		words_addf(&conf->ignored, "line %zu (%.*s)", number, (int)end, line);
}

/*
 * Adds one line: it begins with a lower-case letter and ends at the first "#", even inside quotes.
 * A line without "=" is a key that has its own text as value.
 */
static void add_line(struct conf *conf, const char *line, size_t n, size_t number)
{
	const char *hash = memchr(line, '#', n);
	char *text, *equals;

	if (n == 0 || line[0] < 'a' || line[0] > 'z') {
		keep_ignored(conf, line, n, number);
		return;
	}
	if (hash != NULL)
		n = (size_t)(hash - line);
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\r'))
		n--;
	text = unquoted(line, n);
	equals = strchr(text, '=');
	conf->item = mem_resize(conf->item, conf->count + 1, sizeof(*conf->item));
	conf->item[conf->count++] = (struct conf_setting){
		.key = mem_copy_n(text, equals == NULL ? strlen(text) : (size_t)(equals - text)),
		.value = mem_copy(equals == NULL ? text : equals + 1),
		.line = number,
	};
	free(text);
}

void conf_read(struct conf *conf, const char *text, size_t length)
{
	const char *end = text + length;

	for (size_t number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline == NULL ? end : newline;

		add_line(conf, text, (size_t)(stop - text), number);
		text = stop + 1;
	}
}

const struct conf_setting *conf_find(const struct conf *conf, const char *key)
{
	for (size_t i = 0; i < conf->count; i++) {
		if (strcmp(conf->item[i].key, key) == 0)
			return &conf->item[i];
	}
	return NULL;
}

const char *conf_get(struct conf *conf, const char *key)
{
	const struct conf_setting *found = conf_find(conf, key);

	if (found == NULL)
		return NULL;
	conf->item[found - conf->item].used = true;
	return found->value;
}

bool conf_yes(const char *value)
{
	static const char *const no[] = { "", "no", "false", "off", "0" };

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (strcasecmp(value, no[i]) == 0)
			return false;
	}
	return true;
}

void conf_free(struct conf *conf)
{
	for (size_t i = 0; i < conf->count; i++) {
		free(conf->item[i].key);
		free(conf->item[i].value);
	}
	free(conf->item);
	words_free(&conf->ignored);
	*conf = (struct conf){ 0 };
}
