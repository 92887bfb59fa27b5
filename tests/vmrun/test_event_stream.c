/* The stream of --events: fast and slow readers, and a file that is renamed. */
#include "../base/dice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmrun/events.h"
#include "vmrun/vmrun.h"

#define SPEC "{\"name\":\"demo\",\"cpu\":1,\"mem\":\"64M\",\"bootrom\":\"/fw/rom.fd\"}"

struct fixture {
	char directory[64], path[128], old[128];
	struct vmrun *vm;
	struct sink sink;
	struct events events;
};

static int enter(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct vmrun_options options = VMRUN_OPTIONS;

	if (f == NULL)
		return -1;
	*state = f;
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/vmrun-stream.XXXXXX");
	if (mkdtemp(f->directory) == NULL)
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/events", f->directory);
	(void)snprintf(f->old, sizeof(f->old), "%s/events.0", f->directory);
	options.text = SPEC;
	options.length = strlen(SPEC);
	options.dry_run = true;
	return vmrun_open(&f->vm, &options);
}

static int leave(void **state)
{
	struct fixture *f = *state;

	vmrun_close(f->vm);
	(void)unlink(f->path);
	(void)unlink(f->old);
	(void)rmdir(f->directory);
	free(f);
	return 0;
}

static void open_stream(struct fixture *f, const char *where)
{
	const char *why;

	assert_null(events_prepare(&f->events, where, &f->sink));
	assert_int_equal(events_open(&f->events, f->vm, &why), 0);
}

static void add(struct fixture *f, uint64_t seq, const char *text)
{
	struct vmrun_event e = {
		.type = VMRUN_NOTE, .name = "note", .seq = seq, .vm = "demo", .text = text
	};

	events_add(&f->events, &e);
}

static void add_lost(struct fixture *f, uint64_t seq, unsigned count)
{
	struct vmrun_event e = {
		.type = VMRUN_LOST, .name = "lost", .seq = seq, .vm = "demo", .lost = count
	};

	events_add(&f->events, &e);
}

/* Returns the number of lines of a file, and checks that all are complete. */
static size_t lines_of(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];
	size_t n = 0;

	if (file == NULL)
		return 0;
	for (; fgets(line, sizeof(line), file) != NULL; n++) {
		assert_int_equal(strncmp(line, "{\"v\":1,\"seq\":", 13), 0);
		assert_int_equal(strcmp(line + strlen(line) - 2, "}\n"), 0);
	}
	(void)fclose(file);
	return n;
}

static void test_begins_when_told(void **state)
{
	struct fixture *f = *state;

	open_stream(f, f->path);
	add(f, 1, "early");
	assert_int_equal(lines_of(f->path), 0);
	events_begin(&f->events);
	assert_int_equal(lines_of(f->path), 1);
	add(f, 2, "late");
	assert_int_equal(lines_of(f->path), 2);
	assert_int_equal(events_fd(&f->events), -1);
	events_close(&f->events);
	add(f, 3, "after the end");
	assert_int_equal(lines_of(f->path), 2);
}

static void test_reopen(void **state)
{
	struct fixture *f = *state;

	open_stream(f, f->path);
	events_begin(&f->events);
	add(f, 1, "a");
	assert_int_equal(rename(f->path, f->old), 0);
	add(f, 2, "b");
	events_reopen(&f->events);
	add(f, 3, "c");
	assert_int_equal(lines_of(f->old), 2);
	assert_int_equal(lines_of(f->path), 1);
	/* A file that cannot be reopened stays open. */
	assert_int_equal(unlink(f->old), 0);
	assert_int_equal(rename(f->path, f->old), 0);
	assert_int_equal(symlink("no/such/directory", f->path), 0);
	events_reopen(&f->events);
	add(f, 4, "d");
	assert_int_equal(lines_of(f->old), 2);
	events_close(&f->events);
}

