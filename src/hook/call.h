/* The inside of the calls of hooks, shared by calls.c, call.c and waits.c. */
#ifndef HOOK_CALL_H
#define HOOK_CALL_H

#include "guest/watch.h"
#include "hook/calls.h"
#include "hook/command.h"
#include "script/script.h"

enum call_state {
	CALL_BEGINS,   /* its next function has not been called */
	CALL_WAITS,    /* for what `wait` says */
	CALL_ANSWERED, /* its wait is over: it continues as soon as Lua is not left */
	CALL_LEFT,     /* it was left at the end of a slice */
};

enum call_wait {
	WAIT_TIME, /* also for the turn of the loop before a call with an answer continues */
	WAIT_COMMAND,
	WAIT_TEXT, /* on the console */
	WAIT_SEND,
	WAIT_DEMAND, /* for the machine: calls_answer() */
};

struct call {
	enum call_state state;
	const struct hook *hook; /* NULL: a script of a client */
	struct hook_source source;
	struct node *labels;	  /* of the main call's functions, in order */
	const struct node *label; /* of the function that runs */
	char *name;		  /* of a lasting call: its label */
	size_t index;		  /* of the function, from 1 */
	struct hook_script script;
	char *text; /* of the script */
	int64_t number;
	struct script_task *task;
	bool renews;	 /* its time limit counts anew when it continues */
	bool has_waited; /* since it was begun */
	enum call_wait wait;
	int64_t until_ms; /* of the wait; -1: no limit */
	int64_t gone_ms;  /* the boot has ended: the call is abandoned then; -1: it has not */
	int gone_waits;	  /* waits since then */
	struct node *answer;
	struct hook_command command;
	bool late; /* the command timed out and was killed */
	struct watch *watch;
	bool behind;	      /* the watch has output to read */
	int64_t look_ms;      /* when it was looked at last */
	uint64_t console_at;  /* where the next watch starts */
	struct node *request; /* of a text to send, or a demand */
	size_t sent;	      /* bytes of that text */
	uint64_t order;	      /* of that wait */
};

/* waits.c: lets a call wait for what it requests (taken). */
void wait_begin(struct calls *c, struct call *call, struct node *request);
/* Ends a wait with an answer (taken; NULL: nil). */
void wait_answer(struct call *call, struct node *answer);
/* Answers a demand; why_not: the reason why it was not met, or NULL. */
void wait_answer_demand(struct calls *c, struct call *call, const char *why_not);
/* Ends a wait because the boot has ended. */
void wait_gone(struct calls *c, struct call *call);
/* Handles the time of a wait. */
void wait_is_due(struct calls *c, struct call *call);
/* Returns when that is; -1: never. */
int64_t wait_until_ms(const struct call *call);
/* Looks for the texts of a call in the console's output. */
void wait_look(struct calls *c, struct call *call);
/* Types what the calls send, one after another. */
void wait_type(struct calls *c);
/* Handles the exit of a command; returns false when it is not this call's. */
bool wait_command_ended(struct call *call, pid_t pid);
/* Frees what a wait holds; a command is killed and left to the loop. */
void wait_clear(struct call *call);

/*
 * call.c: gets the labels of the functions of a hook, those that were foreseen if they still hold.
 * Caller frees.
 */
int call_list(struct calls *c, const struct hook *hook, const struct hook_source *source,
    struct node **labels, struct error *err);
void call_drop_foreseen(struct calls *c);
/* Lets the next function of a call begin, or the present one continue. */
void call_step(struct calls *c, struct call *call);
/* Abandons a call because its time after the end of the boot is over. */
void call_fail_gone(struct calls *c, struct call *call);
/* Abandons a call and frees it; reaps: its command is reaped here. */
void call_free(struct call *call, bool reaps);

/* Returns the present time of the machine: in a simulation, hooks make it pass. */
int64_t calls_now(const struct calls *c);
/* Returns the place of a call, 0 for the main call. */
size_t calls_place(const struct calls *c, const struct call *call);
/* Removes a call that has ended, and frees it. */
void calls_remove(struct calls *c, struct call *call);

#endif
