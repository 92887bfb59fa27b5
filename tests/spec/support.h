/* Specs from short texts: the keys given over { name = "vm", cpu = 1, mem = "512M" }. */
#ifndef TESTS_SPEC_SUPPORT_H
#define TESTS_SPEC_SUPPORT_H

#include "../device/support.h"

#include "spec/slots.h"
#include "spec/spec.h"

/* The document: keys are JSON with ' for " and without the outer braces; null takes one out. */
struct node *doc_with(const char *keys);
/* Decodes it (taken); problems go to the report. */
struct spec *spec_from(struct node *doc, struct report *report);
/* A good spec, without slots. */
struct spec *spec_of(const char *keys);
/* spec_print() in one line, ' for ". Caller frees. */
char *spec_line(const struct spec *spec);
/* The printed spec holds this text. */
void spec_shows(const char *keys, const char *wanted);
/* Decoding it gives a problem that begins like that. */
void spec_refused(const char *keys, const char *wanted);

struct key_row {
	const char *value, *wanted;
};

/* Checks how each value of the key is printed after the colon. */
void key_shows(const char *key, const struct key_row *rows);
/* Checks that each value is refused with a problem at or below the key. */
void key_refuses(const char *key, const struct key_row *rows);

#endif
