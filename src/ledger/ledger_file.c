/* The text of the ledger: writing and reading. */
#include "ledger/ledger_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "base/node_json.h"

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

static struct node *list_of(const struct words *words)
{
	struct node *list = node_new(NODE_LIST);

	for (size_t i = 0; i < words->count; i++)
		node_append(list, node_string(words->item[i]));
	return list;
}

static struct node *add_process(struct node *list, const char *name, const struct ledger_process *p)
{
	struct node *one = node_new(NODE_OBJECT);

	node_put(one, "name", node_string(name));
	node_put(one, "pid", node_int(p->pid));
	node_put(one, "start", node_int(p->start));
	node_append(list, one);
	return one;
}

static struct node *processes_of(const struct ledger_content *c)
{
	struct node *list = node_new(NODE_LIST);

	if (c->hypervisor.pid != 0)
		(void)add_process(list, LEDGER_HYPERVISOR, &c->hypervisor);
	/* "beside" tells a companion named "hypervisor" from the hypervisor. */
	for (size_t i = 0; i < c->process_count; i++)
		node_put(add_process(list, c->process[i].name, &c->process[i]), "beside",
		    node_bool(true));
	return list;
}

static struct node *things_of(const struct ledger_content *c)
{
	struct node *list = node_new(NODE_LIST);

	for (size_t i = 0; i < c->thing_count; i++) {
		const struct ledger_thing *thing = &c->thing[i];
		struct node *one = node_new(NODE_OBJECT);

		node_put(one, "name", node_string(thing->name));
		node_put(one, "undo", list_of(&thing->undo));
		node_put(one, "probe", list_of(&thing->probe));
		node_put(one, "sign", node_string(thing->sign));
		node_put(one, "index", node_int(thing->index));
		if (thing->unsure)
			node_put(one, "unsure", node_bool(true));
		node_append(list, one);
	}
	return list;
}

char *ledger_content_text(const struct ledger_content *c, const char *vm)
{
	NODE_AUTO struct node *file = node_new(NODE_OBJECT);
	struct str text = { 0 };

	node_put(file, "v", node_int(VERSION));
	node_put(file, "vm", node_string(vm));
	node_put(file, "supervisor", node_int(c->supervisor));
	if (c->boot != NULL)
		node_put(file, "boot", node_string(c->boot));
	node_put(file, "dead", list_of(&c->dead));
	node_put(file, "processes", processes_of(c));
	node_put(file, "taken", things_of(c));
	node_put(file, "sockets", list_of(&c->sockets));
	node_put(file, "pid_files", list_of(&c->pid_files));
	node_put(file, "destroy", list_of(&c->destroy));
	node_add_json(&text, file);
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
