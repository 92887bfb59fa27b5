/* Scripts that give bhyve its words from variables, functions and lines that a shell reads
 * otherwise. */
#include "../base/dice.h"
#include "text_cases.h"

#include <string.h>

#define VM "bhyve -c 2 -m 1G web"

static const struct found_case found_cases[] = {
	/* Pages. */
	{ "an indented page", "1. Don't wait:\n\n   ```sh\n   # " VM "\n   ```\nDone.\n", VM, 4, "",
	    "", NULL, "" },
	{ "prompts in an indented page",
	    "- it:\n\n  ~~~\n  root@host:~ # kldload vmm\n  root@host:~ # bhyve -c 2 \\\n"
	    "     -m 1G web\n  ~~~\n",
	    VM, 5, "", "", NULL, "" },
	/* The ends of lines. */
	{ "a backslash at the end of the text", VM " \\\n", VM, 1, "", "", NULL, "" },
	{ "a backslash and a blank elsewhere", "echo a \\ \n" VM "\n", VM, 2, "", "", NULL, "" },
	{ "a line behind it that is no option", VM "\n- web\n", VM, 1, "", "", NULL, "" },
};

static const struct refused_case refused_cases[] = {
	{ "a blank behind a backslash", "bhyve -c 2 \\ \n -m 1G web\n",
	    { "vm.sh:1: a blank after \"\\\": the next line is not part of the command", NULL,
		NULL } },
	{ "tabs behind a backslash", "bhyve -c 2 \\\n -m 1G \\ \t\n web\n",
	    { "vm.sh:2: a blank after", NULL, NULL } },
	{ "two backslashes", "bhyve -c 2 \\\\\n -m 1G web\n",
	    { "vm.sh:1: \"\\\\\" at the end of the line: the next line is not part", NULL, NULL } },
	{ "a loader's line", "bhyveload -m 1G \\ \n -d a.img web\n" VM,
	    { "vm.sh:1: a blank after", NULL, NULL } },
	{ "a backslash is missing", VM "\n  -s 3,virtio-rnd web\n",
	    { "vm.sh:2: this line begins with an option, but it is not part of the command", NULL,
		NULL } },
	{ "a comment between joined lines", "bhyve -c 2 \\\n# the disk\n-m 1G web\n",
	    { "vm.sh:3: this line begins with an option", NULL, NULL } },
};

static void test_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(found_cases) / sizeof(found_cases[0]); i++)
		check_found(&found_cases[i]);
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++)
		check_refused(refused_cases[i].what, refused_cases[i].text,
		    strlen(refused_cases[i].text), refused_cases[i].problem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
