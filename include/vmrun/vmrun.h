/*
 * libvmrun: supervises a bhyve (or qemu) virtual machine from a C program.
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
 * nothing, never exits, changes no signal handler and needs none; but if memory runs out, it writes
 * that to stderr and calls abort(3).  A handle belongs to one thread at a time, and threads
 * that used it may end: a VM ends with the process, not with a thread.  For that, the library on
 * Linux starts a thread of its own for each process that a thread other than the main thread
 * starts.  That thread blocks all signals, and ends with the process for which it was started.  One
 * limit: on Linux a hypervisor that the main thread has started gets a signal to stop when the main
 * thread calls pthread_exit(3).  vmrun_start() fails in a program that ignores SIGCHLD, because the
 * exit statuses of its children would be lost; a handler of SIGCHLD must not wait for any child, as
 * waitpid(-1, ...) does, but only for its own.
 *
 * Strings, arrays and structs that a function returns belong to the handle and are valid until
 * vmrun_close(), unless the function's comment says otherwise.  NULL for a `char **` means that the
 * program does not want that text.  NULL for a handle is allowed in vmrun_close() only.
 *
 * Later versions may add members at the end of each struct, without a new SONAME.  A program only
 * reads structs that the library lends, and never makes one of its own, except for the options.
 *
 * Every function may be called at any time between vmrun_open() and vmrun_close(), also for a
 * handle with problems: vmrun_prepare(), vmrun_check(), vmrun_start(), vmrun_simulate() and
 * vmrun_run() then return the status of the problems.  The comment of a function says what it
 * returns when it is called too early or too late.
 */
#ifndef VMRUN_VMRUN_H
#define VMRUN_VMRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmrun/event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VMRUN_VERSION "0.2.0"

/* Returns the version of the library in use; VMRUN_VERSION is the version of the header. */
VMRUN_API const char *vmrun_version(void);
/* Returns the default of options.run_dir. Caller frees with free(). */
VMRUN_API char *vmrun_default_run_dir(void);
/*
 * Drops the state that a stock hook saved in vmrun.state of a VM that no vmrun supervises:
 * "install_once", or "install_once:ID" for a use with an id.  NULL for a directory means the
 * default of the option of that name.  Returns 0, or a status of sysexits(3) with the reason in
 * *why, to be freed with free(): 64 the name is invalid; 65 the state cannot be read; 69 the hook
 * is unknown or has no state; 71 the operating system refused; 75 a vmrun supervises the VM; 77
 * permission denied.
 */
VMRUN_API int vmrun_forget(
    const char *run_dir, const char *state_dir, const char *vm, const char *hook, char **why);
/*
 * Reads the history of a VM: the last ends of its boots and of the vmruns that supervised it, a
 * line of JSON each, the newest last; vmrun(8) lists the members.  If a vmrun died and no later one
 * has written its line, the last line says so.  NULL for the directory means the default.  Returns
 * 0 and sets *lines, to NULL if the VM has no history; or returns 64, 71 or 77, as vmrun_forget()
 * does, and sets *why.  Caller frees both with free().
 */
VMRUN_API int vmrun_history(const char *state_dir, const char *vm, char **lines, char **why);
/*
 * Returns a description of all that a spec can contain: "schema" (JSON Schema 2020-12 of a spec in
 * JSON), "lua-types" (annotations for lua-language-server) or "devices" (every device and key, as a
 * table or as JSON); NULL for any other word.  Caller frees with free().
 */
VMRUN_API char *vmrun_describe(const char *what, bool json);
/*
 * Returns one device of "devices" with its keys; NULL for an unknown one, with a message in *why,
 * which is NULL otherwise.  Caller frees both with free().
 */
VMRUN_API char *vmrun_describe_device(const char *name, bool json, char **why);

