/* libvmrun: small helpers for programs around it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/near.h"
#include "ledger/rundir.h"
#include "vmrun/vmrun.h"

char *vmrun_default_run_dir(void)
{
	return rundir_default();
}

const char *vmrun_nearest(const char *wrong, const char *const *words)
{
	struct near near = { .wanted = wrong };

	for (; *words != NULL; words++)
		near_offer(&near, *words);
	return near.best;
}

/* The value whose first token was read, with all that is in it. */
static char *rest_of(struct json *j, const struct json_token *first)
{
	struct json_token last = *first;
	int depth = j->depth - (first->type == JSON_OBJECT || first->type == JSON_LIST);

	if (first->type == JSON_STRING)
		return json_text(j, first, NULL);
	while (j->depth > depth && last.type != JSON_ERROR && last.type != JSON_END)
		(void)json_next(j, &last);
	if (first->type == JSON_NULL || last.type == JSON_ERROR || last.type == JSON_END)
		return NULL;
	return mem_copy_n(j->text + first->offset, last.offset + last.length - first->offset);
}

char *vmrun_json_member(const char *json, const char *key)
{
	struct json j;
	struct json_token token;
	bool found = false;

	json_start(&j, json, strlen(json));
	while (json_next(&j, &token) != JSON_END && token.type != JSON_ERROR) {
		if (found)
			return rest_of(&j, &token);
		if (token.type == JSON_KEY && j.depth == 1 && j.in_object[0]) {
			MEM_AUTO char *text = json_text(&j, &token, NULL);

			found = strcmp(text, key) == 0;
		}
	}
	return NULL;
}
