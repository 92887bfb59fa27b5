/* Serial ports with their backends, and the unix sockets of virtio-console. */
#include "devices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum {
	MAX_PORTS = 16,
	MAX_NAME = 103, /* FreeBSD's sun_path has 104 bytes; bhyve cuts the rest off in silence */
	MAX_TCP_PORT = 65535,
};

/* For atexit(3), which passes no argument. */
static struct termios stdin_modes;
static bool stdin_is_raw;

static void restore_stdin(void)
{
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &stdin_modes);
}

static void make_raw(int fd)
{
	struct termios modes;

	if (tcgetattr(fd, &modes) != 0)
		return;
	modes.c_iflag &=
	    (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	modes.c_oflag &= (tcflag_t)~OPOST;
	modes.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	modes.c_cflag = (modes.c_cflag & (tcflag_t) ~(CSIZE | PARENB)) | CS8 | CLOCAL;
	(void)tcsetattr(fd, TCSANOW, &modes);
}

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* As bhyve: the modes are restored at exit(3), and only then; O_NONBLOCK never is. */
void fake_take_stdio(void)
{
	if (!stdin_is_raw && tcgetattr(STDIN_FILENO, &stdin_modes) == 0) {
		stdin_is_raw = true;
		make_raw(STDIN_FILENO);
		(void)atexit(restore_stdin);
	}
	set_nonblocking(STDIN_FILENO);
	set_nonblocking(STDOUT_FILENO);
}

/* The first port that has a backend is the one that scripts print to. */
static void use_console(struct vm *vm, int in, int out)
{
	if (vm->machine->console_out >= 0)
		return;
	vm->machine->console_in = in;
	vm->machine->console_out = out;
}

void fk_hold(struct vm *vm, int fd)
{
	if (vm->machine->n_holds < FAKE_MAX_SOCKETS)
		vm->machine->holds[vm->machine->n_holds++] = fd;
	else
		(void)close(fd);
}

/* An IPv6 address may have a zone, the name of an interface that this host need not have. */
static bool is_numeric(int family, const char *address)
{
	size_t n = strcspn(address, "%");
	char *host = fk_copy_text(address, n);
	unsigned char bytes[16];
	bool v6 = family != AF_INET && inet_pton(AF_INET6, host, bytes) == 1;
	bool v4 = family != AF_INET6 && inet_pton(AF_INET, host, bytes) == 1;

	free(host);
	return address[n] == '\0' ? v4 || v6 : v6 && address[n + 1] != '\0';
}

/* Binds only if the host wants it: tests that run side by side share the ports of a machine. */
int fk_listen_tcp(struct vm *vm, int family, const char *address, const char *port, int status)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	bool named = family == FAMILY_BY_NAME;
	bool good = *port != '\0' && strspn(port, "0123456789") == strlen(port) &&
	    atol(port) <= MAX_TCP_PORT && *address != '\0';
	int fd = -1, why = 0;

	hints.ai_family = named ? AF_UNSPEC : family;
	hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE | (named ? 0 : AI_NUMERICHOST);
	if (good && !named && !vm->host->listen)
		good = is_numeric(family, address);
	else if (good && vm->host->listen)
		good = getaddrinfo(address, port, &hints, &found) == 0;
	if (good && vm->host->listen && vm->machine != NULL) {
		fd = socket(found->ai_family, SOCK_STREAM, 0);
		/* As bhyve does: connections of an earlier server at the port do not count. */
		good = fd >= 0 &&
		    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0 &&
		    bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 1) == 0;
		why = good ? 0 : errno;
	}
	if (found != NULL)
		freeaddrinfo(found);
	if (good && fd >= 0)
		fk_hold(vm, fd);
	else if (fd >= 0)
		(void)close(fd);
	if (!good && why == EADDRINUSE)
		return fk_fail(vm, status, "bind: %s", strerror(why));
	return good ? 0 : fk_fail(vm, status, "cannot listen on %s:%s", address, port);
}

static int open_tcp(struct vm *vm, const char *path)
{
	char address[256], port[6];
	int family = AF_INET6;

	if (sscanf(path, "tcp=[%255[^]]]:%5s", address, port) != 2) {
		family = AF_INET;
		if (sscanf(path, "tcp=%255[^:]:%5s", address, port) != 2)
			return fk_fail(vm, EXIT_BAD, "invalid address of a serial port: %s", path);
	}
	return fk_listen_tcp(vm, family, address, port, EXIT_BAD);
}

