/* The commands of hooks, and their entries in the ledger. */
#include "hook/command.h"

#include "base/mem.h"
#include "script/hook_request.h"

/*
 * Returns the name of the command for the ledger: the program without its arguments, which may hold
 * secrets.
 */
static char *name_of(const struct hook_command *c)
{
	return mem_format("command of a hook: %s", c->argv.item[0]);
}

int hook_command_start(struct hook_command *c, const struct node *request, bool output,
    const struct hook_command_host *host, struct error *err)
{
	WORDS_AUTO struct words environment = { 0 };
	MEM_AUTO char *name = NULL;
	int rc;

	words_free(&c->argv);
	hook_request_command(request, &c->argv, &environment, &c->what);
	if (!output)
		c->what.drops_output = true;
	c->ledger = host->ledger;
	rc = command_start(&c->job, &c->what, host->wait, host->first_tag, host->end_tag, err);
	/* They belong to the request, which is freed, and to this function. */
	c->what.input = c->what.directory = NULL;
	c->what.environment = NULL;
	if (rc != 0)
		return -1;
	name = name_of(c);
	ledger_note_process(c->ledger, name, c->job.pid);
	return 0;
}

void hook_command_forget(const struct hook_command *c, pid_t pid)
{
	MEM_AUTO char *name = name_of(c);

	ledger_forget_process(c->ledger, name, pid);
}

void hook_command_leave(struct hook_command *c)
{
	if (c->job.pid == 0)
		return;
	job_kill(&c->job);
	hook_command_forget(c, c->job.pid);
	job_leave(&c->job);
}

void hook_command_free(struct hook_command *c)
{
	pid_t pid = c->job.pid;

	job_free(&c->job); /* kills and reaps it */
	if (pid != 0)
		hook_command_forget(c, pid);
	words_free(&c->argv);
}
