/*
 * libvmrun: supervise a bhyve (or qemu) virtual machine from a C program.
 *
 *	struct vmrun_options options = VMRUN_OPTIONS;
 *	struct vmrun *vm;
 *
 *	options.file = "vm.lua";
 *	if (vmrun_open(&vm, &options) == 0)
 *		(void)vmrun_run(vm, print_event, NULL);
 *	... vmrun_problem(), vmrun_status() ...
 *	vmrun_close(vm);
 *
 * Handles are opaque and independent of each other; there is no global state.  The library prints
 * nothing, never exits, changes no signal handler and needs none; but when memory runs out it
 * writes that to stderr and calls abort(3).  A handle belongs to one thread at a time, and the
 * thread that calls vmrun_start() must outlive the VM, because on Linux the hypervisor is told to
 * stop when that thread ends.  vmrun_start() refuses a program that ignores SIGCHLD: the exit
 * statuses of its children would be lost.
 *
 * The handle lends strings and arrays that a function returns, until vmrun_close() unless the
 * function's comment says less.
 *
 * Every function may be called at any time between vmrun_open() and vmrun_close(), also for a
 *handle with problems: vmrun_prepare(), vmrun_check(), vmrun_start(), vmrun_simulate() and
 *vmrun_run() then return the status of the problems.  The comment of a function says what it
 *returns when it is called too early or too late.
 */
#ifndef VMRUN_VMRUN_H
#define VMRUN_VMRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VMRUN_VERSION "0.1.0"

#if defined(__GNUC__)
#define VMRUN_API __attribute__((visibility("default")))
#else
#define VMRUN_API
#endif

/* Returns the version of the library in use; VMRUN_VERSION is that of the header. */
VMRUN_API const char *vmrun_version(void);
/* Returns the default of options.run_dir. Caller frees with free(). */
VMRUN_API char *vmrun_default_run_dir(void);
/*
 * Drops what a stock hook has kept in vmrun.state of a VM that no vmrun supervises: "install_once",
 * or "install_once:ID" for a use with an id.  A directory that is NULL is the default of the option
 * of that name.  Returns 0, or a status of sysexits(3) with *why, to be freed with free(): 69 there
 * is nothing to forget, or no such hook; 65 the state cannot be read; 71 the operating system
 * refused; 75 a vmrun supervises the VM; 77 permission denied.
 */
VMRUN_API int vmrun_forget(
    const char *run_dir, const char *state_dir, const char *vm, const char *hook, char **why);
/*
 * Everything that a spec can say: "schema" (JSON Schema 2020-12 of a spec in JSON), "lua-types"
 * (annotations for lua-language-server) or "devices" (every device and key, a table for people, or
 * JSON); NULL for anything else.  Caller frees with free().
 */
VMRUN_API char *vmrun_describe(const char *what, bool json);

struct vmrun;

