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

enum { MAX_VMS = 256 };

static int signal_pipe[2];

static void note_signal(int number)
{
	int saved = errno;

	(void)!write(signal_pipe[1], &number, sizeof(number));
	errno = saved;
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static void print_events(struct vmrun *vm)
{
	const struct vmrun_event *e;

	while ((e = vmrun_next_event(vm)) != NULL) {
		if (e->type != VMRUN_POLICY)
			(void)printf("%s: %s %s %s %s\n", e->vm, e->name, or_empty(e->target),
			    or_empty(e->cause), or_empty(e->action));
	}
	(void)fflush(stdout);
}

/* Boots a guest that crashed again, at most twice; the policy of its spec decides on all else. */
static void decide(struct vmrun_decision *decision, void *context)
{
	(void)context;
	if (decision->cause_code == VMRUN_CAUSE_TRIPLE_FAULT)
		decision->action = decision->boots < 3 ? VMRUN_DECIDE_BOOT : VMRUN_DECIDE_STOP;
}

/* Prints events.  Closes the VM and returns true if it has ended, or the last call has failed. */
static bool settle(struct vmrun *vm, int status, int *highest)
{
	const struct vmrun_problem *p;

	print_events(vm);
	if (status == 0 && !vmrun_ended(vm))
		return false;
	for (size_t i = 0; (p = vmrun_problem(vm, i)) != NULL; i++)
		(void)fprintf(
		    stderr, "%s %s: %s\n", or_empty(p->place), or_empty(p->path), p->text);
	status = status != 0 ? status : vmrun_status(vm);
	if (status > *highest)
		*highest = status;
	vmrun_close(vm);
	return true;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = note_signal };
	struct vmrun_options options = VMRUN_OPTIONS;
	struct vmrun *vm[MAX_VMS];
	struct pollfd ready[MAX_VMS + 1]; /* of each VM, then of the signal pipe */
	int number, count = 0, highest = 0;

	if (argc < 2 || argc > MAX_VMS + 1) {
		(void)fprintf(stderr, "usage: manager FILE... (1 to %d files)\n", MAX_VMS);
		return 64;
	}
	/* A full pipe must not block the handler. */
	if (pipe(signal_pipe) != 0 || fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK) != 0 ||
	    sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
		return 71;
	options.control = true; /* vmrunctl(8) works with these VMs, too */
	options.decide = decide;
	options.hypervisor = getenv("VMRUN_HYPERVISOR"); /* NULL, as below: the default */
	options.bhyve = getenv("VMRUN_BHYVE");
	options.run_dir = getenv("RUN_DIR");
	options.state_dir = getenv("STATE_DIR");
	for (int i = 1; i < argc; i++) {
		options.file = argv[i];
		(void)vmrun_open(&vm[count], &options); /* if it fails, vmrun_start() does, too */
		if (!settle(vm[count], vmrun_start(vm[count]), &highest))
			count++;
	}
	while (count > 0) {
		for (int i = 0; i < count; i++)
			ready[i] = (struct pollfd){ .fd = vmrun_fd(vm[i]), .events = POLLIN };
		ready[count] = (struct pollfd){ .fd = signal_pipe[0], .events = POLLIN };
		if (poll(ready, (nfds_t)count + 1, -1) < 0)
			continue; /* a signal interrupted poll(); its byte is in the pipe */
		/* A second signal escalates to the next step of the stop ladders. */
		if (ready[count].revents != 0 &&
		    read(signal_pipe[0], &number, sizeof(number)) > 0) {
			for (int i = 0; i < count; i++)
				vmrun_stop(vm[i]);
		}
		for (int i = count - 1; i >= 0; i--) {
			if (ready[i].revents != 0 && settle(vm[i], vmrun_dispatch(vm[i]), &highest))
				vm[i] = vm[--count];
		}
	}
	return highest;
}
