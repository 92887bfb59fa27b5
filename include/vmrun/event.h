/*
 * What a VM of libvmrun does: its causes, events and state.  vmrun.h includes this header.
 */
#ifndef VMRUN_EVENT_H
#define VMRUN_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VMRUN_API __attribute__((visibility("default")))
#else
#define VMRUN_API
#endif

struct vmrun;

/* Why a boot ended; vmrun(8) explains the causes.  Later versions may add values. */
enum vmrun_cause {
	VMRUN_CAUSE_NONE, /* no cause, or one of a later version */
	VMRUN_CAUSE_REBOOT,
	VMRUN_CAUSE_POWEROFF,
	VMRUN_CAUSE_HALT,
	VMRUN_CAUSE_TRIPLE_FAULT,
	VMRUN_CAUSE_ERROR,
	VMRUN_CAUSE_KILLED,
	VMRUN_CAUSE_START_FAILED,
	VMRUN_CAUSE_LOADER_FAILED,
	VMRUN_CAUSE_CHECK_FAILED,
	VMRUN_CAUSE_NOT_READY,
	VMRUN_CAUSE_UNHEALTHY,
	VMRUN_CAUSE_TIMED_OUT,
	VMRUN_CAUSE_GIVEN_UP,
	VMRUN_CAUSE_STOPPED,
};

/* The types of events, with the members of struct vmrun_event that each type uses. */
enum vmrun_event_type {
	/*
	 * ended, cause, action, target, delay_ms, by: what follows a cause; one event per cause at
	 * the start; status: the single status that it is about, else -1; text: the hooks that are
	 * called before, or NULL
	 */
	VMRUN_POLICY,
	VMRUN_STARTING, /* target: a boot begins */
	VMRUN_LOADING,	/* target, pid, argv: the loader runs */
	/*
	 * target, pid, argv, devices: the hypervisor runs; text: what this boot has chosen that the
	 * boot before had not, and how to reach the guest, a line each; or NULL
	 */
	VMRUN_SPAWNED,
	VMRUN_OUTPUT, /* text: one line of the hypervisor's stderr, or of the loader `by` */
	/*
	 * target, cause, status, signal, uptime_ms, ended_by; text: the last lines on stderr.  No
	 * VMRUN_DECIDED follows a start that failed because another program took the port that
	 * vmrun had found: the same boot starts again with another port.
	 */
	VMRUN_EXITED,
	/*
	 * boot, ended, cause: the boot that ended; action, target, delay_ms: what follows; by: the
	 * key, hook or option that decided
	 */
	VMRUN_DECIDED,
	/*
	 * cause, by, target: the boot that was one too many; text: the last exits, one per line,
	 * the newest last
	 */
	VMRUN_GIVEN_UP,
	VMRUN_RELOADED, /* the spec was read again; problems, text: its problems */
	/* action: a step of the stop ladder; delay_ms: until the next step; cause: why it stops */
	VMRUN_STOPPING,
	VMRUN_HOOK_FAILED, /* by: the hook; text: its traceback */
	VMRUN_LOG,	   /* level, text: vmrun.log() and print() of a spec or hook */
	VMRUN_WARNING,	   /* text */
	VMRUN_NOTE,	   /* text */
	/*
	 * target, problems, asks: the host was checked; vmrun_finding() returns the problems; text:
	 * the problems in JSON, [{device,id,slot,path,problem,fix}], or NULL after a newer check
	 */
	VMRUN_CHECKED,
	VMRUN_FIXED,	  /* target; text: the command that fixed a problem */
	VMRUN_ENDED,	  /* exit_status: the supervision is over; this is the last event */
	VMRUN_HOOK_EVENT, /* by, text: the argument of vmrun.event() as JSON; by may be NULL */
	/* target: its boot was cleaned up; text: what the cleanup left behind and why, or NULL */
	VMRUN_CLEANED,
	/*
	 * lost: the number of events that are missing here; seq is that of the last of them.  Lines
	 * of output and messages of scripts are lost when thousands of them wait in the queue.
	 */
	VMRUN_LOST,
	VMRUN_READY,	 /* target, by: what `ready` waited for; uptime_ms: of the boot then */
	VMRUN_UNHEALTHY, /* target; failures: tries of `alive` in a row; text: the last failure */
};