/* What to run and how. Start from VMRUN_OPTIONS; the strings need to live as long as the handle. */
struct vmrun_options {
	size_t size;	    /* of this struct: set by VMRUN_OPTIONS */
	const char *file;   /* the spec, "-" for stdin; NULL: the buffer below */
	const char *text;   /* the spec as a buffer (64 when both are NULL), */
	size_t length;	    /* its length in bytes, */
	const char *name;   /* what problems call it, NULL: "<buffer>", */
	const char *folder; /* and where its relative paths start (absolute), NULL: the cwd */
	const char *format; /* "json", "lua", "ucl", or NULL: by extension, then by content */
	const char *target; /* booted first, NULL: "default" */
	/* KEY=VALUE settings over the merged spec, NULL-terminated, or NULL */
	const char *const *set;
	const char *hypervisor;	  /* "bhyve", "qemu", "auto" or NULL: what can run here */
	const char *bhyve, *qemu; /* programs, for whichever is taken; NULL: found in PATH */
	const char *const *args;  /* further words for the hypervisor, NULL-terminated, or NULL */
	bool dry_run;	/* nothing will be started: speak of bhyve anywhere, ask the host nothing */
	bool no_reboot; /* never boot again, whatever the policy says */
	int64_t reboot_count;  /* automatic boots allowed after the first, negative: any number */
	const char *reboot_on; /* causes and statuses, comma separated, above the spec's; or NULL */
	const char *pid_file;  /* of the hypervisor, or NULL; locked, removed at the end */
	const char *supervisor_pid_file; /* of this process, likewise */
	const char *run_dir;		 /* runtime directory, NULL: the default of vmrun(8) */
	const char *state_dir;		 /* directory of persistent state, likewise */
	bool check; /* vmrun_check() is all that will be done: nothing is changed or started */
	bool fix;   /* run the known fixes of failed checks */
	/* Run also those that destroy something: a VM of this name that no vmrun supervises. */
	bool force;
	bool no_checks; /* start without checks of the host */
	bool ask;	/* what can be fixed is asked of vmrun_answer(), see VMRUN_CHECKED */
	/* Further hooks, asked after those of the spec, whatever the target, NULL-terminated, or
	 * NULL: files, relative to the cwd, and names of stock hooks; see vmrun-hooks(5). */
	const char *const *hooks;
	/* For a spec that another person wrote: Lua runs without files, commands and debug, and the
	 * spec runs no command of the host and names only what vmrun(8) lists under --sandbox. */
	bool sandbox;
	/* vmrunctl(8) and other programs of this user may send requests to the socket `control` in
	 * the VM's directory of run_dir; vmrun(8) has its protocol. */
	bool control;
	bool panic_on_failed_cleanup; /* end with 71 when something is left behind */
	/* What a sandboxed spec may name besides, NULL-terminated, or NULL: paths (relative to the
	 * cwd) with all below them, devices, interfaces and addresses, as --allow of vmrun(8). */
	const char *const *allow;
};

#ifdef __cplusplus
/* C++ has no designated initializers before C++20. */
static inline struct vmrun_options vmrun_options_of_cxx(void)
{
	struct vmrun_options options = {};

	options.size = sizeof(options);
	options.reboot_count = -1;
	return options;
}
#define VMRUN_OPTIONS vmrun_options_of_cxx()
#else
#define VMRUN_OPTIONS                                                    \
	{                                                                \
		.size = sizeof(struct vmrun_options), .reboot_count = -1 \
	}
#endif

/*
 * Reads, evaluates and checks a spec, every target of it.  *out is always set, so that problems can
 * be asked for; free it with vmrun_close().  Returns 0, or the status that vmrun(8) ends with: 64
 * options, 65 the spec is wrong, 66 it cannot be read, 70, 71.  For UCL, which must be a file, it
 * runs uclcmd and waits for it, 10 seconds at most; a program that ignores SIGCHLD gets 71 then.
 */
VMRUN_API int vmrun_open(struct vmrun **out, const struct vmrun_options *options);
/*
 * Frees the handle.  A VM that still runs is killed, and what it and its supervision have taken is
 * given back, by commands that are waited for.  NULL is fine.
 */
VMRUN_API void vmrun_close(struct vmrun *vm);

/* One thing that is wrong. */
struct vmrun_problem {
	const char *place; /* "vm.json:7:15", or NULL */
	const char *path;  /* of the key, "targets.install.mem", or NULL */
	const char *text;
};

VMRUN_API size_t vmrun_problem_count(const struct vmrun *vm);
/* False when there is no such problem. They are valid until the next call that can fail. */
VMRUN_API bool vmrun_problem(const struct vmrun *vm, size_t index, struct vmrun_problem *out);

/*
 * Prepares the first boot: merges the target, runs on_prepare, assigns slots, makes the command.
 * Starts nothing.  Returns 0 or a status as vmrun_open() does (69: on_prepare refused); 0 without
 * doing anything when it was called before, and after vmrun_start() or vmrun_simulate().
 */
