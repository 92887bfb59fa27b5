/*
 * A hypervisor as vmrun sees it: how a spec becomes a command, what its words and its end mean, and
 * how it is asked to stop.  bhyve.c and qemu.c fill in the struct; nobody else compares names.
 */
#ifndef HYPER_HYPER_H
#define HYPER_HYPER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pairs.h"
#include "base/report.h"
#include "base/words.h"
#include "spec/spec.h"

/* Descriptors that a hypervisor finds open, besides 0, 1 and 2. */
enum {
	CHANNEL_CONTROL_FD = 3,
	CHANNEL_LOG_FD = 4,
	LOCK_FD = 5, /* holds the lock that tells that it runs (ledger/vmlock.h) */
};

/* Lines come from these. */
enum channel {
	CHANNEL_STDERR,	 /* what it says to people; passed on */
	CHANNEL_CONTROL, /* its control protocol (qemu's QMP), both ways */
	CHANNEL_LOG,	 /* its log, for signs only */
	CHANNELS
};

struct plan_request {
	const struct spec *spec;
	const char *program;	     /* as the user named it, or NULL: the hypervisor's own name */
	const struct words *extra;   /* words after `--` */
	const char *directory;	     /* RUN-DIR/NAME, where files of this VM's run go */
	const char *state_directory; /* STATE-DIR/NAME, where files of its life are */
	bool dry; /* nothing will run: the host is not asked what only a run must know */
};

/* The program that loads the guest's kernel before each boot. */
struct loading {
	struct words argv;	  /* empty: firmware does it */
	char *input_path, *input; /* a file for its standard input, or NULL */
	char *map_path, *map;	  /* a file that it reads, written before it starts, or NULL */
	int64_t timeout_ms;
	bool uses_stdio;
};

/* All that a boot needs to know, made before anything is started. */
struct plan {
	const struct hypervisor *hyper;
	char *vm;	      /* name of the VM */
	struct words argv;    /* argv[0] is also what is looked up in PATH */
	struct words sockets; /* removed before the start and after the end */
	char *bootrom;	      /* the firmware that was chosen */
	struct words notes;   /* what the user should know, a line each */
	bool uses_stdio;      /* a serial port has our stdin and stdout */
	bool has_control, has_log;
	char *copy_from, *copy_to; /* file to make before the start when it is missing, or NULL */
	struct loading loading;
	char *secret_path, *secret; /* a 0600 file to write before the start, or NULL */
	char *tpm_state;	    /* directory of a managed swtpm, or NULL */
	struct words
	    unknown; /* "tapAUTO: the tap that a run makes": what stands for what it finds */
	/* bhyve only: what its argv says as variables of bhyve_config(5), in order; and what no
	 * variable can say, secrets aside: "-w: further words stay as they are". */
	struct pairs config;
	struct words remarks;
	struct words
	    inapplicable;   /* keys of the spec that it has no use for, on this architecture */
	const char *hello;  /* text for CHANNEL_CONTROL at the start, or NULL */
	bool waits_for_vnc; /* it starts its guest when a VNC client has come */
};

/* Room for a word of QMP and its NUL. */
#define SIGN_SIZE 40

/* What a running hypervisor has told so far. */
struct signs {
	bool answered;		/* it speaks its control protocol, or has none */
	bool waits_for_vnc;	/* as the plan says */
	char reason[SIGN_SIZE]; /* why it says it ends, "" when it did not */
	char fatal[SIGN_SIZE];	/* a state it cannot leave, "" */
	bool triple_fault;
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
	int status;	   /* in bhyve's terms, whatever the hypervisor; -1: it died of a signal */
	int signal;	   /* 0: none */
	bool failed_start; /* its own complaint, not the guest's word */
};

/* How one step of a stop is done: exactly one of the three is set. */
struct power {
	int signal;
	const char *control; /* text for CHANNEL_CONTROL */
	struct words helper; /* a command to run */
};

struct process_end;
struct firmware_kind;

struct hypervisor {
	const char *name;
	/* The system that it is made for; its host is asked and changed by that system's commands,
	 * wherever they are. NULL: it runs anywhere. */
	const char *system;
	/* How it speaks to swtpm: the option that names the socket. */
	const char *swtpm_option;
	const struct firmware_kind *firmware; /* where its firmware is, by kind: firmware.h */
	/* Fills in what a spec leaves to this hypervisor (firmware); then the plan. -1: see report.
	 */
	int (*plan)(const struct plan_request *request, struct plan *plan, struct report *report);
	/* Writes into the spec what it left to the hypervisor (firmware). */
	void (*complete_spec)(const struct plan *plan, struct spec *spec);
	/* The plan as a file of the hypervisor's own, or NULL: it has none.  Faults are reported.
	 * Caller frees. */
	char *(*config_text)(const struct plan *plan, struct report *report);
	/* Takes one line of a channel; returns an answer for CHANNEL_CONTROL, or NULL. */
	const char *(*hear)(struct signs *signs, enum channel channel, const char *line);
	void (*explain)(
	    const struct signs *signs, const struct process_end *end, struct outcome *out);
	void (*power)(const struct plan *plan, enum stop_action action, struct power *out);
	/* Adds the command that clears what it leaves in the kernel; none when there is nothing. */
	void (*destroy)(const struct plan *plan, struct words *command);
	/* Likewise, for what it will make there: none when it makes nothing. */
	void (*destroyer)(const struct plan *plan, struct words *command);
};

extern const struct hypervisor hyper_bhyve, hyper_qemu;

/* NULL when there is none of that name. */
const struct hypervisor *hyper_find(const char *name);
/* bhyve where it can run, else qemu. */
const struct hypervisor *hyper_for_host(void);
/* Has a serial port of it, or its loader, our stdin and stdout? */
bool hyper_uses_stdio(const struct spec *spec);
/* Is the host asked by the commands of the hypervisor's own system, for want of its calls? */
bool hyper_is_foreign(const struct hypervisor *hyper);
/* A hypervisor that was gone within a second, with a status of its own and a complaint, did not
 * start; later, or in silence, the same status is the guest's word. */
void hyper_judge_start(struct outcome *outcome, int64_t uptime_ms, bool complained);
/* What a status beyond 3 means in bhyve's terms: "usage error". Static text or NULL. */
const char *hyper_status_text(int status);
/* Where a secret goes that no command must show. Caller frees. */
char *hyper_secret_path(const struct plan_request *request);
/*
 * The text of a secret; NULL without a failure in a dry run, which leaves files alone.  -1:
 * STATUS_CHECK, its file cannot be read or holds no password. Caller frees *text.
 */
int hyper_secret_text(const struct device_secret *secret, const struct plan_request *request,
    char **text, struct error *err);
/* What is the same for every hypervisor: sockets, and what placeholders stand for. */
void hyper_finish(const struct plan_request *request, struct plan *plan);
void plan_clear(struct plan *plan);

#endif
