/*
 * The interface of a hypervisor: how a spec becomes a command, what its output and its exit mean,
 * and how to stop it.  bhyve.c and qemu.c fill in the struct; no other code compares names.
 */
#ifndef HYPER_HYPER_H
#define HYPER_HYPER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pairs.h"
#include "base/report.h"
#include "base/words.h"
#include "spec/spec.h"

/* Descriptors that a hypervisor inherits besides 0, 1 and 2. */
enum {
	CHANNEL_CONTROL_FD = 3,
	CHANNEL_LOG_FD = 4,
	LOCK_FD = 5, /* holds the lock that shows that the hypervisor runs (ledger/vmlock.h) */
};

/* Where the lines of a hypervisor come from. */
enum channel {
	CHANNEL_STDERR,	 /* messages for users; passed on */
	CHANNEL_CONTROL, /* its control protocol (qemu's QMP), both ways */
	CHANNEL_LOG,	 /* its log, read for signs only */
	CHANNELS
};

/* Files of RUN-DIR/NAME that one boot makes; rundir_close() removes them. */
#define PLAN_FILE_SECRET "secret"
#define PLAN_FILE_MAP "device.map"
#define PLAN_FILE_INPUT "loader.in"

struct plan_request {
	const struct spec *spec;
	const char *program;	     /* as given by the user; NULL: the hypervisor's own name */
	const struct words *extra;   /* words after `--` */
	const char *directory;	     /* RUN-DIR/NAME, for files of this run */
	const char *state_directory; /* STATE-DIR/NAME, for files that stay */
	bool dry;		     /* dry run: does not read files that only a run needs */
	bool argv_only; /* may leave out the variables of config_text(), and remarks on them */
};

/* The program that loads the guest's kernel before each boot. */
struct loading {
	struct words argv;	  /* empty: firmware boots the guest */
	char *input_path, *input; /* a file for its standard input, or NULL */
	char *map_path, *map;	  /* a file that it reads, written before it starts, or NULL */
	int64_t timeout_ms;
	bool uses_stdio;
};

/* Everything that a boot needs, made before anything is started. */
#define MAX_FIRMWARE 2 /* files of firmware in a plan: code and variables */

struct plan {
	const struct hypervisor *hyper;
	char *vm;	      /* name of the VM */
	struct words argv;    /* the prefix, then the command; argv[0] is looked up in PATH */
	size_t program;	      /* index in argv of the hypervisor's own program */
	struct words sockets; /* removed before the start and after the end */
	char *bootrom;	      /* the firmware that was chosen */
	/* The lists of files of which the first installed one was taken, for plan_is_current(). */
	struct {
		const char *const *paths;
		const char *taken;
	} firmware[MAX_FIRMWARE];
	size_t firmware_count;
	bool reads_host;    /* it depends on more of the host, such as its accelerator */
	struct words notes; /* notes for the user, one line each */
	bool uses_stdio;    /* a serial port uses vmrun's stdin and stdout */
	bool has_control, has_log;
	/* What the user gets of the log: in the file, or, without a path, as messages. */
	struct {
		bool is_shown;
		bool shows_all; /* also what is there for vmrun alone */
		char *path;
	} log;
	/*
	 * The file of UEFI variables, made from the template before the start if it is missing; or
	 * NULL.  Without a template the file must exist.
	 */
	char *varfile_template, *varfile;
	struct loading loading;
	/*
	 * A 0600 file to write before the start, or NULL; its text, or the user's file whose first
	 * line is the password, which hyper_secret_text() makes the text of; bhyve's variable of
	 * the password, or NULL.
	 */
	char *secret_path, *secret, *secret_file, *secret_key;
	char *tpm_state;		/* directory of a managed swtpm, or NULL */
	struct words placeholder_notes; /* notes on placeholders: "tapAUTO stands for ..." */
	/*
	 * bhyve only: argv as variables of bhyve_config(5), in order; and remarks on what no
	 * variable can express, except secrets: "-w: further words cannot be written as variables".
	 */
	struct pairs config;
	struct words remarks;
	struct words inapplicable; /* keys that mean nothing on this architecture */
	const char *first_message; /* text for CHANNEL_CONTROL at the start, or NULL */
	bool waits_for_vnc;	   /* the guest starts when a VNC client connects */
	struct {
		bool asked;	   /* for by the first message: the threads of the processors */
		bool starts_guest; /* once they are known */
	} threads;
	/* For halt_request(); 0: the guest is not asked; or PROCESSORS_UNKNOWN. */
	int64_t processors;
	char *accel; /* qemu only: its accelerator, and why: "tcg: ..." */
};

/* Room for a word of QMP and its NUL. */
#define SIGN_SIZE 40

/* Room for a request of the poll for a halt. */
#define HALT_REQUEST_SIZE 160

/* The user's own words choose their number: qemu answers with an error after the last of them. */
#define PROCESSORS_UNKNOWN INT64_MAX

