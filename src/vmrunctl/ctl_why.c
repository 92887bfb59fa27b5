/* The command why: how a VM ended last, and what to try next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "cli/mask.h"
#include "vmrunctl/ctl_show.h"
#include "vmrunctl/past.h"

#define MAX_SHOWN_LINES 12 /* of stderr and of the console */

/* `again` is for a VM that does not boot again: how the spec makes it do so. */
static const struct advice {
	const char *cause, *text, *again;
} advices[] = {
	{ "reboot",
	    "The guest restarted itself. If that was not intended, read the guest's system log.",
	    "\"on\", \"reboot_on\", a hook or an option of vmrun kept it from booting again." },
	{ "poweroff",
	    "The guest shut down by itself, or a user of the guest shut it down: read the guest's\n"
	    "system log.",
	    "\"on\": {\"poweroff\": \"boot\"} in the spec boots again after a poweroff." },
	{ "halt",
	    "The guest halted its processors but did not power off: shutdown -p now (FreeBSD) or\n"
	    "poweroff (Linux) inside the guest does both.",
	    "\"on\": {\"halt\": \"boot\"} in the spec boots again after a halt." },
	{ "triple_fault",
	    "The guest's kernel or firmware crashed: read the last lines of its console.\n"
	    "Boot a target with another kernel or an installer: vmrun -t TARGET FILE.",
	    "\"on\": {\"triple_fault\": \"boot\"} in the spec boots again after a crash." },
	{ "error",
	    "The hypervisor itself failed: read its last lines on stderr.\n"
	    "vmrun --check FILE checks what the VM needs from the host.",
	    "\"on\": {\"error\": \"boot\"} in the spec boots again after such a failure." },
	{ "killed",
	    "A signal that vmrun did not send killed the hypervisor. Signal 9 often means that\n"
	    "memory ran out: look for \"killed\" in dmesg and /var/log/messages, give the VM less\n"
	    "memory, or set \"protect\": true in the spec, which keeps the OOM killer away (as "
	    "root).\n"
	    "Signal 6, 10 or 11 is a crash of the hypervisor: vmrun -d FILE prints its command.",
	    "\"on\": {\"killed\": \"boot\"} in the spec boots again after such a signal." },
	{ "start_failed",
	    "The hypervisor could not start the VM: read its last lines on stderr.\n"
	    "vmrun --check FILE checks what the VM needs from the host; vmrun -d FILE prints the\n"
	    "command, so that you can run it by hand.",
	    NULL },
	{ "loader_failed",
	    "The loader could not load the guest's kernel: is the disk bootable, and the first "
	    "one?\n"
	    "vmrun --check FILE checks that the loader is installed; vmrun -d FILE prints its\n"
	    "command, so that you can run it by hand.",
	    NULL },
	{ "check_failed",
	    "The boot could not be prepared, for the reason above. Where a hook refused it, see "
	    "what\n"
	    "the hook waits for (vmrun-hooks(5)). vmrun --check FILE lists the problems of the "
	    "host\n"
	    "with the commands that fix them, and vmrun --fix FILE runs these commands.",
	    NULL },
	{ "not_ready",
	    "The guest did not become ready in time: read the last lines of its console. If it "
	    "only\n"
	    "needs more time, raise \"within\" of \"ready\" in the spec; if it was up, see "
	    "whether\n"
	    "\"ready\" asks for what the guest really does: vmrunctl NAME console.",
	    "\"on\": {\"not_ready\": \"boot\"} in the spec boots again after that." },
	{ "unhealthy",
	    "The guest was up and then stopped answering \"alive\": read the last lines of its\n"
	    "console and the guest's system log. If it was only busy, raise \"failures\" or\n"
	    "\"every\" of \"alive\" in the spec.",
	    "\"on\": {\"unhealthy\": \"boot\"} in the spec boots again after that." },
	{ "timed_out",
	    "The boot lasted longer than \"time_limit\" of the spec: read the last lines of the\n"
	    "console for what the guest was doing, or raise the limit.",
	    "\"on\": {\"timed_out\": \"boot\"} in the spec boots again after that." },
	{ "given_up",
	    "The VM booted too often in a short time (restart_limit): vmrunctl NAME history shows "
	    "why\n"
	    "each of these boots ended. \"backoff\" and \"restart_limit\" in the spec change the "
	    "limits.",
	    NULL },
	{ "stopped", "The VM was stopped on request: start vmrun again to boot it.", NULL },
};

#define ADVICES (sizeof(advices) / sizeof(advices[0]))

static const char death_advice[] =
    "vmrun had no time to say anything. Look for \"killed\" or \"out of memory\" in dmesg and\n"
    "/var/log/messages, and for a restart of the host (last reboot).";

