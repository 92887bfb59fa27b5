/* vmrun's command line: one row an option; parsing, usage and help walk the rows. */
#ifndef VMRUN_OPTIONS_H
#define VMRUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct command_line {
	const char *file;
	const char *format, *target, *hypervisor, *bhyve, *qemu, *reboot_on;
	const char *pid_file, *supervisor_pid_file, *run_dir, *state_dir, *print, *simulate,
	    *exit_status, *events, *log_level, *log_format;
	const char **set;	 /* KEY=VALUE words, NULL-terminated; owned list */
	const char **hooks;	 /* likewise */
	const char **allow;	 /* likewise */
	const char *const *args; /* after `--`, NULL-terminated */
	bool dry_run, debug, no_reboot, help, version;
	bool check, json, fix, force, no_checks, panic_on_failed_cleanup, sandbox, syslog;
	int64_t reboot_count; /* -1: no limit */
	int64_t ready_fd;     /* -1: none */
};

/*
 * Parses argv; strings are lent by it.  Returns NULL, or what is wrong (owned by the caller).
 */
char *options_parse(int argc, char **argv, struct command_line *out);
/* Does it ask for something that needs no spec? */
bool options_describe(const struct command_line *line);
void options_free(struct command_line *line);
void options_usage(FILE *to);
void options_help(FILE *to);

#endif
