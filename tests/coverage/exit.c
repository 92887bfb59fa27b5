/* Writes the counts of a program before _exit() ends it (tests/coverage/exit.cmake). */

/* gcc and the linker set these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
void __gcov_dump(void);
void __gcov_reset(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
	__gcov_dump();
	/* The parent of vfork() shares the memory; it counts on from 0, and writes again. */
	__gcov_reset();
	__real__exit(status);
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
