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
	/* What stands behind a return that a shell may skip. */
	{ "a value behind a return", "N=4\nf() {\nx && return\nN=2\n}\nf\n" RUN, VM, 7, "", "",
	    NULL,
	    "vm.sh:4: $N: the import uses \"2\" of this line, which stands behind a return, and "
	    "not "
	    "\"4\" of line 1: remove the line that does not apply" },
	{ "a value behind a return in a branch",
	    "f() {\nif x; then\ny\nreturn 1\nfi\nN=2\n}\nf\n" RUN, VM, 9, "", "", NULL,
	    "vm.sh:6: $N: the import uses \"2\" of this line, which stands behind a return: "
	    "remove" },
	{ "a value behind a return in a group, a loop and a case",
	    "f() { x || { y; return; }; A=-H; }\ng() { while x; do return; done; B=-A; }\n"
	    "h() { case x in a) return;; esac; C=(-P -w); }\nf; g; h\nbhyve $A $B ${C[@]} web",
	    "bhyve -H -A -P -w web", 5, "", "", NULL,
	    "vm.sh:1: $A: the import uses \"-H\" of this line, which stands behind a return: "
	    "remove "
	    "the line if it does not apply\n"
	    "vm.sh:2: $B: the import uses \"-A\" of this line, which stands behind a return: "
	    "remove "
	    "the line if it does not apply\n"
	    "vm.sh:3: $C: the import uses the words of this line, which stands behind a return: "
	    "remove the line if it does not apply" },
	{ "a value behind a return of an inner function",
	    "f() { x && return; N=4; }\ng() { f; N=2; M=1; }\ng\nbhyve -c $N -m ${M}G web", VM, 4,
	    "", "", NULL, "" },
	{ "a branch behind a return",
	    "f() { x && return; if y; then N=2; fi; M=1G; }\nf\n"
	    "bhyve -c $N -m $M web",
	    VM, 3, "", "", NULL,
	    "vm.sh:1: $N: the import uses \"2\" of this line, which stands in a branch: remove the "
	    "line if it does not apply\n"
	    "vm.sh:1: $M: the import uses \"1G\" of this line, which stands behind a return: " },
	{ "values and bhyve behind returns", "f() { x || return; N=2; y || return; " RUN "; }\nf",
	    VM, 1, "", "", NULL, "" },
	{ "a value before a return", "f() { N=2; x && return; N=2; }\nf\n" RUN, VM, 3, "", "", NULL,
	    "" },
	{ "a return of a subshell",
	    "f() { (x && return); (return); return | cat; return & N=2; }\nf\n" RUN, VM, 3, "", "",
	    NULL, "" },
	{ "a value behind an exit, without which bhyve does not run",
	    "f() { x || exit 1; N=2; }\nf\n" RUN, VM, 3, "", "", NULL, "" },
	{ "a loop of one value that a shell may leave",
	    "N=4\nfor d in 2; do\nx || continue\nN=2\ndone\n" RUN, VM, 6, "", "", NULL,
	    "vm.sh:4: $N: the import uses \"2\" of this line, which stands in a loop, and not "
	    "\"4\"" },
	{ "a loop of one value that a shell leaves at its end",
	    "for d in 2; do N=$d; break; done\n" RUN, VM, 2, "", "", NULL, "" },
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