/* What vmrun_import() reads: the same source members as in struct vmrun_options. */
struct vmrun_import_options {
	size_t size;	  /* of this struct: set by VMRUN_IMPORT_OPTIONS */
	const char *file; /* "-" for stdin; NULL: the text is in `text` */
	const char *text;
	size_t length;	       /* of the text, in bytes */
	const char *name;      /* of the text in problems, NULL: "<buffer>" */
	const char *directory; /* absolute directory of relative paths in it, NULL: the cwd */
	const char *format;    /* "vm-bhyve", "argv", "bhyve_config", or NULL: by its lines */
	/*
	 * The host that the VM ran on, as settings "bhyve.release=14" and "bhyve.arch=amd64",
	 * NULL-terminated, or NULL: this host, or FreeBSD 14 on amd64 on another system.
	 */
	const char *const *set;
};

/* Initialises the options: all other members are zero. */
#ifdef __cplusplus
static inline struct vmrun_import_options vmrun_import_options_of_cxx(void)
{
	struct vmrun_import_options options = {};

	options.size = sizeof(options);
	return options;
}
#define VMRUN_IMPORT_OPTIONS vmrun_import_options_of_cxx()
#else
#define VMRUN_IMPORT_OPTIONS                                \
	{                                                   \
		.size = sizeof(struct vmrun_import_options) \
	}
#endif

/*
 * Prints the spec of a VM that another program ran, in JSON: of a bhyve command line in any text, a
 * file of bhyve_config(5), or the .conf of a guest of vm-bhyve.  Starts nothing and changes
 * nothing. Returns 0 and sets *spec, and *notes to lines that name what has no counterpart in a
 * spec and what to do instead, NULL if there are none; or 64 invalid options, 65 invalid text, 66
 * unreadable file, with the problems as lines in *why.  Caller frees all with free().
 */
VMRUN_API int vmrun_import(
    const struct vmrun_import_options *options, char **spec, char **notes, char **why);

/*
 * What the functions that return a status return, and the exit status of vmrun(8).  Later versions
 * may add values.
 */
enum vmrun_status_code {
	VMRUN_STATUS_OK = 0,
	VMRUN_STATUS_TRIPLE_FAULT = 3,	   /* the guest ended by a triple fault */
	VMRUN_STATUS_FAULT = 4,		   /* the hypervisor failed, or it could not start */
	VMRUN_STATUS_UNFIT = 5,		   /* the guest failed `ready`, `alive` or its time limit */
	VMRUN_STATUS_GIVEN_UP = 10,	   /* restart_limit: too many boots */
	VMRUN_STATUS_USAGE = 64,	   /* invalid options, or a call at the wrong time */
	VMRUN_STATUS_SPEC = 65,		   /* the spec is invalid */
	VMRUN_STATUS_NO_INPUT = 66,	   /* the spec cannot be read */
	VMRUN_STATUS_CHECK = 69,	   /* the host cannot run the VM */
	VMRUN_STATUS_BUG = 70,		   /* a fault of vmrun itself */
	VMRUN_STATUS_OS = 71,		   /* the operating system refused */
	VMRUN_STATUS_BUSY = 75,		   /* another process uses the name or the pid file */
	VMRUN_STATUS_DENIED = 77,	   /* permission denied */
	VMRUN_STATUS_CANNOT_EXECUTE = 126, /* the hypervisor is not executable */
	VMRUN_STATUS_NOT_FOUND = 127,	   /* the hypervisor does not exist */
	VMRUN_STATUS_SIGNAL = 128,	   /* plus N: signal N killed the hypervisor */
};

/* What a program wants after a boot. */
enum vmrun_decision_action {
	VMRUN_DECIDE_NOTHING, /* hooks and the policy decide */
	VMRUN_DECIDE_BOOT,
	VMRUN_DECIDE_STOP,
};

/*
 * The question what follows the end of a boot, and its answer.  The library sets the members up to
 * `boots`; the program changes those from `action` on.
 */
struct vmrun_decision {
	const char *vm;
	const char *ended; /* the target of the boot that ended */
	const char *cause; /* "reboot", "poweroff", ... */
	enum vmrun_cause cause_code;
	int status;	   /* exit status in bhyve's terms; -1: killed by a signal, or never ran */
	int signal;	   /* the signal that killed the hypervisor, or 0 */
	int64_t uptime_ms; /* how long the boot lasted */
	int64_t boots;	   /* the number of boots started so far */
	enum vmrun_decision_action action; /* VMRUN_DECIDE_NOTHING before the call */
	/*
	 * VMRUN_DECIDE_BOOT: the target to boot; NULL, the value before the call, means the target
	 * that the policy boots after a reboot.  The library copies the string when the handler
	 * returns.
	 */
	const char *target;
	/* VMRUN_DECIDE_BOOT: the delay; -1, the value before the call, means that of `backoff` */
	int64_t delay_ms;
	/* VMRUN_DECIDE_STOP: vmrun's status; -1, the value before the call: as the cause says */
	int exit_status;
};

