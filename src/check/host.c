/* Facts about the host.  Formats: kldstat(8), sysctl(8), ifconfig(8). */
#include "check/host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/os.h"

void host_open(
    struct host *host, const struct hypervisor *hyper, struct facts *facts, struct findings *out)
{
	memset(host, 0, sizeof(*host));
	host->facts = facts;
	host->out = out;
	host->bhyve = hyper == &hyper_bhyve;
	host->freebsd = host->bhyve || !os_uses_ip();
	host->commands = hyper_is_foreign(hyper);
}

/* Adds one finding for each command, even if several checks need it. */
static void note_unchecked(struct host *host, const char *program, const char *why)
{
	for (size_t i = 0; i < host->out->count; i++) {
		const struct finding *f = &host->out->item[i];

		if (f->kind == FINDING_UNCHECKED && strcmp(f->what, program) == 0)
			return;
	}
	(void)findings_add(host->out, FINDING_UNCHECKED, NULL, NULL, program, "%s", why);
}

const struct fact *host_ask(struct host *host, const char *const *command)
{
	const struct fact *fact = facts_ask(host->facts, command);

	if (fact == NULL) {
		host->waits = true;
		return NULL;
	}
	if (fact->status >= 0 && !fact->missing)
		return fact;
	if (fact->trouble != NULL) {
		note_unchecked(host, command[0], fact->trouble);
	} else if (fact->missing) {
		MEM_AUTO char *why = mem_format("no %s", command[0]);

		note_unchecked(host, command[0], why);
	} else {
		MEM_AUTO char *why = mem_format("%s gives no answer", command[0]);

		note_unchecked(host, command[0], why);
	}
	return NULL;
}

static enum truth missing_fact(const struct host *host)
{
	return host->waits ? TRUTH_PENDING : TRUTH_UNKNOWN;
}

/* Runs a command whose exit status is the fact. */
static enum truth ask_status(struct host *host, const char *const *command)
{
	const struct fact *fact = host_ask(host, command);

	if (fact == NULL)
		return missing_fact(host);
	return fact->status == 0 ? TRUTH_YES : TRUTH_NO;
}

enum truth host_module(struct host *host, const char *name)
{
	const char *const command[] = { "kldstat", "-q", "-m", name, NULL };

	if (host->commands)
		return ask_status(host, command);
	if (strcmp(name, "vmm") == 0)
		return os_has_vmm() ? TRUTH_YES : TRUTH_NO;
	return os_module_loaded(name) ? TRUTH_YES : TRUTH_NO;
}

enum truth host_number(struct host *host, const char *name, int64_t *value)
{
	const char *const command[] = { "sysctl", "-n", name, NULL };
	const struct fact *fact;
	char *end;

	if (!host->commands)
		return os_sysctl(name, value) ? TRUTH_YES : TRUTH_UNKNOWN;
	fact = host_ask(host, command);
	if (fact == NULL)
		return missing_fact(host);
	errno = 0;
	*value = strtoll(fact->text, &end, 10);
	return fact->status == 0 && end != fact->text && errno == 0 ? TRUTH_YES : TRUTH_UNKNOWN;
}

enum truth host_memory(struct host *host, int64_t *bytes)
{
	if (host->commands)
		return host_number(host, "hw.physmem", bytes);
	*bytes = os_memory();
	return *bytes > 0 ? TRUTH_YES : TRUTH_UNKNOWN;
}

enum truth host_interface(struct host *host, const char *name, pid_t *opener)
{
	static const char sign[] = "Opened by PID ";
	const char *const command[] = { "ifconfig", name, NULL };
	const struct fact *fact;
	const char *at;

	*opener = 0;
	if (!host->commands) {
		*opener = os_interface_opener(name);
		return os_interface_exists(name) ? TRUTH_YES : TRUTH_NO;
	}
	fact = host_ask(host, command);
	if (fact == NULL)
		return missing_fact(host);
	at = strstr(fact->text, sign);
	if (at != NULL)
		*opener = (pid_t)strtol(at + strlen(sign), NULL, 10);
	return fact->status == 0 ? TRUTH_YES : TRUTH_NO;
}

bool host_interface_is_down(struct host *host, const char *name)
{
	int64_t raised;

	if (host->bhyve || !host->freebsd)
		return !host->bhyve && os_interface_is_down(name);
	return os_interface_exists(name) &&
	    (host_number(host, "net.link.tap.up_on_open", &raised) != TRUTH_YES || raised == 0);
}