VMRUN_API int vmrun_prepare(struct vmrun *vm);
/*
 * The command of the prepared boot, NULL-terminated, lent until vmrun_start().  Before
 * vmrun_prepare() or vmrun_check(), and after vmrun_start(), whose events tell more, or
 * vmrun_simulate(), this function and those below that give a text return NULL, and the lists that
 * are possibly empty are empty.
 */
VMRUN_API const char *const *vmrun_argv(const struct vmrun *vm);
/* The same as one line for a POSIX shell. Caller frees with free(). */
VMRUN_API char *vmrun_command(const struct vmrun *vm);
/*
 * Likewise what loads the guest before the hypervisor runs; NULL also when firmware does.  Its
 * standard input, if it has lines for it, comes from printf(1). Caller frees with free().
 */
VMRUN_API char *vmrun_loader_command(const struct vmrun *vm);
/*
 * The prepared boot as a file for bhyve -k (bhyve_config(5)).  NULL also with qemu, and when a
 * value cannot stand in a line: see vmrun_problem(). Caller frees with free().
 */
VMRUN_API char *vmrun_bhyve_config(struct vmrun *vm);
/* What that file cannot say, secrets aside, NULL-terminated; possibly empty. Lent likewise. */
VMRUN_API const char *const *vmrun_bhyve_words(const struct vmrun *vm);
/*
 * What in the command stands for something that only a run knows, a sentence each,
 * NULL-terminated; possibly empty: "tapAUTO stands for ...". Lent likewise.
 */
VMRUN_API const char *const *vmrun_placeholders(const struct vmrun *vm);
/* The resolved spec of the prepared boot as JSON. Caller frees with free(). */
VMRUN_API char *vmrun_spec_json(const struct vmrun *vm);
/* Remarks about the prepared boot, NULL-terminated; possibly empty. Lent until vmrun_start(). */
VMRUN_API const char *const *vmrun_notes(const struct vmrun *vm);
/*
 * The targets, and where each cause leads from each of them, as a graph for dot(1).  It needs no
 * vmrun_prepare(); NULL when there are problems, and after vmrun_start() or vmrun_simulate().
 * Caller frees with free().
 */
VMRUN_API char *vmrun_graph(struct vmrun *vm);
/*
 * Has a serial port, or a loader, this program's stdin and stdout, in any target?  What on_prepare
 * changes is not known before its boot.  False when there are problems, and after vmrun_start() or
 * vmrun_simulate().
 */
VMRUN_API bool vmrun_uses_stdio(struct vmrun *vm);
/* The name of the VM, and the target that is booted first; NULL when the spec could not be read. */
VMRUN_API const char *vmrun_name(const struct vmrun *vm);
VMRUN_API const char *vmrun_target(const struct vmrun *vm);
/* "bhyve" or "qemu"; NULL when the options named neither. */
VMRUN_API const char *vmrun_hypervisor(const struct vmrun *vm);

/*
 * Prepares the first boot, unless that was done, and checks everything that must be true of the
 * host for it.  It asks system calls or runs commands that only read, 5 seconds each at most, and
 * waits for them; nothing is changed and nothing is fixed.  For a run (neither options.check nor
 * options.dry_run) the name of the VM is taken first, as by vmrun_start().  Returns 0, 69 when
 * something must be mended, a status as vmrun_prepare() and vmrun_start() do, or 64 after
 * vmrun_start(), whose checks are events, or vmrun_simulate().
 */
VMRUN_API int vmrun_check(struct vmrun *vm);

/* What a check found. Members that do not apply are NULL. */
struct vmrun_finding {
	const char *device;	 /* model of the device: "virtio-net"; NULL: the VM itself */
	const char *id;		 /* of the device, */
	const char *slot;	 /* its address: "0:3:0", */
	const char *device_path; /* and where it stands: "targets.install.emulations[0]" */
	const char *path;	 /* of the key: "targets.install.emulations[0].path" */
	/* what is wrong: "tap3", "/vm/disk.img"; unchecked: what of it is missing */
	const char *what;
	const char *problem; /* why: "no such interface" */
	const char *fix;     /* the command that mends it, for a POSIX shell */
	bool forced;	     /* the fix destroys something: it needs options.force */
	bool will_fix;	     /* vmrun_start() with these options runs the fix */
	bool unchecked;	     /* not a problem: the check was not possible, `problem` says why */
};