static const char clean_advice[] =
    "\nStart vmrun again: it first cleans up what the dead one has left.";

static const char stubborn_advice[] =
    "vmrun ended this boot on request, without a shutdown of the guest. Unless that was a kill or\n"
    "a repeated stop, the guest did not power off in time: is the service that handles the power\n"
    "button installed in the guest, and running? A longer \"wait\" of the step acpi in \"stop\"\n"
    "gives the guest more time to shut down.";

static const char reset_advice[] =
    "\nThe VM booted too often in a short time (restart_limit), and vmrun waits: vmrunctl NAME "
    "reset\nboots it again, and vmrunctl NAME history shows why the earlier boots ended.";

/* Returns whether vmrun ended the boot by itself: its reason matters more than the step. */
static bool is_unfit(const char *cause)
{
	return strcmp(cause, "not_ready") == 0 || strcmp(cause, "unhealthy") == 0 ||
	    strcmp(cause, "timed_out") == 0;
}

/* Returns the advice after the end of a boot, apart from what followed it. */
static const struct advice *find_advice(const char *cause, const char *ended_by)
{
	static const struct advice death = { NULL, death_advice, NULL },
				   stubborn = { NULL, stubborn_advice, NULL },
				   reboot = { NULL,
					   "The boot ended for a reboot request: nothing is wrong.",
					   NULL },
				   unknown = { NULL,
					   "Read the last lines of stderr and of the console.",
					   NULL };
	bool by_step = ended_by != NULL && strcmp(ended_by, "guest") != 0;

	if (cause == NULL)
		return &death;
	if (by_step && strcmp(ended_by, "acpi") != 0 && !is_unfit(cause))
		return &stubborn;
	if (by_step && strcmp(cause, "reboot") == 0)
		return &reboot;
	for (size_t i = 0; i < ADVICES; i++) {
		if (strcmp(advices[i].cause, cause) == 0)
			return &advices[i];
	}
	return &unknown;
}

/* Returns a text in which NAME, which stands for the VM in commands, is its name.  Caller frees. */
static char *name_vm(const char *text, const char *vm)
{
	const char *rest = text, *at;
	struct str s = { 0 };

	for (; (at = strstr(rest, "NAME")) != NULL; rest = at + strlen("NAME")) {
		str_add_n(&s, rest, (size_t)(at - rest));
		str_add(&s, vm);
	}
	str_add(&s, rest);
	return str_take(&s);
}

char *why_advice(const char *vm, const char *cause, const char *ended_by, const char *action)
{
	const struct advice *advice = find_advice(cause, ended_by);
	STR_AUTO struct str s = { 0 };

	str_add(&s, advice->text);
	if (action != NULL && strcmp(action, "wait") == 0)
		str_add(&s, reset_advice);
	else if (advice->again != NULL && (action == NULL || strcmp(action, "stop") == 0))
		str_addf(&s, "\n%s", advice->again);
	return name_vm(s.text, vm);
}

/* Prints each line of a text behind two spaces. */
static void show_lines(const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		(void)printf("  %.*s\n", (int)n, text);
		text += n + (text[n] == '\n' ? 1 : 0);
	}
}

/* Prints the last lines of some output, if there are any. */
static void show_output(const char *line, const char *key, const char *heading)
{
	MEM_AUTO char *text = past_text(line, key);
	const char *at;
	int ends = 0; /* of lines before the last one */

	if (text == NULL || text[strspn(text, "\n\t ")] == '\0')
		return;
	at = text + strlen(text);
	at -= at[-1] == '\n' ? 1 : 0;
	for (; at > text && (at[-1] != '\n' || ++ends < MAX_SHOWN_LINES); at--)
		;
	(void)printf("%s:\n", heading);
	show_lines(at);
}

/* Prints the problems of a boot that could not be prepared, which are more than one line. */
static void show_problems(const char *line)
{
	MEM_AUTO char *text = past_text(line, "text");
	const char *rest = text == NULL ? NULL : strchr(text, '\n');

	if (rest != NULL)
		show_lines(rest + 1);
}

static void show_boot(const struct ctl *ctl, const char *line)
{
	MEM_AUTO char *time = show_member(line, "time");
	MEM_AUTO char *sentence = past_sentence(line);
	MEM_AUTO char *by = past_text(line, "ended_by");

	(void)printf("%s: %s  %s\n", ctl->vm, time, sentence);
	show_problems(line);
	if (by != NULL)
		(void)printf("ended by: %s\n", by);
	show_output(line, "stderr", "last lines of the hypervisor's stderr");
	show_output(line, "console", "last lines of the console");
}

