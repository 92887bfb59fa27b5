/*
 * The floors: supervisors in C that do as little as possible.
 *
 *	loop bare PROGRAM	vfork, exec and waitpid until the status is not 0
 *	loop contract RUN STATE PROGRAM
 *				with the system calls that the promises of vmrun(8) need
 *	loop term PROGRAM	one life; passes SIGTERM on
 *
 * RUN and STATE are absolute.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#else
#include <sys/procctl.h>
#endif

enum { FAILED = 70, NOT_EXECUTED = 127 };

static const int handled[] = { SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCHLD };

/* Executes the program in a child that shares the memory: only calls of the system before exec. */
static void execute(const char *program)
{
	(void)execl(program, program, (char *)NULL);
	_exit(NOT_EXECUTED);
}

static int await_child(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

static int bare(const char *program)
{
	pid_t pid;
	int status;

	do {
		/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): vmrun does the same */
		pid = vfork();
		if (pid == 0)
			execute(program); /* NOLINT(clang-analyzer-unix.Vfork): POSIX allows it */
		status = pid < 0 ? FAILED : await_child(pid);
	} while (status == 0);
	return status;
}

static int term(const char *program)
{
	sigset_t set, none;
	pid_t pid;
	int number = 0;

	(void)sigemptyset(&none);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): vmrun does the same */
	pid = vfork();
	if (pid == 0) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Vfork): POSIX allows it */
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		execute(program);
	}
	while (pid > 0 && sigwait(&set, &number) == 0 && number == SIGTERM)
		(void)kill(pid, SIGTERM);
	return pid < 0 ? FAILED : await_child(pid);
}

/* --- the loop that keeps the promises ------------------------------------------------------------
 */

static void wake(int number)
{
	(void)number;
}

/*
 * Serves the child until its end: its stderr, the requests of others and the signals are waited for
 * at once, and a signal would be handled here.
 */
static int serve(int errors, int requests, pid_t pid)
{
	struct pollfd polled[] = { { .fd = errors, .events = POLLIN },
		{ .fd = requests, .events = POLLIN } };
	sigset_t none;
	char text[4096];
	int status = 0;

	(void)sigemptyset(&none);
	do {
		if (ppoll(polled, 2, NULL, &none) > 0 && polled[0].revents != 0 &&
		    read(errors, text, sizeof(text)) <= 0)
			polled[0].fd = -1;
	} while (waitpid(pid, &status, WNOHANG) == 0);
	(void)close(errors);
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

/* Notes the pid under a new name and renames it, as the record must be whole at any time. */
static void write_record(pid_t pid)
{
	static const char rest[] =
	    " {\"type\":\"process\",\"name\":\"hypervisor\",\"undo\":[],"
	    "\"there\":[],\"started\":\"0123456789\",\"program\":\"bhyve\"}\n";
	char text[256];
	int fd = open("record.new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int n = snprintf(text, sizeof(text), "%ld%s", (long)pid, rest);

	(void)!write(fd, text, (size_t)n);
	(void)close(fd);
	(void)rename("record.new", "record");
}

/* Appends the end of a life; the size says whether the file must be shortened. */
static void write_history(const char *path, int status)
{
	struct stat file;
	char text[512];
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	int n = snprintf(
	    text, sizeof(text), "{\"v\":1,\"status\":%d,\"text\":\"%0280d\"}\n", status, 0);

	(void)fstat(fd, &file);
	(void)!write(fd, text, (size_t)n);
	(void)close(fd);
}

static void tell(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

/*
 * The child's part: own process group, end with the parent, which may be gone already, clean
 * signals, an empty stdin, no other descriptors.
 */
static void become(const char *program, pid_t parent, int errors, int lock)
{
	size_t i;
	sigset_t none;

	(void)setpgid(0, 0);
#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
#else
	int number = SIGTERM;
	(void)procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &number);
#endif
	if (getppid() != parent)
		_exit(NOT_EXECUTED);
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		(void)signal(handled[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
	(void)dup2(errors, STDOUT_FILENO);
	(void)dup2(errors, STDERR_FILENO);
	(void)dup2(lock, 3);
#ifdef __linux__
	(void)syscall(SYS_close_range, 4U, ~0U, 0U);
#else
	closefrom(4);
#endif
	execute(program);
}

/* What was said and kept of the end of the life before follows the spawn. */
static int one_life(const char *program, const char *history, int requests)
{
	static int before = -1;

	int lock = open("vm", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), errors[2], status;
	pid_t pid, parent = getpid();

	(void)access("/dev/vmm/bench", F_OK);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0 || access(program, X_OK) != 0 || pipe(errors) != 0)
		return FAILED;
	(void)fcntl(errors[0], F_SETFD, FD_CLOEXEC);
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): vmrun does the same */
	pid = vfork();
	if (pid == 0)
		become(program, parent, errors[1], lock); /* NOLINT(clang-analyzer-unix.Vfork) */
	(void)close(errors[1]);
	(void)close(lock); /* the child alone keeps the lock */
	write_record(pid);
	if (before >= 0) {
		write_history(history, before);
		tell("ended\n");
		tell("next boot\n");
		tell("booting\n");
	}
	tell("runs\n");
	status = serve(errors[0], requests, pid);
	(void)access("/dev/vmm/bench", F_OK);
	before = status;
	return status;
}

/* Makes the socket for requests, which nobody sends here. */
static int listen_for_requests(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "control" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)unlink(address.sun_path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1) != 0)
		return -1;
	return fd;
}

static int contract(const char *run, const char *state, const char *program)
{
	char history[4096];
	struct sigaction action = { .sa_handler = wake };
	sigset_t set;
	size_t i;
	int status, requests;

	(void)sigemptyset(&set);
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
		(void)sigaction(handled[i], &action, NULL);
		(void)sigaddset(&set, handled[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)snprintf(history, sizeof(history), "%s/history", state);
	if (chdir(run) != 0 || (requests = listen_for_requests()) < 0)
		return FAILED;
	do
		status = one_life(program, history, requests);
	while (status == 0);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "bare") == 0)
		return bare(argv[2]);
	if (argc == 3 && strcmp(argv[1], "term") == 0)
		return term(argv[2]);
	if (argc == 5 && strcmp(argv[1], "contract") == 0)
		return contract(argv[2], argv[3], argv[4]);
	fprintf(stderr, "usage: loop bare|term PROGRAM, loop contract RUN STATE PROGRAM\n");
	return 64;
}
