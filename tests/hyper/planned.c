/* Makes plans for tests. */
#include "planned.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static char *line; /* lent by planned_line() */

static void ignore(void *context, const char *level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
}

void planned_make(struct planned *p, const struct hypervisor *hyper, const char *keys)
{
	struct script_options limits = { .budget_ms = 5000,
		.memory_bytes = (size_t)64 << 20,
		.log = ignore,
		.hypervisor = hyper->name };
	struct document_source source = {
		.name = "spec.lua", .directory = "/vm", .format = FORMAT_LUA
	};
	struct boot_facts facts = { 0 };
	MEM_AUTO char *text = mem_format("local s = { name = 't', cpu = 1, mem = '64M', "
					 "bootrom = '/fw/rom.fd', qemu = { accel = 'tcg' },\n"
					 "bhyve = { release = 14, arch = 'amd64' } }\n"
					 "for k, v in pairs { %s } do s[k] = v end\n"
					 "return s\n",
	    keys);

	source.text = text;
	source.length = strlen(text);
	p->source.hyper = hyper;
	p->source.settings = &p->settings;
	p->source.extra = &p->extra;
	p->source.dry = !p->run;
	p->source.run_dir = "/run/vmrun";
	p->source.doc = document_load(&source, &limits, spec_merge_rules(), &p->report);
	if (p->source.doc != NULL)
		(void)boot_source_check(&p->source, &p->report);
	p->good = p->report.count == 0 &&
	    boot_prepare(&p->source, "default", &facts, &p->boot, &p->report) == 0;
}

void planned_good(struct planned *p, const struct hypervisor *hyper, const char *keys)
{
	planned_make(p, hyper, keys);
	if (!p->good)
		fail_msg(
		    "%s: refused: %s: %s", keys, p->report.item[0].path, p->report.item[0].text);
}

void planned_free(struct planned *p)
{
	boot_clear(&p->boot);
	boot_source_clear(&p->source);
	report_free(&p->report);
	words_free(&p->settings);
	words_free(&p->extra);
	memset(p, 0, sizeof(*p));
	free(line);
	line = NULL;
}

const char *planned_line(struct planned *p)
{
	struct str s = { 0 };

	for (size_t i = 0; i < p->boot.plan.argv.count; i++)
		str_addf(&s, " %s", p->boot.plan.argv.item[i]);
	str_add(&s, " ");
	free(line);
	line = str_take(&s);
	return line;
}

bool planned_has(struct planned *p, const char *words)
{
	MEM_AUTO char *wanted = mem_format(" %s ", words);

	return strstr(planned_line(p), wanted) != NULL;
}

void planned_refused(const struct hypervisor *hyper, const char *keys, const char *problem)
{
	struct planned p = { 0 };
	bool found = false;

	planned_make(&p, hyper, keys);
	assert_false(p.good);
	for (size_t i = 0; i < p.report.count && !found; i++) {
		MEM_AUTO char *got =
		    mem_format("%s: %s", p.report.item[i].path, p.report.item[i].text);

		found = strncmp(got, problem, strlen(problem)) == 0;
	}
	if (!found)
		fail_msg("%s: no problem \"%s\", but \"%s: %s\"", keys, problem,
		    p.report.count > 0 ? p.report.item[0].path : "",
		    p.report.count > 0 ? p.report.item[0].text : "");
	planned_free(&p);
}
