/* What every fuzzer includes: a fence around the host, its own time, checks, and pieces of input.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called with each input: by libFuzzer, or by replay.c for the files of a corpus. */
/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the fence does when an input leads to a call that reaches the host. */
enum fence {
	FENCE_ABORT,  /* this is a fault: the fuzzer reports the input */
	FENCE_REFUSE, /* the call fails, as it may fail for users */
};

/*
 * Begins an input.  Until fuzz_end(), the thread starts no process, signals none, waits for
 * nothing, and opens and changes only files below fuzz_directory(); clock_ms() begins at
 * FUZZ_NOW_MS and advances by 1 ms with every call, so that the limits of Lua end the same work in
 * every run.
 */
void fuzz_begin(enum fence fence);
/* Ends an input. */
void fuzz_end(void);

#define FUZZ_NOW_MS 1000000
/* Lets time pass. */
void fuzz_pass(int64_t ms);

/* Returns a private temporary directory, which is removed when the process ends. */
const char *fuzz_directory(void);
/* Writes a file into the directory. */
void fuzz_write(const char *name, const void *bytes, size_t length);
/* Removes everything in the directory. */
void fuzz_clear_directory(void);

/* Ends the process with the message if the condition does not hold. */
void fuzz_check(bool holds, const char *message);

/* The input that is left. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* Takes a byte; 0 when nothing is left. */
unsigned fuzz_byte(struct fuzz_input *in);
/* Takes at most n bytes and returns them as a text. Caller frees. */
char *fuzz_text(struct fuzz_input *in, size_t n);

#endif
