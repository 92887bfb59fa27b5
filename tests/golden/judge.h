/* What bhyve reads out of a command and out of a file, as fakebhyve's parser knows it. */
#ifndef GOLDEN_JUDGE_H
#define GOLDEN_JUDGE_H

#include "fake.h"

/* Would bhyve take the command? Its status, 0 when it would, and its message. */
int judge_start(const struct fake_host *host, const char *const *argv, char *message, size_t n);
/*
 * The variables that it reads out of its command, `path=value` lines in the order of their names;
 * NULL if it does not read all of it. Caller frees.
 */
char *judge_command(const struct fake_host *host, const char *const *argv);
/* The same of `bhyve -k FILE NAME`, with this text in the file. */
char *judge_file(const struct fake_host *host, const char *text, const char *name);

#endif
