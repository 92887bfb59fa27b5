/* Scripts: values, lists, functions and branches around bhyve, and lines that only look joined. */
#include "../base/dice.h"
#include "text_cases.h"

#include <string.h>

#include "base/str.h"

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
	/* Files that the text runs in its shell. */
	{ "a file that may set variables", "M=1G\n. ./vm.conf\nbhyve -c 2 -m $M web", VM, 3, "", "",
	    NULL, "vm.sh:2: \". ./vm.conf\": the import does not read this file, which may set" },
	{ "a file behind a test", "M=1G\n[ -f /a ] && source \"/a\"\nbhyve -c 2 -m $M web", VM, 3,
	    "", "", NULL, "vm.sh:2: \"source \"/a\"\": the import does not read this file" },
	{ "a file behind bhyve, and rc.subr", ". /etc/rc.subr\n" VM "\n. ./end\n", VM, 2, "", "",
	    NULL, "" },
	{ "a file that an earlier line runs later", ". ./first\nf() {\n. ./b\n}\n. ./a\nf\n" VM, VM,
	    7, "", "", NULL, "vm.sh:3: \". ./b\": the import does not read this file" },
	/* Texts of eval that only the run of the script knows. */
	{ "eval of a file", "N=2\neval \"$(cat ./vm.conf)\"\nbhyve -c $N -m 1G web", VM, 3, "", "",
	    NULL, "vm.sh:2: eval: the import does not know all that it runs, which may set" },
	{ "eval of a name that is read",
	    "N=2\nwhile read -r k v; do\neval \"$k=\\$v\"\ndone <f\nbhyve -c $N -m 1G web", VM, 5,
	    "", "", NULL, "vm.sh:3: eval: the import does not know" },
	{ "eval in a loop", "N=2\nfor a in M=1G N=4; do eval \"$a\"; done\n" VM, VM, 3, "", "",
	    NULL, "vm.sh:2: eval: the import does not know" },
	{ "eval of a text that is known", "A='N=2'\neval \"$A\"\nbhyve -c $N -m 1G web", VM, 3, "",
	    "", NULL, "" },
	{ "eval behind bhyve", VM "\neval \"$(cat x)\"\n", VM, 1, "", "", NULL, "" },
	/* Loaders in branches. */
	{ "a loader in a branch", "x && bhyveload -m 1G -d a.img web\n" VM, VM, 2, "",
	    "bhyveload -m 1G -d a.img web", NULL,
	    "vm.sh:1: a shell may skip the loader of this line, which the import uses" },
	{ "a loader in the branch of bhyve",
	    "if x; then\nbhyveload -m 1G -d a.img web\n" VM "\nfi\n", VM, 3, "",
	    "bhyveload -m 1G -d a.img web", NULL, "" },
	{ "a loader before a bhyve that a shell may skip", "bhyveload -m 1G -d a.img web\nx && " VM,
	    VM, 2, "", "bhyveload -m 1G -d a.img web", NULL, "" },
	{ "a loader behind which a script may end", "bhyveload -m 1G -d a.img web || exit\n" VM, VM,
	    2, "", "bhyveload -m 1G -d a.img web", NULL, "" },
	/* Functions. */
	{ "a function that another one calls",
	    "start() { bhyve -c 2 -m 1G $vm; }\nmain() { vm=web; start; }\nmain \"$@\"\n", VM, 1,
	    "", "", NULL, "" },
	{ "functions first, and values behind them",
	    "start() {\nbhyve -c $N -m 1G $vm\n}\nN=2\nvm=web\ncase $1 in start) start;; esac", VM,
	    2, "", "", NULL, "" },
	{ "arguments of a call",
	    "start() {\nn=$1; shift\nbhyve -c $# -m $2 \"$n\"; }\nstart web x 1G", VM, 3, "", "",
	    NULL, "" },
	{ "arguments that are handed on",
	    "run() { \"$@\"; }\nstart() { run bhyve \"$@\"; }\nstart -c 2 -m 1G web", VM, 1, "", "",
	    NULL, "" },
	{ "default arguments", "f() { bhyve -c 2 -m ${2:-1G} ${1:-web}; }\nf \"$@\"", VM, 1, "", "",
	    NULL, "" },
	{ "an argument of the script that is not used", "f() { bhyve -c 2 -m 1G $1; }\nf web $2",
	    VM, 1, "", "", NULL, "" },
	{ "a function that is never called",
	    "N=2\nf() { N=4; }\ng() ( N=5 )\nfunction h { N=6; }\nbhyve -c $N -m 1G web", VM, 5, "",
	    "", NULL, "" },
	{ "a function that is called later", "N=2\nf() { N=4; }\nbhyve -c $N -m 1G web\nf", VM, 3,
	    "", "", NULL, "" },
	{ "a function that sets values", "f() { N=2; }\nf\nbhyve -c $N -m 1G web", VM, 3, "", "",
	    NULL, "" },
	{ "a function in a branch", "N=1\nf() { N=2; }\nif x; then f; fi\nbhyve -c $N -m 1G web",
	    VM, 4, "", "", NULL, "vm.sh:2: $N: the import uses \"2\" of this line, which stands" },
	{ "a function behind &&", "f() { N=2; }\n[ x ] && f\nbhyve -c $N -m 1G web", VM, 3, "", "",
	    NULL, "vm.sh:1: $N: the import uses \"2\" of this line, which stands in a branch: " },
	{ "local values",
	    "N=2\nf() { local N=4 M; M=9; local A=(1 2); set -- a b; }\nM=1G\nf x y z\n"
	    "bhyve -c $N -m $M web",
	    VM, 5, "", "", NULL, "" },
	{ "values of one call", "f() { bhyve -c $N -m 1G web; }\nN=4\nN=2 f >>log", VM, 1, "", "",
	    NULL, "vm.sh:3: a file for bhyve's output" },
	{ "a function that calls itself", "f() { bhyve -c 2 -m 1G web; f; }\nf", VM, 1, "", "",
	    NULL, "" },
	{ "a body in parentheses", "N=2\nf() ( N=4; true )\nf\nbhyve -c $N -m 1G web", VM, 4, "",
	    "", NULL, "" },
	{ "a function that no command names",
	    "n() { N=2; }\nstart() { n; bhyve -c $N -m 1G web; }\nN=3\n\"$1\"\n", VM, 2, "", "",
	    NULL, "vm.sh:2: the text does not call the function start by its name: the import" },
	{ "a function of rc.d",
	    ". /etc/rc.subr\nstart_cmd=web_start\nstart_precmd=pre\npre() { N=2; }\n"
	    "web_start() { bhyve -c $N -m 1G web; }\nrun_rc_command \"$1\"",
	    VM, 5, "", "", NULL, "" },
	{ "commands behind return",
	    "f() { N=2; g; M=1G; return; N=3; }\ng() { exit; M=2; }\nf\nbhyve -c $N -m $M web", VM,
	    4, "", "", NULL, "" },
	{ "a return that a shell may skip",
	    "f() {\nN=1\nx && return\nx || { y; return; }\nif x; then return; fi\n"
	    "while x; do return; done\n(return)\nreturn | cat\nreturn &\nN=2\n}\nf\n"
	    "bhyve -c $N -m 1G web",
	    VM, 13, "", "", NULL,
	    "vm.sh:10: $N: the import uses \"2\" of this line, which stands behind a return, and "
	    "not "
	    "\"1\" of line 2" },
	{ "a return from parentheses", "f() ( x || { y; return; }\nbhyve -c 2 -m 1G web )\nf", VM,
	    2, "", "", NULL, "" },
	{ "a function that calls itself before bhyve",
	    "f() { N=2; x && f a; }\nf\nbhyve -c $N -m 1G web", VM, 3, "", "", NULL,
	    "vm.sh:1: the function f calls itself, and the import reads it once: compare the" },
	{ "a function that a branch defines again",
	    "f() { N=1; }\nif x\nthen\nf() { N=2; }\nf\nfi\nf\nbhyve -c $N -m 1G web", VM, 8, "",
	    "", NULL,
	    "vm.sh:7: the import reads the function f of line 4, which stands in a branch: remove "
	    "the one that does not apply" },
	{ "a function that a branch defines and calls",
	    "f() { N=1; }\nif x\nthen\nf() { N=2; }\nf\nbhyve -c $N -m 1G web\nfi\n", VM, 6, "", "",
	    NULL, "" },
	{ "a function that only a branch defines",
	    "if x\nthen\nf() { N=2; }\nfi\nf\nbhyve -c $N -m 1G web", VM, 6, "", "", NULL, "" },
	{ "calls that add to a value",
	    "O=; add() {\nO=\"$O -s $1\"\n}\nadd 3,a\n[ x ] && add 4,b\nbhyve $O web",
	    "bhyve -s 3,a -s 4,b web", 6, "", "", NULL,
	    "vm.sh:2: $O: the import uses \"-s 3,a -s 4,b\" of this line, which stands in a "
	    "branch, "
	    "and not \"-s 3,a\" of an earlier call: remove the call or the line that does not "
	    "apply" },
	{ "an argument behind &&", "f() { bhyve -c $1 -m $M web; }\nx && M=1G f 2", VM, 1, "", "",
	    NULL, "" },
	/* Subshells. */
	{ "values of a subshell", "N=2\n(N=4; unset M)\nM=1G; ( unset M )\nbhyve -c $N -m $M web",
	    VM, 4, "", "", NULL, "" },
	{ "values of a pipe",
	    "A=\nls | while read d; do A=\"$A -s $d\"; done\nbhyve -c 2 -m 1G $A web", VM, 3, "",
	    "", NULL, "" },
	{ "values in a subshell", "N=4; (N=2; bhyve -c $N -m 1G web)", VM, 1, "", "", NULL, "" },
	{ "values in another shell", "N=2\nsh -c 'N=4'\nbhyve -c $N -m 1G web", VM, 3, "", "", NULL,
	    "" },
	{ "values in $(...)", "A=$(echo ${N:=4})\nbhyve -c ${N:=2} -m 1G web", VM, 2, "", "", NULL,
	    "" },
	/* Branches. */
	{ "a value that only a branch sets", "[ -n \"$1\" ] && A='-c 2'\nbhyve $A -m 1G web", VM, 2,
	    "", "", NULL,
	    "vm.sh:1: $A: the import uses \"-c 2\" of this line, which stands in a branch: remove "
	    "the line if it does not apply" },
	{ "a value that only an if sets", "if x; then A='-c 2'; fi\nbhyve $A -m 1G web", VM, 2, "",
	    "", NULL, "vm.sh:1: $A: the import uses \"-c 2\" of this line" },
	{ "values of a condition",
	    "f() { N=2; }\nif f; then x; fi\nif ! M=1G; y; then exit; fi\nbhyve -c $N -m $M web",
	    VM, 4, "", "", NULL, "" },
	{ "a value of a condition in a branch",
	    "if x; then if N=2; then y; fi; fi\nbhyve -c $N -m 1G web", VM, 2, "", "", NULL,
	    "vm.sh:1: $N: the import uses \"2\" of this line, which stands in a branch" },
	{ "a condition at the start of a function behind &&",
	    "f() { if y; then z; fi; N=2; }\nx && f\nbhyve -c $N -m 1G web", VM, 3, "", "", NULL,
	    "vm.sh:1: $N: the import uses \"2\" of this line, which stands in a branch" },
	{ "two branches in a line", "if x; then N=1; else N=2; fi\nbhyve -c $N -m 1G web", VM, 2,
	    "", "", NULL, "and not \"1\" of line 1: remove the line that does not apply" },
	{ "a value of a second condition",
	    "if x; then y; elif N=2; then z; fi\nbhyve -c $N -m 1G web", VM, 2, "", "", NULL,
	    "vm.sh:1: $N: the import uses \"2\" of this line, which stands" },
	{ "a value behind a condition", "if x\nthen\nN=2\nfi\nbhyve -c $N -m 1G web", VM, 5, "", "",
	    NULL, "vm.sh:3: $N: the import uses \"2\" of this line, which stands" },
	{ "a case in a condition", "if case x in x) N=2;; esac; then y; fi\nbhyve -c $N -m 1G web",
	    VM, 2, "", "", NULL, "vm.sh:1: $N: the import uses \"2\" of this line, which stands" },
	{ "a group behind ||", "x || { y; A='-c 2'; }\nbhyve $A -m 1G web", VM, 2, "", "", NULL,
	    "vm.sh:1: $A: the import uses \"-c 2\" of this line" },
	{ "values in the branch that uses them",
	    "N=1\nif x; then N=2; M=1G; M=1G; bhyve -c $N -m $M web; fi", VM, 2, "", "", NULL, "" },
	{ "values in the list that uses them", "x && N=2 && bhyve -c $N -m 1G web", VM, 1, "", "",
	    NULL, "" },
	{ "an empty value in a branch", "if x; then A=; fi\n" VM " $A", VM, 2, "", "", NULL, "" },
	{ "equal values in all branches",
	    "case $1 in a) N=2;; b) N=2;; *) N=2;; esac\nif x; then M=1G; else M=1G; fi\n"
	    "bhyve -c $N -m $M web",
	    VM, 3, "", "", NULL, "" },
	{ "equal values in some branches",
	    "if x; then N=2; elif y; then N=2; fi\nbhyve -c $N -m 1G web", VM, 2, "", "", NULL,
	    "vm.sh:1: $N: the import uses \"2\" of this line" },
	{ "a value that a branch changes twice", "if x; then N=1; N=2; fi\nbhyve -c $N -m 1G web",
	    VM, 2, "", "", NULL, "vm.sh:1: $N: the import uses \"2\" of this line, which stands" },
	/* Lists. */
	{ "an array", "a=(-c 2 # it's two\n -m '1G')\nbhyve \"${a[@]}\" web", VM, 3, "", "", NULL,
	    "" },
	{ "an array that is the command",
	    "cmd=(bhyve -c 2)\ncmd+=(-m 1G)\ncmd+=( web )\n\"${cmd[@]}\"", VM, 4, "", "", NULL,
	    "" },
	{ "elements", "a=(2 '1G x' web)\nbhyve -c $a -m \"${a[1]}\" ${a[2]} ${#a[@]} \"${a[*]}\"",
	    "bhyve -c 2 -m '1G x' web 3 '2 1G x web'", 2, "", "", NULL, "" },
	{ "an array without elements", "a=()\nbhyve \"${a[@]}\" -c 2 ${a[@]+x} -m 1G web", VM, 2,
	    "", "", NULL, "" },
	{ "an array in a branch", "a=(-c 2)\n[ x ] && a+=(-m 1G)\nbhyve \"${a[@]}\" web", VM, 3, "",
	    "", NULL,
	    "vm.sh:2: $a: the import uses the words of this line, which stands in a branch" },
	{ "an array that a branch sets to other words",
	    "a=(-c 2 -m 1G)\n[ x ] && a=(\"${a[@]:0:2}\")\nbhyve \"${a[@]}\" web", VM, 3, "", "",
	    NULL, "vm.sh:2: $a: the import uses the words of line 1" },
	{ "an array of words that are no command", "a=(echo bhyve -c 2 x)\n" VM, VM, 2, "", "",
	    NULL, "" },
	{ "positional parameters", "set -- -c 2\nset -- \"$@\" -m 1G\nbhyve \"$@\" web", VM, 3, "",
	    "", NULL, "" },
	{ "shift", "set -- a b 2\nshift 2\nbhyve -c $1 -m 1G web", VM, 3, "", "", NULL, "" },
	{ "set without dashes", "set -- x\nset -e -o pipefail -u 2 1G\nbhyve -c $1 -m $2 web", VM,
	    3, "", "", NULL, "" },
	{ "set with one dash", "set -- x\nset - 2\nbhyve -c $1 -m 1G web", VM, 3, "", "", NULL,
	    "" },
	{ "set with an empty word", "set -- x\nset '' 2\nbhyve -c $2 -m 1G web", VM, 3, "", "",
	    NULL, "" },
	{ "set with options alone", "set -- 2\nset -e\nset +x -\nA=\nset $A\nbhyve -c $1 -m 1G web",
	    VM, 6, "", "", NULL, "" },
	{ "an array of a function",
	    "a=(2)\nf() { local a; a=(3 4 5); }\nf\n"
	    "bhyve -c ${a[0]} -m ${a[1]-1}G web",
	    VM, 4, "", "", NULL, "" },
	{ "a variable that a function sets for all",
	    "N=1\nf() { declare -g N=2; }\nf\n"
	    "bhyve -c $N -m 1G web",
	    VM, 4, "", "", NULL, "" },
	{ "separators",
	    "IFS=:\nset -- a::2:\nA='::2: 1G ::'\nset -- $A\n"
	    "bhyve -c \"$3\" -m \"$4\" $# \"$*\"",
	    "bhyve -c 2 -m ' 1G ' 5 '::2: 1G :'", 5, "", "", NULL, "" },
	{ "separators and blanks",
	    "IFS=' ,'\nA=' 2 , ,1G , '\nset -- $A\n"
	    "bhyve -c $1 -m $3 $# \"$*\"",
	    "bhyve -c 2 -m 1G 3 '2  1G'", 4, "", "", NULL, "" },
	{ "no separators", "set -- 2 1\nIFS=\nbhyve -c \"$*\" -m 1G web", "bhyve -c 21 -m 1G web",
	    3, "", "", NULL, "" },
	{ "no positional parameters", "set --\nbhyve \"$@\" -c 2 -m 1G $* web", VM, 2, "", "", NULL,
	    "" },
	/* Values. */
	{ "quotes of bash", "bhyve -c 2 -m $'1G' web", VM, 1, "", "", NULL, "" },
	{ "numbers", "n=3\nbhyve -c $((n - 1)) -m $(( ($n+1) * 0x100 % 1025 / 2 - -1 ))M web",
	    "bhyve -c 2 -m 513M web", 2, "", "", NULL, NULL },
	{ "parts of a value",
	    "f=/vm/web.tar.img\nbhyve -c 2 ${f%.img} ${f%%.*} ${f##*/} ${f#/*/} ${f%x} ${#f} "
	    "${f%?}",
	    "bhyve -c 2 /vm/web.tar /vm/web web.tar.img web.tar.img /vm/web.tar.img 15 "
	    "/vm/web.tar.im",
	    2, "", "", NULL, "" },
	{ "the directory of the script",
	    "D=$(dirname \"$(readlink -f \"$0\")\")\nbhyve -c 2 \"$D/a\" `dirname $0` ${0%/*} "
	    "\"$(cd \"$(dirname \"$0\")/..\" && pwd)\" $(dirname \"${BASH_SOURCE[0]}\")/b",
	    "bhyve -c 2 /home/vm/a /home/vm /home/vm /home /home/vm/b", 2, "", "", NULL, "" },
	{ "the name of the script", "bhyve -c 2 $(basename \"$0\" .sh) ${0##*/} $0",
	    "bhyve -c 2 vm vm.sh /home/vm/vm.sh", 1, "", "", NULL, "" },
	{ "the working directory",
	    "bhyveload -m 1G $(pwd) a\n(cd /a)\nP=$(pwd)\ncd vm\nbhyve -c 2 $P \"$PWD/x\" "
	    "$(realpath y)",
	    "bhyve -c 2 /home/vm /home/vm/vm/x /home/vm/vm/y", 5, "", "bhyveload -m 1G /home/vm a",
	    NULL, "" },
	{ "a working directory in doubt", "[ x ] && cd /vm\nbhyve -c 2 $PWD", "bhyve -c 2 /home/vm",
	    2, "", "", NULL,
	    "vm.sh:1: a shell may skip the cd of this line: the import takes the directory to be "
	    "/home/vm" },
	{ "braces that bash keeps", "bhyve -c 2 {} {a} a,b} '{a,b}' \\{a,b} \"{1..2}\" ${N:-c,d}",
	    "bhyve -c 2 '{}' '{a}' 'a,b}' '{a,b}' '{a,b}' '{1..2}' c,d", 1, "", "", NULL, "" },
	{ "what printf prints of numbers",
	    "bhyve -c $(printf '%d' 2) $(printf '59%02d' 7) $(printf '%02x:%X' 10 171) "
	    "\"$(printf '%4i%s' 1)\" $(printf %02u%% 123) $(printf %d -3)",
	    "bhyve -c 2 5907 0a:AB '   1' 123% -3", 1, "", "", NULL, "" },
	{ "what echo prints", "N=2\nbhyve -c $(echo $N) -m $(printf '%sG' 1 2>/dev/null) web", VM,
	    2, "", "", NULL, "" },
	/* Loops. */
	{ "a loop with one value of a variable", "L=web\nfor v in $L; do bhyve -c 2 -m 1G $v; done",
	    VM, 2, "", "", NULL, "" },
	{ "a value that a loop uses", "A=-m\nwhile x; do A=\"$A 1G\"; bhyve -c 2 $A web; done", VM,
	    2, "", "", NULL, "vm.sh:2: the loop of line 2 runs this command again" },
	{ "a value that a loop of one value builds",
	    "A=-c; for d in 2; do A=\"$A $d\"; done; bhyve $A -m 1G web", VM, 1, "", "", NULL, "" },
	{ "a value that a loop may set", "N=1\nwhile x; do N=2; done\nbhyve -c $N -m 1G web", VM, 3,
	    "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a loop, and not "
	    "\"1\"" },
	{ "a loop that changes a value behind bhyve",
	    "N=2\nwhile :; do bhyve -c $N -m 1G web || break; N=4; done", VM, 2, "", "", NULL,
	    "vm.sh:2: the loop of line 2 runs this command again with other words, and the "
	    "import" },
	{ "a loop around a loop and a function that does so",
	    "N=2\nf() {\nbhyve -c $N -m 1G web; }\nfor i in a b; do until f; do x; done\nread N; "
	    "done",
	    VM, 3, "", "", NULL, "vm.sh:3: the loop of line 4 runs this command again" },
	{ "a loop that changes the disk of the loader",
	    "D=a\nwhile :; do bhyveload -m 1G -d $D web\n" VM "\nx && D=b; done", VM, 3, "",
	    "bhyveload -m 1G -d a web", NULL,
	    "vm.sh:2: the loop of line 2 runs this command again" },
	{ "loops that change nothing for bhyve",
	    "N=2; while :; do M=1G; bhyve -c $N -m $M web; E=$?; (N=4; cd /a); done\n"
	    "for i in 1; do " VM "; N=4; done\nwhile x; do N=4; done",
	    VM, 1, "", "", NULL, "" },
	{ "a value of a condition",
	    "if a; then :; elif N=2; then :; else\nbhyve -c $N -m 1G web\nfi",
	    "bhyve -c 2 -m 1G web", 2, "", "", NULL,
	    "vm.sh:1: $N: the import uses \"2\" of this line" },
	{ "arms in a function that is called twice",
	    "f() { if a; then A=\"$A -H\"; else A=\"$A -w\"; fi; }\nA=-A; f; f\nbhyve $A web",
	    "bhyve -A -w -w web", 3, "", "", NULL, "vm.sh:1: $A: the import uses" },
};

