/*
 * Texts and patterns that are looked for on the console: what is found, and where, must not depend
 * on how the output is cut into pieces.  A byte chooses the pieces; lines follow, up to an empty
 * one, each a text, or "/" and a pattern; then the output.
 *
 * Rooms: src/base/automaton.c src/base/automaton_new.c src/base/pattern.c src/base/search.c
 * src/guest/health.c src/guest/watch.c src/process/console.c src/process/console_log.c
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/node.h"
#include "fuzz.h"
#include "guest/health.h"
#include "guest/watch.h"

#define MAX_LOOKS 100000
#define MAX_PIECE 64
#define LOG_SIZE 4096

/* A console whose guest writes into a pipe. */
struct guest {
	struct console console;
	int pipe[2];
	struct health health;
	int64_t now_ms;
};

/* Where the search has ended. */
struct end {
	enum watch_state state;
	size_t index, at;
};

static void hear(void *context, const char *bytes, size_t n)
{
	struct guest *g = context;

	if (health_hears(&g->health))
		health_hear(&g->health, bytes, n, g->now_ms);
}

static void begin(struct guest *g, struct console_settings *settings)
{
	memset(g, 0, sizeof(*g));
	console_init(&g->console);
	g->console.ring = mem_zero(MAX_CONSOLE_RING);
	g->console.notice = hear;
	g->console.notice_context = g;
	fuzz_check(pipe(g->pipe) == 0, "pipe");
	fuzz_check(fcntl(g->pipe[0], F_SETFL, O_NONBLOCK) == 0, "fcntl");
	g->console.fd = g->pipe[0];
	fuzz_check(console_log_open(&g->console.log, settings, true, NULL) == 0, "no log");
}

static void finish(struct guest *g)
{
	health_end(&g->health);
	(void)close(g->pipe[1]);
	console_close(&g->console);
}

/* Asks what follows from the output so far. */
static void look_after(struct guest *g)
{
	enum health_news news;

	g->now_ms += 700;
	if (health_due(&g->health, g->now_ms) != NULL)
		health_answer(&g->health, "refused", g->now_ms);
	while ((news = health_take(&g->health)) != HEALTH_NOTHING)
		free(health_reason(&g->health, news));
	fuzz_check(health_until_ms(&g->health) >= -1, "a time before the start");
}

/* Lets the guest print, and looks after each piece.  Returns where the search has ended. */
static struct end print(struct guest *g, struct watch *w, const char *bytes, size_t n, size_t piece)
{
	struct watch_found found = { 0 };
	struct end end = { WATCH_WAITS, 0, 0 };
	int looks = 0;

	for (size_t done = 0; done < n && end.state != WATCH_FOUND;) {
		size_t part = n - done < piece ? n - done : piece;

		fuzz_check(write(g->pipe[1], bytes + done, part) == (ssize_t)part, "pipe");
		while (console_read(&g->console))
			;
		done += part;
		do
			end.state = watch_look(w, &g->console, &found);
		while (end.state == WATCH_BEHIND && ++looks < MAX_LOOKS);
		fuzz_check(end.state != WATCH_BEHIND, "a search without an end");
		look_after(g);
	}
	end.index = found.index;
	end.at = (size_t)watch_at(w);
	fuzz_check(end.at <= g->console.total, "a position beyond the output");
	watch_found_free(&found);
	return end;
}

/* Searches the output that comes in such pieces. */
static struct end search(
    const struct node *patterns, const char *text, const char *bytes, size_t n, size_t piece)
{
	MEM_AUTO char *path = mem_format("%s/log", fuzz_directory());
	struct console_settings settings = {
		.log = path, .timestamps = piece % 2 == 0, .max_size = LOG_SIZE, .keep = 2
	};
	struct probe ready = { .kind = PROBE_CONSOLE, .text = text, .every_ms = 1000 };
	struct probe alive = {
		.kind = PROBE_CONSOLE, .text = NULL, .every_ms = 1000, .failures = 2
	};
	struct watch *w;
	struct guest g;
	struct end end;

	fuzz_check(watch_new(&w, patterns, 0, NULL) == 0, "refused on the second time");
	begin(&g, &settings);
	health_begin(&g.health, &ready, &alive, 3600000, 0);
	end = print(&g, w, bytes, n, piece);
	watch_free(w);
	finish(&g);
	return end;
}

/* Takes the lines of the patterns. */
static struct node *read_patterns(struct fuzz_input *in)
{
	struct node *list = node_new(NODE_LIST);

	while (in->left > 0) {
		const uint8_t *newline = memchr(in->at, '\n', in->left);
		size_t n = newline == NULL ? in->left : (size_t)(newline - in->at);
		bool is_pattern = n > 0 && *in->at == '/';
		struct node *one = node_new(NODE_OBJECT);

		if (n > 0) {
			node_put(one, is_pattern ? "regex" : "text",
			    node_string_n((const char *)in->at + (is_pattern ? 1 : 0),
				n - (is_pattern ? 1 : 0)));
			node_append(list, one);
		} else {
			node_free(one);
		}
		in->at += n + (newline == NULL ? 0 : 1);
		in->left -= n + (newline == NULL ? 0 : 1);
		if (n == 0)
			break;
	}
	return list;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned piece = 1 + fuzz_byte(&in) % MAX_PIECE;
	NODE_AUTO struct node *patterns = read_patterns(&in);
	const struct node *first = patterns->first == NULL ? NULL : patterns->first->first;
	size_t n = in.left;
	MEM_AUTO char *bytes = fuzz_text(&in, n);
	struct watch *w;

	fuzz_begin(FENCE_ABORT);
	fuzz_clear_directory();
	if (watch_new(&w, patterns, 0, NULL) == 0) {
		const char *text = first->text;
		struct end a = search(patterns, text, bytes, n, piece);
		struct end b = search(patterns, text, bytes, n, 3 * MAX_PIECE);

		watch_free(w);
		fuzz_check(
		    a.state == b.state && a.index == b.index, "the pieces change what is found");
		fuzz_check(
		    a.state != WATCH_FOUND || a.at == b.at, "the pieces change where it is found");
	}
	fuzz_end();
	return 0;
}
