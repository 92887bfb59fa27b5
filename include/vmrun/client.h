/*
 * The client side of libvmrun: talks to vmruns of other processes over their control sockets, as
 * vmrunctl(8) does.
 *
 *	static const char next[] = "{\"cmd\":\"next\",\"target\":\"install\"}";
 *	struct vmrun_client *client;
 *	const char *answer;
 *
 *	if (vmrun_client_open(&client, NULL, "demo", 5000) == 0 &&
 *	    vmrun_client_ask(client, next, 5000, &answer) == 0)
 *		(void)vmrun_client_wait(client, "running", 60000);
 *	else
 *		(void)fprintf(stderr, "%s\n", vmrun_client_error(client));
 *	vmrun_client_close(client);
 *
 * A client is one connection to one vmrun, and belongs to one thread at a time.  vmrun(8) describes
 * the requests and answers.  A `limit_ms` is the longest time that a call waits, in milliseconds:
 * 0 does not wait, a negative limit never passes.  When it passes, the call returns
 * VMRUN_CLIENT_TIMED_OUT, and the connection stays usable.
 *
 * What a function lends is valid until the next call with the same client or list, and the structs
 * can get further members at their ends in later versions.  NULL for a pointer that has to be set
 * is VMRUN_CLIENT_USAGE, except for a client, a list and `out`.  The library writes to sockets
 * without SIGPIPE.
 */
#ifndef VMRUN_CLIENT_H
#define VMRUN_CLIENT_H

#include "vmrun/vmrun.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions of <vmrun/client.h> return: values of sysexits(3), except 0 and 1. */
enum vmrun_client_status {
	VMRUN_CLIENT_OK = 0,
	VMRUN_CLIENT_REFUSED = 1,      /* the vmrun refused the request, or a wait failed */
	VMRUN_CLIENT_USAGE = 64,       /* the call itself is wrong */
	VMRUN_CLIENT_NOT_RUNNING = 69, /* no vmrun listens, or it closed the connection */
	VMRUN_CLIENT_OS = 71,	       /* the operating system refused */
	VMRUN_CLIENT_TIMED_OUT = 75,   /* the limit passed */
	VMRUN_CLIENT_PROTOCOL = 76,    /* malformed answer or event */
	VMRUN_CLIENT_DENIED = 77,      /* permission denied */
};

/* --- the VMs of a runtime directory --- */

struct vmrun_list;

/* A VM of the runtime directory. */
struct vmrun_listed {
	const char *name;
	/*
	 * "waiting", "loading", "running", "stopping", "backoff" or "given_up"; or why the vmrun of
	 * the VM does not answer: "dead" (it died), "denied" (permission) or "silent".
	 */
	const char *state;
	const char *status; /* answer of its vmrun to a status request, JSON; NULL: none */
};

/*
 * Asks the vmruns of a runtime directory for their status, all at once, for at most `limit_ms` a
 * batch of 128 VMs.  NULL for the directory means the default.  Returns VMRUN_CLIENT_OK also if the
 * directory does not exist or is empty, else VMRUN_CLIENT_DENIED or VMRUN_CLIENT_OS.  Sets *out in
 * every case; the caller frees the list with vmrun_list_free().
 */
VMRUN_API int vmrun_list(struct vmrun_list **out, const char *run_dir, int64_t limit_ms);
/* Returns the number of VMs. */
VMRUN_API size_t vmrun_list_count(const struct vmrun_list *list);
/* Lends a VM, valid as long as the list; the VMs are sorted by name.  NULL beyond the last one. */
VMRUN_API const struct vmrun_listed *vmrun_list_get(const struct vmrun_list *list, size_t index);
/* Lends the reason why vmrun_list() failed; NULL if it did not. */
VMRUN_API const char *vmrun_list_error(const struct vmrun_list *list);
/* Frees a list; NULL is fine. */
VMRUN_API void vmrun_list_free(struct vmrun_list *list);

/* --- a connection to one vmrun --- */

struct vmrun_client;

enum vmrun_message_type {
	VMRUN_MESSAGE_ANSWER,
	VMRUN_MESSAGE_EVENT,
};

/* A line from a vmrun. */
struct vmrun_message {
	enum vmrun_message_type type;
	bool ok;	   /* answers: the request succeeded */
	uint64_t id;	   /* answers: the id from vmrun_client_send(); 0: of no request */
	const char *error; /* answers that are not ok: the reason; else NULL */
	const char *json;  /* the answer, without its id, or the event */
};

/*
 * Connects to the vmrun of a VM.  NULL for the directory means the default.  Sets *out in every
 * case, so that vmrun_client_error() can say what went wrong; the caller closes it with
 * vmrun_client_close().  Also connects to a vmrun that is suspended or hangs: a request with a
 * limit finds that out.  A vmrun that turns this user away does so after the connection: then the
 * functions below return VMRUN_CLIENT_DENIED.
 */
VMRUN_API int vmrun_client_open(
    struct vmrun_client **out, const char *run_dir, const char *vm, int64_t limit_ms);
