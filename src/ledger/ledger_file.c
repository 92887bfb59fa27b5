/* The text of the ledger: writing and reading. */
#include "ledger/ledger_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/json_write.h"
#include "base/mem.h"

#define VERSION 1

void ledger_content_add_thing(struct ledger_content *c, const struct ledger_thing *thing)
{
	struct ledger_thing *mine;

	c->thing = mem_resize(c->thing, c->thing_count + 1, sizeof(*c->thing));
	mine = &c->thing[c->thing_count++];
	memset(mine, 0, sizeof(*mine));
	mine->name = mem_copy(thing->name);
	words_append(&mine->undo, &thing->undo);
	words_append(&mine->probe, &thing->probe);
	mine->sign = mem_copy(thing->sign == NULL ? thing->name : thing->sign);
	mine->index = thing->index;
	mine->unsure = thing->unsure;
}

void ledger_thing_clear(struct ledger_thing *thing)
{
	free(thing->name);
	words_free(&thing->undo);
	words_free(&thing->probe);
	free(thing->sign);
	memset(thing, 0, sizeof(*thing));
}

void ledger_content_drop_thing(struct ledger_content *c, size_t index)
{
	ledger_thing_clear(&c->thing[index]);
	c->thing_count--;
	memmove(
	    &c->thing[index], &c->thing[index + 1], (c->thing_count - index) * sizeof(*c->thing));
}

struct ledger_process *ledger_content_add_process(struct ledger_content *c, const char *name)
{
	struct ledger_process *p;

	c->process = mem_resize(c->process, c->process_count + 1, sizeof(*c->process));
	p = &c->process[c->process_count++];
	*p = (struct ledger_process){ .name = mem_copy(name) };
	return p;
}

void ledger_content_drop_process(struct ledger_content *c, size_t index)
{
	free(c->process[index].name);
	c->process_count--;
	memmove(&c->process[index], &c->process[index + 1],
	    (c->process_count - index) * sizeof(*c->process));
}

void ledger_content_forget_boot(struct ledger_content *c)
{
	while (c->thing_count > 0)
		ledger_content_drop_thing(c, c->thing_count - 1);
	while (c->process_count > 0)
		ledger_content_drop_process(c, c->process_count - 1);
	/* A pid file may still hold this pid. */
	if (c->hypervisor.pid != 0)
		words_addf(&c->dead, "%ld", (long)c->hypervisor.pid);
	c->hypervisor.pid = 0;
	words_free(&c->destroy);
}

void ledger_content_clear(struct ledger_content *c)
{
	ledger_content_forget_boot(c);
	free(c->thing);
	free(c->process);
	free(c->hypervisor.name);
	free(c->boot);
	words_free(&c->dead);
	words_free(&c->sockets);
	words_free(&c->pid_files);
	memset(c, 0, sizeof(*c));
}

/* --- writing --- */

static void add_process(struct str *s, const char *name, const struct ledger_process *p)
{
	json_add_text(s, "name", name);
	json_add_int(s, "pid", p->pid);
	json_add_int(s, "start", p->start);
}

static void add_processes(struct str *s, const struct ledger_content *c)
{
	json_begin_list(s, "processes");
	if (c->hypervisor.pid != 0) {
		json_begin_object(s, NULL);
		add_process(s, LEDGER_HYPERVISOR, &c->hypervisor);
		json_end_object(s);
	}
	for (size_t i = 0; i < c->process_count; i++) {
		json_begin_object(s, NULL);
		add_process(s, c->process[i].name, &c->process[i]);
		/* This tells a companion named "hypervisor" from the hypervisor. */
		json_add_bool(s, "beside", true);
		json_end_object(s);
	}
	json_end_list(s);
}

static void add_things(struct str *s, const struct ledger_content *c)
{
	json_begin_list(s, "taken");
	for (size_t i = 0; i < c->thing_count; i++) {
		const struct ledger_thing *thing = &c->thing[i];

		json_begin_object(s, NULL);
		json_add_text(s, "name", thing->name);
		json_add_words(s, "undo", &thing->undo);
		json_add_words(s, "probe", &thing->probe);
		json_add_text(s, "sign", thing->sign);
		json_add_int(s, "index", thing->index);
		if (thing->unsure)
			json_add_bool(s, "unsure", true);
		json_end_object(s);
	}
	json_end_list(s);
}

