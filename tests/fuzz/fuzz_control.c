/*
 * The control socket of a VM with a few clients.  Each line is a step, by its first letter: 0 to 3:
 * that client sends the rest as a line; a to d: without the newline; r, h and x and a digit: it
 * reads all, sends no more, or leaves; > the guest prints the rest; ! vmrun warns; ~ so many
 * milliseconds pass.
 *
 * Rooms: src/base/json.c src/base/json_write.c src/control src/event src/machine/requests.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json_node.h"
#include "base/mem.h"
#include "base/str.h"
#include "control/control_inside.h"
#include "fuzz.h"
#include "lib/handle.h"
#include "machine/machine_inside.h"

#define PEERS 4
#define MAX_TURNS 10000
#define MAX_PASS_MS 100000
#define SPEC                                                                                     \
	"vm = { name = 'vm', cpu = 1, mem = '64M', bootrom = 'rom', backoff = false, console = " \
	"{}, com1 = 'console',\n"                                                                \
	"bhyve = { release = 14, arch = 'amd64' }, targets = { other = {} } }\nreturn vm"

struct peer {
	int fd; /* -1: it has left */
	bool is_raw;
	struct str heard; /* the beginning of a line */
};

struct vm {
	struct vmrun *handle;
	struct control *control;
	char *path;
	int guest; /* the guest's end of the console */
	struct peer peer[PEERS];
};

static int do_nothing(void *context, struct error *err)
{
	(void)context;
	return error_set(err, STATUS_SPEC, "\"x\": invalid\n\tvalue");
}

static int forget(void *context, const char *hook, struct error *err)
{
	(void)context;
	return *hook == 'x' ? error_set(err, STATUS_CHECK, "no stock hook \"%s\"", hook) : 0;
}

/* Opens the VM: a simulation, in which no process is started, that is said to run. */
static void open_vm(struct vm *v)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct machine_options machine = { .target = "default" };
	struct vmrun *h;

	options.text = SPEC;
	options.length = strlen(SPEC);
	options.format = "lua";
	options.hypervisor = "bhyve";
	options.directory = options.run_dir = options.state_dir = fuzz_directory();
	/* Clients send scripts, which run as hooks of the spec. */
	options.dry_run = options.sandbox = true;
	fuzz_check(vmrun_open(&v->handle, &options) == VMRUN_STATUS_OK, "the spec is refused");
	h = v->handle;
	fuzz_check(vmrun_prepare(h) == VMRUN_STATUS_OK, "the spec is not prepared");
	machine.simulation = &h->simulation;
	fuzz_check(loop_open(h) == VMRUN_STATUS_OK, "no wait set");
	h->machine = machine_new(&h->source, &machine, &h->first, &h->events, h->wait, &h->report);
	fuzz_check(h->machine != NULL, "no machine");
	h->machine->present.state = STATE_RUNNING;
}

/* Gives the VM a console whose other end is the guest. */
static void open_console(struct vm *v)
{
	struct console *console = machine_console(v->handle->machine);
	int ends[2];

	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
	    "no socket pair");
	console->fd = ends[0];
	console->ring = mem_zero(MAX_CONSOLE_RING);
	v->guest = ends[1];
}

static void open_control(struct vm *v)
{
	struct control_owner owner = {
		.reload = do_nothing, .forget = forget, .vm = "vm", .events = &v->handle->events
	};

	v->path = mem_format("%s/control", fuzz_directory());
	fuzz_check(control_open(&v->control, v->handle->machine, v->handle->wait, v->path, &owner,
		       NULL) == 0,
	    "no control socket");
}

/* Serves everything that is ready. */
static void turn(struct vm *v)
{
	struct wake wake;
	int turns = 0;

	do {
		control_settle(v->control);
		while (turns++ < MAX_TURNS && waitset_next(v->handle->wait, 0, &wake, NULL) > 0) {
			fuzz_check(wake.tag >= CONTROL_TAG, "another descriptor is ready");
			control_wake(v->control, wake.tag);
			control_settle(v->control);
		}
		fuzz_check(turns < MAX_TURNS, "the control socket never rests");
	} while (control_until_ms(v->control) == 0);
}