static const struct refused_case refused_cases[] = {
	{ "a command that is taken out of a script", "#!/bin/sh\n# " VM "\ndtach -n /tmp/s x\n",
	    { "vm.sh: no bhyve command found",
		"vm.sh:2: a comment has a bhyve command: remove its \"#\" to import it", NULL } },
	{ "comments that name bhyve, and one with a command",
	    "#!/bin/sh\n# bhyve -h\n# xbhyve -c 2 -m 1G\necho # bhyve -c 1 -m 1G\n\t#bhyve -c 2 "
	    "\\\n"
	    "#   -m 1G web\n",
	    { "vm.sh: no bhyve command found", "vm.sh:5: a comment has a bhyve command", NULL } },
	{ "a variable that every shell has", "N=${HOME:-2}\nbhyve -c $N -m 1G web",
	    { "vm.sh:1: $HOME is not set in this text", NULL } },
	{ "a default that every shell has", ": ${USER=2}\nbhyve -c $USER -m 1G web",
	    { "$USER is not set in this text", NULL } },
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
	{ "a file that probably sets it", ". ./vm.conf\nbhyve -c $N web",
	    { "vm.sh:2: $N is not set in this text: the file of line 1, \". ./vm.conf\", may set "
	      "it: put the lines of that file into the text in place of that line",
		NULL, NULL } },
	{ "a function that is not called sets it", "f() { N=2; }\nbhyve -c $N web",
	    { "vm.sh:2: $N is not set in this text", NULL, NULL } },
	{ "two calls", "f() { bhyve -c 2 -m 1G $1; }\nf web\nf db\n",
	    { "vm.sh:1: the text runs this command several times", NULL, NULL } },
	{ "an argument that the text does not tell", "f() { bhyve -c 2 $1; }\nf $X web\n",
	    { "vm.sh:2: $X is not set in this text", NULL, NULL } },
	{ "calls without an end",
	    "a() { b;b;b;b;b;b;b;b; }\nb() { c;c;c;c;c;c;c;c; }\nc() { d;d;d;d;d;d;d;d; }\n"
	    "d() { e;e;e;e;e;e;e;e; }\ne() { f;f;f;f;f;f;f;f; }\nf() { g;g;g;g;g;g;g;g; }\n"
	    "g() { x;x;x;x;x;x;x;x; }\na\n" VM,
	    { "too many calls of functions", NULL, NULL } },
	{ "a value that a loop builds", "i=1\nwhile x; do i=$((i+1)); done\nbhyve -c $i web",
	    { "vm.sh:2: a loop builds the value of $i, and vmrun runs no loops", NULL, NULL } },
	{ "a value that a loop builds of another one",
	    "i=1\nwhile x; do j=$((i+1)); i=$j; done\nbhyve -c $i web",
	    { "vm.sh:2: a loop builds the value of $i", NULL, NULL } },
	{ "arithmetic that changes a variable",
	    "A=1; B=1; C=1\n: $((A+=1))\n((B++))\nlet C=C+1\nbhyve -c $A $B $C web",
	    { "vm.sh:2: the text does not tell the value that $A has behind this line: write the",
		"vm.sh:3: the text does not tell the value that $B has",
		"vm.sh:4: the text does not tell the value that $C has" } },
	{ "arithmetic with blanks", "A=1; B=1\n(( A += 1, B++ ))\nbhyve -c $A $B web",
	    { "vm.sh:2: the text does not tell the value that $A has behind this line",
		"vm.sh:2: the text does not tell the value that $B has behind this line", NULL } },
	{ "signs that change a variable", "A=1\nbhyve -c $((--A)) web",
	    { "vm.sh:2: vmrun cannot work out $((--A))", NULL, NULL } },
	{ "an array that a loop builds",
	    "a=()\nwhile x; do a+=(-c); done\nbhyve -c 2 \"${a[@]}\" web",
	    { "vm.sh:2: a loop builds the value of $a", NULL, NULL } },
	{ "a loop over several values", "L='web db'\nfor v in $L; do bhyve -c 2 $v; done",
	    { "vm.sh:2: this loop gives $v several values, and a spec is one VM: replace the loop "
	      "by the commands in it, below a line such as v=web",
		NULL, NULL } },
	{ "an element that is set", "a=(1 2)\na[0]=3\nbhyve -c ${a[0]} ${a[1]} web",
	    { "vm.sh:2: the text does not tell the value that $a has behind this line",
		"vm.sh:2: the text does not tell the value that $a[1] has behind this line",
		NULL } },
	{ "elements that are unset",
	    "a=(1 2); b=(1 2); c=1\nunset a[0] 'b[1]'\nunset \"c\"\n"
	    "bhyve ${#a[@]} ${#b[@]} $c web",
	    { "vm.sh:4: vmrun cannot work out ${#a[@]}", "vm.sh:4: vmrun cannot work out ${#b[@]}",
		"vm.sh:4: $c is not set" } },
	{ "set of csh", "set -- 1\nset n=2\nset -- 1\nset n = 2\nbhyve -c $1 web",
	    { "vm.sh:5: $1 is not set", NULL, NULL } },
	{ "set of a value that may be an option", "set -- 1\nA=-e\nset $A 2\nbhyve -c $1 web",
	    { "vm.sh:4: $1 is not set", NULL, NULL } },
	{ "commands behind a return", "f() { return; " VM "; }\nf",
	    { "no bhyve command found",
		"vm.sh:1: a bhyve command that the text itself does not run: it prints it, gives "
		"it "
		"to another program, or never comes to it: import this command alone",
		NULL } },
	{ "the text of another shell", "x\nsh <<E\n  " VM "\nE\n",
	    { "no bhyve command found", "vm.sh:3: a bhyve command that the text itself", NULL } },
	{ "a command that is printed", "echo bhyve -h\necho \"" VM "\" | sh\n",
	    { "no bhyve command found", "vm.sh:2: a bhyve command that the text itself", NULL } },
	{ "the command of another host", "ssh -t host " VM "\n",
	    { "no bhyve command found", "vm.sh:1: a bhyve command that the text itself", NULL } },
	{ "prose that names bhyve", "echo run bhyve -h for help\nxbhyve -c 2 -m 1G web\n",
	    { "no bhyve command found", NULL, NULL } },
	{ "words of bash in braces", "a=(x{1..2})\nbhyve -c 2 -s 3,a,/v/{a,b} ${a[0]} {d,e\\} web",
	    { "vm.sh:1: vmrun cannot work out x{1..2}: bash makes several words of it: write them",
		"vm.sh:2: vmrun cannot work out 3,a,/v/{a,b}: bash", NULL } },
	{ "a loop over numbers in braces", "for n in {1..3}; do bhyve -c 2 vm$n; done",
	    { "vm.sh:1: vmrun cannot work out {1..3}: bash makes several words", NULL, NULL } },
	{ "formats of printf", "bhyve -c $(printf %.1s ab) $(printf %-2d 2) $(printf %d 08) web",
	    { "vm.sh:1: vmrun cannot work out $(printf %.1s ab)",
		"vm.sh:1: vmrun cannot work out $(printf %-2d 2)",
		"vm.sh:1: vmrun cannot work out $(printf %d 08)" } },
	{ "numbers of printf", "bhyve -c $(printf %x -1) $(printf %65d 2) $(printf %d x) web",
	    { "vm.sh:1: vmrun cannot work out $(printf %x -1)",
		"vm.sh:1: vmrun cannot work out $(printf %65d 2)",
		"vm.sh:1: vmrun cannot work out $(printf %d x)" } },
	{ "a number of printf that is not set", "bhyve -c $(printf %02d $N) web",
	    { "vm.sh:1: $N is not set in this text", NULL, NULL } },
	{ "numbers of printf without an argument", "bhyve -c $(printf %d) $(printf %2d -3) web",
	    { "vm.sh:1: vmrun cannot work out $(printf %d)",
		"vm.sh:1: vmrun cannot work out $(printf %2d -3)", NULL } },
	{ "a part of an array", "a=(1 2)\nbhyve -c \"${a[@]:1}\" web",
	    { "vm.sh:2: vmrun cannot work out ${a[@]:1}", NULL, NULL } },
	{ "an unset variable in quotes", "bhyve \"$OPTS\" -c 2 web",
	    { "vm.sh:1: $OPTS is not set in this text", NULL, NULL } },
	{ "shift in a loop", "set -- a 2\nwhile x; do shift; done\nbhyve -c $1 web",
	    { "vm.sh:2: the text does not tell the value that $1 has behind this line", NULL,
		NULL } },
	{ "numbers that are none", "N=x\nbhyve -c $((N+1)) $((1/0)) $((M+1)) web",
	    { "vm.sh:2: vmrun cannot work out $((N+1))", "vm.sh:2: vmrun cannot work out $((1/0))",
		"vm.sh:2: $M is not set in this text" } },
	{ "a backtick without an end in a here-document", "grub-bhyve web <<E\n`\nE\n" VM,
	    { "vm.sh:2: vmrun cannot work out `", NULL, NULL } },
	{ "arithmetic without a number", "bhyve -c $(()) $((-)) $((2 web))",
	    { "vm.sh:1: vmrun cannot work out $(())", "vm.sh:1: vmrun cannot work out $((-))",
		"vm.sh:1: vmrun cannot work out $((2 web))" } },
	{ "escapes in quotes of bash", "bhyve -c 2 $'a\\n'",
	    { "vm.sh:1: vmrun cannot work out $'a\\n'", NULL, NULL } },
};