/* Asks one processor after another whether it can never run again. */
struct halt_poll {
	int64_t processors;
	int64_t at;	 /* the one that was asked last */
	bool asked;	 /* and has not answered yet */
	bool any;	 /* a processor that was asked before has halted */
	bool halted;	 /* all had halted at the poll before */
	bool has_halted; /* and at this one: vmrun ends the guest */
	char request[HALT_REQUEST_SIZE];
};

/* Room for a word of the answer that matters, or a number, and its NUL. */
#define THREAD_WORD_SIZE 24

/* Asks which thread of the hypervisor runs which processor of the guest. */
struct thread_query {
	bool asked;	   /* and the answer is not complete */
	bool starts_guest; /* as in the plan */
	/* Gets each processor, from 0, and its thread; -1: qemu has failed to answer. */
	void (*tell)(void *context, int64_t processor, int64_t thread);
	void *context;
	/* Where the reader is in the answer. */
	int depth;
	char word[THREAD_WORD_SIZE];
	size_t length;
	int64_t processor, thread; /* -1: not read yet */
	int64_t *number;	   /* the one that follows, or NULL */
};

/* Facts from the output of a running hypervisor. */
struct signs {
	bool greeted;		/* it has sent its greeting on its control channel, or has none */
	bool waits_for_vnc;	/* as in the plan */
	char reason[SIGN_SIZE]; /* its reason for exiting, or "" */
	char fatal[SIGN_SIZE];	/* a state that it cannot leave, or "" */
	bool exits;		/* vmrun has noticed the reason, and waits for the exit */
	bool hangs;		/* it did not exit, and vmrun killed it */
	bool resumed;		/* its guest has run */
	bool panicked;		/* its guest has said so */
	bool triple_fault;
	bool is_own_line; /* the last line of the log is there for vmrun alone */
	int own_block;	  /* where the log is in what vmrun alone has asked for */
	bool bios_resets; /* the BIOS is about to reset the machine */
	struct halt_poll halt;
	struct thread_query threads;
};

/* Statuses that bhyve ends with: bhyve(8), and sysexits(3) in its sources. */
enum bhyve_status {
	BHYVE_POWEROFF = 1, /* also of a start that failed */
	BHYVE_ERROR = 4,
	BHYVE_USAGE = 64,
	BHYVE_OS = 71,
	BHYVE_UNKNOWN = 100, /* suspended for an unknown reason */
};

/* How a boot ended. */
struct outcome {
	enum cause cause;
	int status;	   /* in bhyve's terms, or an error's own; -1: it died of a signal */
	int signal;	   /* 0: none */
	bool failed_start; /* its own error, not an action of the guest */
	const char *text;  /* what the status means beyond the cause, or NULL; static */
};

/* How to take one step of a stop: exactly one of the three is set. */
struct stop_method {
	int signal;
	const char *control; /* text for CHANNEL_CONTROL */
	struct words helper; /* a command to run */
};

struct process_end;
struct firmware_kind;

struct hypervisor {
	const char *name;
	/*
	 * The system that the hypervisor is made for, whose commands check and change the host on
	 * any system.  NULL: it runs anywhere.
	 */
	const char *system;
	/* The option of swtpm that names the socket. */
	const char *swtpm_option;
	const struct firmware_kind *firmware; /* the places of its firmware (firmware.h) */
	/*
	 * Makes the plan, with what the spec leaves to the hypervisor (firmware).  Returns -1 if it
	 * has added to the report.
	 */
	int (*plan)(const struct plan_request *request, struct plan *plan, struct report *report);
	/* Fills in what the spec left to the hypervisor (firmware), from the plan. */
	void (*complete_spec)(const struct plan *plan, struct spec *spec);
	/*
	 * Returns the plan as a configuration file of the hypervisor.  Reports errors.  Caller
	 * frees.  NULL if the hypervisor has no such file.
	 */
	char *(*config_text)(const struct plan *plan, struct report *report);
	/* Reads one line of a channel.  Returns a reply for CHANNEL_CONTROL, or NULL. */
	const char *(*hear)(struct signs *signs, enum channel channel, const char *line);
	/*
	 * Returns whether further words of the spec, or those after `--`, use vmrun's stdin and
	 * stdout.  NULL: none does.
	 */
	bool (*words_use_stdio)(const struct spec *spec, const struct words *extra);
	/*
	 * Begins to ask whether the guest has halted.  Returns text for CHANNEL_CONTROL, or NULL
	 * while the last question is not answered; hear() goes on.  NULL: the exit tells.
	 */
	const char *(*halt_request)(struct signs *signs);
	/*
	 * Returns the terminal that a line of the output names as made for a serial port, counted
	 * from 0; NULL: the line names none.  Caller frees.  NULL: the hypervisor makes no
	 * terminals.
	 */
	char *(*terminal_made)(const char *line, size_t *port);
	/* Explains the exit of the process. */
	void (*explain)(
	    const struct signs *signs, const struct process_end *end, struct outcome *out);
	/*
	 * Returns whether a line, without the program's name, is one that its own start ends with
	 * when it fails, after whatever time.  NULL: no line tells that.
	 */
	bool (*is_start_fault)(const char *line);
	/*
	 * A pattern of fnmatch(3): the line that it writes last, without its name, when a processor
	 * of the guest cannot go on, and exits as if the guest had powered off.  NULL: none tells.
	 */
	const char *cpu_fault;
	/* A pattern of fnmatch(3): a line of its messages that says no failure.  NULL: none. */
	const char *harmless;
	/*
	 * A pattern of fnmatch(3): the line of its messages when it cannot listen at the port of
	 * its screen because another program does.
	 */
	const char *port_lost;
	bool raises_taps; /* it switches its taps on when it opens them */
	/* Says how to take a step of a stop; the caller frees out->helper. */
	void (*stop_method)(
	    const struct plan *plan, enum stop_action action, struct stop_method *out);
	/*
	 * Adds the command that removes what the hypervisor left in the kernel, if there is
	 * anything.
	 */
	void (*leftover_command)(const struct plan *plan, struct words *command);
	/*
	 * Adds the same command for what the hypervisor will leave there, if it ever leaves
	 * anything.
	 */
	void (*destroy_command)(const struct plan *plan, struct words *command);
};

