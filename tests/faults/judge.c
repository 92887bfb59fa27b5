/* What must hold after a run with a failing call. */
#define _GNU_SOURCE
#include "judge.h"

#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "world.h"

static int count(const char *text, const char *part)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part))
		n++;
	return n;
}

/* Adds the lines of a file of JSON lines that are torn. */
static void check_lines(const char *path, struct words *complaints)
{
	MEM_AUTO char *text = world_read(path);
	char *rest = text;

	if (*text != '\0' && text[strlen(text) - 1] != '\n')
		words_addf(complaints, "%s does not end with a line", path);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		size_t n = strlen(line);

		if (n > 0 && (strncmp(line, "{\"v\":1,", 7) != 0 || line[n - 1] != '}'))
			words_addf(complaints, "%s has a torn line: %s", path, line);
	}
}

void judge_control(const char *word, int status, struct words *complaints)
{
	MEM_AUTO char *err = world_read("err.ctl");
	MEM_AUTO char *out = world_read("out.ctl"); /* `status` prints the last end there */

	if (status != 0 && status != 1 && status != 69 && status != 71)
		words_addf(complaints, "vmrunctl %s ended with %d", word, status);
	else if (status != 0 && *err == '\0' && *out == '\0')
		words_addf(complaints, "vmrunctl %s ended with %d and said nothing", word, status);
}

/* Statuses of the manual with which a run ends that could not go on. */
static bool is_documented(int status)
{
	static const int good[] = { 0, 4, 5, 65, 66, 69, 71, 75, 126, 127, 128 + SIGTERM };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (status == good[i])
			return true;
	}
	return false;
}

/* Makes every gap between words one blank: reports break their lines. */
static void unwrap(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; p++) {
		if (strchr(" \n\t", *p) == NULL)
			*to++ = *p;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
}

/* Returns whether what vmrun said names the error. */
static bool is_said(const struct faults_page *page, const char *err)
{
	/*
	 * What errors of locks and of programs mean, failures that vmrun lives with, and another
	 * ifconfig behind a directory of PATH that could not be searched.
	 */
	static const char *const words[] = { "warning: ", "out of memory", "Lua cannot start in",
		"locked", "in use by another ", "its interpreter is missing",
		"pidfd_open is missing",
		"no tap for its bridge: ifconfig: ", "bridge0: no such interface" };
	MEM_AUTO char *text = mem_copy(err);

	if (page->hit_stderr)
		return true;
	if (page->error == SHORT)
		return strstr(err, "vmrun: ") != NULL;
	unwrap(text);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strstr(text, words[i]) != NULL)
			return true;
	}
	return strstr(text, strerror(page->error)) != NULL ||
	    (page->call == CALL_getaddrinfo && strstr(text, gai_strerror(EAI_MEMORY)) != NULL);
}

/* A run that went through must have lost nothing. */
static void check_success(const struct scenario *s, struct words *complaints, bool said)
{
	MEM_AUTO char *starts = world_read("starts");
	MEM_AUTO char *history = world_read(WORLD_HISTORY);
	MEM_AUTO char *state = world_read(WORLD_STATE);
	MEM_AUTO char *console = world_read("con.log");
	MEM_AUTO char *events = world_read("events");
	bool seeded = count(history, "\"kind\":") > 3;
	int lines = s->boots + 1 + (s->killed ? 1 : 0) + (seeded ? 3 : 0);

	if (count(starts, "\n") != s->boots)
		words_addf(complaints, "status 0, but %d boots", count(starts, "\n"));
	if (said)
		return;
	if (count(history, "\"kind\":") < lines)
		words_addf(complaints, "the history has %d lines, and no word of those that miss",
		    count(history, "\"kind\":"));
	if (strstr(state, "\"n\"") == NULL)
		words_addf(complaints, "vmrun.state is lost without a word: %s", state);
	if (count(console, "up") < s->boots)
		words_add(complaints, "the console's log is short without a word");
	/* An event for which there is no memory is reported by another. */
	if (strstr(events, "\"ended\",") == NULL && strstr(events, "\"lost\",") == NULL)
		words_add(complaints, "the events have no end, without a word");
}

/* Returns whether the messages name a thing that was left: by its path, or as an interface. */
static bool is_named(const char *thing, const char *err)
{
	/* The record of what is left is named by that; fakebhyve has a file for the VM's memory. */
	if (str_after(thing, "run/" WORLD_VM "/ledger.json") != NULL)
		return strstr(err, "left behind") != NULL;
	if (str_after(thing, "state/") != NULL)
		return strstr(err, "/dev/vmm/" WORLD_VM " is left behind") != NULL;
	MEM_AUTO char *name = mem_copy_n(thing, strcspn(thing, " "));

	return strstr(err, name) != NULL;
}

/*
 * Returns whether a thing may stay without a word until the next start: an empty directory, and the
 * file of a lock that no process has, or only seems to have.
 */
static bool is_harmless(const char *thing)
{
	static const char *const things[] = { "run/" WORLD_VM, "run/" WORLD_VM "/vm",
		"run/" WORLD_VM "/lock", "run/" WORLD_VM "/changes" };

	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		if (strcmp(thing, things[i]) == 0)
			return true;
	}
	return str_after(thing, "run/.names") != NULL;
}

static void check_left(const char *err, const struct words *before, struct words *complaints)
{
	WORDS_AUTO struct words left = { 0 };

	world_left(&left);
	for (size_t i = 0; i < left.count; i++) {
		if (!is_named(left.item[i], err) && !is_harmless(left.item[i]) &&
		    !words_have(before, left.item[i]))
			words_addf(complaints, "left without a word: %s", left.item[i]);
	}
}

void judge_faulty(const struct scenario *s, const struct faults_page *page, struct outcome *o)
{
	MEM_AUTO char *err = world_read("err");
	struct words *complaints = &o->complaints;
	const struct words nothing = { 0 };
	bool said = page->call >= 0 && is_said(page, err);

	if (o->status == -1)
		words_add(complaints, "vmrun did not end");
	else if (o->status == 128 + SIGABRT && strstr(err, "vmrun: out of memory: ") != NULL)
		return; /* as after any death, the next start cleans up */
	else if (!is_documented(o->status))
		words_addf(complaints, "status %d", o->status);
	else if (o->status != 0 && !said)
		words_addf(complaints, "status %d, and the error is not named", o->status);
	else if (o->status == 0)
		check_success(s, complaints, said);
	if (!page->hit_stderr)
		check_left(err, o->status == 0 ? &nothing : &o->before, complaints);
	check_lines(WORLD_HISTORY, complaints);
	check_lines("events", complaints);
}

void judge_next(int status, struct words *complaints)
{
	MEM_AUTO char *err = world_read("err.next");
	MEM_AUTO char *before = world_read("err");
	MEM_AUTO char *state = world_read(WORLD_STATE);
	WORDS_AUTO struct words left = { 0 };

	if (status != 0)
		words_addf(complaints, "the next start ended with %d: %s", status, err);
	if (strstr(state, "\"n\"") == NULL)
		words_addf(complaints, "vmrun.state is lost after the next start: %s", state);
	world_left(&left);
	for (size_t i = 0; i < left.count; i++) {
		/* A copy of the varfile under a name that no other run can know. */
		if (str_after(left.item[i], "vars.") == NULL || !is_named(left.item[i], before))
			words_addf(complaints, "left after the next start: %s", left.item[i]);
	}
	check_lines(WORLD_HISTORY, complaints);
}
