/*
 * Reads from the environment which mutant is alive, and records in a file which mutants the program
 * reaches.  Programs that a test starts inherit both variables.
 */
#include "switch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned char unrecorded[MUTANT_MAX];

int mutant_alive;
volatile unsigned char *mutant_reached = unrecorded;

/* Runs before main(), and leaves no open descriptor to a program that lists its own. */
__attribute__((constructor)) static void read_environment(void)
{
	const char *alive = getenv("MUTANT"), *record = getenv("MUTANTS_REACHED");
	void *map;
	int fd;

	if (alive != NULL)
		mutant_alive = atoi(alive);
	if (record == NULL)
		return;
	fd = open(record, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	map = mmap(NULL, MUTANT_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		mutant_reached = map;
	(void)close(fd);
}
