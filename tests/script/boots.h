/*
 * The functions of a document that C computes, called by name as the engine's are: configure, boot,
 * targets, locate, and what hooks are told of the last boot.
 */
#ifndef TESTS_SCRIPT_BOOTS_H
#define TESTS_SCRIPT_BOOTS_H

#include "script/script.h"

/*
 * Calls a function of the engine, or one of these:
 *   configure { merge, causes }	the rules of merging, and the causes
 *   boot { target, set }		{ spec, base_devices, removed, problems }
 *   targets()				{ names, problems }
 *   locate { path }			{ source, path }
 */
int engine_call(struct script *s, const char *function, const struct node *argument,
    struct node **result, struct error *err);
/* Makes the targets of a JSON text those of the script. */
void boots_load_json(struct script *s, const char *text);
/* Forgets the document of a script that is freed. */
void boots_forget(void);

#endif
