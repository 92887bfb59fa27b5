/* The directory in which bhyve runs: cd in all places of a script. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "shell/command_text.h"

static const struct text_origin origin = { "vm.sh", "/home/vm" };

#define VM "bhyve -c 2 web"

/* A text, and the directory of its command. */
struct place_case {
	const char *text, *path;
	const char *note; /* a part of what may change it; NULL: it is certain */
};

static const struct place_case place_cases[] = {
	{ VM, "", NULL },
	{ "cd /vm/web\n" VM, "/vm/web", NULL },
	{ "cd -P -- /vm//web/./x/.. && " VM, "/vm/web", NULL },
	{ "command cd /vm; builtin cd web; " VM, "/vm/web", NULL },
	{ "(cd /vm && " VM ")", "/vm", NULL },
	{ "( cd /vm && ls ); " VM, "", NULL },
	{ "(cd /a); (" VM ")", "", NULL },
	{ "cd /vm; ((cd /a; (cd /b); cd c; " VM "))", "/a/c", NULL },
	{ "DIR=/vm\ncd \"$DIR\" || exit 1\n" VM, "/vm", NULL },
	{ "cd \"${1:-/vm}\"\n" VM, "/vm", NULL },
	{ "$ cd /vm\n$ " VM, "/vm", NULL },
	{ "# cd /vm\n# " VM, "/vm", NULL },
	{ "root@host:/ # cd /vm\nroot@host:/vm # " VM, "/vm", NULL },
	{ "# cd /a\n" VM, "", NULL },
	{ "while :; do " VM "; cd /a; done", "", "vm.sh:1: this line runs the same command in" },
	{ "case x in a) cd /a ;& b) " VM ";; esac", "", "vm.sh:1: a shell may skip the cd" },
	{ "su -l root -c 'cd /a; " VM "'", "/a", NULL },
	{ VM " && cd /a\n" VM, "", "vm.sh:2: this line runs the same command in another" },
	{ "[ x ] && cd /a || export A=1\n" VM, "", "vm.sh:1: a shell may skip the cd" },
	{ "cd images\n" VM, "images", NULL },
	{ "cd images; cd ../../disks\n" VM, "../disks", NULL },
	{ "cd /vm; cd ../../..; " VM, "/", NULL },
	{ "cd /vm; cd \"$(dirname \"$0\")\"\n" VM, "/home/vm", NULL },
	{ "DIR=$(dirname \"$0\")\ncd \"$DIR/images\"\n" VM, "/home/vm/images", NULL },
	{ "cd ${0%/*} && " VM, "/home/vm", NULL },
	{ VM "\ncd /vm\n", "", NULL },
	{ "cd /vm | cat; cd /a & " VM, "", NULL },
	{ "cd /a && sleep 1 & " VM, "", NULL },
	{ "eval 'cd /a' | cat; " VM, "", NULL },
	{ "{ cd /a; ls; } | cat\n" VM, "", NULL },
	{ "{ cd /a; ls; } &\n" VM, "", NULL },
	{ "{ cd /a; ls; }\n" VM, "/a", NULL },
	{ "{ cd /a; ls; } && " VM " &", "/a", NULL },
	{ "ls | { cat; cd /a; }\n" VM, "", NULL },
	{ "ls |\n\n { cat; cd /a; }\n" VM, "", NULL },
	{ "ls |& { cat; cd /a; }; cd b\n" VM, "b", NULL },
	{ "if x; then cd /a; fi &\n" VM, "", NULL },
	{ "if x; then { cd /a; } & cd b; else { cd /c; } & " VM "; fi", "", NULL },
	{ "while x; do cd /a; done &\n" VM, "", NULL },
	{ "while x; do cd /a; done | sort\n" VM, "", NULL },
	{ "ls | while read d; do cd $d; done\n" VM, "", NULL },
	{ "ls | while read d; do cd $d; done; cd /a; ls | cat; " VM, "/a", NULL },
	{ "ls | while x; do cd /a; " VM "; done", "/a", NULL },
	{ "(x) | while x; do cd /a; done; (x) && cd b && (y) &\n" VM, "", NULL },
	{ "case x in a) cd /b;; esac | cat\n" VM, "", NULL },
	{ "f() {\nls | cat\ncd /vm | cat\n" VM "\n}", "", NULL },
	{ "f() { ls | cat; cd /vm; " VM "; }", "/vm", NULL },
	{ "cd /a && { ls | cat; }; { ls & cd b; }; " VM " | tee log", "/a/b", NULL },
	{ "if ls | grep a; then cd /vm; " VM "; fi", "/vm", NULL },
	{ "sh -c 'cd /a; true'; " VM, "", NULL },
	{ "cd /vm; sh -c 'cd a; " VM "'", "/vm/a", NULL },
	{ "eval 'cd /a'; " VM, "/a", NULL },
	{ "tmux new-session -d -c /a '" VM "'", "/a", NULL },
	{ "tmux neww -c /a -n web " VM, "/a", NULL },
	{ "daemon --change-dir " VM, "/", NULL },
	{ "sudo --chdir /a " VM, "/a", NULL },
	{ "env --chdir=/a " VM, "/a", NULL },
	{ "name=web\nweb_chdir=/vm\ncommand=daemon\ncommand_args=\"-f bhyve -c 2 web\"\n", "/vm",
	    NULL },
	{ "cd /vm; daemon -cf " VM, "/", NULL },
	{ "cd /vm; daemon -f " VM, "/vm", NULL },
	{ "cd /vm; sudo -D web env -C a " VM, "/vm/web/a", NULL },
	{ "env --chdir=/vm sh -c 'cd a; " VM "'", "/vm/a", NULL },
	{ "if true; then cd /vm; " VM "; fi", "/vm", NULL },
	{ "if true; then cd /vm; else " VM "; fi", "", NULL },
	{ "if true; then cd /a; case $1 in\nx) cd /b;;\ny) " VM ";; esac; fi", "/a", NULL },
	{ "case $1 in start) cd /vm; " VM ";; stop) cd /b;; esac", "/vm", NULL },
	{ "(case $1 in (a|b) ;; c) cd /vm;; esac; ls); " VM, "", NULL },
	{ "start() {\n\tcd /vm\n\t" VM "\n}\nstart", "/vm", NULL },
	{ "[ -d /vm ] && cd /vm && " VM, "/vm", NULL },
	{ "[ -d /vm ] && cd /vm || exit\n" VM, "/vm", NULL },
	{ "[ -d /vm ] && cd /vm || { echo no; exit; }\n" VM, "/vm", NULL },
	{ "[ -d /vm ] && cd /vm || die no\n" VM, "/vm", NULL },
	{ "[ -d /vm ] && cd /vm || true\n" VM, "",
	    "vm.sh:1: a shell may skip the cd of this line" },
	{ "cd /a\n[ -d /vm ] && cd /vm || X=1\n" VM, "/a",
	    "vm.sh:2: a shell may skip the cd of this line" },
	{ "mkdir /vm && { cd /vm; " VM "; }", "/vm", NULL },
	{ "mkdir /vm && (cd /vm; " VM ")", "/vm", NULL },
	{ "cd /a && cd b\n" VM, "/a/b", NULL },
	{ "[ -d /vm ] && cd /vm\n" VM, "", "vm.sh:1: a shell may skip the cd of this line" },
	{ "cd /a || cd /b\n" VM, "/a", "vm.sh:1: a shell may skip the cd of this line" },
	{ "if true; then\ncd /vm\nfi\n" VM, "", "vm.sh:2: a shell may skip the cd" },
	{ "if true; then\ncd /a\nelse\ncd b\nfi\n" VM, "", "vm.sh:4: a shell may skip the cd" },
	{ "if true; then\ncd /a\nelse\ntrue\nfi\n" VM, "", "vm.sh:2: a shell may skip the cd" },
	{ "f() {\ncd /vm\n}\nf\n" VM, "/vm", NULL },
	{ "clean() { cd /; rm x; }\ntrap clean EXIT\n" VM, "", NULL },
	{ "cd /vm\nclean() {\ncd /\n}\nmain() { " VM "; }\nmain", "/vm", NULL },
	{ "f() { cd a; }\ncd /vm; f; (f); " VM, "/vm/a", NULL },
	{ "f() { cd /vm; }\n[ -d /vm ] && f\n" VM, "", "vm.sh:1: a shell may skip the cd" },
	{ "f() (\ncd /vm\n)\nf\n" VM, "", NULL },
	{ "f() { x && return; cd /vm; }\nf\n" VM, "/vm",
	    "vm.sh:1: a shell may skip the cd of this" },
	{ "f() { x && return; cd /vm; " VM "; }\nf\n", "/vm", NULL },
	{ "f() { [ -d /vm ] || return 1; cd /vm; }\nf || exit 1\n" VM, "/vm",
	    "vm.sh:1: a shell may skip the cd of this line" },
	{ "f() { [ -d /vm ] || return 1; cd /vm; }\nf && " VM, "/vm", "vm.sh:1: a shell may skip" },
	{ "f() { [ -d /vm ] || return 1; cd /vm; }\nif f; then " VM "; fi", "/vm",
	    "vm.sh:1: a shell may skip" },
	{ "f() { if [ ! -d /vm ]; then mkdir /vm || return 1; fi; cd /vm; }\nf\n" VM, "/vm",
	    "vm.sh:1: a shell may skip" },
	{ "f() { cd /vm; x && return; cd a; }\nf\n" VM, "/vm/a",
	    "vm.sh:1: a shell may skip the cd" },
	{ "f() { if x; then cd /a; return; fi; cd /vm; }\nf\n" VM, "/vm",
	    "vm.sh:1: a shell may skip" },
	{ "f() { x && cd /a && return; cd /vm; }\nf\n" VM, "/vm",
	    "vm.sh:1: a shell may skip the cd" },
	{ "f() { x && return; (cd /a); }\nf\n" VM, "", NULL },
	{ "f() { x && return; }\nf; cd /vm\n" VM, "/vm", NULL },
	{ "f() { x && return; y && cd /vm || exit; cd a; " VM "; }\nf\n", "/vm/a", NULL },
	{ "f() { cd /vm; " VM "; }\ncd /a; \"$1\"", "/vm", NULL },
	{ "clean() { cd /; }\ncd /vm\n" VM, "/vm", NULL },
	{ "function clean {\ncd /\n}\n" VM, "", NULL },
	{ "function clean\n{\ncd /\n}\n" VM, "", NULL },
	{ "function clean() {\ncd /\n}\nclean; cd vm\n" VM, "/vm", NULL },
	{ "if [ \"$1\" ]; then cd \"$1\"; fi\n" VM, "", "vm.sh:1: a shell may skip the cd" },
	{ "if x; then cd /a; " VM "; else\ncd /b; " VM "; fi", "/a",
	    "vm.sh:2: this line runs the same command in another directory" },
	{ "if x; then cd /a; " VM "; else cd /a; " VM "; fi", "/a", NULL },
	{ "cd /vm\nif x; then\ncd a; fi\n" VM, "/vm", "vm.sh:3: a shell may skip the cd" },
	{ "x && cd /a && cd b\n" VM, "", "vm.sh:1: a shell may skip the cd of this line" },
	{ "x && cd /a && cd b || exit\n" VM, "/a/b", NULL },
	{ "x && cd /a && { ls; " VM "; }", "/a", NULL },
	{ "x && cd /a && (ls; " VM ")", "/a", NULL },
	{ "x && cd /a && ls | cat && " VM, "/a", NULL },
	{ "x && cd /a && { ls; } && " VM, "/a", NULL },
	{ "x && cd /a && { ls; }; " VM, "", "vm.sh:1: a shell may skip the cd of this line" },
	{ "x && cd /a && sh -c 'ls; " VM "'", "/a", NULL },
	{ "x && cd /a && ls &\n" VM, "", NULL },
	{ "(x) && cd /a\n" VM, "", "vm.sh:1: a shell may skip the cd of this line" },
	{ "x && eval 'cd /a'\n" VM, "", "vm.sh:1: a shell may skip the cd of this line" },
	{ "eval 'x && cd /a'\n" VM, "", "vm.sh:1: a shell may skip the cd of this line" },
	{ "(x && cd /a); cd /b; " VM, "/b", NULL },
	{ "if y; then x && cd /a; else " VM "; fi", "", NULL },
	{ "x && cd \"$1\"\n" VM, "", "vm.sh:1: a shell may skip the cd of this line" },
	{ "while x; do cd /a; done\n" VM, "", "vm.sh:1: a shell may skip the cd of this line" },
	{ "until x\ndo\ncd /a\ndone\n" VM, "", "vm.sh:3: a shell may skip the cd" },
	{ "for d in a; do cd $d; done\n" VM, "", "vm.sh:1: a shell may skip the cd" },
	{ "for d in $x; do cd $d; done\n" VM, "", "vm.sh:1: a shell may skip the cd" },
	{ "for d in /a/*; do\ncd \"$d\"\ndone\n" VM, "", "vm.sh:2: a shell may skip the cd" },
	{ "for d in /a/*; do cd \"$d\"; " VM "; done", "", "vm.sh:1: cd \"$d\": the text does" },
	{ "for d in /a/*; do (cd \"$d\"; ls); done\n" VM, "", NULL },
	{ "while x; do cd /a; " VM "; done", "/a", NULL },
	{ "while x; do if y; then cd /a; fi; ls; done; cd /b\n" VM, "/b", NULL },
	{ "(while x; do cd /a); cd /b; while x; do ls; done; " VM, "/b", NULL },
	{ "cd /a/*\n" VM, "", "vm.sh:1: cd /a/*: the text does not tell this directory" },
	{ "cd /vm\ncd -\n" VM, "/vm", "vm.sh:2: cd -: the text does not tell this directory" },
	{ "cd\n" VM, "", "vm.sh:1: cd: the text does not tell this directory" },
	{ "pushd /vm\n" VM, "/vm", NULL },
	{ "pushd\n" VM, "", "vm.sh:1: pushd: the text does not tell this directory" },
	{ "cd /a\npushd /vm\npopd\n" VM, "/vm", "vm.sh:3: popd: the text does not tell this" },
	{ "cd -\ncd /vm\n" VM, "/vm", NULL },
	{ "cd -\ncd vm\n" VM, "vm", "vm.sh:1: cd -" },
	{ "D=/a\nif x; then D=/b; fi; cd $D\n" VM, "/b", "vm.sh:2: $D: the import uses \"/b\"" },
};

