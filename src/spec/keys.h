/* Kinds of values that only the spec's own keys have: for rows.c and the files of keys alone. */
#ifndef SPEC_KEYS_H
#define SPEC_KEYS_H

#include "spec/spec.h"

extern const struct field_custom name_custom, cpu_custom, mem_custom, hostbridge_custom, com_custom;
extern const struct field_custom uuid_custom, words_custom, command_custom, seconds_custom,
    release_custom;
extern const struct field_custom gdb_custom, pin_custom, layout_custom, loader_custom;
extern const struct field_custom reboot_on_custom, restart_limit_custom, backoff_custom;
extern const struct field_custom stop_custom, hooks_custom;

extern const struct field on_fields[];
/* Why a key of `on` is no cause that it can speak of; NULL: it is just not known. Caller frees. */
char *on_stranger(const char *key);
extern const struct field companion_fields[], wait_fields[];
void wait_defaults(void *entry);
extern const struct field numa_fields[], fwcfg_fields[], tpm_fields[];

#endif
