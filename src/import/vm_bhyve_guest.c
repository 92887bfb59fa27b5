/* Reading settings, and writing the spec, for all parts of the import of vm-bhyve. */
#include "import/vm_bhyve_guest.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void guest_fault(struct guest *g, const char *key, const char *fmt, ...)
{
	const struct conf_setting *setting = conf_find(&g->conf, key);
	struct where at = { NULL, key, 0 };
	struct problem *problem;
	va_list ap;

	va_start(ap, fmt);
	MEM_AUTO char *text = mem_vformat(fmt, ap);
	va_end(ap);
	report_add(g->report, STATUS_SPEC, &at, "%s", text);
	problem = &g->report->item[g->report->count - 1];
	if (setting == NULL)
		return;
	problem->line = setting->line;
	problem->place = mem_format("%s:%zu", g->source, setting->line);
}

void guest_note(struct guest *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	MEM_AUTO char *text = mem_vformat(fmt, ap);
	va_end(ap);
	if (!words_have(g->notes, text))
		words_add(g->notes, text);
}

const char *guest_get(struct guest *g, const char *key)
{
	return conf_get(&g->conf, key);
}

const char *guest_get_or(struct guest *g, const char *key, const char *preset)
{
	const char *value = guest_get(g, key);

	return value == NULL ? preset : value;
}

bool guest_yes(struct guest *g, const char *key, const char *preset)
{
	return conf_yes(guest_get_or(g, key, preset));
}

const char *guest_get_numbered(struct guest *g, const char *key, int number, const char *suffix)
{
	MEM_AUTO char *name = mem_format("%s%d%s", key, number, suffix);

	return guest_get(g, name);
}

bool guest_has_numbered(const struct guest *g, const char *key, int number, const char *suffix)
{
	MEM_AUTO char *name = mem_format("%s%d%s", key, number, suffix);
	const struct conf_setting *setting = conf_find(&g->conf, name);

	return setting != NULL && *setting->value != '\0';
}

const char *guest_word(struct guest *g, const char *key)
{
	const char *value = guest_get(g, key);

	if (value != NULL && strpbrk(value, " \t") != NULL)
		guest_fault(g, key,
		    "invalid value \"%s\": vm-bhyve splits it at the blank, and bhyve refuses the "
		    "rest",
		    value);
	return value;
}

const char *guest_numbered_word(struct guest *g, const char *key, int number, const char *suffix)
{
	MEM_AUTO char *name = mem_format("%s%d%s", key, number, suffix);

	return guest_word(g, name);
}

bool guest_is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

void guest_put_text(struct node *object, const char *key, const char *text)
{
	node_put(object, key, node_string(text));
}

void guest_put_format(struct node *object, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	MEM_AUTO char *text = mem_vformat(fmt, ap);
	va_end(ap);
	guest_put_text(object, key, text);
}

void guest_put_flag(struct node *object, const char *key, bool value)
{
	node_put(object, key, node_bool(value));
}

void guest_put_config(struct guest *g, const char *variable, const char *value)
{
	struct node *config = node_take(g->spec, "config");

	if (config == NULL)
		config = node_new(NODE_OBJECT);
	guest_put_text(config, variable, value);
	node_put(g->spec, "config", config);
}

char *guest_piece(const char **rest)
{
	const char *text = *rest;
	size_t n;

	if (text == NULL)
		return NULL;
	n = strcspn(text, ",");
	*rest = text[n] == '\0' ? NULL : text + n + 1;
	return mem_copy_n(text, n);
}

void guest_split(const char *text, struct words *out)
{
	static const char blanks[] = " \t";

	for (text += strspn(text, blanks); *text != '\0'; text += strspn(text, blanks)) {
		size_t n = strcspn(text, blanks);

		words_take(out, mem_copy_n(text, n));
		text += n;
	}
}

void guest_put_device(struct guest *g, struct node *device, const struct guest_slot *at)
{
	guest_put_format(device, "slot", "%d:%d:%d", at->bus, at->slot, at->function);
	node_append(g->devices, device);
}

struct node *guest_add_device(
    struct guest *g, const char *device, const char *id, const struct guest_slot *at)
{
	struct node *added = node_new(NODE_OBJECT);

	guest_put_text(added, "device", device);
	if (id != NULL)
		guest_put_text(added, "id", id);
	guest_put_device(g, added, at);
	return added;
}

void guest_wrap_slot(struct guest *g)
{
	if (g->next.slot < g->next.limit)
		return;
	g->next.slot = 0;
	g->next.bus++;
	g->next.limit = 32;
}

void guest_next_slot(struct guest *g)
{
	g->next.slot++;
	guest_wrap_slot(g);
}