/* What runs of the VM now. */
struct present {
	char *status;	   /* as vmrun answers it; NULL: no vmrun answers */
	char *survivor;	   /* what runs or may run, in words; NULL: nothing */
	const char *state; /* without an answer, as `vmrunctl list` calls it */
};

static void ask_present(const struct ctl *ctl, struct present *now)
{
	MEM_AUTO char *request = ctl_request_json("status", NULL, NULL);
	CLIENT_AUTO struct vmrun_client *client = NULL;
	const char *answer = NULL;
	int status = ctl_try(ctl, &client);
	bool is_vmrun;

	*now = (struct present){ .state = "ended" };
	if (status == VMRUN_CLIENT_OK)
		status = vmrun_client_ask(client, request, CTL_ANSWER_MS, &answer);
	if (status == VMRUN_CLIENT_OK) {
		now->status = mem_copy(answer);
	} else if (status == VMRUN_CLIENT_DENIED) {
		now->survivor = mem_copy(vmrun_client_error(client));
		now->state = "denied";
	} else if (vmrun_client_survivor(client, &is_vmrun) != 0) {
		now->survivor = mem_copy(vmrun_client_error(client));
		now->state = is_vmrun ? "silent" : "dead";
	}
}

static void show_state(const struct ctl *ctl, const char *answer)
{
	MEM_AUTO char *state = show_member(answer, "state");
	MEM_AUTO char *target = show_member(answer, "target");

	if (strcmp(state, "running") == 0)
		(void)printf("%s is running now: target %s\n", ctl->vm, target);
	else
		(void)printf("%s is supervised now: state %s, target %s\n", ctl->vm, state, target);
}

/*
 * Returns what to try next: first what to do with a process that runs all the same, because it is
 * in the way of a new start.  Caller frees.
 */
static char *advise(const struct ctl *ctl, const struct past *past, const struct present *now)
{
	const char *last = past->line[past->count - 1];
	MEM_AUTO char *cause = json_member(last, "cause");
	MEM_AUTO char *by = json_member(last, "ended_by");
	MEM_AUTO char *action = json_member(last, "action");
	MEM_AUTO char *advice = why_advice(ctl->vm, cause, by, action);
	bool is_left = now->survivor != NULL;

	return mem_format("%s%s%s%s", is_left ? now->survivor : "", is_left ? "\n" : "", advice,
	    cause == NULL && !is_left ? clean_advice : "");
}

/* Shows the last end: of a vmrun that died, or of the last boot. */
static void show_why(const struct ctl *ctl, const struct past *past, const struct present *now)
{
	const char *last = past->line[past->count - 1], *boot = past_last(past, "boot");
	MEM_AUTO char *advice = advise(ctl, past, now);

	if (!past_is(last, "boot")) {
		MEM_AUTO char *time = show_member(last, "time");
		MEM_AUTO char *sentence = past_sentence(last);

		(void)printf("%s: %s  %s\n", ctl->vm, time, sentence);
	}
	if (boot != NULL)
		show_boot(ctl, boot);
	(void)printf("what to try next:\n");
	show_lines(advice);
}

static void show_json(const struct ctl *ctl, const struct past *past, const struct present *now)
{
	const char *last = past->line[past->count - 1];
	MEM_AUTO char *advice = advise(ctl, past, now);
	MEM_AUTO char *state =
	    now->status == NULL ? mem_copy(now->state) : show_member(now->status, "state");
	STR_AUTO struct str json = { 0 };

	json_begin_object(&json, NULL);
	json_add_bool(&json, "ok", true);
	json_add_text(&json, "vm", ctl->vm);
	json_add_text(&json, "state", state);
	json_add_json(&json, "last", last);
	json_add_json(&json, "boot", past_last(past, "boot"));
	json_add_text(&json, "advice", advice);
	json_end_object(&json);
	(void)puts(json.text);
}

int ctl_why(const struct ctl *ctl)
{
	struct past past;
	int status = past_read(ctl, &past);
	struct present now = { 0 };

	if (status == STATUS_OK)
		ask_present(ctl, &now);
	if (status == STATUS_OK && past.count == 0)
		status = ctl_error(ctl, CTL_REFUSED, "no boot of this VM has ended");
	else if (status == STATUS_OK && ctl->json)
		show_json(ctl, &past, &now);
	else if (status == STATUS_OK)
		show_why(ctl, &past, &now);
	if (now.status != NULL && !ctl->json)
		show_state(ctl, now.status);
	free(now.status);
	free(now.survivor);
	past_free(&past);
	return status;
}
