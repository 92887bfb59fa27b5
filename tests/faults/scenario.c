/* One run of vmrun with one failing call, and the start after it. */
#define _GNU_SOURCE
#include "scenario.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "process.h"
#include "world.h"

#define MAX_RUN_MS 40000 /* the longest limits of vmrun's own are 10 s */
#define MAX_UP_MS 20000
#define MAX_LEFT_MS 3000
#define POLL_MS 2

#define GUEST_REBOOTS "err firmware print up exit 0\n"
#define GUEST_ENDS "print up exit 1\n"
#define GUEST_RUNS "print up ready up acpi on wait exit 1\n"

const struct scenario scenarios[] = {
	{ "run", GUEST_REBOOTS GUEST_ENDS, .boots = 2, .injections = 800 },
	{ "recovery", GUEST_ENDS, .boots = 1, .injections = 450, .killed = true },
	{ "control", GUEST_RUNS, .boots = 1, .injections = 450, .controlled = true },
	{ "memory", GUEST_REBOOTS GUEST_ENDS, .boots = 2, .injections = 400, .memory = true },
	{ .name = NULL },
};

static pid_t start_vmrun(const char *out, const char *err, bool preload)
{
	static const char *const argv[] = { VMRUN, "--run-dir", "run", "--state-dir", "keep", "-p",
		"guest.pid", "-P", "own.pid", "--events", "events", "--no-log-time", "vm.lua",
		NULL };

	return process_start(argv, out, err, preload);
}

/* Waits until the guest is up; returns false if vmrun ended before. */
static bool is_up(pid_t pid)
{
	long long until = process_now_ms() + MAX_UP_MS;

	while (access("up", F_OK) != 0) {
		if (process_is_over(pid) || process_now_ms() >= until)
			return false;
		process_pause(POLL_MS);
	}
	return true;
}

/* Runs vmrun until it has taken everything, and kills it. */
static void kill_one(struct outcome *o)
{
	pid_t pid;

	world_script("print up ready up sleep 60000\n");
	pid = start_vmrun("out.killed", "err.killed", false);
	if (!is_up(pid))
		words_add(&o->complaints, "the vmrun to be killed did not start");
	(void)kill(pid, SIGKILL);
	(void)process_end(pid, MAX_RUN_MS);
	(void)unlink("up");
	world_left(&o->before);
}

/* Runs vmrunctl with these words; it must end in time and say why it failed. */
static int control(const char *word, const char *more, struct words *complaints)
{
	const char *const argv[] = { VMRUNCTL, "-r", "run", "--state-dir", "keep", word, more,
		NULL };
	int status = process_end(process_start(argv, "out.ctl", "err.ctl", false), MAX_RUN_MS);

	judge_control(word, status, complaints);
	return status;
}

static void control_session(pid_t pid, struct words *complaints)
{
	if (!is_up(pid))
		return;
	(void)control("list", NULL, complaints);
	(void)control("status", WORLD_VM, complaints);
	/* A stop that fails has said so; an admin would then use the signal. */
	if (control("stop", WORLD_VM, complaints) != 0)
		(void)kill(pid, SIGTERM);
}

static void run_faulty(const struct scenario *s, struct outcome *outcome)
{
	pid_t pid;

	world_script(s->script);
	pid = start_vmrun("out", "err", true);
	if (s->controlled)
		control_session(pid, &outcome->complaints);
	outcome->status = process_end(pid, MAX_RUN_MS);
	process_left(MAX_LEFT_MS, &outcome->complaints);
}

/* Starts the VM once more without a fault; this run must find and leave everything in order. */
static void run_next(struct words *complaints)
{
	int status;

	(void)unlink("up");
	world_script(GUEST_ENDS);
	status = process_end(start_vmrun("out.next", "err.next", false), MAX_RUN_MS);
	process_left(MAX_LEFT_MS, complaints);
	judge_next(status, complaints);
}

void scenario_run(const struct scenario *s, struct faults_page *page, struct outcome *outcome)
{
	memset(page->count, 0, sizeof(page->count));
	page->fired = page->hit_stderr = 0;
	memset(outcome, 0, sizeof(*outcome));
	world_reset(s->killed || s->controlled);
	if (s->killed)
		kill_one(outcome);
	run_faulty(s, outcome);
	judge_faulty(s, page, outcome);
	run_next(&outcome->complaints);
}

void outcome_clear(struct outcome *outcome)
{
	words_free(&outcome->before);
	words_free(&outcome->complaints);
}

bool scenario_seed(struct faults_page *page)
{
	struct outcome outcome;

	page->call = -1;
	scenario_run(&scenarios[0], page, &outcome);
	outcome_clear(&outcome);
	world_seed();
	return outcome.status == 0;
}
