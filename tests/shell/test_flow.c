/* What a shell may skip, and what it sees in a part of a script alone. */
#include "../base/dice.h"
#include "text_cases.h"

#include <string.h>

#include "base/str.h"

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
	    "vm.sh:4: $N: the import uses \"2\" of this line, which stands in a branch, and not "
	    "\"4\"" },
	{ "a loop of one value that a shell leaves at its end",
	    "for d in 2; do N=$d; break; done\n" RUN, VM, 2, "", "", NULL, "" },
	{ "shells like sh", "#!/usr/local/bin/bash -e\nsetenv PAGER less\nset -o vi\n" VM, VM, 4,
	    "", "", NULL, "" },
	/* Commands of the shell in the branch of bhyve, and behind it. */
	{ "unset in the branch of bhyve",
	    "N=3\nif x; then\nunset N\nbhyve -c ${N:-2} -m 1G web\nfi", VM, 4, "", "", NULL, "" },
	{ "unset in the loop of bhyve",
	    "N=3\nwhile x; do\nunset N\nbhyve -c ${N:-2} -m 1G web\ndone", VM, 4, "", "", NULL,
	    "" },
	{ "unset of an array in the branch of bhyve",
	    "a=(-A -H)\nif x; then\nunset a\nbhyve ${a[@]:--c 2} -m 1G web\nfi", VM, 4, "", "",
	    NULL, "" },
	{ "unset in another arm", "N=2\nif x; then unset N; else\n" RUN "\nfi", VM, 3, "", "", NULL,
	    "vm.sh:2: $N: the import uses the value of line 1, and this line, which stands in a" },
	{ "unset behind a return",
	    "N=3\nf() { x || return; unset N; bhyve -c ${N:-2} -m 1G web; }\nf", VM, 2, "", "",
	    NULL, "" },
	{ "unset in a branch of a subshell", "N=2\n(if x; then unset N; fi)\n" RUN, VM, 3, "", "",
	    NULL, "" },
	{ "a local variable that is unset in a branch",
	    "N=2\nf() { local N=3; if x; then unset N; fi; }\nf\n" RUN, VM, 4, "", "", NULL, "" },
	{ "unset around a call with a local variable",
	    "N=2\nf() { local N; }\nif x; then unset N; f; fi\n" RUN, VM, 4, "", "", NULL,
	    "vm.sh:3: $N: the import uses the value of line 1, and this line" },
	{ "a value behind read in the same branch", "N=4\nif x; then read N; N=2; fi\n" RUN, VM, 3,
	    "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a branch, and not "
	    "\"4\" of line 1" },
	{ "a value behind unset in the branch of bhyve",
	    "N=4\nif x; then unset N; N=2\n" RUN "\nfi", VM, 3, "", "", NULL, "" },
	{ "what a command prints behind a return",
	    "N=2\nf() { x || return 1; N=$(sysctl -n hw.ncpu); }\nf\n" RUN, VM, 4, "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of line 1, because the value that this line may" },
	{ "what a command prints in the branch of bhyve",
	    "N=2\nif x; then\nN=$(sysctl -n hw.ncpu)\n" RUN "\nfi", VM, 4, "", "", NULL,
	    "vm.sh:3: $N: the import uses \"2\" of line 1, because the value that this line may" },
	/* Options of read and mapfile. */
	{ "prompts of read behind other options",
	    "N=2 M=1G V=web\nread -rp \"N ok? \" x\nread -p\"M ok?\" -st 5 V1\n"
	    "mapfile -n V -t a\nbhyve -c $N -m $M $V",
	    VM, 5, "", "", NULL, "" },
	{ "a list that mapfile sets in a branch",
	    "a=(-c 2)\nx && mapfile -t a <f\nbhyve \"${a[@]}\" -m 1G web", VM, 3, "", "", NULL,
	    "vm.sh:2: $a: the import uses \"-c\" of line 1, because the value that this line may" },
	/* Loops of one value. */
	{ "a list behind continue in a loop of one value",
	    "A='-c 2'\nfor d in 1G; do\n[ -e $d ] || continue\nA=\"$A -m $d\"\ndone\nbhyve $A web",
	    VM, 6, "", "", NULL,
	    "vm.sh:4: $A: the import uses \"-c 2 -m 1G\" of this line, which stands in a branch, "
	    "and not \"-c 2\" of line 1: remove the line that does not apply" },
	{ "a value behind continue, where bhyve stands",
	    "A=-c\nfor d in 2; do\nx || continue\nA=\"$A $d\"\nbhyve $A -m 1G web\ndone", VM, 5, "",
	    "", NULL, "" },
	{ "a default of a part of an argument that is not given",
	    "V=${1%.img} M=${m#*=}\nbhyve -c 2 -m ${M:-1G} ${V:-web}", VM, 2, "", "", NULL, "" },
	/* Aliases of other programs, and those that are gone. */
	{ "an alias of bhyvectl", "alias bc='bhyvectl --vm=web'\nbc --destroy\n" VM, VM, 3, "", "",
	    NULL, "vm.sh:2: \"bc\" is an alias of this text" },
	{ "an alias that is the path of bhyve", "alias bhyve=/usr/sbin/bhyve\n" VM, VM, 2, "", "",
	    NULL, "" },
	{ "an alias behind its end",
	    "alias vm='bhyve -c 2' bhyve='sudo bhyve'\nunalias vm bhyve\n" VM, VM, 3, "", "", NULL,
	    "" },
	{ "an alias with bhyve behind it", "alias vm='bhyve -c 2'\n" VM "\nvm", VM, 2, "", "", NULL,
	    "" },
	{ "eval behind && in a branch around bhyve",
	    "f() {\nif a; then\nx && eval \"y\"\nreturn\nfi\n" VM "\n}\nf", VM, 6, "", "", NULL,
	    "" },
	{ "eval that closes more than it opens", "if a; then\nx && eval 'fi; fi'\nN=2\nfi\n" RUN,
	    VM, 5, "", "", NULL,
	    "vm.sh:3: $N: the import uses \"2\" of this line, which stands in a branch: remove" },
	{ "shift behind a return",
	    "f() { [ -n \"$1\" ] || return 1; n=$1; shift; bhyve \"$@\" $n; }\n"
	    "f web -c 2 -m 1G",
	    VM, 1, "", "", NULL, "" },
	/* Defaults. */
	{ "a default behind a test of an argument",
	    "V=$1\n[ -z \"$V\" ] && V=web\nbhyve -c 2 -m 1G $V", VM, 3, "", "", NULL,
	    "vm.sh:2: $V: the import uses \"web\" of this line, which stands in a branch, and not "
	    "\"$1\" of line 1: remove the line that does not apply" },
	{ "defaults in branches",
	    "V=$1; M=$MEM\nif [ -z \"$V\" ]; then V=web; fi\n"
	    "test -n \"$M\" || M=1G\nbhyve -c 2 -m $M $V",
	    VM, 4, "", "", NULL,
	    "vm.sh:3: $M: the import uses \"1G\" of this line, which stands in a branch, and not "
	    "\"$MEM\" of line 1: remove the line that does not apply\n"
	    "vm.sh:2: $V: the import uses \"web\" of this line" },
	/* Bodies of functions. */
	{ "functions whose bodies are no groups",
	    "N=2\nf() if x; then N=4; fi\ng() case x in x) N=5;; esac\nh() for i in 6; do N=$i; "
	    "done\n"
	    "k() while x; do\nif y; then N=7; fi\ndone\n" RUN,
	    VM, 8, "", "", NULL, "" },
	{ "calls of such functions",
	    "f() if x; then return; else M=1G; fi\ng() for i in 2; do N=$i; done\nf; g\n"
	    "bhyve -c $N -m $M web",
	    VM, 4, "", "", NULL,
	    "vm.sh:1: $M: the import uses \"1G\" of this line, which stands in a branch: remove" },
	/* Names that are values, and words in quotes that are assignments. */
	{ "export of words in quotes", "N=4; M=x\nexport \"N=2\" 'M=1G'\nbhyve -c $N -m $M web", VM,
	    3, "", "", NULL, "" },
	{ "export of a name that is a value",
	    "N=4; n=N; v='1G x'\nexport $n=2 \"M=$v\"\n"
	    "bhyve -c $N -m \"$M\" web",
	    "bhyve -c 2 -m '1G x' web", 3, "", "", NULL, "" },
	{ "local words in quotes", "N=2\nf() { local \"N=4\"; }\nf\n" RUN, VM, 4, "", "", NULL,
	    "" },
	{ "export of what a command prints", "N=2\nexport $(cat .env)\n" RUN, VM, 3, "", "", NULL,
	    "vm.sh:2: \"export $(cat .env)\": the import does not read this file, which may set" },
	{ "unset of a name that is a value", "N=4; n=N\nunset $n\nbhyve -c ${N:-2} -m 1G web", VM,
	    3, "", "", NULL, "" },
	/* Loops over the arguments, and over nothing. */
	{ "a loop over an argument", "set -- web\nfor v; do :; done\nbhyve -c 2 -m 1G ${v:-x}", VM,
	    3, "", "", NULL, "" },
	{ "a loop over nothing", "N=2; A=\nfor N in $A; do x; done\n" RUN, VM, 3, "", "", NULL,
	    "" },
	/* What programs and commands of the shell have of variables. */
	{ "assignments in front of special commands",
	    "N=4\nN=2 :\nM=1G eval 'bhyve -c $N -m $M web'", VM, 3, "", "", NULL, "" },
	{ "variables of another shell",
	    "N=4; M=2G\nexport M=1G\nN=2 sh -c 'bhyve -c $N -m $M ${V:-web}'\nV=x", VM, 3,
	    "env N=2", "", NULL, "" },
	{ "a variable that another shell does not have", "N=4\nsh -c 'bhyve -c ${N:-2} -m 1G web'",
	    VM, 2, "", "", NULL, "" },
	{ "unset and read of a name that the text does not tell",
	    "N=2; M=1G\nunset $k\nfor k in M N; do read $k; done\n" RUN, VM, 4, "", "", NULL,
	    "vm.sh:3: this line may change $N, because the text does not tell which variable it "
	    "names: the import uses the value of line 1" },
	{ "shift behind a branch that sets the words",
	    "if a; then set -- x 2; fi\nshift\nbhyve -c $1 -m 1G web", VM, 3, "", "", NULL,
	    "vm.sh:1: $@: the import uses the words of this line, which stands in a branch" },
	{ "words behind one that is not known, in quotes",
	    "read R\nset -- \"$R\" 2\nbhyve -c $2 -m 1G web", VM, 3, "", "", NULL, "" },
	{ "an export of a subshell, and one of a branch that a value follows",
	    "N=2; V=x; (export V); x && export M; M=1G\n"
	    "env N=2 sh -c 'sh -c \"bhyve -c \\$N -m \\${M:-2G} \\${V:-web}\"'",
	    VM, 2, "env N=2", "", NULL,
	    "vm.sh:1: a shell may skip this line, which exports $M: put the line before the" },
	{ "the export of all variables, in a branch",
	    "if x; then set -a; fi\nM=1G\nsh -c 'bhyve -c 2 -m ${M:-2G} web'", VM, 3, "", "", NULL,
	    "vm.sh:1: a shell may skip this line, which decides on the export of $M: put the" },
	{ "the end of the export of all variables, in a branch",
	    "set -a; x && set +a\nM=1G\nsh -c 'bhyve -c 2 -m ${M:-2G} web'", VM, 3, "", "", NULL,
	    "vm.sh:1: a shell may skip this line, which decides on the export of $M: put the" },
	{ "the export of all variables, and its end",
	    "set -a; M=1G; set +a; N=4\nsh -c 'bhyve -c ${N:-2} -m $M web'", VM, 2, "", "", NULL,
	    "" },
	{ "assignments before sudo, which takes them away",
	    "N=4 sudo M=1G sh -c 'bhyve -c ${N:-2} -m $M web'", VM, 1, "env M=1G", "", NULL, "" },
	{ "assignments before sudo -E", "N=2 sudo -E sh -c 'bhyve -c ${N:-4} -m 1G web'", VM, 1,
	    "env N=2", "", NULL, "" },
	{ "time, a word of the shell", "time N=2\ntime M=1G sh -c \"bhyve -c $N -m \\$M web\"", VM,
	    2, "env M=1G", "", NULL, "" },
	{ "time, a program", "time -p bhyve -c 2 -m 1G web", VM, 1, "", "", NULL, "" },
	{ "the last command of a pipe", "shopt -s lastpipe\nN=2; echo 4 | read N\n" RUN, VM, 3, "",
	    "", NULL, "vm.sh:1: lastpipe: the import forgets the variables that the last command" },
	{ "a reference to a variable", "N=2\nf() { local -n r=$1; r=4; }\nf N\n" RUN, VM, 4, "", "",
	    NULL, "vm.sh:2: -n: the import does not follow references to variables" },
	{ "a variable whose values bash computes", "declare -ri N=1+1\nM=1G\n" VM, VM, 3, "", "",
	    NULL, "vm.sh:1: -i, -l, -u: bash changes each value of this variable" },
	{ "rc.conf, which load_rc_config reads",
	    ". /etc/rc.subr\nload_rc_config web\n: ${N:=2}\n" RUN, VM, 4, "", "", NULL,
	    "vm.sh:2: \"/etc/rc.conf\": the import does not read this file, which may set" },
	{ "a list that a loop sets, which may not run",
	    "set -- 2\nfor i in $x; do set -- 2 web; done\nbhyve -c $1 -m 1G ${2-vm}", VM, 3, "",
	    "", NULL,
	    "vm.sh:2: $@: the import uses the words of this line, which stands in a loop" },
	{ "the export of a local variable, which ends with its function",
	    "N=4; f() { local N=1; export N; }\nf\nsh -c 'bhyve -c ${N:-2} -m 1G web'", VM, 3, "",
	    "", NULL, "" },
	{ "a list that two arms of a branch add to",
	    "A=(-c 2)\nif a; then A+=(-x)\nelse A+=(-m 1G); fi\nbhyve \"${A[@]}\" web", VM, 4, "",
	    "", NULL,
	    "vm.sh:3: $A: the import uses the words of this line, which stands in a branch, and "
	    "not those of line 2: remove the line that does not apply" },
	{ "words that one arm of a branch removes",
	    "set -- 1 2 1G\nif a; then set -- x\nelse set -- \"$2\" \"$3\" $#; fi\n"
	    "bhyve -c $1 -m $2 ${4-web}",
	    VM, 4, "", "", NULL, "vm.sh:3: $@: the import uses the words of this line" },
	{ "a list that the last arm makes shorter",
	    "A=(2 x 1G y)\nif a; then A+=(z)\nelse A=(2); fi\nbhyve -c ${A[0]} -m ${A[2]-1G} "
	    "${A[4]-web}",
	    VM, 4, "", "", NULL, "vm.sh:3: $A: the import uses the words of this line" },
	{ "a file that the text writes, and one that nothing reads",
	    "F=vm.conf\ncat <<X >$F\nx=1\nX\ndate >log\nbhyve -c 2 -m 1G -k vm.conf web",
	    "bhyve -c 2 -m 1G -k vm.conf web", 6, "", "", NULL,
	    "vm.sh:2: this line writes vm.conf, and vmrun does not: run the line before the "
	    "import, and keep the file, or write it in a hook on_start" },
	{ "the map of a loader, which the text writes",
	    "{ echo '(hd0) /a'; echo '(cd0) /b'; } >/m/map\ngrub-bhyve -m /m/map -M 1G web\n" VM,
	    VM, 3, "", "grub-bhyve -m /m/map -M 1G web", NULL,
	    "vm.sh:1: this line writes /m/map, and vmrun does not: run the line before the "
	    "import, and keep the file, or write it in a hook on_start; without \"device_map\"" },
	{ "the number of words that a branch adds to",
	    "set -- b; x && set -- a \"$@\"; set -- \"$@\" c\nbhyve -c $# -m 1G web",
	    "bhyve -c 3 -m 1G web", 2, "", "", NULL,
	    "vm.sh:1: $@: the import uses the words of this line" },
	{ "patterns of words, but not of quotes and values alone",
	    "P=*; Q='?'; N=2\nset -- \"$P\" \\* $((N * 1))\nf() { bhyve -c $3 -m 1G \"$4\"; }\nf "
	    "\"$@\" web*",
	    "bhyve -c 2 -m 1G 'web*'", 3, "", "", NULL,
	    "vm.sh:4: the import uses the pattern \"web*\" as it is: a shell uses each file that" },
	{ "a value with a pattern", "P='*'; Q='[a]'\nbhyve -c 2 -m $Q \"$P\"",
	    "bhyve -c 2 -m '[a]' '*'", 2, "", "", NULL,
	    "vm.sh:2: the import uses the pattern \"[a]\" as it is" },
	{ "commands of the shell behind command and builtin",
	    "N=4\ncommand export N=2\nset -- x 1G\nbuiltin command shift\nbhyve -c $N -m $1 web",
	    VM, 5, "", "", NULL, "" },
	{ "a tilde that is no home directory", "D='hd:~/a'\nbhyve -c 2 hd:~/a \"${E:-~/b}\" $D",
	    "bhyve -c 2 'hd:~/a' '~/b' 'hd:~/a'", 2, "", "", NULL, "" },
	{ "an empty value behind unset in a branch",
	    "N=4\nif x; then unset N; N=${N-}; fi\nbhyve -c ${N:-2} -m 1G web", VM, 3, "", "", NULL,
	    "vm.sh:2: $N: the import uses \"\" of this line, which stands in a branch, and not" },
	{ "every arm of a branch in a loop that may not run",
	    "N=4\nfor i in $x; do if a; then N=2; else N=2; fi; done\n" RUN, VM, 3, "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a branch, and not" },
	{ "every arm of a branch, of which one unsets",
	    "if a; then N=2; unset N; else N=2; fi\nbhyve -c ${N:-2} -m 1G web", VM, 2, "", "",
	    NULL,
	    "vm.sh:1: $N: the import uses the value of line 1, and this line, which stands in a" },
	{ "the number of words behind shift, of those of a branch",
	    "set -- a b; x || set -- c; shift\nbhyve -c 2$# -m 1G web", "bhyve -c 20 -m 1G web", 2,
	    "", "", NULL,
	    "vm.sh:1: $@: the import uses the words of this line, which stands in a branch" },
	{ "exports that end",
	    "export N=2 M=1G P=x Q=x; export -n P; declare +x Q; unset M; M=2G\n"
	    "env -u N sh -c 'bhyve -c ${N:-2} -m ${M:-1G} ${P:-web} ${Q:-}'",
	    VM, 2, "env -uN", "", NULL, "" },
	{ "exports of declare, and of some lines alone",
	    "K=x\nset -ea; N=2; set +a; M=2G; L=x\ndeclare -rx V=web; typeset -x K\n"
	    "sh -c 'bhyve -c $N -m ${M:-1G} $V ${K#x} ${L:-}'",
	    VM, 4, "", "", NULL, "" },
	{ "programs that take all variables away",
	    "export N=4 M=2G\nsudo M=1G env - sh -c 'bhyve -c ${N:-2} -m ${M:-1G} web'", VM, 2,
	    "env M=1G env -", "", NULL, "" },
	{ "sudo that keeps them", "export N=2\nsudo -nE sh -c '" RUN "'", VM, 2, "", "", NULL, "" },
	{ "variables that are all exported", "set -a\nN=2\nsh -c '" RUN "'", VM, 3, "", "", NULL,
	    "" },
	{ "arguments of another shell", "sh -c 'bhyve -c ${1:-4} -m $2 web' sh 2 1G", VM, 1, "", "",
	    NULL, "" },
	{ "quotes in braces in quotes", "A=x\nbhyve \"${A:+\"-c 2\"}\" \"${B:-a \"b\"}\" web",
	    "bhyve '-c 2' 'a b' web", 2, "", "", NULL, "" },
	/* Aliases. */
	{ "an alias that another command has", "alias ll='ls -l' cd=pushd\nls; cd /vm\n" VM, VM, 3,
	    "", "", NULL,
	    "vm.sh:2: \"cd\" is an alias of this text, and the import does not read aliases: write "
	    "the words that it stands for in its place" },
	{ "an alias that quotes turn off, and one that is gone",
	    "alias bhyve='sudo bhyve'\n\\bhyve -c 2 -m 1G web\nunalias -a\n" VM, VM, 2, "", "",
	    NULL, "" },
	{ "an alias behind bhyve", VM "\nalias ls='ls -F'\nls\n", VM, 1, "", "", NULL, "" },
	/* The order of assignments. */
	{ "local takes values from before it",
	    "A=2\nf() {\nlocal A=4 N=$A\nbhyve -c $N -m ${A}G web\n}\nf\n", "bhyve -c 2 -m 4G web",
	    4, "", "", NULL, "" },
	{ "export and readonly take values from before them",
	    "A=2; M=1\nexport A=4 N=$A; readonly M=3 L=\"${M}G\"\nbhyve -c $N -m $L web", VM, 3, "",
	    "", NULL, "" },
	{ "assignments that do not use each other", "A=1\nN=2 M=${A}G A=5\nbhyve -c $N -m $M web",
	    VM, 3, "", "", NULL, "" },
	/* Commands of the shell in branches. */
	{ "unset in a branch", "N=2\nif x; then unset N; fi\nbhyve -c ${N:-4} -m 1G web", VM, 3, "",
	    "", NULL,
	    "vm.sh:2: $N: the import uses the value of line 1, and this line, which stands in a "
	    "branch, unsets it: remove the line that does not apply" },
	{ "unset behind && and in a loop",
	    "N=2\nM=1G\nx && unset N\nwhile x; do unset -v M; done\nbhyve -c $N -m $M web", VM, 5,
	    "", "", NULL,
	    "vm.sh:3: $N: the import uses the value of line 1, and this line, which stands in a "
	    "branch, unsets it: remove the line that does not apply\n"
	    "vm.sh:4: $M: the import uses the value of line 2, and this line, which stands in a "
	    "loop" },
	{ "unset of an array in a branch", "a=(-c 2)\nx && unset a\nbhyve \"${a[@]}\" -m 1G web",
	    VM, 3, "", "", NULL,
	    "vm.sh:2: $a: the import uses the value of line 1, and this line" },
	{ "unset of what was not known", "V=$1\nx && unset V\nbhyve -c 2 -m 1G ${V:-web}", VM, 3,
	    "", "", NULL, "" },
	{ "unset for all, and of a function",
	    "M=2G; N=2\nunset M\nunset -f N\n"
	    "bhyve -c $N -m ${M:-1G} web",
	    VM, 4, "", "", NULL, "" },
	{ "read in a branch", "N=2\nif x; then\nread -r N; fi\n" RUN, VM, 4, "", "", NULL,
	    "vm.sh:3: $N: the import uses \"2\" of line 1, because the value that this line may "
	    "set "
	    "is not in the text: change line 1 if it does not apply" },
	{ "a prompt of read", "N=2; M=1G\nread -p \"N\" -t 5 x\nbhyve -c $N -m $M web", VM, 3, "",
	    "", NULL, "" },
	{ "a loop in a branch", "N=4\nif x; then for N in 2; do y; done; fi\n" RUN, VM, 3, "", "",
	    NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a branch, and not" },
	{ "values behind a subshell and && or ||",
	    "N=4; M=2G\n(exit 1) && N=2\n( (x) ) ||\nM=1G\nbhyve -c $N -m $M web", VM, 5, "", "",
	    NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a branch, and not "
	    "\"4\" "
	    "of line 1: remove the line that does not apply\n"
	    "vm.sh:4: $M: the import uses \"1G\" of this line, which stands in a branch" },
	{ "a default in a branch", "x && : ${N:=2}\n" RUN, VM, 2, "", "", NULL,
	    "vm.sh:1: $N: the import uses \"2\" of this line, which stands in a branch: remove" },
	/* The same value in several arms. */
	{ "every arm sets it", "case x in a) N=2;; b) N=2;; *) N=2;; esac\n" RUN, VM, 2, "", "",
	    NULL, "" },
	{ "every arm of an if sets it", "N=4; if a; then N=2; elif b; then N=2; else N=2; fi\n" RUN,
	    VM, 2, "", "", NULL, "" },
	{ "the last two arms", "case x in a) N=4;; b) N=1;; c) N=2;; *) N=2;; esac\n" RUN, VM, 2,
	    "", "", NULL, "vm.sh:1: $N: the import uses \"2\" of this line" },
	{ "all arms but one", "if a; then N=2; elif b; then :; else N=2; fi\n" RUN, VM, 2, "", "",
	    NULL,
	    "vm.sh:1: $N: the import uses \"2\" of this line, which stands in a branch: remove" },
	{ "all arms but an empty one", "N=4\ncase x in a) N=2;; b) ;; *) N=2;; esac\n" RUN, VM, 3,
	    "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a branch" },
	{ "an arm adds to the value before the branch",
	    "A=-A; if a; then A=\"$A -H\"; elif b; then A=\"$A -w\"; else A=\"$A -P\"; fi\n"
	    "bhyve $A web",
	    "bhyve -A -P web", 2, "", "", NULL,
	    "vm.sh:1: $A: the import uses \"-A -P\" of this line, which stands in a branch, and "
	    "not \"-A -w\" of line 1" },
	{ "arms of a case that add to a value, and inner ones",
	    "A=-A; case $1 in a) A+=' -H' ;; b) A+=' -w'; A+=' -S' ;;\n"
	    "*) if x; then A+=' -P'; else A+=' -Y'; fi; A=\"$A -u\" ;; esac\nbhyve $A web",
	    "bhyve -A -Y -u web", 3, "", "", NULL, "vm.sh:2: $A: the import uses \"-A -Y -u\"" },
	{ "bhyve in another arm than a value",
	    "N=2; if a; then N=4; else bhyve -c $N -m ${M:-1}G web; M=2; fi", VM, 1, "", "", NULL,
	    "" },
	{ "bhyve in another arm than read", "N=2\nif a; then read N; N=4; else\n" RUN "\nfi", VM, 3,
	    "", "", NULL, "vm.sh:2: $N: the import uses \"2\" of line 1, because the value" },
	{ "a value that another arm may read in, too",
	    "N=4\nif a; then N=2; else [ x ] && read N\n" RUN "\nfi", VM, 3, "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of line 2, because the value" },
	{ "arms in a loop, of which the next round sees all",
	    "N=4\nwhile x; do if a; then N=2; else\n" RUN "\nfi; done", VM, 3, "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line" },
	{ "arms that a shell runs one after another",
	    "N=1\n(case x in a) N=2 ;& b) M=1G\n;;& *) bhyve -c $N -m $M web;; esac)", VM, 3, "",
	    "", NULL, "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a branch" },
	{ "a case in a substitution, and text that looks so",
	    "N=$(echo case 2 in)\nM=1G; M=\"$(case $1 in a) case b in (b) ;; esac ;; esac)\"; "
	    "M=1G\n"
	    "bhyve -c ${N% in} -m $M web",
	    "bhyve -c case 2 -m 1G web", 3, "", "", NULL, "" },
	{ "every arm of an inner branch", "N=4\nif a; then if b; then N=2; else N=2; fi; fi\n" RUN,
	    VM, 3, "", "", NULL, "vm.sh:2: $N: the import uses \"2\" of this line" },
	{ "the same words in two branches",
	    "set -- 4\nif a; then set -- 2; fi\nif b; then set -- 2; fi\nbhyve -c $1 -m 1G web", VM,
	    4, "", "", NULL, "vm.sh:2: $@: the import uses the words of this line" },
	/* What a shell may skip. */
	{ "a loop behind ||", "N=4\na || for i in b; do N=2; done\n" RUN, VM, 3, "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a branch" },
	{ "what stands behind a break", "for i in a; do N=4; break; N=2; done\n" RUN, VM, 2, "", "",
	    NULL, "vm.sh:1: $N: the import uses \"2\" of this line" },
	{ "eval in a branch", "N=4\nx && eval N=2\n" RUN, VM, 3, "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of this line, which stands in a branch, and not" },
	{ "an empty value of a branch", "N=4\nx && N=\nbhyve -c ${N:-2} -m 1G web", VM, 3, "", "",
	    NULL,
	    "vm.sh:2: $N: the import uses \"\" of this line, which stands in a branch, and not" },
	{ "arithmetic in a branch", "N=2\nx && ((N++))\n" RUN, VM, 3, "", "", NULL,
	    "vm.sh:2: $N: the import uses \"2\" of line 1, because the value that this line may "
	    "set" },
	{ "a default of an argument that is not given",
	    "V=$1\nM=$2\nbhyve -c 2 -m ${M:=1G} ${V:-web}", VM, 3, "", "", NULL, "" },
};

