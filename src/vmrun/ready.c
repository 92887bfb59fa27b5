/* The newline of --ready-fd and the datagrams of NOTIFY_SOCKET. */
#include "ready.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * Time for what follows a wait: the next step of the stop ladder, the cleanup, the preparation of
 * the next boot.
 */
#define MARGIN_MS 15000

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Stores the address, a path or an abstract name of Linux, in which @ stands for the first NUL. */
static void parse_address(struct ready *r, const char *name)
{
	size_t n = strlen(name);

	r->to.sun_family = AF_UNIX;
	r->to_length = 0;
	if ((*name != '/' && *name != '@') || n < 2 || n >= sizeof(r->to.sun_path))
		return;
	memcpy(r->to.sun_path, name, n);
	if (*name == '@')
		r->to.sun_path[0] = '\0';
	r->to_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

const char *ready_prepare(struct ready *r, int64_t fd)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int flags;

	memset(r, 0, sizeof(*r));
	r->fd = r->notify = -1;
	if (name != NULL && *name != '\0') {
		r->is_configured = true;
		parse_address(r, name);
	}
	(void)unsetenv("NOTIFY_SOCKET");
	if (fd < 0)
		return NULL;
	if (fd <= STDERR_FILENO)
		return "0, 1 and 2 are the program's own";
	flags = fd > INT32_MAX ? -1 : fcntl((int)fd, F_GETFL);
	if (flags < 0)
		return "it is not open";
	if ((flags & O_ACCMODE) == O_RDONLY)
		return "it is open for reading only";
	r->fd = (int)fd;
	(void)fcntl(r->fd, F_SETFD, FD_CLOEXEC);
	return NULL;
}

const char *ready_open(struct ready *r)
{
	if (!r->is_configured)
		return NULL;
	if (r->to_length == 0)
		return "no path of a socket, and no name after a @, of at most 107 bytes";
	r->notify = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (r->notify < 0)
		return strerror(errno);
	(void)fcntl(r->notify, F_SETFD, FD_CLOEXEC);
	(void)fcntl(r->notify, F_SETFL, O_NONBLOCK);
	return NULL;
}

/* Sends a datagram without blocking; returns -1 if the service manager is too slow. */
static int notify(const struct ready *r, const char *text)
{
	if (r->notify < 0)
		return 0;
	return sendto(r->notify, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&r->to,
		   r->to_length) < 0
	    ? -1
	    : 0;
}

static const char *put_newline(struct ready *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLOUT };
	const char *wrong = NULL;

	if (r->fd < 0)
		return NULL;
	if (poll(&p, 1, 0) != 1)
		wrong = "it takes nothing";
	else if (write(r->fd, "\n", 1) != 1)
		wrong = strerror(errno);
	close_fd(&r->fd);
	return wrong;
}

const char *ready_up(struct ready *r)
{
	if (r->is_up)
		return NULL;
	r->is_up = true;
	r->ready_is_due = true;
	return put_newline(r);
}

/* Returns whether the VM stops and does not boot again. */
static bool is_ending(const struct vmrun_state *state)
{
	return state->stop_requested || state->ending;
}

/*
 * Returns how long a start may take until the next datagram, or 0.  One whose guest has a time
 * limit to become ready may take longer than the service manager's own limit: it lasts until that
 * time, then through the stop ladder and the wait for a further boot.  Each of these changes the
 * status, so one datagram covers each, and nothing has to be sent meanwhile.
 */
static int64_t extension_ms(struct ready *r, const struct vmrun_state *state)
{
	if (state->ready_within_ms > 0)
		r->extends = true;
	if (r->is_up || state->stop_requested || !r->extends)
		return 0;
	return MARGIN_MS +
	    (state->stop_action != NULL || state->ready_within_ms == 0 ? state->wait_ms
								       : state->ready_within_ms);
}

void ready_update(struct ready *r, const struct vmrun_state *state)
{
	char status[STATUS_SIZE], text[STATUS_SIZE + 128], extension[64] = "";
	int64_t ms;
	bool ends = !r->stopping_sent && is_ending(state);

	if (r->notify < 0)
		return;
	status_text(state, false, status);
	if (!ends && !r->ready_is_due && strcmp(status, r->last_status) == 0)
		return;
	ms = extension_ms(r, state);
	if (ms > 0)
		(void)snprintf(
		    extension, sizeof(extension), "EXTEND_TIMEOUT_USEC=%" PRId64 "\n", ms * 1000);
	(void)snprintf(text, sizeof(text), "%s%s%sSTATUS=%s\n", r->ready_is_due ? "READY=1\n" : "",
	    ends ? "STOPPING=1\n" : "", extension, status);
	/* A datagram that failed is sent again after the next event. */
	if (notify(r, text) != 0)
		return;
	r->ready_is_due = false;
	r->stopping_sent = r->stopping_sent || ends;
	memcpy(r->last_status, status, sizeof(status));
}

void ready_reloading(struct ready *r)
{
	struct timespec now;
	char text[64];

	if (!r->is_up || r->stopping_sent)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
	    (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	(void)notify(r, text);
	r->ready_is_due = true; /* READY=1 reports the end of the reload */
}

void ready_close(struct ready *r)
{
	close_fd(&r->fd);
	close_fd(&r->notify);
}
