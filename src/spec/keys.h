/* Kinds of values of the spec's own keys: private to rows.c and the files of keys. */
#ifndef SPEC_KEYS_H
#define SPEC_KEYS_H

#include "spec/spec.h"

#define MAX_NUMA_DOMAINS 8 /* of bhyve */

DESCRIBES(name_custom, char *);
DESCRIBES(cpu_custom, struct cpu);
DESCRIBES(mem_custom, int64_t);
DESCRIBES(log_size_custom, int64_t);
DESCRIBES(hostbridge_custom, int);
DESCRIBES(com_custom, char *);
DESCRIBES(uuid_custom, char *);
DESCRIBES(rom_custom, char *);
DESCRIBES(words_custom, struct words);
DESCRIBES(command_custom, struct words);
DESCRIBES(program_custom, struct words); /* a command that is not empty */
DESCRIBES(prefix_custom, struct words);
DESCRIBES(seconds_custom, int64_t); /* in milliseconds, up to an hour */
DESCRIBES(day_custom, int64_t);	    /* the same up to a day */
DESCRIBES(week_custom, int64_t);    /* the same up to 7 days */
DESCRIBES(release_custom, int64_t);
DESCRIBES(gdb_custom, char *);
DESCRIBES(pin_custom, struct words);
DESCRIBES(layout_custom, char *);
DESCRIBES(loader_custom, struct loader);
DESCRIBES(reboot_on_custom, struct reboot_list);
DESCRIBES(restart_limit_custom, struct restart_limit);
DESCRIBES(backoff_custom, struct backoff);
DESCRIBES(stop_custom, struct stop_ladder);
DESCRIBES(hooks_custom, struct hook_list);
DESCRIBES(ready_custom, struct probe);
DESCRIBES(alive_custom, struct probe);
extern const struct field_custom name_custom, cpu_custom, mem_custom, log_size_custom,
    hostbridge_custom, com_custom;
extern const struct field_custom uuid_custom, words_custom, command_custom, program_custom,
    prefix_custom, seconds_custom, day_custom, week_custom, release_custom;
extern const struct field_custom rom_custom, gdb_custom, pin_custom, layout_custom, loader_custom;
extern const struct field_custom reboot_on_custom, restart_limit_custom, backoff_custom;
extern const struct field_custom stop_custom, hooks_custom, ready_custom, alive_custom;

DESCRIBES(on_fields, struct spec);
extern const struct field on_fields[];
extern const struct field_others on_statuses;
/* Returns why a key of `on` is invalid, or NULL if it is merely unknown.  Caller frees. */
char *on_explain_unknown(const char *key);
DESCRIBES(numa_fields, struct numa_domain);
DESCRIBES(fwcfg_fields, struct fwcfg_item);
DESCRIBES(tpm_fields, struct tpm);
extern const struct field numa_fields[], fwcfg_fields[], tpm_fields[];

#endif