/* Connects unless the client is connected. */
static void dial(struct vm *v, struct peer *p)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (p->fd >= 0)
		return;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", v->path);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	fuzz_check(p->fd >= 0, "no socket");
	if (connect(p->fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		(void)close(p->fd);
		p->fd = -1;
	}
	p->is_raw = false;
}

/* Checks a line that vmrun has sent: an answer or an event. */
static void check_line(struct peer *p, const char *line)
{
	NODE_AUTO struct node *node = json_node(line);

	fuzz_check(node != NULL && node->kind == NODE_OBJECT, "a line that is not an object");
	if (node_get(node, "ok") == NULL)
		fuzz_check(node_get_text(node, "event") != NULL || node_get_text(node, "level"),
		    "neither an answer nor an event");
	p->is_raw = p->is_raw || node_get(node, "backlog") != NULL;
}

/* Reads what vmrun has sent. */
static void hear(struct peer *p)
{
	char bytes[4096];
	ssize_t n;

	while (p->fd >= 0 && (n = recv(p->fd, bytes, sizeof(bytes), 0)) > 0) {
		for (ssize_t i = 0; i < n && !p->is_raw; i++) {
			if (bytes[i] != '\n') {
				str_add_n(&p->heard, &bytes[i], 1);
				continue;
			}
			fuzz_check(p->heard.length > 0, "an empty line");
			check_line(p, p->heard.text);
			str_free(&p->heard);
		}
	}
}

static void leave(struct peer *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
	str_free(&p->heard);
}

static void say(struct vm *v, struct peer *p, const char *text, bool whole)
{
	dial(v, p);
	if (p->fd < 0)
		return;
	(void)send(p->fd, text, strlen(text), MSG_NOSIGNAL);
	if (whole)
		(void)send(p->fd, "\n", 1, MSG_NOSIGNAL);
}

static void print(struct vm *v, const char *text)
{
	struct console *console = machine_console(v->handle->machine);

	(void)send(v->guest, text, strlen(text), MSG_NOSIGNAL);
	(void)send(v->guest, "\r\n", 2, MSG_NOSIGNAL);
	while (console_read(console))
		;
}

static void type(struct vm *v)
{
	char bytes[4096];

	while (recv(v->guest, bytes, sizeof(bytes), 0) > 0)
		control_console_ready(v->control);
}

/* Takes a step, a letter and the rest of its line. */
static void step(struct vm *v, const char *line)
{
	const char *rest = line + 1;
	struct peer *p = &v->peer[(unsigned char)*rest % PEERS];
	long ms = strtol(rest, NULL, 10);

	if (*line >= '0' && *line < '0' + PEERS)
		say(v, &v->peer[*line - '0'], rest, true);
	else if (*line >= 'a' && *line < 'a' + PEERS)
		say(v, &v->peer[*line - 'a'], rest, false);
	else if (*line == 'r')
		hear(p);
	else if (*line == 'h' && p->fd >= 0)
		(void)shutdown(p->fd, SHUT_WR);
	else if (*line == 'x')
		leave(p);
	else if (*line == '>')
		print(v, rest);
	else if (*line == '<')
		type(v);
	else if (*line == '!')
		event_text(event_add(&v->handle->events, VMRUN_WARNING), rest);
	else if (*line == '~' && ms > 0 && ms <= MAX_PASS_MS)
		fuzz_pass(ms);
	turn(v);
}

static void close_vm(struct vm *v)
{
	control_close(v->control);
	for (size_t i = 0; i < PEERS; i++)
		hear(&v->peer[i]);
	control_free(v->control);
	for (size_t i = 0; i < PEERS; i++) {
		hear(&v->peer[i]);
		leave(&v->peer[i]);
	}
	(void)close(v->guest);
	vmrun_close(v->handle);
	free(v->path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	MEM_AUTO char *text = fuzz_text(&in, size);
	struct vm v = { .peer = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } } };
	char *rest = NULL;

	fuzz_begin(FENCE_ABORT);
	open_vm(&v);
	open_console(&v);
	open_control(&v);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		step(&v, line);
	close_vm(&v);
	fuzz_end();
	return 0;
}
