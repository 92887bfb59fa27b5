/* Options of bhyve. */
#include "hyper/bhyve_words.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static void add_escaped(struct str *s, const char *value)
{
	if (strchr(value, '%') == NULL) {
		str_add(s, value);
		return;
	}
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '%' || *p == '\\')
			str_add_char(s, '\\');
		str_add_char(s, *p);
	}
}

char *bhyve_escape(const char *value)
{
	struct str s = { 0 };

	add_escaped(&s, value);
	return str_take(&s);
}

void bhyve_set(struct bhyve_out *out, const char *key, const char *value)
{
	if (out->config != NULL)
		pairs_add(out->config, key, value);
}

void bhyve_add_option(struct bhyve_out *out, const char *option, const char *argument,
    const char *key, const char *value)
{
	words_add(out->argv, option);
	if (argument != NULL)
		words_add(out->argv, argument);
	bhyve_set(out, key, value);
}

void bhyve_add_variable(struct bhyve_out *out, const char *key, const char *value)
{
	MEM_AUTO char *escaped = bhyve_escape(value);
	MEM_AUTO char *setting = MEM_JOIN(key, "=", escaped);

	bhyve_add_option(out, "-o", setting, key, value);
}

char *bhyve_pci_key(const struct slot *slot, const char *key)
{
	struct str s = { 0 };

	str_add(&s, "pci.");
	str_add_int(&s, slot->bus);
	str_add_char(&s, '.');
	str_add_int(&s, slot->slot);
	str_add_char(&s, '.');
	str_add_int(&s, slot->function);
	str_add_char(&s, '.');
	str_add(&s, key);
	return str_take(&s);
}

/* Adds a comment with as many lines as the text has. */
static void add_comment(struct str *s, const char *intro, const char *text)
{
	str_addf(s, "# %s", intro);
	for (const char *p = text; *p != '\0'; p++)
		str_addf(s, *p == '\n' ? "%c#   " : "%c", *p);
	str_add(s, "\n");
}

char *bhyve_config_text(const struct pairs *config, const struct words *remarks,
    const char *secret_path, struct report *report)
{
	struct str s = { 0 };

	for (size_t i = 0; i < remarks->count; i++)
		add_comment(&s, "not in this file: ", remarks->item[i]);
	if (secret_path != NULL)
		add_comment(
		    &s, "not in this file: the password, which a run writes for -k ", secret_path);
	for (size_t i = 0; i < config->count; i++) {
		const char *key = config->item[i].key;
		MEM_AUTO char *value = bhyve_escape(config->item[i].value);

		if (strchr(value, '\n') != NULL)
			report_add(report, STATUS_SPEC, NULL,
			    "%s has a value with a line end, which no line of a file can hold: %s",
			    key, "rename what it names, or use the command (-d)");
		str_addf(&s, "%s=%s\n", key, value);
	}
	return str_take(&s);
}

/* Returns whether CONF can have the value: bhyve splits it at commas, which cannot be quoted. */
static bool fits(const char *value)
{
	return *value != '\0' && strchr(value, ',') == NULL;
}

static bool is_implied(const struct bhyve_form *form, const char *key)
{
	for (size_t i = 0; form->implied != NULL && form->implied[i] != NULL; i += 2) {
		if (strcmp(form->implied[i], key) == 0)
			return true;
	}
	return false;
}

/* Adds ",key=value", or ",key" for true. */
static void add_key(struct str *conf, const char *key, const char *value)
{
	str_add_char(conf, ',');
	str_add(conf, key);
	if (strcmp(value, "true") == 0)
		return;
	str_add_char(conf, '=');
	add_escaped(conf, value);
}

/*
 * Adds ",NAME=PATH" for each pair, and the key of a flag.  Returns false if CONF cannot have one.
 */
static bool add_named(struct str *conf, const struct pairs *vars)
{
	for (size_t i = 1; i + 1 < vars->count; i += 2) {
		const char *name = vars->item[i].value, *path = vars->item[i + 1].value;

		if (!fits(name) || !fits(path) || strchr(name, '=') != NULL)
			return false;
		str_add_char(conf, ',');
		add_escaped(conf, name);
		str_add_char(conf, '=');
		add_escaped(conf, path);
	}
	if (vars->count % 2 == 0)
		add_key(conf, vars->item[vars->count - 1].key, vars->item[vars->count - 1].value);
	return true;
}

/* Adds ",TYPE:PATH[,key=value...]" for each port.  Returns false if CONF cannot have one. */
static bool add_ports(struct str *conf, const struct pairs *vars)
{
	for (size_t i = 1; i < vars->count; i++) {
		const char *key = strrchr(vars->item[i].key, '.') + 1;
		const char *value = vars->item[i].value;

		if (!fits(value))
			return false;
		if (strcmp(key, "type") == 0)
			str_addf(conf, ",%s:", value);
		else if (strcmp(key, "path") == 0)
			add_escaped(conf, value);
		else
			add_key(conf, key, value);
	}
	return true;
}

/* Returns the text before the value of a variable that is written without its name, or NULL. */
static const char *bare(const struct bhyve_form *form, const char *key)
{
	if (form->values != NULL || (form->first != NULL && strcmp(key, form->first) == 0))
		return ",";
	for (size_t i = 0; form->joined != NULL && form->joined[i] != NULL; i++) {
		if (strcmp(form->joined[i], key) == 0)
			return i == 0 ? "," : "/";
	}
	return NULL;
}

/* Adds ",FIRST[,key=value...]".  Returns false if CONF cannot have a variable. */
static bool add_listed(struct str *conf, const struct bhyve_form *form, const struct pairs *vars)
{
	size_t skip = form->prefix == NULL ? 0 : strlen(form->prefix);

	for (size_t i = 1; i < vars->count; i++) {
		const char *key = vars->item[i].key, *value = vars->item[i].value;
		const char *before = bare(form, key);

		if (is_implied(form, key))
			continue;
		if ((!fits(value) && !form->whole) ||
		    (form->values != NULL && strchr(value, '=') != NULL))
			return false;
		if (before != NULL) {
			str_add(conf, before);
			add_escaped(conf, value);
		} else if (strchr(key + skip, '.') != NULL) {
			return false;
		} else {
			add_key(conf, key + skip, value);
		}
	}
	return true;
}

static bool add_conf(struct str *conf, const struct bhyve_form *form, const struct pairs *vars)
{
	if (form->named != NULL)
		return add_named(conf, vars);
	return form->ports ? add_ports(conf, vars) : add_listed(conf, form, vars);
}

void bhyve_add_device(struct bhyve_out *out, const struct slot *slot, const struct bhyve_form *form,
    const struct pairs *vars)
{
	STR_AUTO struct str conf = { 0 };
	char address[SLOT_TEXT];
	bool said;

	str_add(&conf, slot_text(slot, address));
	str_add_char(&conf, ',');
	str_add(&conf, form->model);
	said = add_conf(&conf, form, vars);
	if (said) {
		words_add(out->argv, "-s");
		words_take(out->argv, str_take(&conf));
	}
	if (said && out->config == NULL)
		return;
	for (size_t i = 0; i < vars->count; i++) {
		MEM_AUTO char *key = bhyve_pci_key(slot, vars->item[i].key);

		if (said)
			bhyve_set(out, key, vars->item[i].value);
		else
			bhyve_add_variable(out, key, vars->item[i].value);
	}
}
