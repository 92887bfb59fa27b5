/* Scripts that clients run, as hooks of the VM: each is answered at its end. */
#include <stdlib.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "base/node_json.h"
#include "control/control_inside.h"
#include "hook/calls.h"

/* A script that runs, or is about to. */
struct run {
	LIST_ENTRY(run) link;
	struct control *control;
	struct client *client;
	char *id;
	int64_t number; /* of machine_run(); -1: it has not returned */
	bool is_over;	/* it was answered */
};

static void free_run(struct run *r)
{
	LIST_REMOVE(r, link);
	r->client->waits--;
	free(r->id);
	free(r);
}

static void answer(const struct run *r, const struct node *result)
{
	struct str json = { 0 }, text = { 0 };

	if (result != NULL)
		node_add_json(&text, result);
	client_begin_answer(&json, r->id);
	json_add_json(&json, "result", text.text);
	client_end_answer(r->client, &json);
	str_free(&text);
}

/* Answers at the end of a script. */
static void done(void *context, const struct node *result, const char *error)
{
	struct run *r = context;

	if (error != NULL)
		client_refuse(r->client, r->id, error);
	else
		answer(r, result);
	clients_mark(r->control, r->client);
	r->is_over = true;
	if (r->number >= 0)
		free_run(r);
}

void runs_begin(struct control *c, struct client *client, struct request *o)
{
	struct run *r;
	struct hook_script script = { .text = o->text,
		.length = o->text_length,
		.name = o->name,
		.backlog = o->backlog,
		.done = done };
	ERROR_AUTO struct error err = { 0 };
	int64_t number;

	if (client->waits == MAX_CLIENT_WAITS) {
		client_refuse(client, o->id, "too many waiting requests on this connection");
		return;
	}
	r = mem_zero(sizeof(*r));
	r->control = c;
	r->client = client;
	r->id = o->id;
	r->number = -1;
	o->id = NULL;
	client->waits++;
	LIST_INSERT_HEAD(&c->runs, r, link);
	script.context = r;
	number = machine_run(c->machine, &script, &err);
	if (number < 0)
		client_refuse(client, r->id, err.text);
	r->number = number;
	if (number < 0 || r->is_over) /* it has ended without a wait */
		free_run(r);
}

/* Ends the scripts of a client; NULL: of all clients, which are told so. */
static void end_runs(struct control *c, const struct client *client)
{
	struct run *next;

	for (struct run *r = LIST_FIRST(&c->runs); r != NULL; r = next) {
		bool ends = client == NULL || r->client == client;

		if (ends)
			machine_end_run(c->machine, r->number);
		if (client == NULL)
			client_refuse(r->client, r->id, "the VM has exited");
		/* Only now: the end of a script lets others go on, and their end frees them. */
		next = LIST_NEXT(r, link);
		if (ends)
			free_run(r);
	}
}

void runs_end(struct control *c)
{
	end_runs(c, NULL);
}

void runs_forget(struct control *c, const struct client *client)
{
	end_runs(c, client);
}