static void test_found(void **state)
{
	(void)state;
	check_all_found(found_cases, sizeof(found_cases) / sizeof(found_cases[0]));
}

static void test_refused(void **state)
{
	(void)state;
	check_all_refused(refused_cases, sizeof(refused_cases) / sizeof(refused_cases[0]));
}

/* Patterns that are tried at each byte of a long value, which leave nothing of it. */
static void test_trimmed(void **state)
{
	static const char *const problem[] = { "variables expand to more than 1 MiB", NULL, NULL };
	STR_AUTO struct str text = { 0 };

	(void)state;
	str_add(&text, "A=c");
	for (size_t i = 0; i < 2000; i++)
		str_add(&text, "a");
	str_add(&text, "\n");
	for (size_t i = 0; i < 600; i++)
		str_add(&text, "B=${A%*c*a*a*}\n");
	str_add(&text, VM);
	check_refused("patterns", text.text, text.length, problem);
}

/* More notes than a user reads: the last one says so. */
static void test_many_notes(void **state)
{
	STR_AUTO struct str text = { 0 };
	struct found_case c = { .what = "notes",
		.argv = VM,
		.line = 101,
		.note = "vm.sh:100: \". ./100\": the import does not read" };

	(void)state;
	for (int i = 1; i <= 100; i++)
		str_addf(&text, ". ./%d\n", i);
	str_add(&text, VM);
	c.text = text.text;
	check_found(&c);
	text.length -= strlen(VM);
	str_add(&text, ". ./101\n. ./102\n" VM);
	c.text = text.text;
	c.line = 103;
	c.note = "./100\": the import does not read this file, which may set variables: put its "
		 "lines into the text in place of this line\nvm.sh: further notes are left out";
	check_found(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_notes),
		cmocka_unit_test(test_trimmed),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