/* An event.  enum vmrun_event_type says what its members mean; unused ones are 0 or NULL. */
struct vmrun_event {
	enum vmrun_event_type type;
	const char *name; /* name of the type: "starting", "spawned", ... */
	uint64_t seq;	  /* counts from 1 */
	const char *vm;
	const char *target;
	/*
	 * VMRUN_DECIDED: number of the boot, from 1; boots that failed before they ran count, too.
	 * VMRUN_GIVEN_UP: the boots that restart_limit allows within delay_ms.
	 */
	int64_t boot;
	const char *ended;	/* VMRUN_DECIDED, VMRUN_POLICY: the target of the boot that ends */
	const char *cause;	/* "reboot", "poweroff", ... */
	const char *cause_text; /* the cause as text for the user */
	const char *action;	/* "boot", "stop", "wait"; "acpi", "poweroff", "kill" */
	const char *by;
	const char *level;
	const char *text;
	const char *const *argv;
	int pid;
	int problems; /* the number of problems */
	/* in bhyve's terms, or the hypervisor's own after an error; -1: killed, or never ran */
	int status;
	const char *status_text; /* what the status means beyond the cause, or NULL */
	int signal;		 /* the signal that killed the hypervisor, or 0 */
	int exit_status;	 /* VMRUN_ENDED: of vmrun */
	int64_t uptime_ms;	 /* VMRUN_EXITED: of the hypervisor or a failed loader, or -1 */
	int64_t delay_ms;
	bool console;	 /* VMRUN_SPAWNED: a serial port uses this program's stdin and stdout */
	bool terminal;	 /* VMRUN_SPAWNED: that stdin is a terminal; its ^C goes to the guest */
	bool asks;	 /* VMRUN_CHECKED: the boot waits for vmrun_answer() or a stop */
	int64_t time_ms; /* time of the event, milliseconds since 1970, UTC */
	int64_t lost;	 /* VMRUN_LOST: the number of missing events */
	/*
	 * VMRUN_SPAWNED: what the run has chosen for each device, as JSON:
	 * {"virtio-net-0":{"slot":"0:3:0","tap":"tap0"},"com1":{"tty":"/dev/nmdm0B"}}; vmrun(8)
	 * lists the members
	 */
	const char *devices;
	/*
	 * VMRUN_EXITED: what ended the boot: "guest"; "acpi", "poweroff" or "kill", a step of the
	 * stop ladder; or NULL
	 */
	const char *ended_by;
	const char *ended_text;	     /* what that step did, as text for the user, or NULL */
	int64_t failures;	     /* VMRUN_UNHEALTHY: failed tries in a row */
	enum vmrun_cause cause_code; /* the same as `cause` */
};

/*
 * Returns an event as one line of JSON without its newline, always valid UTF-8, as vmrun --events
 * writes it; vmrun(8) lists the members of each event.  Caller frees with free().
 */
VMRUN_API char *vmrun_event_json(const struct vmrun_event *event);
/* Returns the level of an event, as of --log-level: "error", "warning", "info" or "debug". */
VMRUN_API const char *vmrun_event_level(const struct vmrun_event *event);
/*
 * Returns a message outside the events as such a line, {"v","time","level","place","path","text"},
 * with the current time and the level "error", "warning", "info" or "debug".  The place and the
 * path are those of a struct vmrun_problem, or NULL.  Caller frees with free().
 */
VMRUN_API char *vmrun_message_json(
    const char *level, const char *place, const char *path, const char *text);
/* Lends the next event, valid until the next call of this function; NULL: there is none now. */
VMRUN_API const struct vmrun_event *vmrun_next_event(struct vmrun *vm);

/* Handles an event of vmrun_run(). */
typedef void vmrun_event_handler(const struct vmrun_event *event, void *context);

/* The state of the VM. */
struct vmrun_state {
	const char *state;  /* "waiting", "loading", "running", "stopping", "backoff", "given_up" */
	const char *target; /* target that boots, runs or ended last; NULL before vmrun_start() */
	const char *next_target;  /* target of the next boot; NULL: unknown */
	const char *cause;	  /* cause of the last exit, or NULL */
	int64_t boots, uptime_ms; /* boots started so far; time since the hypervisor started */
	/* time until the next boot, the next step of the ladder, or the end of waits_for; or 0 */
	int64_t wait_ms;
	int pid;		 /* process ID of the hypervisor; 0: none runs */
	int stop_step;		 /* step of the stop ladder, from 1; 0: no stop */
	const char *stop_action; /* its action: "acpi", "poweroff", "kill"; or NULL */
	bool stop_requested;	 /* a stop was requested: no boot follows */
	/* JSON, as in struct vmrun_event; NULL while neither the hypervisor nor its loader runs */
	const char *devices;
	/* accelerator of qemu, with the reason: "kvm: ..."; NULL under bhyve, or as `devices` is */
	const char *accel;
	/* address for VNC clients: "vnc://127.0.0.1:5900"; NULL without one, or as `devices` is */
	const char *screen;
	/*
	 * command that reaches a serial port; vmrunctl(8) needs options.control; NULL without one,
	 * or as `devices` is
	 */
	const char *console;
	/* The directories of the options, absolute; NULL before vmrun_start(). */
	const char *run_dir, *state_dir;
	/*
	 * What vmrun waits for before it starts the VM: a path or an interface of wait_for,
	 * "companion mk to make /vm/ram.img", "companion mk to be ready" or "companion mk of the
	 * boot before to end"; or NULL
	 */
	const char *waits_for;
	/* 1: the guest is ready; 0: not yet, or no guest runs; -1: the target has no `ready` */
	int ready;
	/*
	 * Whether a service manager may be told that the VM is up: a guest was ready (or, without
	 * `ready`, was started), and its on_ready has ended or waits.  Stays true.
	 */
	bool started;
	/* time until `within` of `ready` passes; 0: no limit, or nothing to wait for */
	int64_t ready_within_ms;
	/* exit status that a stop request of a hook has set; -1: none */
	int requested_status;
	enum vmrun_cause cause_code; /* the same as `cause` */
	bool ending;		     /* vmrun is about to exit, with or without a stop request */
};

/*
 * Lends the state of the VM.  It and its strings are valid until the next call that may change the
 * VM: of vmrun_dispatch(), or of a request such as vmrun_next(), which may take one of them. Before
 * vmrun_start() the state is "waiting", `ready` and `requested_status` are -1, and all else is 0 or
 * NULL; after the end the state is "stopping".
 */
VMRUN_API const struct vmrun_state *vmrun_get_state(const struct vmrun *vm);

#ifdef __cplusplus
}
#endif

#endif
