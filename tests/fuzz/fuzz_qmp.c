/*
 * The output of a hypervisor: QMP, its log and its messages, and what its exit means.  The first
 * bytes choose what vmrun has asked; each line follows behind the letter of its channel.
 *
 * Rooms: src/hyper/bhyve.c src/hyper/hyper.c src/hyper/qemu.c src/hyper/qmp.c
 * src/hyper/qmp_threads.c src/process/lines.c
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "hyper/hyper.h"
#include "platform/spawn.h"
#include "process/lines.h"

struct reader {
	const struct hypervisor *hyper;
	struct signs signs;
	struct lines lines[CHANNELS];
	int64_t processors; /* that were told */
};

/* Takes the thread of a processor. */
static void tell(void *context, int64_t processor, int64_t thread)
{
	struct reader *r = context;

	(void)thread;
	fuzz_check(processor >= -1, "a processor below 0");
	r->processors++;
}

static void check_reply(const char *reply)
{
	if (reply != NULL)
		fuzz_check(*reply == '{' && strchr(reply, '\n') == reply + strlen(reply) - 1,
		    "a reply is not one line of QMP");
}

static void take_line(struct reader *r, enum channel channel, const char *line)
{
	size_t port = SIZE_MAX;

	fuzz_check(strlen(line) <= MAX_OUTPUT_LINE, "a line is too long");
	if (channel != CHANNEL_STDERR)
		check_reply(r->hyper->hear(&r->signs, channel, line));
	if (r->hyper->terminal_made != NULL)
		free(r->hyper->terminal_made(line, &port));
	if (r->hyper->is_start_fault != NULL)
		(void)r->hyper->is_start_fault(line);
}

static void take(struct reader *r, enum channel channel, const char *bytes, size_t n)
{
	struct lines *lines = &r->lines[channel];
	const char *line;

	while (n > 0) {
		size_t taken = lines_add(lines, bytes, n);

		fuzz_check(taken > 0 && taken <= n, "no bytes are taken");
		bytes += taken;
		n -= taken;
		while ((line = lines_next(lines)) != NULL)
			take_line(r, channel, line);
	}
}

/* Ends the output: the last lines have no end. */
static void finish(struct reader *r, unsigned choice, const char *messages)
{
	struct process_end end = { .status = (int)choice, .signal = 0 };
	struct outcome outcome = { .cause = 0 };

	for (int i = 0; i < CHANNELS; i++) {
		const char *rest = lines_rest(&r->lines[i]);

		if (rest != NULL)
			take_line(r, (enum channel)i, rest);
		lines_clear(&r->lines[i]);
	}
	if (choice >= 128)
		end = (struct process_end){ .status = -1, .signal = (int)choice - 127 };
	r->hyper->explain(&r->signs, &end, &outcome);
	hyper_judge_messages(r->hyper, &outcome, 10, messages);
	fuzz_check(cause_name(outcome.cause) != NULL, "an unknown cause");
	(void)hyper_has_lost_port(r->hyper, messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t processors[] = { 0, 1, 3, PROCESSORS_UNKNOWN };
	struct fuzz_input in = { data, size };
	unsigned choice = fuzz_byte(&in), end = fuzz_byte(&in);
	MEM_AUTO char *all = fuzz_text(&in, in.left);
	struct reader *r = mem_zero(sizeof(*r));

	fuzz_begin(FENCE_ABORT);
	r->hyper = (choice & 1) != 0 ? &hyper_bhyve : &hyper_qemu;
	r->signs.halt.processors = processors[(choice >> 1) & 3];
	r->signs.waits_for_vnc = (choice & 8) != 0;
	r->signs.threads = (struct thread_query){ .asked = (choice & 16) != 0,
		.starts_guest = (choice & 32) != 0,
		.tell = tell,
		.context = r };
	for (const char *at = all; *at != '\0';) {
		size_t n = strcspn(at, "\n");
		size_t whole = n + (at[n] == '\n' ? 1 : 0);

		if (*at == '?' && r->hyper->halt_request != NULL)
			check_reply(r->hyper->halt_request(&r->signs));
		else if (*at == 'E' || *at == 'L')
			take(r, *at == 'E' ? CHANNEL_STDERR : CHANNEL_LOG, at + 1, whole - 1);
		else
			take(r, CHANNEL_CONTROL, at, whole);
		at += whole;
	}
	finish(r, end, all);
	fuzz_end();
	free(r);
	return 0;
}
