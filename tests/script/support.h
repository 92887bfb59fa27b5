/* Documents in tests are written and compared as Lua text. */
#ifndef TESTS_SCRIPT_SUPPORT_H
#define TESTS_SCRIPT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/node.h"
#include "base/str.h"
#include "boots.h"
#include "script/script.h"

#define MIB ((size_t)1 << 20)

/* What vmrun.log() and print() said: "info: text\n" each. */
extern struct str support_log;

struct script *script_open(int64_t budget_ms, size_t memory_bytes);
/* cmocka's setup and teardown: *state is a script of 5 s and 64 MiB. */
int support_setup(void **state);
int support_teardown(void **state);
#define SUPPORT_TEST(f) cmocka_unit_test_setup_teardown(f, support_setup, support_teardown)

/*
 * The value of a Lua expression.  In it `null` is null, list() and object() are empty ones with a
 * mark, f is a function.
 */
struct node *node_of(const char *expression);
/* One line, objects in the order of their keys. Caller frees. */
char *node_show(const struct node *n);

/* Calls an engine function; the answer must be what the expression says ("nil": nothing). */
void expect(struct script *s, const char *function, const char *argument, const char *answer);
/* It must fail with a text that begins like that. */
void expect_error(struct script *s, const char *function, const char *argument, const char *text);
/* The text of the error. Caller frees. */
char *error_of(struct script *s, const char *function, const struct node *argument);

/* load{} of a Lua file vm.lua in the directory /specs. */
struct node *lua_file(const char *text);
void load_lua(struct script *s, const char *text);
void load_error(struct script *s, const char *text, const char *begin);
/* boot{} of a target; only the key of its answer is compared. */
void expect_boot(struct script *s, const char *target, const char *key, const char *value);

#endif
