/* Documents from texts and from files in a directory that goes away. */
#ifndef TESTS_CONFIG_SUPPORT_H
#define TESTS_CONFIG_SUPPORT_H

#include "../base/dice.h"

#include "config/document.h"
#include "spec/spec.h"

/* cmocka's setup and teardown: the directory is there, and its files are removed with it. */
int directory_make(void **state);
int directory_remove(void **state);
/* Absolute, without a / at its end. */
extern char directory[];
/* Writes a file into it and gives its path. Caller frees. */
char *directory_write(const char *name, const char *bytes, size_t length);

/* NULL when the report has got problems. */
struct document *load(const struct document_source *source, struct report *report);
/* A buffer named vm.json (vm.lua when it does not begin with a brace), directory /specs. */
struct document *load_text(const char *text);
/* "place: path: text\n" each; takes the report. Caller frees. */
char *placed_problems(struct report *report);

#endif