/* nmdm(4) is FreeBSD's: its names are believed. Anything else has to be a terminal. */
static int open_tty(struct vm *vm, const char *path)
{
	int fd;

	if (vm->host->no_files ? path[0] == '/' : strncmp(path, "/dev/nmdm", 9) == 0)
		return 0;
	fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || !isatty(fd)) {
		if (fd >= 0)
			(void)close(fd);
		return fk_fail(vm, EXIT_BAD, "unable to initialize backend '%s'", path);
	}
	if (vm->machine == NULL || vm->machine->console_out >= 0) {
		(void)close(fd);
		return 0;
	}
	make_raw(fd);
	use_console(vm, fd, fd);
	return 0;
}

int fk_open_serial(struct vm *vm, const char *path)
{
	if (path == NULL)
		return 0;
	if (strcmp(path, "stdio") == 0) {
		if (!fk_take(vm, "serial", path))
			return fk_fail(vm, EXIT_BAD, "unable to initialize backend 'stdio': taken");
		if (vm->machine != NULL) {
			fake_take_stdio();
			use_console(vm, STDIN_FILENO, STDOUT_FILENO);
		}
		return 0;
	}
	if (vm->host->release >= 15 && strncmp(path, "tcp=", 4) == 0)
		return open_tcp(vm, path);
	return open_tty(vm, path);
}

int fk_init_uart(struct vm *vm, const struct device *device)
{
	return fk_open_serial(vm, fk_get_child(vm, device->node, "path"));
}

/* bhyve binds the last component inside of its directory: so the whole path may be longer. */
static bool bind_in_directory(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *directory = fk_copy_text(path, strlen(path)),
	     *name = fk_copy_text(path, strlen(path));
	int back = open(".", O_RDONLY | O_CLOEXEC);
	bool good = back >= 0 && chdir(dirname(directory)) == 0;

	if (good) {
		(void)snprintf(address.sun_path, MAX_NAME + 1, "%s", basename(name));
		good = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
		if (fchdir(back) != 0)
			abort(); /* relative paths of later devices would go astray */
	}
	if (back >= 0)
		(void)close(back);
	free(directory);
	free(name);
	return good;
}

static int open_socket(struct vm *vm, const char *path)
{
	int fd;

	if (!fk_take(vm, "socket", path))
		return fk_fail(vm, EXIT_BAD, "vtcon: socket %s: %s", path, strerror(EADDRINUSE));
	if (vm->machine == NULL)
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || !bind_in_directory(fd, path) || listen(fd, 1) != 0 ||
	    vm->machine->n_sockets == FAKE_MAX_SOCKETS) {
		int why = errno;

		if (fd >= 0)
			(void)close(fd);
		return fk_fail(vm, EXIT_BAD, "vtcon: socket %s: %s", path, strerror(why));
	}
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	set_nonblocking(fd);
	vm->machine->sockets[vm->machine->n_sockets++] = fd;
	return 0;
}

static int init_console_port(struct vm *vm, const struct fake_node *port, bool used[MAX_PORTS])
{
	const char *path = fk_get_child(vm, port, "path");
	char *end;
	long number = strtol(fk_node_name(port), &end, 0);
	int rc;

	if (*end != '\0' || number < 0 || number >= MAX_PORTS)
		return fk_fail(vm, EXIT_BAD, "vtcon: invalid port %s", fk_node_name(port));
	if (path == NULL)
		return fk_fail(vm, EXIT_BAD, "vtcon: no path for port %ld", number);
	rc = open_socket(vm, path);
	if (rc != 0)
		return rc;
	if (fk_get_child(vm, port, "name") == NULL)
		return fk_fail(vm, EXIT_BAD, "vtcon: no name for port %ld", number);
	if (used[number])
		return fk_fail(vm, EXIT_BAD, "vtcon: port %ld twice", number);
	used[number] = true;
	return 0;
}

int fk_init_console(struct vm *vm, const struct device *device)
{
	const struct fake_node *ports = fk_node_at(device->node, "port", false), *port;
	bool used[MAX_PORTS] = { false };
	int rc = 0;

	port = ports == NULL ? NULL : fk_node_first(ports);
	for (; rc == 0 && port != NULL; port = fk_node_next(port))
		if (!fk_node_is_value(port))
			rc = init_console_port(vm, port, used);
	return rc;
}