static char *joined(const struct words *w)
{
	struct str s = { 0 };

	for (size_t i = 0; i < w->count; i++)
		str_addf(&s, "%s\n", w->item[i]);
	return str_take(&s);
}

static void check(const struct place_case *c)
{
	struct command_text found;
	REPORT_AUTO struct report report = { 0 };

	if (command_text_read(c->text, strlen(c->text), &origin, &found, &report) != 0)
		fail_msg("`%s` is refused", c->text);
	MEM_AUTO char *note = joined(&found.place.note);

	if (strcmp(found.place.path, c->path) != 0)
		fail_msg("`%s`: %s, wanted %s", c->text, found.place.path, c->path);
	if (c->note == NULL ? *note != '\0' : strstr(note, c->note) == NULL)
		fail_msg("`%s`: note `%s`", c->text, note);
	assert_int_equal(found.place.problem.count, 0);
	command_text_free(&found);
}

static void test_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(place_cases) / sizeof(place_cases[0]); i++)
		check(&place_cases[i]);
}

/* What the text does not set is a problem of those alone who need the directory. */
static void test_unknown(void **state)
{
	static const char text[] = "bhyveload -d a web; cd \"$DIR\"\n" VM;
	struct command_text found;
	REPORT_AUTO struct report report = { 0 };

	(void)state;
	assert_int_equal(command_text_read(text, strlen(text), &origin, &found, &report), 0);
	assert_int_equal(found.place.problem.count, 1);
	assert_string_equal(found.place.problem.item[0],
	    "vm.sh:1: $DIR is not set in this text: put a line DIR=VALUE before the command");
	assert_int_equal(found.loader_place.problem.count, 0);
	command_text_free(&found);
}

