/* bhyve's words. */
#include "hyper/bhyve_words.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

char *bhyve_escape(const char *value)
{
	struct str s = { 0 };

	if (strchr(value, '%') == NULL)
		return mem_copy(value);
	for (const char *p = value; *p != '\0'; p++)
		str_addf(&s, "%s%c", *p == '%' || *p == '\\' ? "\\" : "", *p);
	return str_take(&s);
}

void bhyve_variable(struct words *argv, const char *key, const char *value)
{
	MEM_AUTO char *escaped = bhyve_escape(value);

	words_add(argv, "-o");
	words_addf(argv, "%s=%s", key, escaped);
}

/* CONF is split at commas, and there is no way to quote one. */
static bool fits(const char *value)
{
	return *value != '\0' && strchr(value, ',') == NULL;
}

static bool is_implied(const struct bhyve_form *form, const char *key)
{
	for (size_t i = 0; form->implied != NULL && form->implied[i] != NULL; i++) {
		if (strcmp(form->implied[i], key) == 0)
			return true;
	}
	return false;
}

/* Adds ",NAME=PATH" for each port; false when one cannot be said so. */
static bool add_named(struct str *conf, const struct pairs *vars)
{
	for (size_t i = 1; i + 1 < vars->count; i += 2) {
		const char *name = vars->item[i].value, *path = vars->item[i + 1].value;
		MEM_AUTO char *n = bhyve_escape(name), *p = bhyve_escape(path);

		if (!fits(name) || !fits(path) || strchr(name, '=') != NULL)
			return false;
		str_addf(conf, ",%s=%s", n, p);
	}
	return true;
}

/* Adds ",FIRST[,key=value...]"; false when a variable cannot be said so. */
static bool add_listed(struct str *conf, const struct bhyve_form *form, const struct pairs *vars)
{
	size_t skip = form->prefix == NULL ? 0 : strlen(form->prefix);

	for (size_t i = 1; i < vars->count; i++) {
		const char *key = vars->item[i].key, *value = vars->item[i].value;
		MEM_AUTO char *escaped = bhyve_escape(value);

		if (is_implied(form, key))
			continue;
		if (!fits(value))
			return false;
		if (strcmp(key, form->first) == 0)
			str_addf(conf, ",%s", escaped);
		else if (strchr(key + skip, '.') != NULL)
			return false;
		else if (strcmp(value, "true") == 0)
			str_addf(conf, ",%s", key + skip); /* a bare key is true to bhyve */
		else
			str_addf(conf, ",%s=%s", key + skip, escaped);
	}
	return true;
}

void bhyve_device(struct words *argv, const struct slot *slot, const struct bhyve_form *form,
    const struct pairs *vars)
{
	struct str conf = { 0 };
	char address[SLOT_TEXT];
	bool said;

	slot_text(slot, address);
	str_addf(&conf, "%s,%s", address, form->model);
	said = form->named ? add_named(&conf, vars) : add_listed(&conf, form, vars);
	if (said) {
		words_add(argv, "-s");
		words_add(argv, conf.text);
	} else {
		for (size_t i = 0; i < vars->count; i++) {
			char path[64];
			MEM_AUTO char *key = NULL;

			for (size_t c = 0; c <= strlen(address); c++)
				path[c] = address[c] == ':' ? '.' : address[c];
			key = mem_format("pci.%s.%s", path, vars->item[i].key);
			bhyve_variable(argv, key, vars->item[i].value);
		}
	}
	str_free(&conf);
}
