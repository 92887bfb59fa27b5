/* The host of one run at a time: the files, the spec and the fake FreeBSD in the current directory.
 */
#ifndef FAULTS_WORLD_H
#define FAULTS_WORLD_H

#include <stdbool.h>

#include "base/words.h"

#define WORLD_VM "fault"
#define WORLD_KEEP "keep/fault"
#define WORLD_HISTORY "keep/fault/history.jsonl"
#define WORLD_STATE "keep/fault/state.json"
#define WORLD_PAGE "page" /* the file of struct faults_page; stays */

/* Sets the environment of vmrun and of the fake commands.  `self` is the path of this program. */
void world_begin(const char *self);
/* Makes all files anew; with `varfile`, also the one that vmrun would make. */
void world_reset(bool varfile);
/* Writes the script of fakebhyve, a line for each boot. */
void world_script(const char *lines);
/* Keeps what the state directory holds now: every later world begins with it. */
void world_seed(void);
/* Returns the text of a file, "" if there is none.  Caller frees. */
char *world_read(const char *path);
/* Adds what vmrun has left: paths of files, taps, members of bridges, entries of /dev/vmm. */
void world_left(struct words *left);
void world_remove(void);

#endif
