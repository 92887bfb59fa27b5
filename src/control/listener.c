/* The listening socket: survives a shortage of descriptors, and is created again if deleted. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/clock.h"
#include "platform/socket.h"
#include "control/control_inside.h"

#define MAX_ACCEPTS 16 /* clients accepted in one wake-up */

/* Opens the spare descriptor, which vmrun closes when a client could get none otherwise. */
static bool take_spare(struct listener *l)
{
	if (l->spare < 0)
		l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return l->spare >= 0;
}

/*
 * Returns true if the file is the listener's live socket.  Comparing inodes is not enough: a new
 * file may have the inode of a deleted one.
 */
static bool is_ours(const struct listener *l)
{
	struct stat st;

	return lstat(l->path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_dev == l->device &&
	    st.st_ino == l->inode && socket_probe(l->path) == SOCKET_LIVE;
}

/* Creates the socket in place of a stale file, and watches it. */
static int make(struct control *c, int *fd, struct error *err)
{
	struct listener *l = &c->listener;
	struct stat st;

	if (socket_listen(l->path, fd, err) != 0)
		return -1;
	if (waitset_watch_fd(c->wait, *fd, CONTROL_TAG, err) != 0) {
		(void)close(*fd);
		(void)unlink(l->path);
		return -1;
	}
	if (lstat(l->path, &st) == 0) {
		l->device = st.st_dev;
		l->inode = st.st_ino;
	}
	return 0;
}

int listener_open(struct control *c, const char *path, struct error *err)
{
	struct listener *l = &c->listener;

	l->path = mem_copy(path);
	l->spare = -1;
	if (make(c, &l->fd, err) != 0) {
		free(l->path);
		return -1;
	}
	(void)take_spare(l);
	return 0;
}

/* Stops watching: a client that cannot be accepted would wake the loop again and again. */
static void be_deaf(struct control *c)
{
	waitset_forget_fd(c->wait, c->listener.fd);
	c->listener.deaf = true;
	c->listener.deaf_until_ms = clock_ms() + CONTROL_RETRY_MS;
}

static bool lacks_descriptors(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}

/* Accepts a client; returns false if none is left that can be accepted. */
static bool accept_one(struct control *c)
{
	struct listener *l = &c->listener;
	int fd = socket_accept(l->fd);

	if (fd >= 0) {
		clients_admit(c, fd, false);
		return true;
	}
	if (!lacks_descriptors())
		return false;
	if (l->spare < 0) {
		be_deaf(c);
		return false;
	}
	(void)close(l->spare);
	l->spare = -1;
	fd = socket_accept(l->fd);
	if (fd >= 0)
		clients_admit(c, fd, true);
	return fd >= 0;
}

void listener_accept(struct control *c)
{
	(void)take_spare(&c->listener);
	for (int i = 0; i < MAX_ACCEPTS && accept_one(c); i++)
		;
}

/* Watches the socket again, or retries later. */
static void listen_again(struct control *c)
{
	struct listener *l = &c->listener;

	if (!take_spare(l))
		clients_make_room(c);
	l->deaf = waitset_watch_fd(c->wait, l->fd, CONTROL_TAG, NULL) != 0;
	if (l->deaf)
		l->deaf_until_ms = clock_ms() + CONTROL_RETRY_MS;
}

void listener_look(struct control *c)
{
	struct listener *l = &c->listener;

	if (l->deaf && l->deaf_until_ms <= clock_ms())
		listen_again(c);
	if (l->boots == machine_boots(c->machine))
		return;
	l->boots = machine_boots(c->machine);
	listener_renew(c);
}

/* Warns once that the socket cannot be created again. */
static void warn(struct control *c, const char *why)
{
	MEM_AUTO char *text = mem_format("cannot create the control socket again: %s", why);

	if (!c->listener.warned)
		event_text(event_add(c->owner.events, VMRUN_WARNING), text);
	c->listener.warned = true;
}

/* Switches to a new socket, after accepting the clients that connected to the old one. */
static void replace(struct control *c, int fresh)
{
	struct listener *l = &c->listener;
	MEM_AUTO char *text =
	    mem_format("the control socket %s was deleted: created it again", l->path);

	while (accept_one(c))
		;
	waitset_forget_fd(c->wait, l->fd);
	(void)close(l->fd);
	l->fd = fresh;
	l->deaf = l->warned = false;
	event_text(event_add(c->owner.events, VMRUN_WARNING), text);
}

void listener_renew(struct control *c)
{
	struct error err = { 0 };
	int fresh;

	if (is_ours(&c->listener))
		return;
	if (socket_probe(c->listener.path) == SOCKET_LIVE)
		(void)error_set(&err, STATUS_OS,
		    "%s: another process listens there: end it, or delete its socket",
		    c->listener.path);
	else if (make(c, &fresh, &err) == 0)
		replace(c, fresh);
	if (err.text != NULL)
		warn(c, err.text);
	error_clear(&err);
}

int64_t listener_until_ms(const struct control *c)
{
	return c->listener.deaf ? c->listener.deaf_until_ms : -1;
}

void listener_close(struct control *c)
{
	struct listener *l = &c->listener;

	if (is_ours(l))
		(void)unlink(l->path);
	if (!l->deaf)
		waitset_forget_fd(c->wait, l->fd);
	(void)close(l->fd);
	l->fd = -1;
	if (l->spare >= 0)
		(void)close(l->spare);
	l->spare = -1;
	free(l->path);
	l->path = NULL;
}
