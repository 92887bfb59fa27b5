/* Requests that are answered later: when something was printed, has changed, or is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "run/control_state.h"

static void free_wait(struct wait *w)
{
	w->client->waits--;
	free(w->id);
	free(w->state);
	free(w->text);
	free(w->fall);
	free(w);
}

/* Where a search goes on in the text after a byte that does not match (Knuth, Morris, Pratt). */
static size_t *make_falls(const char *text, size_t n)
{
	size_t *fall = mem_zero((n + 1) * sizeof(*fall));

	for (size_t i = 1, k = 0; i < n; i++) {
		while (k > 0 && text[i] != text[k])
			k = fall[k];
		if (text[i] == text[k])
			k++;
		fall[i + 1] = k;
	}
	return fall;
}

static void look_for(struct wait *w, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && !w->seen; i++) {
		while (w->matched > 0 && bytes[i] != w->text[w->matched])
			w->matched = w->fall[w->matched];
		if (bytes[i] == w->text[w->matched])
			w->matched++;
		w->seen = w->matched == w->length;
	}
}

static void look_back(const struct control *c, struct wait *w)
{
	const struct console *console = &c->machine->console;
	size_t n = console->ring_length;
	MEM_AUTO char *bytes = mem_zero(n + 1);

	n = console_copy(console, console->total - n, bytes, n);
	look_for(w, bytes, n);
}

void waiting_add(struct control *c, struct client *client, struct order *o)
{
	struct wait *w;

	if (client->waits == CONTROL_WAITS) {
		client_refuse(client, o->id, "too many requests of this connection wait already");
		return;
	}
	w = mem_zero(sizeof(*w));
	w->client = client;
	w->type = o->type;
	w->id = o->id;
	w->state = o->state;
	w->text = o->text;
	w->length = o->text_length;
	w->timeout_ms = o->timeout_ms;
	w->until_ms = o->timeout_ms < 0 ? -1 : clock_ms() + o->timeout_ms;
	o->id = o->state = o->text = NULL;
	if (w->text != NULL)
		w->fall = make_falls(w->text, w->length);
	if (w->text != NULL && o->backlog)
		look_back(c, w);
	client->waits++;
	w->next = c->waits;
	c->waits = w;
	c->news = true;
}

void waiting_printed(struct control *c, const char *bytes, size_t n)
{
	for (struct wait *w = c->waits; w != NULL; w = w->next) {
		if (w->text != NULL)
			look_for(w, bytes, n);
	}
}

static void refuse_late(const struct wait *w, const char *state)
{
	char text[256];
	double seconds = (double)w->timeout_ms / 1000;

	if (w->text != NULL)
		(void)snprintf(text, sizeof(text), "\"%.100s%s\" was not printed within %g s",
		    w->text, w->length > 100 ? "..." : "", seconds);
	else
		(void)snprintf(text, sizeof(text), "not %s within %g s: it is %s",
		    w->state != NULL ? w->state : "gone", seconds, state);
	client_refuse(w->client, w->id, text);
}

/* True when it has its answer. */
static bool look(struct wait *w, const char *state, int64_t now)
{
	if (w->seen || (w->state != NULL && strcmp(w->state, state) == 0))
		client_accept(w->client, w->id, NULL);
	else if (w->until_ms >= 0 && w->until_ms <= now)
		refuse_late(w, state);
	else
		return false;
	return true;
}

void waiting_look(struct control *c)
{
	struct vmrun_state state;
	int64_t now;

	if (c->waits == NULL)
		return;
	machine_tell(c->machine, &state);
	now = clock_ms();
	for (struct wait **at = &c->waits; *at != NULL;) {
		struct wait *w = *at;

		if (!look(w, state.state, now)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free_wait(w);
		c->news = true;
	}
}

void waiting_end(struct control *c)
{
	while (c->waits != NULL) {
		struct wait *w = c->waits;
		bool met = w->seen || (w->state == NULL && w->text == NULL);

		c->waits = w->next;
		if (met)
			client_accept(w->client, w->id, NULL);
		else
			client_refuse(w->client, w->id, "the VM is gone");
		free_wait(w);
	}
}

void waiting_forget(struct control *c, const struct client *client)
{
	for (struct wait **at = &c->waits; *at != NULL && client->waits > 0;) {
		struct wait *w = *at;

		if (w->client != client) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free_wait(w);
	}
}

int64_t waiting_until_ms(const struct control *c)
{
	int64_t first = -1;

	for (const struct wait *w = c->waits; w != NULL; w = w->next) {
		if (w->until_ms >= 0 && (first < 0 || w->until_ms < first))
			first = w->until_ms;
	}
	return first;
}
