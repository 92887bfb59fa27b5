/* The control socket of a VM that does not run, with clients; time passes when a test sets it. */
#ifndef TESTS_CONTROL_SERVER_H
#define TESTS_CONTROL_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/control_inside.h"
#include "vm.h"

#define SOCKET "control" /* its path, in the directory of life_enter() */

struct server {
	struct vm vm;
	struct control *control;
	int64_t now_ms; /* what clock_ms() returns */
	int ready;	/* what machine_get_state() says */
	int reloads;
	char forgotten[64];  /* the hook of the last "forget" */
	const char *failure; /* error of the next reloads and forgets, or NULL: they succeed */
};

/* One end of a connection, and the client that vmrun made for the other end. */
struct peer {
	int fd;
	struct client *client; /* freed when vmrun closes the connection */
};

extern struct server server;

/* Opens the VM in the state "running", and its control socket. */
void server_open(void);
/* Frees the control socket and closes the VM. */
void server_close(void);
/* Connects without being accepted. */
int server_dial(void);
/* Connects a client, which vmrun accepts and settles. */
struct peer server_connect(void);
/* Sends a text, which vmrun does not read yet. */
void server_say(int fd, const char *text);
/* Serves everything that is ready, until nothing is. */
void server_turn(void);
/* Serves, then returns what the client got; lent until the next call. */
const char *server_hear(int fd);
/* Fails unless a client that sends this line gets this answer, and nothing else. */
void server_ask(int fd, const char *line, const char *answer);
/* Fails unless vmrun has closed the connection; what it sent before is dropped. */
void server_check_closed(int fd);
/* Sends bytes to the client until its socket is full. */
void server_fill(const struct client *client);
/* Adds the event of a guest that is ready. */
void server_ready(void);
/* Adds a warning with this text to the VM's events. */
void server_warn(const char *text);
/* Opens the VM's console. */
struct console *server_console(void);
/* Lets the guest print a text on the console. */
void server_print(const char *text);

#endif
