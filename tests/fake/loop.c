/* Waits for signals and for sockets of virtio-console, and ends the guest. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PATH = 4096, MAX_POLLED = 2 * FAKE_MAX_SOCKETS + 1 };

/* Used by the handler.  The stub of bhyvectl sends SIGUSR1 and SIGUSR2 (README.md). */
static int wake[2] = { -1, -1 };
static volatile sig_atomic_t term_seen, off_seen, other_seen;
static struct sigaction before_acpi;
static bool acpi_is_on;

static void on_signal(int number)
{
	int saved = errno;

	if (number == SIGTERM)
		term_seen = 1;
	else if (number == SIGUSR1)
		off_seen = 1;
	else
		other_seen = 1;
	(void)!write(wake[1], "", 1);
	errno = saved;
}

static void handle(int number, struct sigaction *old)
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(number, &action, old);
}

void loop_init(struct guest *guest)
{
	size_t i;

	for (i = 0; i < FAKE_MAX_SOCKETS; i++)
		guest->clients[i] = -1;
	if (pipe(wake) != 0)
		abort();
	for (i = 0; i < 2; i++) {
		(void)fcntl(wake[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(wake[i], F_SETFL, O_NONBLOCK);
	}
	handle(SIGUSR1, NULL);
	handle(SIGUSR2, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/*
 * Turns ACPI on or off.  bhyve handles SIGTERM only while ACPI is on, and restores the handler
 * after that.  An arm64 guest has no power button.
 */
void set_acpi(struct guest *guest, bool on)
{
	if (on == acpi_is_on || guest->host->arm64)
		return;
	acpi_is_on = on;
	if (on)
		handle(SIGTERM, &before_acpi);
	else
		(void)sigaction(SIGTERM, &before_acpi, NULL);
}

static void path_of(const struct guest *guest, char path[MAX_PATH], const char *directory)
{
	(void)snprintf(
	    path, MAX_PATH, "%s/%s/%s", guest->host->state_dir, directory, guest->machine.name);
}

static void destroy_vm(struct guest *guest)
{
	char path[MAX_PATH];

	if (guest->host->state_dir == NULL)
		return;
	path_of(guest, path, "vmm");
	(void)unlink(path);
	path_of(guest, path, "memory");
	(void)unlink(path);
}

/* Ends the guest.  With -D, only a power off destroys the VM and reads the variable. */
void guest_exit(struct guest *guest, int status)
{
	bool destroy = false;

	if (status == 1 && !fake_tree_bool(guest->tree, "destroy_on_poweroff", &destroy)) {
		fprintf(stderr, "bhyve: invalid value for destroy_on_poweroff\n");
		exit(4);
	}
	if (destroy)
		destroy_vm(guest);
	exit(status);
}

void die_of(int signal_number)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t set;

	(void)fflush(NULL);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(signal_number, SIG_DFL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signal_number);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(signal_number);
	_exit(70); /* a signal that does not kill */
}

static void look_at_signals(struct guest *guest)
{
	char path[MAX_PATH], byte;

	while (read(wake[0], &byte, 1) > 0)
		;
	if (term_seen) {
		term_seen = 0;
		guest->button_pressed = true;
	}
	if (off_seen)
		guest_exit(guest, 1);
	if (!other_seen)
		return;
	other_seen = 0;
	if (guest->host->state_dir == NULL)
		return;
	path_of(guest, path, "vmm");
	if (access(path, F_OK) == 0)
		guest_exit(guest, 0); /* bhyvectl --force-reset */
	fprintf(stderr, "bhyve: vm_run error: the VM has exited\n");
	guest_exit(guest, 4);
}

static void serve_listener(int listener, int *client)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	if (*client >= 0)
		(void)close(fd); /* one client at a time */
	else
		*client = fd;
}

static void serve_client(int *client)
{
	char drain[2048];
	ssize_t n = read(*client, drain, sizeof(drain));

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	(void)close(*client);
	*client = -1;
}

/* Waits at most `ms` (-1: for ever) for a signal or a socket, and handles it. */
static void wait_once(struct guest *guest, int ms)
{
	struct pollfd polled[MAX_POLLED];
	size_t i, n = guest->machine.n_sockets;

	for (i = 0; i < n; i++) {
		polled[2 * i] = (struct pollfd){ .fd = guest->clients[i], .events = POLLIN };
		polled[2 * i + 1] =
		    (struct pollfd){ .fd = guest->machine.sockets[i], .events = POLLIN };
	}
	polled[2 * n] = (struct pollfd){ .fd = wake[0], .events = POLLIN };
	look_at_signals(guest);
	if (poll(polled, (nfds_t)(2 * n + 1), guest->button_pressed && ms < 0 ? 0 : ms) > 0) {
		for (i = 0; i < n; i++) {
			if (polled[2 * i].revents != 0)
				serve_client(&guest->clients[i]);
			if (polled[2 * i + 1].revents != 0)
				serve_listener(guest->machine.sockets[i], &guest->clients[i]);
		}
	}
	look_at_signals(guest);
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void wait_ms(struct guest *guest, long ms)
{
	long end = now_ms() + ms, left;

	while ((left = end - now_ms()) > 0)
		wait_once(guest, left > 60000 ? 60000 : (int)left);
	look_at_signals(guest);
}

void wait_button(struct guest *guest)
{
	while (!guest->button_pressed)
		wait_once(guest, -1);
	guest->button_pressed = false;
}

void wait_forever(struct guest *guest)
{
	for (;;) {
		guest->button_pressed = false;
		wait_once(guest, -1);
	}
}

void block_signals(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
}

void hang(void)
{
	block_signals();
	for (;;)
		(void)pause();
}
