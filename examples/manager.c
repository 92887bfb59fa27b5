/*
 * A VM manager: runs the VMs of several specs in one process and one loop, prints their events, and
 * stops all VMs on SIGINT or SIGTERM.  docs/managers.md explains it.
 *
 *	cc -o manager manager.c $(pkg-config --cflags --libs vmrun)
 *	./manager web.json db.lua
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <vmrun/vmrun.h>

struct manager {
	struct vmrun **vm;    /* NULL: the VM has ended */
	struct pollfd *ready; /* of each VM, and last the pipe of the signal handler */
	size_t count, running;
	int status; /* the highest exit status of a VM */
};

static int signal_pipe[2];

static void note_signal(int number)
{
	int saved = errno;

	(void)number;
	(void)!write(signal_pipe[1], "", 1);
	errno = saved;
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static void print_word(const char *before, const char *word)
{
	if (word != NULL)
		(void)printf("%s%s", before, word);
}

static void print_events(struct vmrun *vm)
{
	const struct vmrun_event *e;

	while ((e = vmrun_next_event(vm)) != NULL) {
		if (e->type == VMRUN_POLICY)
			continue;
		(void)printf("%s: %s", e->vm, e->name);
		print_word(" ", e->target);
		print_word(" ", e->cause);
		print_word(" -> ", e->action);
		print_word(": ", e->text);
		(void)putchar('\n');
	}
	(void)fflush(stdout);
}

/* Boots a guest that crashed again, at most twice; the policy of its spec decides on all else. */
static void decide(struct vmrun_decision *decision, void *context)
{
	(void)context;
	if (decision->cause_code != VMRUN_CAUSE_TRIPLE_FAULT)
		return;
	decision->action = decision->boots < 3 ? VMRUN_DECIDE_BOOT : VMRUN_DECIDE_STOP;
}

static void end_vm(struct manager *m, size_t i, int status)
{
	const struct vmrun_problem *p;

	for (size_t n = 0; (p = vmrun_problem(m->vm[i], n)) != NULL; n++)
		(void)fprintf(
		    stderr, "%s: %s: %s\n", or_empty(p->place), or_empty(p->path), p->text);
	vmrun_close(m->vm[i]);
	m->vm[i] = NULL;
	m->ready[i].fd = -1;
	m->running--;
	if (status > m->status)
		m->status = status;
}

static void serve_vm(struct manager *m, size_t i)
{
	int status = vmrun_dispatch(m->vm[i]);

	print_events(m->vm[i]);
	if (status != 0 || vmrun_ended(m->vm[i]))
		end_vm(m, i, status != 0 ? status : vmrun_status(m->vm[i]));
}

static void start_vm(struct manager *m, size_t i, const struct vmrun_options *options)
{
	int status = vmrun_open(&m->vm[i], options);

	m->running++;
	if (status == 0)
		status = vmrun_start(m->vm[i]);
	m->ready[i] = (struct pollfd){ .fd = vmrun_fd(m->vm[i]), .events = POLLIN };
	if (status != 0)
		end_vm(m, i, status);
	else
		serve_vm(m, i); /* the events of the start */
}

/* Stops all VMs; the second signal escalates to the next step of their stop ladders. */
static void stop_all(struct manager *m)
{
	char byte;

	(void)!read(signal_pipe[0], &byte, 1);
	for (size_t i = 0; i < m->count; i++) {
		if (m->vm[i] != NULL)
			vmrun_stop(m->vm[i]);
	}
}

static void run(struct manager *m)
{
	while (m->running > 0) {
		if (poll(m->ready, (nfds_t)m->count + 1, -1) < 0)
			continue; /* a signal interrupted poll(); its byte is in the pipe */
		if (m->ready[m->count].revents != 0)
			stop_all(m);
		for (size_t i = 0; i < m->count; i++) {
			if (m->vm[i] != NULL && m->ready[i].revents != 0)
				serve_vm(m, i);
		}
	}
}

static int catch_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal };

	if (pipe(signal_pipe) != 0)
		return -1;
	/* A hypervisor closes what it inherits, but the pipe must not block the handler. */
	(void)fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);
	(void)sigaction(SIGTERM, &action, NULL);
	return sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	struct manager m = { .count = 0 };
	int letter;

	options.decide = decide;
	options.control = true; /* vmrunctl(8) works with these VMs, too */
	while ((letter = getopt(argc, argv, "b:r:s:t:y:")) != -1) {
		switch (letter) {
		case 'b':
			options.bhyve = optarg;
			break;
		case 'r':
			options.run_dir = optarg;
			break;
		case 's':
			options.state_dir = optarg;
			break;
		case 't':
			options.target = optarg;
			break;
		case 'y':
			options.hypervisor = optarg;
			break;
		default:
			optind = argc;
		}
	}
	if (optind >= argc || catch_signals() != 0) {
		(void)fprintf(stderr,
		    "usage: manager [-y bhyve|qemu] [-b PROGRAM] [-r RUN-DIR] "
		    "[-s STATE-DIR] [-t TARGET] FILE...\n");
		return 64;
	}
	m.vm = calloc((size_t)argc, sizeof(*m.vm));
	m.ready = calloc((size_t)argc, sizeof(*m.ready));
	if (m.vm == NULL || m.ready == NULL) {
		free(m.vm);
		free(m.ready);
		return 71;
	}
	for (; optind < argc; m.count++, optind++) {
		options.file = argv[optind];
		start_vm(&m, m.count, &options);
	}
	m.ready[m.count] = (struct pollfd){ .fd = signal_pipe[0], .events = POLLIN };
	run(&m);
	free(m.vm);
	free(m.ready);
	return m.status;
}
