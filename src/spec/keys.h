/* Parsers and printers of the spec's keys that are more than a plain value: for rows.c alone. */
#ifndef SPEC_KEYS_H
#define SPEC_KEYS_H

#include "spec/spec.h"

#define KEY(name)                                                                             \
	void name##_parse(                                                                    \
	    const struct node *value, void *into, const struct where *at, struct decoder *d); \
	void name##_print(const void *from, struct str *json)

KEY(name);
KEY(cpu);
KEY(mem);
KEY(hostbridge);
KEY(com);
KEY(uuid);
KEY(words);
KEY(seconds);
KEY(release);
KEY(reboot_on);
KEY(restart_limit);
KEY(backoff);
KEY(factor);
KEY(stop);
KEY(hooks);

#undef KEY

void hooks_free(struct hook_list *list);

#endif