/* Closes the connection, which ends a script of a run request; NULL is fine. */
VMRUN_API void vmrun_client_close(struct vmrun_client *client);
/*
 * Returns the pid of the process that supervises the VM (*is_vmrun is true), also of one that does
 * not answer or whose socket was deleted; else of the hypervisor that a vmrun left behind when it
 * died; else 0.  Also 0 where the VM's directory cannot be read.  is_vmrun may be NULL.
 */
VMRUN_API int vmrun_client_survivor(const struct vmrun_client *client, bool *is_vmrun);
/* Lends the reason of the last call that did not return VMRUN_CLIENT_OK; NULL if it did. */
VMRUN_API const char *vmrun_client_error(const struct vmrun_client *client);
/*
 * Lends the answer to the last request of vmrun_client_ask(), _follow(), _wait(), _wait_for() or
 * _attach() as JSON, also that of a refusal; NULL if none came.
 */
VMRUN_API const char *vmrun_client_answer(const struct vmrun_client *client);
/*
 * Returns the descriptor of the connection for a poll loop, -1 if there is none.  It is readable
 * when there is more to receive.  Received bytes that no call has returned yet do not make it
 * readable: call vmrun_client_next() or vmrun_client_read() with a limit of 0 until they return
 * VMRUN_CLIENT_TIMED_OUT, then poll.
 */
VMRUN_API int vmrun_client_fd(const struct vmrun_client *client);
/* Returns the events to poll for: POLLIN, and POLLOUT while a request is not sent yet. */
VMRUN_API short vmrun_client_events(const struct vmrun_client *client);

/*
 * Sends a request, {"cmd":CMD,...}, to which the library adds an "id", and waits for its answer.
 * *answer lends the answer as JSON, also that of a refusal (VMRUN_CLIENT_REFUSED); NULL if there is
 * none.  `answer` may be NULL.  An answer that comes after the limit is dropped.  A client that
 * follows events takes vmrun_client_send(), and the console has vmrun_client_attach():
 * VMRUN_CLIENT_USAGE.
 */
VMRUN_API int vmrun_client_ask(
    struct vmrun_client *client, const char *request, int64_t limit_ms, const char **answer);
/*
 * Sends a request as vmrun_client_ask() does, without waiting for its answer, whose id is stored in
 * *id unless `id` is NULL.  The next calls send what the socket does not accept within the
 * limit.  Returns VMRUN_CLIENT_TIMED_OUT, and does not send this request, if an earlier one is not
 * sent yet.  vmrun_client_next() lends the answer, also one that comes while another call waits. Of
 * more than 4096 requests whose answers were not lent, the answers to the oldest are dropped.
 */
VMRUN_API int vmrun_client_send(
    struct vmrun_client *client, const char *request, int64_t limit_ms, uint64_t *id);
/*
 * Lends the next answer to a request of vmrun_client_send(), or the next event; NULL if the call
 * does not return VMRUN_CLIENT_OK.
 */
VMRUN_API int vmrun_client_next(
    struct vmrun_client *client, int64_t limit_ms, const struct vmrun_message **message);
/*
 * Follows the events of the VM from number `from` on, as far as the vmrun has kept them; a negative
 * number means from now on.  vmrun_client_next() then lends them as they come.
 */
VMRUN_API int vmrun_client_follow(struct vmrun_client *client, int64_t from, int64_t limit_ms);
/*
 * Waits until the VM has a state ("running", "given_up", ...), its guest is "ready", or its vmrun
 * has exited and left no hypervisor ("gone").  Returns VMRUN_CLIENT_REFUSED if that cannot happen
 * any more or does not happen within the limit.  Returns VMRUN_CLIENT_TIMED_OUT 5 seconds later if
 * the vmrun hangs.
 */
VMRUN_API int vmrun_client_wait(struct vmrun_client *client, const char *what, int64_t limit_ms);
/*
 * Waits until the guest prints a text on its serial console; with `backlog` also if the last
 * 64 KiB contain the text.  Returns as vmrun_client_wait() does.
 */
VMRUN_API int vmrun_client_wait_for(
    struct vmrun_client *client, const char *text, bool backlog, int64_t limit_ms);

/* --- the serial console of another vmrun --- */

/*
 * Attaches the connection to the serial console; with `typing` also to type, which one client at a
 * time can do.  From then on the connection carries the bytes of the console, beginning with the
 * last 64 KiB that were printed, and the functions for requests return VMRUN_CLIENT_USAGE.
 */
VMRUN_API int vmrun_client_attach(struct vmrun_client *client, bool typing, int64_t limit_ms);
/*
 * Reads what the guest has printed: waits for the first byte, then stores at most `size` bytes,
 * and their number in *length.
 */
VMRUN_API int vmrun_client_read(
    struct vmrun_client *client, void *bytes, size_t size, size_t *length, int64_t limit_ms);
/*
 * Types bytes on the console; stores the number that was sent in *written (all, unless the limit
 * passes or the connection ends).  Returns VMRUN_CLIENT_USAGE if the client is attached without
 * `typing`.
 */
VMRUN_API int vmrun_client_write(
    struct vmrun_client *client, const void *bytes, size_t size, size_t *written, int64_t limit_ms);

#ifdef __cplusplus
}
#endif

#endif
