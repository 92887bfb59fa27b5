/* Reads the answer to query-cpus-fast: qapi/machine.json of QEMU, CpuInfoFast. */
#include "hyper/qmp_threads.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define THREADS_ANSWER "{\"return\": [" /* other answers with a list are not asked for */
#define PROCESSOR_DEPTH 2		/* "props", one deeper, has a thread-id of its own */

/* Takes a word, which is complete: a name selects the number that follows it. */
static void take_word(struct thread_query *q)
{
	q->word[q->length] = '\0';
	q->length = 0;
	if (q->number != NULL && isdigit((unsigned char)*q->word))
		*q->number = strtoll(q->word, NULL, 10);
	q->number = NULL;
	if (q->depth == PROCESSOR_DEPTH && strcmp(q->word, "cpu-index") == 0)
		q->number = &q->processor;
	else if (q->depth == PROCESSOR_DEPTH && strcmp(q->word, "thread-id") == 0)
		q->number = &q->thread;
}

/* Takes a character.  No name or path in the answer contains a brace or an escape. */
static void take(struct thread_query *q, char c)
{
	if (isalnum((unsigned char)c) || c == '-') {
		if (q->length + 1 < sizeof(q->word))
			q->word[q->length++] = c;
		return;
	}
	if (q->length > 0)
		take_word(q);
	if (c == '{')
		q->depth++;
	if (c != '}')
		return;
	if (q->depth-- == PROCESSOR_DEPTH) {
		if (q->processor >= 0 && q->thread > 0)
			q->tell(q->context, q->processor, q->thread);
		q->processor = q->thread = -1;
	}
}

bool qmp_read_threads(struct thread_query *query, const char *line)
{
	if (!query->asked || (query->depth == 0 && str_after(line, THREADS_ANSWER) == NULL))
		return false;
	if (query->depth == 0)
		query->processor = query->thread = -1;
	while (*line != '\0') {
		take(query, *line++);
		if (query->depth > 0)
			continue;
		query->asked = false;
		break;
	}
	return true;
}
