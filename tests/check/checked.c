/* Checks on a simulated host. */
#include "checked.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "platform/os.h"

void checked_needs_commands(void)
{
	if (os_bhyve_release() == 0)
		return;
	print_message("skipped: on FreeBSD these facts come from the kernel\n");
	skip();
}

/* Answers a command: modules exist, VMs and interfaces do not, and sysctl knows no variable. */
static struct said answer_of(const struct checked *c, const char *line)
{
	for (const struct said *s = c->says; s != NULL && s->command != NULL; s++) {
		if (strcmp(s->command, line) == 0)
			return *s;
	}
	if (strncmp(line, "kldstat ", 8) == 0 || strcmp(line, "ifconfig -l") == 0)
		return (struct said){ line, 0, "lo0 em0\n", false };
	return (struct said){ line, 1, "", false };
}

static void answer(struct checked *c)
{
	MEM_AUTO char *line = words_shell_line(facts_wanted(&c->facts));
	struct said said = answer_of(c, line);

	words_add(&c->asked, line);
	facts_store(&c->facts, said.status, said.missing, said.text);
}

/* Takes a name unless another run has it. */
static bool take_name(void *context, const char *name)
{
	struct checked *c = context;

	if (words_have(&c->theirs, name))
		return false;
	if (!words_have(&c->taken, name))
		words_add(&c->taken, name);
	return true;
}

static void drop_name(void *context, const char *name)
{
	struct checked *c = context;

	words_add(&c->dropped, name);
}

void checked_again(struct checked *c)
{
	struct check_request request = { .spec = c->planned.boot.spec,
		.plan = &c->planned.boot.plan,
		.again = c->again,
		.left_over = c->left_over,
		.ours = &c->ours,
		.facts = &c->facts };
	struct findings missing = { 0 };
	struct check_names names = { .context = c };

	if (!c->alone) {
		names.take = take_name;
		names.drop = drop_name;
	}
	findings_clear(&c->out);
	facts_clear(&c->facts);
	while (!check_find(c->planned.boot.spec, c->planned.source.hyper, &c->before, &names,
	    &c->facts, &missing)) {
		assert_int_equal(missing.count, 0);
		answer(c);
	}
	request.missing = &missing;
	while (!check_boot(&request, &c->out)) {
		assert_int_equal(c->out.count, 0);
		answer(c);
	}
	assert_int_equal(missing.count, 0);
	assert_null(facts_wanted(&c->facts));
}

void checked_make(struct checked *c, const struct hypervisor *hyper, const char *keys)
{
	if (c->planned.source.program == NULL)
		c->planned.source.program = "/bin/sh"; /* a program that exists */
	planned_good(&c->planned, hyper, keys);
	checked_again(c);
}

void checked_free(struct checked *c)
{
	planned_free(&c->planned);
	facts_clear(&c->facts);
	findings_clear(&c->out);
	pairs_free(&c->before);
	words_free(&c->asked);
	words_free(&c->ours);
	words_free(&c->theirs);
	words_free(&c->taken);
	words_free(&c->dropped);
	memset(c, 0, sizeof(*c));
}

static void same_command(const struct words *command, const char *wanted)
{
	MEM_AUTO char *line = words_shell_line(command);

	if (wanted == NULL)
		assert_int_equal(command->count, 0);
	else
		assert_string_equal(line, wanted);
}

const struct finding *checked_has(
    const struct checked *c, const char *what, const char *text, const char *fix, const char *undo)
{
	const struct finding *found = NULL;

	for (size_t i = 0; i < c->out.count; i++) {
		const struct finding *f = &c->out.item[i];

		if (strcmp(f->what, what) != 0)
			continue;
		if (found != NULL)
			fail_msg("%s: %s, and also %s", what, found->text, f->text);
		found = f;
	}
	if (found == NULL)
		fail_msg("nothing about %s", what);
	assert_string_equal(found->text, text);
	same_command(&found->fix, fix);
	same_command(&found->undo, undo);
	return found;
}

void checked_lacks(const struct checked *c, const char *what)
{
	for (size_t i = 0; i < c->out.count; i++) {
		if (strcmp(c->out.item[i].what, what) == 0)
			fail_msg("%s: %s", what, c->out.item[i].text);
	}
}

void checked_one(const struct said *says, const char *keys, const char *what, const char *text,
    const char *fix, const char *undo)
{
	struct checked c = { .says = says };

	checked_make(&c, &hyper_bhyve, keys);
	(void)checked_has(&c, what, text, fix, undo);
	checked_free(&c);
}

void checked_none(const struct said *says, const char *keys, const char *what)
{
	struct checked c = { .says = says };

	checked_make(&c, &hyper_bhyve, keys);
	checked_lacks(&c, what);
	checked_free(&c);
}
