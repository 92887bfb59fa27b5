/* The targets of a VM and the boots that follow each cause, as a graph for Graphviz.  Pure. */
#ifndef POLICY_GRAPH_H
#define POLICY_GRAPH_H

#include "policy/policy.h"

struct graph_target {
	const char *name;
	struct spec *spec;
	bool has_hooks;	    /* an on_exit hook may decide before the policy */
	struct node *leads; /* where hook files say that they may lead, or NULL */
};

struct graph {
	const char *vm;
	const char *first; /* the target that is booted first */
	const struct policy_options *options;
	const struct graph_target *target;
	size_t count;
};

/* Returns the graph in the language DOT, without edges to a stop.  Caller frees. */
char *graph_dot(const struct graph *g);

#endif