/* A login shell begins where the text does not tell. */
static void test_login(void **state)
{
	static const char *const texts[] = { "cd /vm; su - root -c '" VM "'", "su -lc '" VM "'",
		"su root --login -c 'cd a; " VM "'", "sudo -i " VM,
		"sudo -u vm --login sh -c '" VM "'" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct command_text found;
		REPORT_AUTO struct report report = { 0 };

		assert_int_equal(
		    command_text_read(texts[i], strlen(texts[i]), &origin, &found, &report), 0);
		assert_int_equal(found.place.problem.count, 1);
		assert_string_equal(found.place.problem.item[0],
		    "vm.sh:1: a login shell begins in the home directory, which the text does not "
		    "tell: write absolute paths");
		command_text_free(&found);
	}
}

/* Each text ends at once, and takes no more memory than its size asks for. */
static void test_hostile(void **state)
{
	static const char *const pieces[] = { "cd x;", "if x\n", "(if x)\n", "(cd a;", "cd a)\n",
		"f() { cd x\n", "x && { cd y; } ", "{ cd a; } | ", "{ x | ", "} & ", "done & ",
		"while cd x | y; do ", "case x in a) cd b;; ", "cd x && ", "{ ", "} ",
		"fi; esac; cd ..\n", "eval cd x\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		STR_AUTO struct str text = { 0 };
		struct command_text found;
		REPORT_AUTO struct report report = { 0 };

		for (size_t k = 0; k < 50000; k++)
			str_add(&text, pieces[i]);
		str_add(&text, "\n" VM "\n");
		if (command_text_read(text.text, text.length, &origin, &found, &report) != 0)
			assert_true(report.count > 0);
		command_text_free(&found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