/* False when there is no such finding, or no check yet.  The VM's own come first, then those of
 * each device, in order. They are lent until the next check, or the next VMRUN_CHECKED. */
VMRUN_API bool vmrun_finding(const struct vmrun *vm, size_t index, struct vmrun_finding *out);
/* The problems as JSON, {"vm","target","problems":[{device,id,slot,path,problem,fix}]}; NULL before
 * vmrun_check().  Caller frees with free(). */
VMRUN_API char *vmrun_check_json(const struct vmrun *vm);

enum vmrun_event_type {
	VMRUN_POLICY, /* ended, cause, action, target, delay_ms, by: at the start, one a cause: what
		       * follows it; status: a single one of the cause, else -1; text: the hooks
		       * that are asked before, or NULL */
	VMRUN_STARTING, /* target: a boot begins */
	VMRUN_LOADING,	/* target, pid, argv: what loads the guest runs */
	VMRUN_SPAWNED,	/* target, pid, argv: the hypervisor runs */
	VMRUN_OUTPUT,	/* text: one line of the hypervisor's stderr, or of the loader `by` */
	VMRUN_EXITED,	/* target, cause, status, signal, uptime_ms, text: last words on stderr */
	/* boot, ended, cause: the boot that ended; action, target, delay_ms: what comes next, and
	 * by whose decision (by) */
	VMRUN_DECIDED,
	VMRUN_GIVEN_UP,	   /* cause, by, target: this boot was one too many; text: the last exits, a
			    * line each, the newest last */
	VMRUN_RELOADED,	   /* problems, text: the spec was read again; what is wrong with it */
	VMRUN_STOPPING,	   /* action: a step of the stop ladder; delay_ms: before the next one */
	VMRUN_HOOK_FAILED, /* by, text: the hook and its traceback */
	VMRUN_LOG,	   /* level, text: vmrun.log() and print() of a spec or hook */
	VMRUN_WARNING,	   /* text */
	VMRUN_NOTE,	   /* text */
	/* target, problems, asks: the host was asked; vmrun_finding() tells what is wrong, and text
	 * in JSON: [{device,id,slot,path,problem,fix}], NULL when another check has come since */
	VMRUN_CHECKED,
	VMRUN_FIXED,	  /* target, text: this command mended it */
	VMRUN_ENDED,	  /* exit_status: the supervision is over; nothing follows */
	VMRUN_HOOK_EVENT, /* by, text: what vmrun.event() was given, as JSON; by may be NULL */
	/* target: what its boot took is given back; text: what could not be and why, or NULL */
	VMRUN_CLEANED,
	/* lost: the number of events before this one that did not reach their reader.  The library
	 * makes none: it is for programs that pass events on to a reader that may be slow. */
	VMRUN_LOST,
};

/* Unused members are 0 or NULL. Everything is lent until the next vmrun_next_event(). */
struct vmrun_event {
	enum vmrun_event_type type;
	const char *name; /* of the type: "starting", "spawned", ... */
	uint64_t seq;	  /* counts from 1 */
	const char *vm;
	const char *target;
	int64_t boot;	   /* VMRUN_DECIDED: counts from 1, boots that failed before they ran too */
	const char *ended; /* VMRUN_DECIDED: the target that was booted; VMRUN_POLICY: that ends */
	const char *cause; /* "reboot", "poweroff", ... */
	const char *cause_text; /* the same for people */
	const char *action;	/* "boot", "stop", "wait"; "acpi", "poweroff", "kill" */
	const char *by;
	const char *level;
	const char *text;
	const char *const *argv;
	int pid;
	int problems;
	int status; /* of the hypervisor in bhyve's terms; -1: it died of a signal, or never ran */
	const char *status_text; /* what the status means beyond the cause, or NULL */
	int signal;
	int exit_status;
	int64_t uptime_ms;
	int64_t delay_ms;
	bool console;	 /* VMRUN_SPAWNED: a serial port has this program's stdin and stdout */
	bool terminal;	 /* and that stdin is a terminal: its ^C is the guest's */
	bool asks;	 /* VMRUN_CHECKED: nothing goes on before vmrun_answer(), or a stop */
	int64_t time_ms; /* when it happened: milliseconds since 1970, UTC */
	int64_t lost;
};