/* A descriptor has no name and is not reopened. */
static void test_reopen_of_a_descriptor(void **state)
{
	struct fixture *f = *state;
	char where[32], line[256];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	(void)snprintf(where, sizeof(where), "fd:%d", ends[1]);
	open_stream(f, where);
	events_reopen(&f->events);
	events_begin(&f->events);
	add(f, 1, "a");
	assert_true(read(ends[0], line, sizeof(line)) > 0);
	assert_int_not_equal(fcntl(ends[1], F_GETFD) & FD_CLOEXEC, 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	events_close(&f->events);
}

struct reader {
	char *text;
	size_t length, room;
};

static void take(struct reader *r, int fd, size_t most)
{
	ssize_t n;

	if (r->room - r->length < most) {
		r->room = (r->length + most) * 2;
		r->text = realloc(r->text, r->room);
		assert_non_null(r->text);
	}
	n = read(fd, r->text + r->length, most);
	if (n > 0)
		r->length += (size_t)n;
}

/* Checks for complete lines with rising numbers, and that the reported losses are the missing. */
static uint64_t judge(const struct dice *d, struct reader *r, uint64_t added)
{
	uint64_t last = 0, lost = 0, got = 0;

	r->text[r->length] = '\0';
	for (char *line = strtok(r->text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		unsigned long long seq = 0, count = 0;
		const char *told = strstr(line, "\"event\":\"lost\",\"count\":");

		dice_check(d, sscanf(line, "{\"v\":1,\"seq\":%llu,", &seq) == 1, "a line");
		dice_check(d, line[strlen(line) - 1] == '}', "a whole line");
		if (told != NULL)
			(void)sscanf(told, "\"event\":\"lost\",\"count\":%llu", &count);
		dice_check(d, seq == last + (told != NULL ? count : 1), "no gap that is not told");
		last = seq;
		lost += count;
		got += told != NULL ? 0 : 1;
	}
	dice_check(d, got + lost == added, "each is there or told");
	return lost;
}

static void test_paces(void **state)
{
	struct fixture *f = *state;
	char text[3000];
	uint64_t lost = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct reader reader = { .room = 0 };
		struct dice d;
		char where[32];
		int ends[2];
		uint64_t added = 0;

		dice_start(&d, seed);
		assert_int_equal(pipe(ends), 0);
		assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
		(void)snprintf(where, sizeof(where), "fd:%d", ends[1]);
		open_stream(f, where);
		events_begin(&f->events);
		for (int round = 0; round < 40; round++) {
			unsigned n = dice_roll(&d, 200);

			/* Some of them were lost before. */
			if (dice_roll(&d, 4) == 0) {
				added += n + 1;
				add_lost(f, added, n + 1);
			}
			while (n-- > 0)
				add(f, ++added, text + dice_roll(&d, sizeof(text)));
			for (n = dice_roll(&d, 30); n > 0; n--) {
				take(&reader, ends[0], 1 + dice_roll(&d, 20000));
				events_flush(&f->events);
			}
		}
		while (events_fd(&f->events) >= 0) {
			take(&reader, ends[0], 65536);
			events_flush(&f->events);
		}
		take(&reader, ends[0], 1 << 20);
		take(&reader, ends[0], 1);
		lost += judge(&d, &reader, added);
		events_close(&f->events);
		memset(&f->events, 0, sizeof(f->events));
		(void)close(ends[0]);
		(void)close(ends[1]);
		free(reader.text);
	}
	assert_true(lost > 0);
}

/* Adds a line of exactly this many bytes, including its end. */
static void add_bytes(struct fixture *f, uint64_t seq, size_t size)
{
	struct vmrun_event empty = {
		.type = VMRUN_NOTE, .name = "note", .seq = seq, .vm = "demo", .text = ""
	};
	char *json = vmrun_event_json(&empty);
	size_t n = size - strlen(json) - 1;
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'x', n);
	text[n] = '\0';
	add(f, seq, text);
	free(text);
	free(json);
}

/* Reads a pipe to its end, and ends with status 0 if it had this many bytes. */
static void read_slowly(int fd, size_t wanted)
{
	char bytes[512];
	size_t got = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		got += (size_t)n;
	_exit(n == 0 && got == wanted ? 0 : 1);
}

/* The queue of a full pipe is written at the end, for as long as there is a reader. */
static void test_the_end_waits_for_the_reader(void **state)
{
	struct fixture *f = *state;
	char where[32];
	int ends[2], status;
	pid_t reader;

	assert_int_equal(pipe(ends), 0);
	(void)snprintf(where, sizeof(where), "fd:%d", ends[1]);
	open_stream(f, where);
	events_begin(&f->events);
	for (uint64_t seq = 1; seq <= 6; seq++)
		add_bytes(f, seq, (size_t)1 << 17);
	assert_true(f->events.bytes > f->events.done);
	reader = fork();
	assert_true(reader >= 0);
	if (reader == 0) {
		(void)close(ends[1]);
		read_slowly(ends[0], 6 * ((size_t)1 << 17));
	}
	(void)close(ends[0]);
	events_close(&f->events);
	(void)close(ends[1]);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
}

static void test_queue_is_one_mebibyte(void **state)
{
	struct fixture *f = *state;

	open_stream(f, f->path);
	add_bytes(f, 1, (size_t)1 << 19);
	add_bytes(f, 2, (size_t)1 << 19);
	assert_int_equal(f->events.bytes, 1 << 20);
	assert_int_equal(f->events.lost.lost, 0);
	events_close(&f->events);
	memset(&f->events, 0, sizeof(f->events));
	open_stream(f, f->path);
	add_bytes(f, 1, (size_t)1 << 19);
	add_bytes(f, 2, ((size_t)1 << 19) + 1);
	assert_int_equal(f->events.bytes, 1 << 19);
	assert_int_equal(f->events.lost.lost, 1);
	events_close(&f->events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_begins_when_told, enter, leave),
		cmocka_unit_test_setup_teardown(test_reopen, enter, leave),
		cmocka_unit_test_setup_teardown(test_reopen_of_a_descriptor, enter, leave),
		cmocka_unit_test_setup_teardown(test_paces, enter, leave),
		cmocka_unit_test_setup_teardown(test_queue_is_one_mebibyte, enter, leave),
		cmocka_unit_test_setup_teardown(test_the_end_waits_for_the_reader, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
