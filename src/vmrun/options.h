/* The command line of vmrun: parsing and help. */
#ifndef VMRUN_OPTIONS_H
#define VMRUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct command_line {
	const char *file;
	const char *operand; /* FILE without -c; NULL: none */
	const char *format, *target, *hypervisor, *bhyve, *qemu, *reboot_on;
	const char *pid_file, *supervisor_pid_file, *run_dir, *state_dir, *print, *simulate,
	    *import, *import_format, *exit_status, *events, *log_level, *log_format;
	const char **set;	 /* KEY=VALUE words, NULL-terminated; the list is owned */
	const char **spec_args;	 /* KEY=VALUE words of --arg, likewise */
	const char **hooks;	 /* likewise */
	const char **allow;	 /* likewise */
	const char *const *args; /* after `--`, NULL-terminated */
	bool dry_run, debug, no_reboot, help, version;
	bool check, json, fix, force, no_checks, panic_on_failed_cleanup, sandbox, syslog;
	bool log_time, no_log_time;
	int64_t reboot_count; /* -1: no limit */
	int64_t ready_fd;     /* -1: none */
	int64_t exec_result;  /* -1: none */
};

/* Parses argv, whose strings *out uses.  Returns NULL or an error message.  Caller frees. */
char *options_parse(int argc, char **argv, struct command_line *out);
/* Returns whether the command line requests a description that needs no spec. */
bool options_describe(const struct command_line *line);
/* Returns whether the command line requests output in place of a run or of --check. */
bool options_print_only(const struct command_line *line);
/* Frees the lists of words. */
void options_free(struct command_line *line);
/* Prints the usage. */
void options_usage(FILE *to);
/* Prints the usage and one line per option. */
void options_help(FILE *to);

#endif
