/*
 * Runs many VMs in one process through libvmrun, until SIGTERM stops all of them.
 *
 *	crowd RUN-DIR STATE-DIR BHYVE SPEC...
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vmrun/vmrun.h>

enum { MAX_VMS = 1024 };

static int signal_pipe[2];

static void note_signal(int number)
{
	(void)!write(signal_pipe[1], &number, sizeof(number));
}

/* Each VM has a dozen descriptors. */
static int raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -1;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* Returns whether the VM goes on.  One that has ended in another way than by a stop is a failure.
 */
static int settle(struct vmrun *vm, int status)
{
	const struct vmrun_problem *p;

	while (vmrun_next_event(vm) != NULL)
		continue;
	if (status == 0 && !vmrun_ended(vm))
		return 1;
	if (status == 0)
		status = vmrun_status(vm);
	if (status != 0) {
		p = vmrun_problem(vm, 0);
		(void)fprintf(stderr, "crowd: status %d: %s\n", status, p == NULL ? "" : p->text);
		exit(status);
	}
	vmrun_close(vm);
	return 0;
}

static int start(struct vmrun **vm, char **argv, int count)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	int running = 0;

	options.control = true;
	options.no_checks = true;
	options.hypervisor = "bhyve";
	options.run_dir = argv[1];
	options.state_dir = argv[2];
	options.bhyve = argv[3];
	for (int i = 0; i < count; i++) {
		options.file = argv[4 + i];
		(void)vmrun_open(&vm[running], &options); /* if it fails, vmrun_start() does, too */
		running += settle(vm[running], vmrun_start(vm[running]));
	}
	return running;
}

static void run(struct vmrun **vm, struct pollfd *ready, int count)
{
	while (count > 0) {
		for (int i = 0; i < count; i++)
			ready[i] = (struct pollfd){ .fd = vmrun_fd(vm[i]), .events = POLLIN };
		ready[count] = (struct pollfd){ .fd = signal_pipe[0], .events = POLLIN };
		if (poll(ready, (nfds_t)count + 1, -1) < 0)
			continue;
		if (ready[count].revents != 0) {
			int number;

			(void)!read(signal_pipe[0], &number, sizeof(number));
			for (int i = 0; i < count; i++)
				vmrun_stop(vm[i]);
		}
		for (int i = count - 1; i >= 0; i--) {
			if (ready[i].revents != 0 && !settle(vm[i], vmrun_dispatch(vm[i])))
				vm[i] = vm[--count];
		}
	}
}

int main(int argc, char **argv)
{
	static struct vmrun *vm[MAX_VMS];
	static struct pollfd ready[MAX_VMS + 1];
	const struct sigaction action = { .sa_handler = note_signal };
	int count = argc - 4;

	if (count < 1 || count > MAX_VMS) {
		(void)fprintf(stderr, "usage: crowd RUN-DIR STATE-DIR BHYVE SPEC...\n");
		return 64;
	}
	if (pipe(signal_pipe) != 0 || sigaction(SIGTERM, &action, NULL) != 0 ||
	    raise_limit() != 0) {
		perror("crowd");
		return 71;
	}
	run(vm, ready, start(vm, argv, count));
	return 0;
}
