/* Reads QMP. */
#include "hyper/qmp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "hyper/qmp_threads.h"

#define MAX_QMP_DEPTH 2			   /* of the values that matter */
#define REGISTERS_ANSWER "{\"return\": \"" /* only those return a text */
#define INTERRUPTS_ON 0x200ULL		   /* IF of EFLAGS */
#define RESET_VECTOR 0xfff0ULL

/* The values of a message that matter. */
struct message {
	bool greeting, error;
	char event[SIGN_SIZE];
	char reason[SIGN_SIZE]; /* data.reason of an event */
	char status[SIGN_SIZE]; /* return.status of a reply */
};

static void keep(char into[SIGN_SIZE], const char *text)
{
	size_t n = strlen(text);

	if (n < SIGN_SIZE)
		memcpy(into, text, n + 1);
}

/* Stores a string value by its key and the key of the object around it. */
static void take_string(struct message *m, const char *outer, const char *key, const char *value)
{
	if (outer == NULL && strcmp(key, "event") == 0)
		keep(m->event, value);
	else if (outer != NULL && strcmp(outer, "data") == 0 && strcmp(key, "reason") == 0)
		keep(m->reason, value);
	else if (outer != NULL && strcmp(outer, "return") == 0 && strcmp(key, "status") == 0)
		keep(m->status, value);
}

static void read_message(const char *line, struct message *m)
{
	struct json j;
	struct json_token token;
	char *key[MAX_QMP_DEPTH + 1] = { NULL }; /* of the object at each depth */

	memset(m, 0, sizeof(*m));
	json_start(&j, line, strlen(line));
	while (json_next(&j, &token) != JSON_END && token.type != JSON_ERROR) {
		int depth = j.depth;

		if (depth > MAX_QMP_DEPTH || depth < 1)
			continue;
		if (token.type == JSON_KEY) {
			free(key[depth]);
			key[depth] = json_text(&j, &token, NULL);
			if (depth == 1 && strcmp(key[1], "QMP") == 0)
				m->greeting = true;
			if (depth == 1 && strcmp(key[1], "error") == 0)
				m->error = true;
		} else if (token.type == JSON_STRING && j.in_object[depth - 1]) {
			MEM_AUTO char *value = json_text(&j, &token, NULL);
			const char *inner = key[depth];

			if (inner != NULL)
				take_string(
				    m, depth == MAX_QMP_DEPTH ? key[1] : NULL, inner, value);
		}
	}
	free(key[1]);
	free(key[2]);
}

static bool is_fatal(const char *status)
{
	return strcmp(status, "internal-error") == 0 || strcmp(status, "io-error") == 0 ||
	    strcmp(status, "guest-panicked") == 0;
}

static const char *ask(struct halt_poll *halt, int64_t processor)
{
	halt->at = processor;
	halt->asked = true;
	(void)snprintf(halt->request, sizeof(halt->request), QMP_REGISTERS, processor);
	return halt->request;
}

const char *qmp_halt_request(struct signs *signs)
{
	struct halt_poll *halt = &signs->halt;

	/* qemu 7.2 can hang in its exit when it reads a request after its SHUTDOWN. */
	if (halt->asked || !signs->greeted || halt->processors == 0 || *signs->reason != '\0')
		return NULL;
	halt->any = false;
	return ask(halt, 0);
}

/* Returns the number in base 16 that follows the word. */
static bool read_register(const char *text, const char *word, unsigned long long *value)
{
	const char *at = strstr(text, word);

	if (at != NULL)
		*value = strtoull(at + strlen(word), NULL, 16);
	return at != NULL;
}

/* Ends a poll in which all processors that were asked have halted, or never started. */
static const char *end_poll(struct halt_poll *halt)
{
	halt->has_halted = halt->any && halt->halted;
	halt->halted = halt->any;
	return halt->has_halted ? QMP_QUIT : NULL;
}

/* Takes an error for the answer, which ends the poll if only qemu knows the last processor. */
static const char *take_error(struct halt_poll *halt)
{
	bool ends = halt->asked && halt->processors == PROCESSORS_UNKNOWN && halt->at > 0;

	halt->asked = false;
	return ends ? end_poll(halt) : NULL;
}

/*
 * Goes on after the answer of one processor, whose registers x86_cpu_dump_state() of QEMU prints.
 * It has halted for good if it waits in hlt with interrupts off.  One at the reset vector was never
 * started, and does not count: HLT is 1 for it under TCG, 0 under KVM.
 */
static const char *take_registers(struct halt_poll *halt, const char *text)
{
	unsigned long long flags, ip, hlt;
	bool known = read_register(text, " EFL=", &flags) || read_register(text, " RFL=", &flags);
	bool unstarted = (read_register(text, "EIP=", &ip) || read_register(text, "RIP=", &ip)) &&
	    ip == RESET_VECTOR;

	halt->asked = false;
	if (!known || !read_register(text, " HLT=", &hlt) ||
	    (!unstarted && (hlt != 1 || (flags & INTERRUPTS_ON) != 0))) {
		halt->halted = false;
		return NULL;
	}
	halt->any = halt->any || !unstarted;
	if (halt->at + 1 < halt->processors)
		return ask(halt, halt->at + 1);
	return end_poll(halt);
}

/* Returns the request that starts the guest, unless its processors are to be pinned before. */
static const char *start_guest(struct signs *signs)
{
	signs->threads.starts_guest = true;
	return signs->threads.asked ? NULL : QMP_CONTINUE;
}

/* Goes on when the threads are known, or qemu cannot tell them. */
static const char *end_threads(struct signs *signs)
{
	if (signs->threads.asked || !signs->threads.starts_guest)
		return NULL;
	return QMP_CONTINUE;
}

const char *qmp_hear(struct signs *signs, const char *line)
{
	struct message m;

	if (qmp_read_threads(&signs->threads, line))
		return end_threads(signs);
	/* A long answer comes in pieces; the first one has what matters. */
	if (signs->halt.asked && str_after(line, REGISTERS_ANSWER) != NULL)
		return *signs->reason == '\0' ? take_registers(&signs->halt, line) : NULL;
	read_message(line, &m);
	if (m.error && signs->threads.asked) {
		signs->threads.asked = false;
		signs->threads.tell(signs->threads.context, -1, 0);
		return end_threads(signs);
	}
	if (m.error)
		return take_error(&signs->halt);
	if (strcmp(m.event, "RESUME") == 0)
		signs->resumed = true;
	if (strcmp(m.event, "GUEST_PANICKED") == 0)
		signs->panicked = true;
	if (m.greeting)
		signs->greeted = true;
	/* The first SHUTDOWN event has the reason; a second one follows from a quit. */
	if (strcmp(m.event, "SHUTDOWN") == 0 && *signs->reason == '\0')
		keep(signs->reason, m.reason);
	if (signs->waits_for_vnc && strcmp(m.event, "VNC_CONNECTED") == 0) {
		signs->waits_for_vnc = false;
		return start_guest(signs);
	}
	/* A guest that stops by itself has failed or shuts down: ask for its status. */
	if (strcmp(m.event, "STOP") == 0 && *signs->reason == '\0')
		return QMP_STATUS;
	if (is_fatal(m.status) && *signs->fatal == '\0') {
		keep(signs->fatal, m.status);
		return QMP_QUIT;
	}
	return NULL;
}
