/*
 * The threads of qemu that run the guest's processors: its answer to query-cpus-fast, which has no
 * limit of length and is read piece by piece.
 */
#ifndef HYPER_QMP_THREADS_H
#define HYPER_QMP_THREADS_H

#include "hyper/hyper.h"

#define QMP_THREADS "{\"execute\":\"query-cpus-fast\"}\n"

/* Returns whether the line begins or continues the answer, after reading it. */
bool qmp_read_threads(struct thread_query *query, const char *line);

#endif
