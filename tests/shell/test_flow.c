/* What a shell may skip, and what it sees in a part of a script alone. */
#include "../base/dice.h"
#include "text_cases.h"

#include <string.h>

#define VM "bhyve -c 2 -m 1G web"
#define RUN "bhyve -c $N -m 1G web"

static const struct found_case found_cases[] = {
	/* Where functions are seen. */
	{ "a function of a subshell", "N=2\n(f() { N=4; }; f)\nf\n" RUN, VM, 4, "", "", NULL, "" },
	{ "a function of a subshell behind another command",
	    "N=2\n(true; f() { N=4; }; true)\n(f)\nf\n" RUN, VM, 5, "", "", NULL, "" },
	{ "a function that a subshell defines again", "f() { N=2; }\n(f() { N=4; }; f)\nf\n" RUN,
	    VM, 4, "", "", NULL, "" },
	{ "a function that a subshell defines and uses",
	    "f() { N=4; }\n(f() { N=2; }; f; " RUN ")\n", VM, 2, "", "", NULL, "" },
	{ "a subshell that uses a function", "f() { N=2; }\n(f; " RUN ")", VM, 2, "", "", NULL,
	    "" },
	{ "a function of another shell", "N=2\nf() { N=4; }\nsh -c \"f; bhyve -c $N -m 1G web\"",
	    VM, 3, "", "", NULL, "" },
	{ "a function that only another shell has", "N=2\nsh -c 'f() { N=4; }; f'\nf\n" RUN, VM, 4,
	    "", "", NULL, "" },
	{ "a function of a function", "N=4\nf() { g() { N=2; }; g; }\nf\n" RUN, VM, 4, "", "", NULL,
	    "" },
	{ "a function that a function defines for others", "f() { g() { N=2; }; }\nf; g\n" RUN, VM,
	    3, "", "", NULL, "" },
	{ "a function of a function that is not called", "N=2\nf() { g() { N=4; }; }\ng\n" RUN, VM,
	    4, "", "", NULL, "" },
	{ "a function of a function in parentheses", "N=2\nf() ( g() { N=4; }; g )\nf; g\n" RUN, VM,
	    4, "", "", NULL, "" },
	{ "a function of bash in a function", "f() { function g { N=2; }; g; }\nf\n" RUN, VM, 3, "",
	    "", NULL, "" },
	{ "a function in the line of its branch",
	    "N=2\nif x; then f() { N=4; }; else f() { N=2; }; fi\n" RUN, VM, 3, "", "", NULL, "" },
	{ "calls of a function in the line of its branch",
	    "N=2\nif x; then f() { N=2; }; else f() { N=4; }; fi\nf\n" RUN, "bhyve -c 4 -m 1G web",
	    4, "", "", NULL,
	    "vm.sh:3: the import reads the function f of line 2, which stands in" },
	{ "a function that eval defines", "N=2\neval 'f() { N=4; }'\nf\n" RUN, VM, 4, "", "", NULL,
	    "vm.sh:2: the import forgets the functions that eval defines: write them into" },
};

static const struct refused_case refused_cases[] = {
	{ "a function that only a subshell has", "(f() { N=2; })\nf\nbhyve -c $N web",
	    { "vm.sh:3: $N is not set in this text", NULL, NULL } },
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
