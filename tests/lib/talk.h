/* Clients of a control socket, in the process of the supervisor, which runs while they wait. */
#ifndef TESTS_LIB_TALK_H
#define TESTS_LIB_TALK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "vmrun/vmrun.h"

#define SOCKET "run/demo/control"
#define STATUS "{\"cmd\":\"status\"}\n"
#define TWO_BOOTS "ready one waitfile go exit 0\nready two waitfile go2 exit 0"
#define AT_ONCE ",\"backoff\":false,\"restart_limit\":false"

/* Starts a VM with a control socket; script and more as in life.h. */
struct vmrun *talk_begin(const char *script, const char *more);
/* Connects, or returns -1. */
int talk_try(void);
/* Connects; the supervisor runs while the queue of the socket is full. */
int talk_client(struct vmrun *vm);
void talk_say(int fd, const char *text);
/* Returns what a client reads until a text comes, or the end. Lent until the next call. */
const char *talk_hear(struct vmrun *vm, int fd, const char *text);
/* Fails unless the text comes. */
void talk_expect(struct vmrun *vm, int fd, const char *text);
/* Reads to the end; fails when the connection stays open. */
bool talk_is_closed(struct vmrun *vm, int fd);
/* Fails unless a new client gets an answer. */
void talk_expect_alive(struct vmrun *vm);
/* Makes the file `go`, for which the guest waits; the next boot makes the file `ready`. */
void talk_expect_reboot(struct vmrun *vm, const char *go, const char *ready);
/* Ends and closes the VM. */
void talk_finish(struct vmrun *vm);

#endif
