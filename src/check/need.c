/* Functions that the checks of needs share. */
#include "check/need.h"

#include <stdarg.h>

#include "base/mem.h"

bool check_is_ours(const struct check *c, const char *what)
{
	return c->request->ours != NULL && words_have(c->request->ours, what);
}

bool check_is_due(
    struct check *c, const struct checked_need *need, const char *what, const char *maker)
{
	if (maker != NULL && !c->request->left_over)
		(void)findings_add(c->host.out, FINDING_MADE, need->dev, need->at, what,
		    FINDING_MADE_BY "%s", maker);
	return (maker != NULL) == c->request->left_over;
}

struct finding *check_problem(
    struct check *c, const struct checked_need *need, const char *what, const char *fmt, ...)
{
	bool is_optional = need->need != NULL && need->need->optional;
	MEM_AUTO char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vformat(fmt, ap);
	va_end(ap);
	return findings_add(c->host.out, is_optional ? FINDING_WARNING : FINDING_PROBLEM, need->dev,
	    need->at, what, "%s", text);
}

void check_words(struct words *command, const char *const *words)
{
	for (; *words != NULL; words++)
		words_add(command, *words);
}

void check_advise(struct finding *finding, const char *const *command)
{
	check_words(&finding->fix, command);
	finding->advice = true;
}
