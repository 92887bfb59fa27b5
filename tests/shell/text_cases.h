/* Texts with a bhyve command, and what a test expects of them. */
#ifndef TEXT_CASES_H
#define TEXT_CASES_H

#include <stddef.h>

/* A text and what is found in it, each list as a shell's line; NULL: not compared. */
struct found_case {
	const char *what, *text, *argv;
	size_t line;
	const char *prefix, *loader, *input;
	const char *note; /* a part of the notes; "": there are none */
};

/* A text that is refused, and parts of the report. */
struct refused_case {
	const char *what, *text, *problem[3];
};

/* Fails the test if the parts differ; NULL is another text than "". */
void compare(const char *what, const char *part, const char *got, const char *wanted);
void check_found(const struct found_case *c);
void check_all_found(const struct found_case *cases, size_t count);
void check_refused(const char *what, const char *text, size_t length, const char *const problem[3]);
void check_all_refused(const struct refused_case *cases, size_t count);

#endif