char *ledger_content_text(const struct ledger_content *c, const char *vm)
{
	struct str text = { 0 };

	json_begin_object(&text, NULL);
	json_add_int(&text, "v", VERSION);
	json_add_text(&text, "vm", vm);
	json_add_int(&text, "supervisor", c->supervisor);
	if (c->boot != NULL)
		json_add_text(&text, "boot", c->boot);
	json_add_words(&text, "dead", &c->dead);
	add_processes(&text, c);
	add_things(&text, c);
	json_add_words(&text, "sockets", &c->sockets);
	json_add_words(&text, "pid_files", &c->pid_files);
	json_add_words(&text, "destroy", &c->destroy);
	json_end_object(&text);
	str_add(&text, "\n");
	return str_take(&text);
}

/* --- reading --- */

static bool read_words(const struct node *file, const char *key, struct words *out)
{
	const struct node *list = node_get(file, key);

	if (list == NULL || !node_is_list(list))
		return false;
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		if (n->kind != NODE_STRING)
			return false;
		words_add(out, n->text);
	}
	return true;
}

static bool read_integer(const struct node *file, const char *key, int64_t *out)
{
	const struct node *n = node_get(file, key);

	if (n == NULL || n->kind != NODE_INT)
		return false;
	*out = n->integer;
	return true;
}

static bool read_pid(const struct node *file, const char *key, pid_t *out)
{
	int64_t pid;

	if (!read_integer(file, key, &pid) || pid < 0 || pid > INT32_MAX)
		return false;
	*out = (pid_t)pid;
	return true;
}

static bool read_process(const struct node *n, struct ledger_content *out)
{
	const char *name = node_get_text(n, "name");
	struct ledger_process *p = &out->hypervisor;

	if (name == NULL)
		return false;
	if (strcmp(name, LEDGER_HYPERVISOR) != 0 || node_get(n, "beside") != NULL)
		p = ledger_content_add_process(out, name);
	return read_pid(n, "pid", &p->pid) && read_integer(n, "start", &p->start);
}

static bool read_processes(const struct node *file, struct ledger_content *out)
{
	const struct node *list = node_get(file, "processes");

	if (list == NULL || !node_is_list(list))
		return false;
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		if (!read_process(n, out))
			return false;
	}
	return true;
}

/* Reads a thing; those of vmrun 0.1 have neither a probe nor an index. */
static bool read_thing(const struct node *n, struct ledger_content *out)
{
	const char *name = node_get_text(n, "name"), *sign = node_get_text(n, "sign");
	LEDGER_THING_AUTO struct ledger_thing thing = { .name =
							    name == NULL ? NULL : mem_copy(name),
		.sign = sign == NULL ? NULL : mem_copy(sign) };
	bool good = name != NULL && read_words(n, "undo", &thing.undo) && thing.undo.count > 0 &&
	    (node_get(n, "probe") == NULL || read_words(n, "probe", &thing.probe));
	int64_t index;

	if (read_integer(n, "index", &index) && index > 0 && index <= INT32_MAX)
		thing.index = (unsigned)index;
	thing.unsure = node_get(n, "unsure") != NULL;
	if (good)
		ledger_content_add_thing(out, &thing);
	return good;
}

static bool read_things(const struct node *file, struct ledger_content *out)
{
	const struct node *list = node_get(file, "taken");

	if (list == NULL || !node_is_list(list))
		return false;
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		if (!read_thing(n, out))
			return false;
	}
	return true;
}

static bool read_content(const struct node *file, struct ledger_content *out)
{
	const char *boot = node_get_text(file, "boot");
	int64_t version;

	if (!read_integer(file, "v", &version) || version != VERSION ||
	    !read_pid(file, "supervisor", &out->supervisor))
		return false;
	/* vmrun 0.1 wrote neither of these. */
	out->boot = boot == NULL ? NULL : mem_copy(boot);
	if (node_get(file, "dead") != NULL && !read_words(file, "dead", &out->dead))
		return false;
	return read_processes(file, out) && read_things(file, out) &&
	    read_words(file, "sockets", &out->sockets) &&
	    read_words(file, "pid_files", &out->pid_files) &&
	    read_words(file, "destroy", &out->destroy);
}

bool ledger_content_read(struct ledger_content *out, const char *text)
{
	NODE_AUTO struct node *file = json_node(text);

	memset(out, 0, sizeof(*out));
	if (file != NULL && read_content(file, out))
		return true;
	ledger_content_clear(out);
	return false;
}