/*
 * Any event as one line of JSON without its line end, always valid UTF-8, as vmrun --events writes
 * it: vmrun(8) tells the members of each. Caller frees with free().
 */
VMRUN_API char *vmrun_event_json(const struct vmrun_event *event);
/* Returns how much an event matters: "error", "warning", "info" or "debug", as of --log-level. */
VMRUN_API const char *vmrun_event_level(const struct vmrun_event *event);
/*
 * A problem, or anything else that is said beside the events, likewise:
 * {"v","time","level","place","path","text"}, the time being now and the level "error", "warning",
 * "info" or "debug".  Caller frees with free().
 */
VMRUN_API char *vmrun_problem_json(const struct vmrun_problem *problem, const char *level);

/*
 * Starts the supervision; the first boot is prepared in it, unless vmrun_prepare() was called. From
 * here on problems of a boot are events.  Returns 0 or a status: 64 SIGCHLD is ignored, it was
 * called before, or options.dry_run or options.check is set; 65, 71; 75 the VM's name or a pid file
 * is taken.  Unless it returns 0 nothing was started.
 */
VMRUN_API int vmrun_start(struct vmrun *vm);
/*
 * The answer to a VMRUN_CHECKED that asks: run the fixes of what was found, or let the boot fail.
 * Does nothing when nothing is asked.
 */
VMRUN_API void vmrun_answer(struct vmrun *vm, bool fix);
/*
 * In place of vmrun_start(), of a handle with options.dry_run: walks the policy without a VM.  The
 * list, "reboot,triple_fault@90,3", says how each boot ends, causes or statuses, with the seconds
 * that it was up (0).  The same policy and hooks decide, time is simulated, vmrun.exec() starts
 * nothing, vmrun.state is not written.  When it returns the list is walked and the events tell of
 * it. Returns 0, 64 when the list is wrong, options.dry_run and options.check are not set, or it
 * was called before, or a status as vmrun_open() does.
 */
VMRUN_API int vmrun_simulate(struct vmrun *vm, const char *list);
/*
 * A descriptor that is readable when vmrun_dispatch() has something to do; timers are in it.  -1
 * before vmrun_start() or vmrun_simulate().
 */
VMRUN_API int vmrun_fd(const struct vmrun *vm);
/*
 * Does what there is to do, never waits.  Returns 0, 71 when the supervision broke down, or 64
 * before vmrun_start() or vmrun_simulate().
 */
VMRUN_API int vmrun_dispatch(struct vmrun *vm);
/* Takes the next event; false when there is none now. */
VMRUN_API bool vmrun_next_event(struct vmrun *vm, struct vmrun_event *out);
/*
 * Asks the VM to stop; asking again takes the next step of the stop ladder at once.  Does nothing
 * before vmrun_start(), of a simulation, and after the end.
 */
VMRUN_API void vmrun_stop(struct vmrun *vm);
/*
 * It has given up and waits, as the spec's on.given_up may say: forgets the boots that were too
 * many, and makes the one that was refused.  False when there is nothing to reset.
 */