static const struct refused_case refused_cases[] = {
	{ "what a case in a substitution prints", "N=2\nN=$(case x in x) echo 4;; esac)\n" RUN,
	    { "vm.sh:2: vmrun cannot work out $(case x in x) echo 4;; esac)", NULL, NULL } },
	{ "a value that a loop builds, and a branch sets to the same",
	    "N=0\nfor t in a b; do\nN=$((N+1)); x && N=1\ndone\n" RUN,
	    { "vm.sh:3: a loop builds the value of $N", NULL, NULL } },
	{ "a branch that unsets what is read",
	    "read N <f\nx && unset N\nbhyve -c ${N:-2} -m 1G web",
	    { "the text does not tell the value that $N has", NULL, NULL } },
	/* Commands of the shell in the branch of bhyve. */
	{ "read in the branch of bhyve", "N=2\nif x; then\nread N\nbhyve -c $N web\nfi",
	    { "vm.sh:3: the text does not tell the value that $N has behind this line", NULL,
		NULL } },
	{ "arithmetic and printf in the branch of bhyve",
	    "N=2 M=1\ncase x in\na) let N++; ((M++))\nbhyve -c $N -m $M web;;\nesac",
	    { "vm.sh:3: the text does not tell the value that $N has behind this line",
		"vm.sh:3: the text does not tell the value that $M has behind this line", NULL } },
	{ "what a command prints behind a return, where bhyve stands",
	    "N=4\nf() { x || return 1; N=$(sysctl -n hw.ncpu); bhyve -c $N web; }\nf",
	    { "vm.sh:2: vmrun cannot work out $(sysctl -n hw.ncpu): write what it prints", NULL,
		NULL } },
	{ "read in a branch around another one",
	    "N=2\nif x; then\nread N\nif y; then read N; fi\nbhyve -c $N web\nfi",
	    { "vm.sh:3: the text does not tell the value that $N has behind this line", NULL,
		NULL } },
	{ "shift in a branch behind a return",
	    "f() { x || return; if y; then shift; fi\nbhyve -c 2 $1; }\nf a b",
	    { "vm.sh:1: the text does not tell the value that $1 has behind this line", NULL,
		NULL } },
	{ "a function that only a subshell has", "(f() { N=2; })\nf\nbhyve -c $N web",
	    { "vm.sh:3: $N is not set in this text", NULL, NULL } },
	{ "assignments that use each other", "A=1\nA=2 B=$A\nbhyve -c $B web",
	    { "vm.sh:2: $B uses $A, which this command sets, too: the sh of FreeBSD takes the "
	      "value "
	      "from before it, and other shells the new one: write each assignment on its own line",
		NULL, NULL } },
	{ "assignments of a call that use each other", "f() { bhyve -c $B web; }\nA=2 B=x${A} f",
	    { "vm.sh:2: $B uses $A, which this command sets, too", NULL, NULL } },
	{ "an alias of bhyve", "alias bhyve='sudo bhyve -S'\nA=1 bhyve -c 2 web",
	    { "vm.sh:2: \"bhyve\" is an alias of this text, and the import does not read aliases",
		NULL, NULL } },
	{ "a list that mapfile sets", "a=(-c 2)\nmapfile -t a <f\nbhyve \"${a[@]}\" web",
	    { "vm.sh:2: the text does not tell the value that $a[#] has behind this line",
		"vm.sh:2: the text does not tell the value that $a has behind this line",
		"vm.sh:2: the text does not tell the value that $a[1] has behind this line" } },
	{ "an element of a list that mapfile sets",
	    "a=(-c 2)\nmapfile -t a <f\nbhyve -c ${a[1]} web",
	    { "vm.sh:2: the text does not tell the value that $a[1] has behind this line", NULL,
		NULL } },
	{ "a list that mapfile sets in the branch of bhyve",
	    "a=(-c 2)\nif x; then mapfile -t a <f\nbhyve \"${a[@]}\" web; fi",
	    { "vm.sh:3: $a is not set in this text", NULL, NULL } },
	{ "a list that read sets", "a=-c\nread -ra a\nbhyve $a 2 web",
	    { "vm.sh:2: the text does not tell the value that $a has behind this line", NULL,
		NULL } },
	{ "an alias with the path of bhyve", "alias vm='cd /vm;/usr/sbin/bhyve -c 2'\nvm web",
	    { "vm.sh:2: \"vm\" is an alias of this text", NULL, NULL } },
	{ "an alias with bhyve", "alias 'vm=bhyve -c 2 -m 1G'\nvm web",
	    { "vm.sh:2: \"vm\" is an alias of this text", NULL, NULL } },
	{ "an empty value of a branch in place of what is read",
	    "read N\n[ x ] && N=\nbhyve -c ${N:-2} web",
	    { "vm.sh:1: the text does not tell the value that $N has behind this line", NULL,
		NULL } },
	{ "a default behind a test of what a command prints",
	    "N=$(sysctl -n hw.ncpu)\n[ -z \"$N\" ] && N=2\nbhyve -c $N web",
	    { "vm.sh:1: vmrun cannot work out $(sysctl -n hw.ncpu): write what it prints", NULL,
		NULL } },
	{ "a number of a variable of its command", "N=1\nN=2 M=$((N * 2))G\nbhyve -m $M web",
	    { "vm.sh:2: $M uses $N, which this command sets, too", NULL, NULL } },
	{ "what a subshell and pwd print", "bhyve -c 2 $( (cd /a) && pwd )",
	    { "vm.sh:1: vmrun cannot work out $( (cd /a) && pwd )", NULL, NULL } },
	{ "words behind one that is not known", "R=a\nread R\nset -- -$R 2\nbhyve -c $2 -m 1G web",
	    { "vm.sh:2: the text does not tell the value that $R has behind this line", NULL,
		NULL } },
	{ "the number of words with those of the script", "set -- a \"$@\"\nbhyve -c $# -m 1G web",
	    { "vm.sh:1: $@ is not set in this text", NULL, NULL } },
	{ "a second command that is the same but for what is read", "N=2\n" RUN "\nread N\n" RUN,
	    { "vm.sh:4: a second bhyve command, which differs from that of line 2", NULL, NULL } },
	{ "an exit status in place of a default", "x\nN=$?\nbhyve -c ${N:-2} -m 1G web",
	    { "vm.sh:2: $? is not set in this text", NULL, NULL } },
	{ "home directories behind a colon, and in a default",
	    "D=hd:~/a\nbhyve -c 2 -s 3,ahci,$D ${E:-~vm/b}",
	    { "vm.sh:1: vmrun cannot work out ~: write the path of the home directory",
		"vm.sh:2: vmrun cannot work out ~vm", NULL } },
	{ "exported variables that sudo takes away", "export N=2\nsudo sh -c '" RUN "'",
	    { "vm.sh:2: $N is not exported to this command: write its value in its place", NULL,
		NULL } },
	{ "a variable that is not exported", "N=2\ndaemon sh -c '" RUN "'",
	    { "vm.sh:2: $N is not exported to this command: put a line \"export N\" before the "
	      "command",
		NULL, NULL } },
	/* Other shells. */
	{ "a script of csh", "#!/bin/csh -f\nset N = 2\nbhyve -c $N web",
	    { "vm.sh:1: a script of csh: expected one of sh: write it as sh has it, with "
	      "NAME=VALUE "
	      "in place of \"set\" and \"setenv\", or pass the bhyve command alone",
		NULL, NULL } },
	{ "scripts of tcsh in DOS's lines", "#! /usr/bin/env tcsh\r\n" VM,
	    { "vm.sh:1: a script of tcsh: expected one of sh", NULL, NULL } },
	{ "variables of csh", "setenv N 2\nset M=1G V = web\nbhyve -c ${N:-4} -m $M $V",
	    { "vm.sh:1: this line sets $N in csh, but not in sh: write N=VALUE in its place",
		"vm.sh:2: this line sets $M in csh, but not in sh: write M=VALUE in its place",
		"vm.sh:2: this line sets $V in csh, but not in sh" } },
	{ "a value that sh does not set", "M=2G\nset M=1G\nbhyve -c 2 -m $M web",
	    { "vm.sh:2: this line sets $M in csh, but not in sh", NULL, NULL } },
	/* Values that are not empty, although the text does not tell them. */
	{ "a default of what a command prints", "N=$(sysctl -n hw.ncpu)\nbhyve -c ${N:-4} web",
	    { "vm.sh:1: vmrun cannot work out $(sysctl -n hw.ncpu): write what it", NULL, NULL } },
	{ "a default of what is read", "read N\nbhyve -c ${N:-4} web",
	    { "vm.sh:1: the text does not tell the value that $N has behind this line", NULL,
		NULL } },
	{ "a default of what is read in a branch",
	    "if x; then\nread -p N: M N; fi\n"
	    "bhyve -c ${N:=4} web",
	    { "vm.sh:2: the text does not tell the value that $N has behind this line", NULL,
		NULL } },
	{ "a default of a sum", "let C=5\n: $((D += 1))\nbhyve -c ${C:-3} -m ${D:-2} web",
	    { "vm.sh:1: the text does not tell the value that $C has behind this line",
		"vm.sh:2: the text does not tell the value that $D has behind this line", NULL } },
	{ "a default of what printf sets", "M=1G\nprintf -v N %s $M\nbhyve -c ${N:-4} -m $M web",
	    { "vm.sh:2: the text does not tell the value that $N has behind this line", NULL,
		NULL } },
	{ "a default of what shift may leave", "set -- db\nx && shift\nbhyve -c 2 ${1:-web}",
	    { "vm.sh:2: the text does not tell the value that $1 has behind this line", NULL,
		NULL } },
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

/* Each text ends at once, at the limit of what variables may expand to. */
static void test_hostile(void **state)
{
	static const struct {
		const char *before, *piece, *between, *last;
		size_t count;
	} texts[] = {
		{ "", "A=i ", "", "B=$C ", 20000 },
		{ "a=(", "x ", ")\n", "", 400 },
		{ "x && read ", "N ", "", "", 200000 },
		{ "x && unset ", "N ", "", "", 200000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		STR_AUTO struct str text = { 0 };

		str_addf(&text, "N=1\n%s", texts[i].before);
		for (size_t k = 0; k < texts[i].count; k++)
			str_add(&text, texts[i].piece);
		str_add(&text, texts[i].between);
		for (size_t k = 0; k < texts[i].count && *texts[i].last != '\0'; k++)
			str_add(&text, texts[i].last);
		for (size_t k = 0; k < 70000 && *texts[i].between != '\0'; k++)
			str_add(&text, "x && unset a\n");
		str_add(&text, "\n" VM "\n");
		check_refused(texts[i].before, text.text, text.length,
		    (const char *const[3]){
			"variables expand to more than 1 MiB: pass the bhyve command alone", NULL,
			NULL });
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
