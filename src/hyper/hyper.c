/* The hypervisors, and what they have in common. */
#include "hyper/hyper.h"

#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "platform/os.h"
#include "platform/spawn.h"

#define MAX_START_MS 1000 /* with a message, an exit before this is a failed start */
#define BLANKS " \t\r\n"

static const struct hypervisor *const hypervisors[] = { &hyper_bhyve, &hyper_qemu };

const struct hypervisor *hyper_find(const char *name)
{
	for (size_t i = 0; i < sizeof(hypervisors) / sizeof(hypervisors[0]); i++) {
		if (strcmp(hypervisors[i]->name, name) == 0)
			return hypervisors[i];
	}
	return NULL;
}

const struct hypervisor *hyper_for_host(void)
{
	return os_has_vmm() ? &hyper_bhyve : &hyper_qemu;
}

const char *hyper_arch_name(const struct spec *spec)
{
	return spec_arch(spec) == ARCH_ARM64 ? "arm64" : "amd64";
}

bool hyper_is_foreign(const struct hypervisor *hyper)
{
	return hyper->system != NULL && strcmp(hyper->system, os_name()) != 0;
}

/* Returns whether the last line is a start-up fault: "bhyve: vm_open: ..." or without the name. */
static bool is_start_fault(const struct hypervisor *hyper, const char *line)
{
	const char *colon = strstr(line, ": ");

	if (hyper->is_start_fault == NULL)
		return false;
	return hyper->is_start_fault(line) ||
	    (colon != NULL && hyper->is_start_fault(colon + strlen(": ")));
}

static bool is_like(const char *pattern, const char *line)
{
	return pattern != NULL && fnmatch(pattern, line, 0) == 0;
}

void hyper_judge_messages(const struct hypervisor *hyper, struct outcome *outcome,
    int64_t uptime_ms, const char *messages)
{
	MEM_AUTO char *line = str_last_line(messages, strlen(messages), BLANKS);
	const char *text = line == NULL ? "" : line + strspn(line, BLANKS);

	if (!outcome->failed_start)
		return;
	if ((uptime_ms < MAX_START_MS && *text != '\0' && !is_like(hyper->harmless, text)) ||
	    is_start_fault(hyper, text)) {
		outcome->cause = CAUSE_START_FAILED;
	} else if (is_like(hyper->cpu_fault, text)) {
		outcome->cause = CAUSE_ERROR;
		outcome->text = hyper_status_text(BHYVE_ERROR);
	}
}

void hyper_judge_prefix(const struct plan *plan, const struct signs *signs,
    const struct process_end *end, struct outcome *outcome)
{
	bool is_own = plan->has_control && signs->greeted; /* the hypervisor's own status */

	if (plan->program == 0 || is_own || end->signal != 0 ||
	    (end->status != STATUS_CANNOT_EXEC && end->status != STATUS_EXEC_MISSING))
		return;
	*outcome = (struct outcome){
		.cause = CAUSE_START_FAILED, .status = end->status, .failed_start = true
	};
}

bool hyper_has_lost_port(const struct hypervisor *hyper, const char *messages)
{
	bool found = false;

	for (const char *p = messages; *p != '\0' && !found; p += *p == '\n' ? 1 : 0) {
		size_t n = strcspn(p, "\r\n");
		MEM_AUTO char *line = mem_copy_n(p, n);

		found = fnmatch(hyper->port_lost, line, 0) == 0;
		p += n + (p[n] == '\r' ? 1 : 0);
	}
	return found;
}

/* Facts: bhyve(8) EXIT STATUS, and the statuses of sysexits(3) in its sources. */
const char *hyper_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ BHYVE_ERROR, "its own error" },
		{ BHYVE_USAGE, "usage error" },
		{ BHYVE_OS, "refused by the operating system" },
		{ BHYVE_UNKNOWN, "unknown suspend reason" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return NULL;
}

bool hyper_uses_stdio(
    const struct hypervisor *hyper, const struct spec *spec, const struct words *extra)
{
	return spec_uses_stdio(spec) ||
	    (hyper->words_use_stdio != NULL && hyper->words_use_stdio(spec, extra)) ||
	    (spec->loader.console != NULL && strcmp(spec->loader.console, "stdio") == 0);
}