/*
 * Decides what follows the end of a boot.  Must not call functions of this library with the same
 * handle.
 */
typedef void vmrun_decide_handler(struct vmrun_decision *decision, void *context);

/*
 * What to run and how.  Initialise it with VMRUN_OPTIONS: vmrun_open() returns 64 for NULL,
 * for zeroed options, and for those of a later version of this header.  The strings must live as
 * long as the handle.
 */
struct vmrun_options {
	size_t size; /* size of this struct, set by VMRUN_OPTIONS */
	/*
	 * The spec, "-" for stdin; NULL: the spec is in `text`.  Must be absolute if the program
	 * changes its directory before vmrun_reload().
	 */
	const char *file;
	/* The spec as a buffer.  vmrun_open() returns 64 if both are NULL, and if both are set. */
	const char *text;
	size_t length;	  /* bytes in the buffer */
	const char *name; /* name of the buffer in problems; NULL: "<buffer>" */
	/* absolute directory from which relative paths of the text start; NULL: the cwd */
	const char *directory;
	const char *format; /* "json", "lua", "ucl", or NULL: by extension, then by content */
	const char *target; /* target of the first boot; NULL: "default" */
	/* KEY=VALUE settings over the merged spec, NULL-terminated, or NULL */
	const char *const *set;
	/* "bhyve", "qemu"; "auto" or NULL: whose program is named, else what can run here */
	const char *hypervisor;
	const char *bhyve, *qemu; /* programs of the hypervisors; NULL: found in PATH */
	const char *const *args;  /* further words for the hypervisor, NULL-terminated, or NULL */
	bool dry_run;		  /* start nothing and examine nothing: assume bhyve on any host */
	bool no_reboot;		  /* never boot again, whatever the policy says */
	int64_t reboot_count;	  /* automatic boots after the first; negative: no limit */
	const char *reboot_on; /* causes and statuses, comma separated, over the spec's; or NULL */
	const char *pid_file;  /* for the hypervisor, or NULL; locked, removed at the end */
	const char *supervisor_pid_file; /* for this process, likewise */
	const char *run_dir;		 /* runtime directory; NULL: the default of vmrun(8) */
	const char *state_dir;		 /* state directory, likewise */
	bool check;			 /* for vmrun_check() only: change and start nothing */
	bool fix;			 /* run the known fixes of failed checks */
	/* Run destructive fixes, too: destroy a VM of this name that no vmrun supervises. */
	bool force;
	bool no_checks; /* start without checks of the host */
	bool ask;	/* wait for vmrun_answer() before running fixes, see VMRUN_CHECKED */
	/*
	 * Further hooks for all targets, called after those of the spec, NULL-terminated, or NULL:
	 * files, relative to the cwd, and names of stock hooks; see vmrun-hooks(5).
	 */
	const char *const *hooks;
	/*
	 * For a spec that another person wrote: Lua runs without files, commands and debug, and the
	 * spec runs no command of the host and names only what vmrun(8) lists under --sandbox.
	 */
	bool sandbox;
	/*
	 * Create the socket `control` in the VM's directory of run_dir, for requests of vmrunctl(8)
	 * and other programs of this user; vmrun(8) describes its protocol.
	 */
	bool control;
	bool panic_on_failed_cleanup; /* end with 71 if a cleanup leaves something behind */
	/*
	 * What a sandboxed spec may name, too, NULL-terminated, or NULL: paths (relative to the
	 * cwd) with all below them, devices, interfaces and addresses, as --allow of vmrun(8).
	 */
	const char *const *allow;
	/*
	 * With dry_run or check: the status, 0 to 255, that vmrun.exec() of a spec or hook returns,
	 * because it runs nothing then.
	 */
	int exec_result;
	/*
	 * KEY=VALUE, NULL-terminated, or NULL: vmrun.args.KEY of the spec and its hooks is the
	 * string VALUE, the last one of a KEY; as --arg of vmrun(8).
	 */
	const char *const *spec_args;
	/*
	 * Called at the end of each boot, or NULL; also by vmrun_simulate().  Not called for a stop
	 * or reboot request and for given_up, which on.given_up answers.  Once it decides, the
	 * hooks of on_exit are not called; restart_limit, no_reboot and reboot_count apply to its
	 * answer.  An answer that is invalid is ignored with a VMRUN_WARNING.
	 */
	vmrun_decide_handler *decide;
	void *decide_context; /* passed to decide() */
	/*
	 * The caller changes the action of no signal while the VM runs.  The library then looks at
	 * the actions once.  Otherwise, and once a script has loaded a module in C, it looks before
	 * each start of the hypervisor, with a system call for each signal: more than 60.
	 */
	bool keeps_signals;
	/*
	 * End with the hypervisor's own last status, see vmrun_guest_status(), once it has run, in
	 * place of the status of the cause.  A status that a hook or decide() sets comes first.
	 */
	bool guest_status;
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
 * Reads, evaluates and checks all targets of a spec.  Always sets *out, even if it fails, for
 * vmrun_problem(); free it with vmrun_close().  Returns 0, or the exit status of vmrun(8): 64
 * invalid options, 65 invalid spec, 66 the spec cannot be read, 70, 71.  Runs uclcmd for UCL, which
 * must be a file, and waits for it up to 10 seconds; in a program that ignores SIGCHLD this fails
 * with 71.
 */
VMRUN_API int vmrun_open(struct vmrun **out, const struct vmrun_options *options);
/*
 * Frees the handle, which may be NULL.  Kills a VM that still runs, of which the history then has a
 * line, and releases all that it used on the host, by commands for which it waits.
 */
VMRUN_API void vmrun_close(struct vmrun *vm);

/* One problem of the options, the spec or the supervision. */
struct vmrun_problem {
	const char *place; /* "vm.json:7:15", or NULL */
	const char *path;  /* path of the key, "targets.install.mem", or NULL */
	const char *text;
};

/* Returns the number of problems. */
VMRUN_API size_t vmrun_problem_count(const struct vmrun *vm);
/* Lends a problem, valid until the next call that can fail; NULL if `index` is too large. */
VMRUN_API const struct vmrun_problem *vmrun_problem(const struct vmrun *vm, size_t index);

/*
 * Prepares the first boot but starts nothing: merges the target, runs on_prepare, assigns slots,
 * makes the command.  Returns 0 or a status as vmrun_open() does (69: on_prepare refused).  Does
 * nothing and returns 0 if the boot is prepared, and after vmrun_start() or vmrun_simulate().
 */
VMRUN_API int vmrun_prepare(struct vmrun *vm);
/*
 * Returns the command of the prepared boot, NULL-terminated, valid until vmrun_start().  Before
 * vmrun_prepare() or vmrun_check(), and after vmrun_start() or vmrun_simulate(), this function and
 * those below that return a text return NULL, and those that return a possibly empty list return an
 * empty one.  With dry_run or check a command of qemu lacks what connects it with its supervisor.
 */
VMRUN_API const char *const *vmrun_argv(const struct vmrun *vm);
/* Returns this command as one line for a POSIX shell.  Caller frees with free(). */
VMRUN_API char *vmrun_command(const struct vmrun *vm);
/*
 * Returns the command that loads the guest before the hypervisor runs, as one line for a POSIX
 * shell, with printf(1) for its standard input; NULL also if firmware loads the guest.  Caller
 * frees with free().
 */
VMRUN_API char *vmrun_loader_command(const struct vmrun *vm);
/*
 * Returns the prepared boot as a file for bhyve -k (bhyve_config(5)); NULL also for qemu, and if a
 * value does not fit into a line, with a problem that the next function of the handle forgets.
 * Caller frees with free().
 */
VMRUN_API char *vmrun_bhyve_config(struct vmrun *vm);
/*
 * Returns the words, without secrets, that this file cannot contain, NULL-terminated and possibly
 * empty, valid until vmrun_start().
 */
VMRUN_API const char *const *vmrun_bhyve_words(const struct vmrun *vm);
/*
 * Returns a sentence for each word in the command that stands for something that only a run knows
 * ("tapAUTO stands for ..."), NULL-terminated and possibly empty, valid until vmrun_start().
 */
VMRUN_API const char *const *vmrun_placeholders(const struct vmrun *vm);
/* Returns the resolved spec of the prepared boot as JSON.  Caller frees with free(). */
VMRUN_API char *vmrun_spec_json(const struct vmrun *vm);
/*
 * Returns remarks about the prepared boot, NULL-terminated and possibly empty, valid until
 * vmrun_start().
 */
VMRUN_API const char *const *vmrun_notes(const struct vmrun *vm);
/*
 * Returns a graph for dot(1) of the targets, and which target follows each of them after each
 * cause. Needs no vmrun_prepare().  Returns NULL if there are problems, and after vmrun_start() or
 * vmrun_simulate().  Caller frees with free().
 */
VMRUN_API char *vmrun_graph(struct vmrun *vm);
/*
 * Returns the same as vmrun_graph() as a table for a terminal, with what decides: causes down,
 * targets across.  Returns NULL as vmrun_graph() does.  Caller frees with free().
 */
VMRUN_API char *vmrun_policy(struct vmrun *vm);
/*
 * Returns whether a serial port or a loader of any target, or a word for the hypervisor, uses this
 * program's stdin and stdout, without the changes that on_prepare will make.  Returns false if
 * there are problems, and after vmrun_start() or vmrun_simulate().
 */
VMRUN_API bool vmrun_uses_stdio(struct vmrun *vm);
/* Returns the name of the VM; NULL if the spec could not be read. */
VMRUN_API const char *vmrun_name(const struct vmrun *vm);
/* Returns the target of the first boot; NULL if the spec could not be read. */
VMRUN_API const char *vmrun_target(const struct vmrun *vm);
/* Returns "bhyve" or "qemu"; NULL if the options are invalid. */
VMRUN_API const char *vmrun_hypervisor(const struct vmrun *vm);

/*
 * Prepares the first boot, unless it is prepared, and checks whether the host can run it.  Changes
 * and fixes nothing: uses system calls and commands that only read, and waits for each command up
 * to 5 seconds.  For a run (neither options.check nor options.dry_run) locks the VM's name first,
 * as vmrun_start() does.  For a run and with options.check returns, without a check, 75 if another
 * vmrun supervises a VM of this name, its hypervisor still runs after its vmrun has died, or a pid
 * file is in use; and 71 if vmrun_start() could not use the files or the directory of the VM.  Else
 * returns 0, 69 if there are problems, a status as vmrun_prepare() and vmrun_start() do, or 64
 * after vmrun_start(), whose checks are events, or vmrun_simulate().
 */
VMRUN_API int vmrun_check(struct vmrun *vm);

/* A finding of the checks.  Members that do not apply are NULL. */
struct vmrun_finding {
	const char *device;	 /* model of the device: "virtio-net"; NULL: the VM itself */
	const char *id;		 /* id of the device */
	const char *slot;	 /* slot of the device: "0:3:0" */
	const char *device_path; /* place in the spec: "targets.install.emulations[0]" */
	const char *path;	 /* path of the key: "targets.install.emulations[0].path" */
	/* the subject, "tap3", "/vm/disk.img"; or, if unchecked, what prevented the check */
	const char *what;
	const char *problem; /* "no such interface" */
	const char *fix;     /* a command for a POSIX shell */
	bool forced;	     /* the fix is destructive: it needs options.force */
	bool will_fix;	     /* vmrun_start() with these options runs the fix */
	bool unchecked;	     /* not a problem: the check was not possible, `problem` says why */
	bool advice;	     /* the fix is for the user: vmrun never runs it */
	/* not a problem: a companion makes the subject, and the check follows then */
	bool made;
	bool warning; /* not a problem: the VM starts without the subject, and vmrun warns */
};

/*
 * Lends a finding, valid until the next check or the next VMRUN_CHECKED; NULL if `index` is too
 * large, and if there was no check or the last vmrun_check() returned without one.  The findings of
 * the VM itself come first, then those of each device, in order.
 */
VMRUN_API const struct vmrun_finding *vmrun_finding(const struct vmrun *vm, size_t index);
/*
 * Returns the problems as JSON, {"vm","target","problems":[{device,id,slot,path,problem,fix}]},
 * with "made":[{device,id,slot,path,what,by}] where companions make something, and
 * "warnings":[{device,id,slot,path,problem}] where there are any; NULL if vmrun_check() was not
 * called or returned without a check.  Caller frees with free().
 */
VMRUN_API char *vmrun_check_json(const struct vmrun *vm);

/*
 * Starts the supervision, and prepares the first boot in it unless vmrun_prepare() was called.
 * Problems of a boot are events after that.  Returns 0, or a status without having started
 * anything: 64 SIGCHLD is ignored, the function was called before, or options.dry_run or
 * options.check is set; 65, 71; 75 the VM's name or a pid file is in use, also by another handle of
 * this process until its vmrun_close().  It may be called again when the reason is gone, unless the
 * handle had problems before.
 */
VMRUN_API int vmrun_start(struct vmrun *vm);
/*
 * Answers a VMRUN_CHECKED that asks: runs the fixes, or lets the boot fail.  Does nothing if no
 * answer is awaited.
 */
VMRUN_API void vmrun_answer(struct vmrun *vm, bool fix);
/*
 * Simulates the policy without a VM, instead of vmrun_start(), for a handle with options.dry_run.
 * The list, "reboot,triple_fault@90,3", has the cause or status by which each boot ends, with the
 * seconds that it was up (default: 0).  The policy and hooks decide as in a run, but time is
 * simulated, vmrun.exec() starts nothing (see options.exec_result), and vmrun.state is not written.
 * Returns after the last boot of the list, with the events of all boots.  Returns 0; 64 if the list
 * is invalid, neither options.dry_run nor options.check is set, or the function was called before;
 * or a status as vmrun_open() does.
 */
VMRUN_API int vmrun_simulate(struct vmrun *vm, const char *list);
/*
 * Returns a descriptor that is readable when vmrun_dispatch() has something to do, timers included;
 * -1 before vmrun_start() or vmrun_simulate().
 */
VMRUN_API int vmrun_fd(const struct vmrun *vm);
/*
 * Handles what has happened, and never blocks.  Events stay in memory until the program fetches
 * them with vmrun_next_event().  Returns 0, 71 if the supervision failed, or 64 before
 * vmrun_start() or vmrun_simulate().
 */
VMRUN_API int vmrun_dispatch(struct vmrun *vm);
/*
 * Stops the VM; another call escalates to the next step of the stop ladder at once.  Does nothing
 * before vmrun_start(), in a simulation, and after the end.
 */
VMRUN_API void vmrun_stop(struct vmrun *vm);
/*
 * Boots again after the VM has given up and waits, as on.given_up of the spec may say: forgets the
 * boots that were too many, and makes the refused one.  Returns false if there is nothing to reset.
 */
VMRUN_API bool vmrun_reset(struct vmrun *vm);
/* Kills the hypervisor at once, as after the last step of the stop ladder. */
VMRUN_API void vmrun_kill(struct vmrun *vm);
/*
 * Stops the guest by the stop ladder, then boots this target (NULL: the next) without the policy
 * and without counting for restart_limit.  A VM that waits for its next boot makes it at once.
 * Returns 0; 65 unknown target; 69 the VM is booting or ending, or options.no_reboot is set; 64
 * before vmrun_start() and in a simulation; see vmrun_refusal().
 */
VMRUN_API int vmrun_reboot(struct vmrun *vm, const char *target);
/*
 * Sets the target of the next boot only, over all that decides on it.  Returns 0; 65 unknown
 * target, or NULL; 69 no boot follows: the VM is stopping or ending, or options.no_reboot is set;
 * 64 as vmrun_reboot().
 */
VMRUN_API int vmrun_next(struct vmrun *vm, const char *target);
/*
 * Reads the spec again, with the same options, for the next boot.  Keeps the previous spec if the
 * new one is invalid or has another name; VMRUN_RELOADED reports its problems.  Blocks until the
 * spec is read: a spec in Lua may compute for 5 seconds, and waits for each command that it runs.
 * Returns 0, a status as vmrun_open() does, 69 if no boot follows, or 64 before vmrun_start(), in a
 * simulation, after the end, and for a spec from a buffer or stdin; see vmrun_refusal().
 */
VMRUN_API int vmrun_reload(struct vmrun *vm);
/*
 * Closes the logs of the handle and opens them again by their names, after they were renamed.
 * Creates the control socket again if it was deleted, as vmrun_reload() does.  Reports a file that
 * cannot be opened or created by VMRUN_WARNING.  Does nothing where vmrun_stop() does nothing.
 */
VMRUN_API void vmrun_reopen_logs(struct vmrun *vm);
/*
 * Restores the modes of a terminal that a running hypervisor has changed, as after its exit.  It is
 * async-signal-safe, for a signal handler that ends the program.
 */
VMRUN_API void vmrun_restore_terminal(const struct vmrun *vm);
/*
 * Returns why the last vmrun_check(), vmrun_start(), vmrun_simulate(), vmrun_dispatch(),
 * vmrun_reboot(), vmrun_next(), vmrun_reload() or vmrun_console_wait() was refused in this state of
 * the handle; NULL if it was not.  Valid until the next call of one of them.
 */
VMRUN_API const char *vmrun_refusal(const struct vmrun *vm);

/*
 * The functions below are for the serial port that the spec sets to "console".  A position counts
 * the bytes that the guest has printed since vmrun_start(), over all boots; begin with 0.  The
 * library keeps the last 64 KiB, and reading from an older position goes on at the oldest byte that
 * is kept.  They look at what vmrun_dispatch() has received, and never block.
 */
/*
 * Copies at most `size` bytes that the guest has printed from position *at on, and moves *at behind
 * them.  Returns their number: 0 if there are none now, or no console.
 */
VMRUN_API size_t vmrun_console_read(const struct vmrun *vm, uint64_t *at, char *bytes, size_t size);
/*
 * Types bytes for the guest.  Returns how many its serial port has taken: fewer than `length` if
 * the guest reads slowly, so type the others later; 0 also without a console or after the end.
 */
VMRUN_API size_t vmrun_console_write(struct vmrun *vm, const char *bytes, size_t length);
/*
 * Returns whether the guest has printed a text at or behind position *at.  Moves *at behind the
 * text, or, if it was not printed yet, to where the next call has to look on.
 */
VMRUN_API bool vmrun_console_find(const struct vmrun *vm, uint64_t *at, const char *text);
/*
 * Dispatches until the guest has printed a text, for a program that runs one VM; events wait for
 * vmrun_next_event() meanwhile.  A negative limit never passes.  Returns 0; 64 no console; 69 the
 * supervision is over; 75 the limit has passed; or a status of vmrun_dispatch().
 */
VMRUN_API int vmrun_console_wait(
    struct vmrun *vm, uint64_t *at, const char *text, int64_t limit_ms);

/*
 * Returns whether the supervision is over; after vmrun_simulate(), whether it would be over after
 * the boots of the list.  Then close the handle soon: only that frees the VM's name, and clients of
 * the control socket whose requests come later wait for it.
 */
VMRUN_API bool vmrun_ended(const struct vmrun *vm);
/*
 * Returns vmrun's exit status once the supervision is over; before that the status of the problems,
 * or 0.
 */
VMRUN_API int vmrun_status(const struct vmrun *vm);
/* Returns the hypervisor's own last status, 128 + N after signal N; -1 before its first exit. */
VMRUN_API int vmrun_guest_status(const struct vmrun *vm);

/*
 * Starts and dispatches until the end.  Returns vmrun_status(), the status of a failed
 * vmrun_start(), or 71, with a problem, if the supervision failed.
 */
VMRUN_API int vmrun_run(struct vmrun *vm, vmrun_event_handler *handler, void *context);

#ifdef __cplusplus
}
#endif

#endif