VMRUN_API bool vmrun_reset(struct vmrun *vm);
/* As vmrun_stop(), from the last step of the ladder on: the hypervisor is killed at once. */
VMRUN_API void vmrun_kill(struct vmrun *vm);
/*
 * Climbs down the ladder, then boots this target (NULL: the next); the policy is not asked and
 * restart_limit does not count it.  A VM that waits for its next boot has it at once.  Returns 0,
 * 65 (no such target), 69 (it is booting or ending already, or options.no_reboot) or 64 before
 * vmrun_start() and of a simulation; see vmrun_refusal().
 */
VMRUN_API int vmrun_reboot(struct vmrun *vm, const char *target);
/*
 * Makes the next boot, whatever decides on it, one of this target, once.  Returns 0, 65 (no such
 * target, or NULL), 69 (it is ending) or 64 likewise.
 */
VMRUN_API int vmrun_next(struct vmrun *vm, const char *target);
/*
 * Reads the spec again, with the same options: it holds from the next boot on.  One that is not
 * good, or has another name, is reported by VMRUN_RELOADED, and the old one stays.  Blocks until
 * the spec is read: a spec in Lua may compute for 5 seconds, and waits for each command that it
 * runs. Returns 0, a status as vmrun_open() does, or 64 before vmrun_start(), of a simulation, and
 * after the end.
 */
VMRUN_API int vmrun_reload(struct vmrun *vm);
/*
 * Closes the logs that the handle writes and opens them by their names, after they were renamed.
 * Creates the control socket again if it was deleted, as vmrun_reload() does.  A file that cannot
 * be opened or created is a VMRUN_WARNING.  Does nothing when vmrun_stop() does nothing.
 */
VMRUN_API void vmrun_reopen_logs(struct vmrun *vm);
/*
 * Puts back the modes of a terminal that a hypervisor which still runs has changed, as the end of
 * that would: for a signal handler that ends the program, where it may be called.
 */
VMRUN_API void vmrun_restore_terminal(const struct vmrun *vm);
/* Why the last vmrun_reboot() or vmrun_next() was refused; NULL when it was not. */
VMRUN_API const char *vmrun_refusal(const struct vmrun *vm);

/* The state of the VM. */
struct vmrun_state {
	const char *state;  /* "waiting", "loading", "running", "stopping", "backoff", "given_up" */
	const char *target; /* that boots, runs or ended last; NULL before vmrun_start() */
	const char *next_target; /* as far as it is known; or NULL */
	const char *cause;	 /* of the last exit, or NULL */
	int64_t boots, uptime_ms;
	int64_t wait_ms; /* until the next boot, or the next step of the ladder, if there is one */
	int pid;	 /* of the hypervisor, 0: none runs */
	int stop_step;	 /* of the ladder, counts from 1; 0: it is not being stopped */
	const char *stop_action; /* of that step: "acpi", "poweroff", "kill"; or NULL */
	bool stop_requested;	 /* a stop was requested: no boot follows */
};

/*
 * Strings are lent until the next vmrun_dispatch().  Before vmrun_start() the state is "waiting"
 * and all else 0 or NULL; after the end it is "stopping".
 */
VMRUN_API void vmrun_get_state(const struct vmrun *vm, struct vmrun_state *out);
/*
 * Is the supervision over?  After vmrun_simulate(): would it be, or does the policy go on after the
 * list?
 */
VMRUN_API bool vmrun_ended(const struct vmrun *vm);
/* vmrun's exit status, once it is over; before, the status of the problems, or 0. */
VMRUN_API int vmrun_status(const struct vmrun *vm);
/* The hypervisor's own last status, 128 + N when signal N killed it; -1 before any boot. */
VMRUN_API int vmrun_guest_status(const struct vmrun *vm);

typedef void vmrun_event_handler(const struct vmrun_event *event, void *context);

/*
 * Starts and dispatches until the end.  Returns vmrun_status(), what vmrun_start() said, or 71,
 * with a problem, when the supervision broke down.
 */
VMRUN_API int vmrun_run(struct vmrun *vm, vmrun_event_handler *handler, void *context);

#ifdef __cplusplus
}
#endif

#endif
