/*
 * Stands for kldstat(8) and sysctl(8), which vmrun asks where the kernel is not FreeBSD's.  The
 * shell scripts in tests/fake/bin would take far longer than the boot.
 */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc > 0 && strstr(argv[0], "sysctl") != NULL)
		puts(strcmp(argv[argc - 1], "hw.vmm.maxcpu") == 0 ? "16" : "4294967296");
	return 0;
}
