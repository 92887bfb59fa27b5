/*
 * A VM manager whose VMs outlive it: gives each spec a vmrun(8) of its own, unless one runs
 *already, and prints the events of all.  SIGINT and SIGTERM end the manager and no VM; when it is
 *started again, it finds them.  docs/managers.md explains it.
 *
 *	cc -o keeper keeper.c $(pkg-config --cflags --libs vmrun)
 *	./keeper /var/run/vms web.json db.lua
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmrun/client.h>
#include <vmrun/vmrun.h>

enum { MAX_VMS = 256, LIMIT_MS = 5000, RETRY_MS = 100 };

struct vm {
	char name[256];
	pid_t vmrun;		     /* that this manager has started; 0: none */
	struct vmrun_client *client; /* NULL: not connected yet */
};

static int signal_pipe[2];

static void note_signal(int number)
{
	int saved = errno;

	(void)!write(signal_pipe[1], &number, sizeof(number));
	errno = saved;
}

static void say(const char *name, const char *text)
{
	(void)printf("%s: %s\n", name, text);
	(void)fflush(stdout);
}

/* Finds out the name of the VM of a spec.  Returns false if the spec is wrong. */
static bool read_name(struct vm *vm, const char *file)
{
	struct vmrun_options options = VMRUN_OPTIONS;
	const struct vmrun_problem *p;
	struct vmrun *spec;
	bool good;

	options.file = file;
	options.dry_run = true;
	good = vmrun_open(&spec, &options) == 0;
	if (good)
		(void)snprintf(vm->name, sizeof(vm->name), "%s", vmrun_name(spec));
	for (size_t i = 0; (p = vmrun_problem(spec, i)) != NULL; i++)
		(void)fprintf(stderr, "%s: %s\n", p->place != NULL ? p->place : file, p->text);
	vmrun_close(spec);
	return good;
}

/* Returns whether a vmrun supervises the VM.  One of a VM that is "dead" has died. */
static bool is_supervised(const struct vmrun_list *list, const char *name)
{
	const struct vmrun_listed *vm;

	for (size_t i = 0; (vm = vmrun_list_get(list, i)) != NULL; i++) {
		if (strcmp(vm->name, name) == 0)
			return strcmp(vm->state, "dead") != 0;
	}
	return false;
}

/*
 * Starts a vmrun in a session of its own, so that neither ^C nor the end of the manager reaches it.
 * Returns its pid, or -1.
 */
static pid_t start(const char *run_dir, const char *file)
{
	const char *vmrun = getenv("VMRUN");
	pid_t pid = fork();

	if (pid < 0)
		perror("fork");
	if (pid != 0)
		return pid;
	if (vmrun == NULL)
		vmrun = "vmrun";
	(void)close(signal_pipe[0]);
	(void)close(signal_pipe[1]);
	(void)setsid();
	(void)execlp(
	    vmrun, vmrun, "--log-level", "error", "--run-dir", run_dir, file, (char *)NULL);
	perror(vmrun);
	_exit(127);
}

/* Connects to the vmrun of a VM if it listens, and asks for all events that it still has. */
static void connect_to(struct vm *vm, const char *run_dir)
{
	int status = vmrun_client_open(&vm->client, run_dir, vm->name, 0);

	if (status == VMRUN_CLIENT_OK)
		status = vmrun_client_follow(vm->client, 1, LIMIT_MS);
	if (status == VMRUN_CLIENT_OK)
		return;
	if (status != VMRUN_CLIENT_NOT_RUNNING)
		(void)fprintf(stderr, "%s: %s\n", vm->name, vmrun_client_error(vm->client));
	vmrun_client_close(vm->client);
	vm->client = NULL;
}

/* Prints the events that have come.  Returns false if the vmrun has ended. */
static bool print_events(const struct vm *vm)
{
	const struct vmrun_message *m;
	int status;

	while ((status = vmrun_client_next(vm->client, 0, &m)) == VMRUN_CLIENT_OK)
		say(vm->name, m->json);
	return status == VMRUN_CLIENT_TIMED_OUT;
}

/* Returns whether the VM still runs or starts, and does what is to be done for it now. */
static bool look_after(struct vm *vm, const char *run_dir)
{
	if (vm->client == NULL)
		connect_to(vm, run_dir);
	if (vm->client != NULL)
		return print_events(vm);
	/* A vmrun that refuses its spec never listens. */
	return vm->vmrun > 0 && waitpid(vm->vmrun, NULL, WNOHANG) == 0;
}

/* Waits until something happens.  Returns false on a signal. */
static bool await(const struct vm *vm, int count)
{
	struct pollfd ready[MAX_VMS + 1]; /* of the signal pipe, then of each VM */
	nfds_t n = 1;

	ready[0] = (struct pollfd){ .fd = signal_pipe[0], .events = POLLIN };
	for (int i = 0; i < count; i++) {
		if (vm[i].client != NULL)
			ready[n++] = (struct pollfd){ .fd = vmrun_client_fd(vm[i].client),
				.events = vmrun_client_events(vm[i].client) };
	}
	/* A vmrun that does not listen yet is tried again. */
	return poll(ready, n, n == (nfds_t)count + 1 ? -1 : RETRY_MS) <= 0 || ready[0].revents == 0;
}

/* Finds or starts the vmrun of each spec.  Returns how many VMs there are, or -1. */
static int begin(struct vm *vm, const char *run_dir, char **files)
{
	struct vmrun_list *list;
	int count = vmrun_list(&list, run_dir, LIMIT_MS) == VMRUN_CLIENT_OK ? 0 : -1;

	if (count < 0)
		(void)fprintf(stderr, "%s\n", vmrun_list_error(list));
	for (; count >= 0 && *files != NULL; files++) {
		bool runs;

		if (!read_name(&vm[count], *files))
			continue;
		runs = is_supervised(list, vm[count].name);
		say(vm[count].name, runs ? "runs already" : "starts");
		vm[count].vmrun = runs ? 0 : start(run_dir, *files);
		vm[count++].client = NULL;
	}
	vmrun_list_free(list);
	return count;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = note_signal };
	const struct sigaction reap = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	struct vm vm[MAX_VMS];
	int count;

	if (argc < 3 || argc > MAX_VMS + 2) {
		(void)fprintf(stderr, "usage: keeper RUN-DIR FILE... (1 to %d files)\n", MAX_VMS);
		return 64;
	}
	if (pipe(signal_pipe) != 0 || fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK) != 0 ||
	    sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0 ||
	    sigaction(SIGCHLD, &reap, NULL) != 0)
		return 71;
	count = begin(vm, argv[1], argv + 2);
	if (count < 0)
		return 71;
	do {
		for (int i = count - 1; i >= 0; i--) {
			if (look_after(&vm[i], argv[1]))
				continue;
			say(vm[i].name, "is gone");
			vmrun_client_close(vm[i].client);
			vm[i] = vm[--count];
		}
	} while (count > 0 && await(vm, count));
	while (count > 0)
		vmrun_client_close(vm[--count].client);
	return 0;
}