extern const struct hypervisor hyper_bhyve, hyper_qemu;

/* Returns the hypervisor of that name, or NULL. */
const struct hypervisor *hyper_find(const char *name);
/* Returns bhyve if it can run here, otherwise qemu. */
const struct hypervisor *hyper_for_host(void);
/* Returns spec_arch() as os_arch() would name it. */
const char *hyper_arch_name(const struct spec *spec);
/*
 * Returns whether a serial port of the VM, its loader or the user's own words for the hypervisor
 * use vmrun's stdin and stdout.
 */
bool hyper_uses_stdio(
    const struct hypervisor *hyper, const struct spec *spec, const struct words *extra);
/*
 * Returns whether the host must be checked by commands of the hypervisor's own system, because its
 * system calls are missing.
 */
bool hyper_is_foreign(const struct hypervisor *hyper);
/*
 * Changes the cause to start_failed if the hypervisor exited with a status of its own, and either
 * the last line of its messages is one of its start-up faults or it wrote a message that is not
 * harmless and exited within a second; to error if that line says that the guest could not run on.
 * Otherwise the same status comes from the guest.
 */
void hyper_judge_messages(const struct hypervisor *hyper, struct outcome *outcome,
    int64_t uptime_ms, const char *messages);
/*
 * Makes an exit a failed start if the prefix of the command could not execute the hypervisor: it
 * exits with 126 or 127 then, as nice(1), env(1) and cpuset(1) do.
 */
void hyper_judge_prefix(const struct plan *plan, const struct signs *signs,
    const struct process_end *end, struct outcome *outcome);
/*
 * Returns whether the messages of a start that failed say that another program listens at the port
 * of the screen.
 */
bool hyper_has_lost_port(const struct hypervisor *hyper, const char *messages);
/* Returns the meaning of an exit status of bhyve above 3, "usage error", or NULL.  Static text. */
const char *hyper_status_text(int status);
/* Returns the path of the file for a secret.  Caller frees. */
char *hyper_secret_path(const struct plan_request *request);
/*
 * Plans the file for the secret of a device, with bhyve's variable of it (copied; NULL: none).
 * Reads no file: a file that holds no password is a problem of the host, which a check finds.
 */
void hyper_plan_secret(const struct plan_request *request, const struct device_secret *secret,
    const char *key, struct plan *plan);
/*
 * Returns the text of the file for the secret of a plan that has one and is of no dry run.  Caller
 * frees.  NULL: an error with STATUS_CHECK, as the user's file is unreadable or has no password.
 */
char *hyper_secret_text(const struct plan *plan, struct error *err);
/*
 * Returns why the first line of a file cannot be a password, or NULL.  Valid until the next call of
 * strerror(3).
 */
const char *hyper_password_fault(const char *path);
/*
 * Begins the command of a plan: the prefix of the spec, and the program, which has this name unless
 * the user has given another.
 */
void hyper_begin(const struct plan_request *request, struct plan *plan, const char *name);
/* Returns whether bhyve has the key of the spec on amd64 only. */
bool hyper_is_amd64_key(const char *key);
/*
 * Leaves the presets of these keys out of the spec of an arm64 guest that is printed: read again,
 * it would set them.
 */
void hyper_drop_amd64_keys(const struct spec *spec, struct plan *plan);
/* Completes a plan by what all hypervisors have in common: sockets, and notes on placeholders. */
void hyper_finish(const struct plan_request *request, struct plan *plan);
/* Returns the first installed file of the list, or its first file, and notes the choice. */
const char *plan_firmware(struct plan *plan, const char *const *paths);
/* Returns whether the host would make the same plan of the same spec. */
bool plan_is_current(const struct plan *plan);
/* Frees what the plan owns and zeroes it. */
void plan_clear(struct plan *plan);

#endif
