/* The bhyve command in texts as users have them: scripts, pages, what ps shows. */
#include "../base/dice.h"
#include "text_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/words.h"
#include "shell/command_text.h"
#include "shell/shell_text.h"

static const struct text_origin origin = { "vm.sh", "/home/vm" };

#define VM "bhyve -c 2 -m 1G web"

static const struct found_case found_cases[] = {
	{ "a line", "bhyve -c 2 -m 1G web", VM, 1, "", "", NULL, "" },
	{ "joined lines, as virsh and pages have them",
	    "/usr/sbin/bhyve \\\n  -c 2 \\\n\t-m 1G \\\n  web\n", "/usr/sbin/bhyve -c 2 -m 1G web",
	    1, "", "", NULL, "" },
	{ "line ends of DOS", "\r\nbhyve -c 2 \\\r\n -m 1G web\r\n", VM, 2, "", "", NULL, "" },
	{ "quotes", "bhyve -s 3,virtio-blk,\"/vm/a b.img\" -s '4,x' \"\" we\\ b",
	    "bhyve -s '3,virtio-blk,/vm/a b.img' -s 4,x '' 'we b'", 1, "", "", NULL, "" },
	{ "escapes in quotes", "bhyve -o \"a=\\\"\\$x\\\\\\q\" 'it'\\''s'",
	    "bhyve -o 'a=\"$x\\\\q' 'it'\\''s'", 1, NULL, NULL, NULL, "" },
	{ "a comment behind it", "# bhyve -c 1 -m 1G old\nbhyve -c 2 -m 1G web # bhyve -c 3 x\n",
	    VM, 2, "", "", NULL, "" },
	{ "a # inside a word", "bhyve -c 2 -m 1G#x web", "bhyve -c 2 -m '1G#x' web", 1, "", "",
	    NULL, "" },
	{ "a virsh pair",
	    "/usr/sbin/bhyveload -m 1024 -d /vm/web.img web\n"
	    "/usr/sbin/bhyve -c 2 -m 1024 web\n",
	    "/usr/sbin/bhyve -c 2 -m 1024 web", 2, "",
	    "/usr/sbin/bhyveload -m 1024 -d /vm/web.img web", NULL, "" },
	{ "variables",
	    "VM=web\nMEM=\"1G\"\nexport CPU=2\nreadonly DISK='/vm/a b.img'\n"
	    "bhyve -c $CPU -m ${MEM} -s 3,virtio-blk,\"$DISK\" -l com1,/dev/nmdm-${VM}.1A $VM\n",
	    "bhyve -c 2 -m 1G -s '3,virtio-blk,/vm/a b.img' -l com1,/dev/nmdm-web.1A web", 5, "",
	    "", NULL, "" },
	{ "defaults",
	    ": ${MEM:=1G}\nE=\nbhyve -c ${CPU:-2} -m $MEM ${E:+-x} ${E+-A} ${E:--H} "
	    "${1:-web}",
	    "bhyve -c 2 -m 1G -A -H web", 3, "", "", NULL, "" },
	{ "a default of a default", "bhyve -c ${A:-${B-2}} -m ${M:=1G} \"${M}x\"",
	    "bhyve -c 2 -m 1G 1Gx", 1, "", "", NULL, "" },
	{ "appended arguments", "ARGS=\"-c 2\"\nARGS=\"$ARGS -m 1G\"\nARGS+=' -A'\nbhyve $ARGS web",
	    "bhyve -c 2 -m 1G -A web", 4, "", "", NULL, "" },
	{ "newlines of our own lines", "bhyve -c 2 \"${IFS#??}\"a'$'\"${IFS#??}\" web",
	    "bhyve -c 2 \"${IFS#??}\"'a$'\"${IFS#??}\" web", 1, "", "", NULL, "" },
	{ "another IFS", "IFS=,\nA=2,-m,1G\nbhyve -c $A \"${IFS#??}\" web",
	    "bhyve -c 2 -m 1G , web", 3, "", "", NULL, "" },
	{ "a quoted value is one word", "A='-c 2'\nbhyve \"$A\" $A web", "bhyve '-c 2' -c 2 web", 2,
	    "", "", NULL, "" },
	{ "taps that become members of a bridge",
	    "B=bridge0\nT=tap1\nsudo ifconfig $B addm em0 addm $T addm tap11 up\n"
	    "bhyve -s 3,virtio-net,tap1,mac=x -c 2 web\n/sbin/ifconfig bridge1 addm tap2\n",
	    "bhyve -s 3,virtio-net,tap1,mac=x -c 2 web", 4, "", "", NULL,
	    "vm.sh:3: tap1 is a member of bridge0: with \"bridge\": \"bridge0\" in the place of "
	    "\"name\": \"tap1\" vmrun makes a tap for each run and adds it to bridge0" },
	{ "taps of others", "ifconfig bridge0 addm tap1\nifconfig bridge0 addm $X\nifconfig\n" VM,
	    VM, 4, "", "", NULL, "" },
	{ "a tpm", "swtpm socket --tpm2 --daemon\nbhyve -l tpm,swtpm,/s web",
	    "bhyve -l tpm,swtpm,/s web", 2, "", "", NULL,
	    "vm.sh:1: swtpm: with \"managed\": true in \"tpm\" vmrun starts swtpm itself" },
	{ "the tpm of others", "swtpm socket --tpm2 &\n" VM, VM, 2, "", "", NULL, "" },
	{ "options of a shell before its text", "bash -eo pipefail -c '" VM "'", VM, 1, "", "",
	    NULL, "" },
	{ "an empty word behind a shell", "sh '' -c x\n" VM, VM, 2, "", "", NULL, "" },
	{ "inline code of a page, which no shell takes", "Use `" VM "` to start it.\n", VM, 1, "",
	    "", NULL, "" },
	{ "a restarting daemon in tmux", "daemon -r tmux new -d -s a '" VM "'\n", VM, 1, "", "",
	    NULL,
	    "vm.sh:1: daemon -r: vmrun boots again after a reboot of the guest; set \"on\": "
	    "{\"poweroff\": \"boot\", \"error\": \"boot\"} to boot again after a power-off and "
	    "a failure, too\n"
	    "vm.sh:1: tmux: left out: vmrun needs no terminal: set \"com1\" to \"console\" in the "
	    "spec, and \"vmrunctl NAME console\" opens the guest's console" },
	{ "the last value counts", "N=1\nN=2\nbhyve -c $N web\nN=3\n", "bhyve -c 2 web", 3, "", "",
	    NULL, "" },
	{ "values in branches",
	    "N=1\nif [ -n \"$1\" ]; then\n N=2\nelse\n N=4\nfi\nbhyve -c $N web", "bhyve -c 4 web",
	    7, "", "", NULL,
	    "vm.sh:5: $N: the import uses \"4\" of this line, which stands in a branch, and not "
	    "\"2\" "
	    "of line 3" },
	{ "a note goes with the value",
	    "N=1\ncase $1 in\nbig) N=8;;\nesac\nA=\"-c $N\"\nbhyve $A web", "bhyve -c 8 web", 6, "",
	    "", NULL, "vm.sh:3: $N: the import uses \"8\"" },
	{ "a value from the command line in a branch",
	    "MEM=1G\nwhile getopts m: o; do\ncase $o in\nm) MEM=$OPTARG ;;\nesac\ndone\n"
	    "bhyve -m $MEM web",
	    "bhyve -m 1G web", 7, "", "", NULL, "vm.sh:4: $MEM: the import uses \"1G\" of line 1" },
	{ "a value behind &&", "N=1\n[ -n \"$X\" ] && N=2\nbhyve -c $N web", "bhyve -c 2 web", 3,
	    "", "", NULL, "vm.sh:2: $N: the import uses \"2\"" },
	{ "an unset variable that bhyve does not use",
	    "echo $NOPE $(date) `id`; bhyve -c 2 -m 1G web", VM, 1, "", "", NULL, "" },
	{ "assignments for one command", "N=2\nN=9 bhyve -c $N web", "bhyve -c 2 web", 2, "env N=9",
	    "", NULL, "" },
	{ "a variable that is bhyve", "BHYVE=/usr/sbin/bhyve\nsudo $BHYVE -c 2 web",
	    "/usr/sbin/bhyve -c 2 web", 2, "", "", NULL, "" },
	{ "a variable that is the command", "CMD=\"bhyve -c 2 -m 1G web\"\n$CMD\n", VM, 2, "", "",
	    NULL, "" },
	{ "eval", "CMD='bhyve -c 2 -s 3,\"a b\"'\neval \"$CMD\" web", "bhyve -c 2 -s '3,a b' web",
	    2, "", "", NULL, "" },
	{ "sh -c and su -c", "su root -c 'sh -ec \"nice -n 5 bhyve -c 2 -m 1G web\"'", VM, 1,
	    "nice -n 5", "", NULL, "" },
	{ "the handbook's loop",
	    "#!/bin/sh\nwhile true; do\n\tbhyveload -m 1G -d vm.img web || exit\n"
	    "\tif ! bhyve -c 2 -m 1G web; then\n\t\tbreak\n\tfi\ndone\n"
	    "bhyvectl --destroy --vm=web\n",
	    VM, 4, "", "bhyveload -m 1G -d vm.img web", NULL, "" },
	{ "functions",
	    "stop() { pkill -f bhyve; bhyvectl --force-poweroff --vm=web; }\n"
	    "start()\n{\n\techo starting bhyve -c 1\n\tbhyve -c 2 -m 1G web &\n}\nstart\n",
	    VM, 5, "", "", NULL, "" },
	{ "a subshell and a group", "(cd /vm && { bhyve -c 2 -m 1G web; }) &", VM, 1, "", "", NULL,
	    "" },
	{ "sudo", "sudo -E -u root env LC_ALL=C bhyve -c 2 -m 1G web", VM, 1, "env LC_ALL=C", "",
	    NULL, "vm.sh:1: sudo -u root: start vmrun as this user" },
	{ "long options of sudo", "sudo --user root --host=h -- bhyve -c 2 -m 1G web", VM, 1, "",
	    "", NULL, "vm.sh:1: sudo -u root: start vmrun as this user" },
	{ "long options of daemon",
	    "daemon --change-dir --restart-delay 5 --child-pidfile=/a bhyve -c 2 -m 1G web", VM, 1,
	    "", "", NULL, "vm.sh:1: daemon -p /a: start vmrun with -p and this file" },
	{ "a long option that has no row", "sudo --preserve-env bhyve -c 2 -m 1G web", VM, 1, "",
	    "", NULL, "" },
	{ "mdo", "mdo -u root bhyve -c 2 -m 1G web", VM, 1, "", "", NULL,
	    "vm.sh:1: mdo -u root: start vmrun as this user" },
	{ "dtach", "dtach -n /tmp/s -Ez bhyve -c 2 -m 1G web", VM, 1, "", "", NULL,
	    "vm.sh:1: dtach: left out: vmrun needs no terminal" },
	{ "abduco", "abduco -e ^q -n web bhyve -c 2 -m 1G web", VM, 1, "", "", NULL,
	    "vm.sh:1: abduco: left out" },
	{ "daemon", "daemon -f -p /var/run/web.pid -o /var/log/web /usr/sbin/bhyve -c 2 web",
	    "/usr/sbin/bhyve -c 2 web", 1, "", "", NULL,
	    "vm.sh:1: daemon -p /var/run/web.pid: start vmrun with -p and this file\n"
	    "vm.sh:1: daemon -o /var/log/web: vmrun prints bhyve's messages; redirect the output "
	    "of vmrun" },
	{ "programs with an operand",
	    "exec doas lockf -t0 /tmp/l timeout -k 5 60 bhyve -c 2 -m 1G web", VM, 1, "", "", NULL,
	    "vm.sh:1: lockf: left out" },
	{ "screen and script", "screen -dmS web script /tmp/log nohup time bhyve -c 2 -m 1G web",
	    VM, 1, "", "", NULL, "vm.sh:1: screen: left out" },
	{ "tmux", "tmux new-session -d -s web 'nice bhyve -c 2 -m 1G web'\n", VM, 1, "nice", "",
	    NULL, "vm.sh:1: tmux: left out" },
	{ "a prefix", "sudo nice -n 5 cpuset -l 2-3 setfib 1 rtprio 5 bhyve -c 2 -m 1G web", VM, 1,
	    "nice -n 5 cpuset -l 2-3 setfib 1 rtprio 5", "", NULL, "" },
	{ "a prefix by options", "setfib -F 1 idprio -t numactl --membind=0 bhyve -c 2 -m 1G web",
	    VM, 1, "setfib -F 1 idprio -t numactl --membind=0", "", NULL, "" },
	{ "an environment", "A=\"x y\" sudo B=2 nice env -i -u C -uD -C /vm D=4 " VM, VM, 1,
	    "env B=2 nice env -i -uC -uD D=4", "", NULL, "" },
	{ "an environment of a text", "A=1 sh -c 'env bhyve -c 2 -m 1G web'", VM, 1, "env A=1", "",
	    NULL, "" },
	{ "an environment that the text does not tell", "A=$X bhyve -c 2 -m 1G web", VM, 1, "", "",
	    NULL, "vm.sh:1: A=$X: the text does not tell the value of this variable: left out" },
	{ "a text as input", VM " <<EOF\nboot\nEOF\n", VM, 1, "", "", NULL,
	    "vm.sh:2: a text as bhyve's input: left out; type it with vmrun.send in a hook" },
	{ "a string as input", VM " <<<boot", VM, 1, "", "", NULL, "vm.sh:1: a text as bhyve's" },
	{ "a pipe as input", "(sleep 1; echo boot) | " VM, VM, 1, "", "", NULL,
	    "vm.sh:1: a pipe as bhyve's input: left out; type it with vmrun.send in a hook" },
	{ "redirections", "bhyve -c 2 -m 1G web </dev/null >/dev/null 2>&1 &", VM, 1, "", "", NULL,
	    "" },
	{ "a log", "bhyve -c 2 -m 1G web >>/var/log/web 2>&1", VM, 1, "", "", NULL,
	    "vm.sh:1: a file for bhyve's output: vmrun prints bhyve's messages" },
	{ "a pipe", "bhyve -c 2 -m 1G web 2>&1 | logger -t web", VM, 1, "", "", NULL,
	    "vm.sh:1: a pipe for bhyve's output" },
	{ "a redirection in front", "2>/dev/null bhyve -c 2 -m 1G web", VM, 1, "", "", NULL, "" },
	{ "grub with a here-document",
	    "R=hd0\ngrub-bhyve -m device.map -r $R -M 1G web <<-EOF >/dev/null\n"
	    "\tlinux /it's $R\n\tboot\n\tEOF\nbhyve -c 2 -m 1G web\n",
	    VM, 6, "", "grub-bhyve -m device.map -r hd0 -M 1G web", "linux /it's hd0\nboot\n", "" },
	{ "grub with a quoted here-document",
	    "cat <<'END' | sudo grub-bhyve -M 1G web\n$x \"y\"\nEND\n" VM, VM, 4, "",
	    "grub-bhyve -M 1G web", "$x \"y\"\n", "" },
	{ "grub with printf", "printf 'linux %s\\n' /a '/b c' | grub-bhyve -M 1G web; " VM, VM, 1,
	    "", "grub-bhyve -M 1G web", "linux /a\nlinux /b c\n", "" },
	{ "grub with echo", "echo -e 'a\\tb' \"c\" | grub-bhyve -M 1G web\n" VM, VM, 2, "",
	    "grub-bhyve -M 1G web", "a\tb c\n", "" },
	{ "grub with groups", "{ echo a; printf 'b\\n'\n} | grub-bhyve -M 1G web\n" VM, VM, 3, "",
	    "grub-bhyve -M 1G web", "a\nb\n", "" },
	{ "grub with a subshell", "echo $1\n( echo a; echo -n b ) | grub-bhyve -M 1G web && " VM,
	    VM, 2, "", "grub-bhyve -M 1G web", "a\nb", "" },
	{ "grub with a file", "grub-bhyve -M 1G web < grub.in > /dev/null\n" VM, VM, 2, "",
	    "grub-bhyve -M 1G web", NULL,
	    "vm.sh:1: the file grub.in as the loader's input: left out" },
	{ "grub with another program", "./menu | grub-bhyve -M 1G web\n" VM, VM, 2, "",
	    "grub-bhyve -M 1G web", NULL, "vm.sh:1: a pipe as the loader's input" },
	{ "two loaders",
	    "if $CD; then\nbhyveload -d cd.iso web\nelse\nbhyveload -d a.img web\nfi\n" VM, VM, 6,
	    "", "bhyveload -d a.img web", NULL,
	    "vm.sh:4: the import uses this loader, and not the one of line 2" },
	{ "equal commands", VM "\n: again\nbhyve  -c 2 -m '1G' web\n", VM, 1, "", "", NULL, "" },
	{ "ps",
	    "  PID TT  STAT    TIME COMMAND\n 1234  0  SC   0:00.10 /usr/sbin/bhyve -c 2 web\n"
	    " 1300  1  S+   0:00.00 grep bhyve\n",
	    "/usr/sbin/bhyve -c 2 web", 2, "", "", NULL, "" },
	{ "ps aux",
	    "root  1234  0.0  1.2 12345 5678  -  SC  10:00  0:00.10 sudo bhyve -c 2 -m 1G web", VM,
	    1, "", "", NULL, "" },
	{ "procstat -c",
	    "  PID COMM             ARGS\n 1234 bhyve            bhyve -c 2 -m 1G web\n", VM, 2, "",
	    "", NULL, "" },
	{ "a user's prompt", "$ truncate -s 8G a.img\n$ bhyve -c 2 -m 1G web\n", VM, 2, "", "",
	    NULL, "" },
	{ "root's prompt", "# kldload vmm\n# bhyve -c 2 \\\n> -m 1G \\\n> web\n",
	    "bhyve -c 2 -m 1G", 2, "", "", NULL, NULL },
	{ "a prompt with a host", "root@host:~ # bhyve -c 2 \\\n> -m 1G web\n", VM, 1, "", "", NULL,
	    "" },
	{ "a prompt in brackets", "[root@host ~]$ bhyve -c 2 -m 1G web", VM, 1, "", "", NULL, "" },
	{ "what sh -x prints", "+ VM=web\n+ bhyve -c 2 -m 1G web\n", VM, 2, "", "", NULL, "" },
	{ "a page in Markdown", "Start it:\n\n```sh\nbhyve -c 2 -m 1G web\n```\nThen wait.\n", VM,
	    4, "", "", NULL, "" },
	{ "a Makefile", "run:\n\t@bhyve -c 2 -m 1G web\n", VM, 2, "", "", NULL, "" },
	{ "rc.d",
	    "name=web\ncommand=/usr/sbin/daemon\ncommand_args=\"-f bhyve -c 2 -m 1G $name\"\n", VM,
	    2, "", "", NULL, "" },
	{ "a here-document is no command", "cat <<EOF\nbhyve -c 9 other\nEOF\n" VM, VM, 4, "", "",
	    NULL, "" },
	{ "a loop over the files of a pattern", "for d in /a/*; do bhyve -c 2 -m 1G $d; done",
	    "bhyve -c 2 -m 1G '/a/*'", 1, "", "", NULL,
	    "vm.sh:1: the import uses the pattern \"/a/*\" as it is" },
	{ "a loop with one value", "for vm in web; do bhyve -c 2 -m 1G $vm; done", VM, 1, "", "",
	    NULL, "" },
	{ "an apostrophe in a default", "bhyve -o \"a=${N:-it's}\" web",
	    "bhyve -o 'a=it'\\''s' web", 1, "", "", NULL, "" },
	{ "a here-document without a dash", "grub-bhyve -M 1G web <<EOF\n\tEOF\nboot\nEOF\n" VM, VM,
	    5, "", "grub-bhyve -M 1G web", "\tEOF\nboot\n", "" },
	{ "a number that is no pid", "rtprio 5 bhyve -c 2 -m 1G web", VM, 1, "rtprio 5", "", NULL,
	    "" },
	{ "the last input counts", "echo boot | grub-bhyve -M 1G web </dev/null\n" VM, VM, 2, "",
	    "grub-bhyve -M 1G web", NULL, "" },
	{ "behind a branch",
	    "if true; then A=1; fi\ncase $1 in x) A=1;; esac\nN=1\nN=2\n"
	    "bhyve -c $N web",
	    "bhyve -c 2 web", 5, "", "", NULL, "" },
	{ "an apostrophe behind it", "+ " VM "\nkernel: can't open x\n", VM, 1, "", "", NULL, "" },
	{ "an apostrophe before it", "Don't do this as root:\n\n    " VM "\n", VM, 3, "", "", NULL,
	    "" },
	{ "apostrophes around it", "Don't wait:\n" VM "\nIt isn't slow; that's it.\n", VM, 2, "",
	    "", NULL, "" },
	{ "an apostrophe and root's prompt", "# " VM "\nIt's up.\n", VM, 1, "", "", NULL, "" },
	{ "a quote without an end elsewhere", "echo \"a\n" VM "\n", VM, 2, "", "", NULL,
	    "vm.sh:1: unterminated quote \"" },
	{ "prose with variables", "It's short:\nM=1G\nbhyve -c 2 -m $M web", VM, 3, "", "", NULL,
	    "" },
	{ "output that a variable takes", "out=$(" VM " 2>&1)\necho $out", VM, 1, "", "", NULL,
	    "vm.sh:1: the output of bhyve becomes a value of the shell" },
	{ "output in quotes and in a test", "if ! out=\"$(cd /vm\n sudo " VM ")\"; then x; fi", VM,
	    2, "", "", NULL, "vm.sh:1: the output of bhyve becomes a value of the shell" },
	{ "output between backticks", "echo 'a $(b' `" VM "`", VM, 1, "", "", NULL, "" },
	{ "a substitution of a text with another command", "x=$(bhyve web)\n" VM, VM, 2, "", "",
	    NULL, "" },
	{ "programs that watch it", "truss -f -o t ktrace -ti lldb -o run -- " VM, VM, 1, "", "",
	    NULL, "vm.sh:1: lldb: left out: vmrun runs bhyve without it" },
	{ "a debugger", "gdb -q -ex run --args " VM, VM, 1, "", "", NULL,
	    "vm.sh:1: gdb: left out: vmrun runs bhyve without it" },
	{ "env and a directory", "env -C /vm " VM, VM, 1, "", "", NULL, "" },
	{ "a name alone", "bhyve web", "bhyve web", 1, "", "", NULL, "" },
};

static const struct refused_case refused_cases[] = {
	{ "unset variables", "bhyve -c $CPU \\\n-m ${MEM} \"$1\" $CPU",
	    { "vm.sh:1: $CPU is not set in this text: put a line CPU=VALUE before the command",
		"vm.sh:2: $MEM is not set in this text",
		"vm.sh:2: $1 is not set in this text: write" } },
	{ "an unset variable in a variable", "VM=$1\nN=\"$(nproc)\"\nbhyve -c $N $VM",
	    { "vm.sh:1: $1 is not set in this text",
		"vm.sh:2: vmrun cannot work out $(nproc): write what it prints in its place",
		NULL } },
	{ "a newline that the shell would split away", "bhyve -m ${IFS#??}",
	    { "vm.sh:1: vmrun cannot work out ${IFS#??}", NULL, NULL } },
	{ "other substitutions", "bhyve -c `nproc` -m $((2<<9)) ${0/a/b}",
	    { "vm.sh:1: vmrun cannot work out `nproc`: write what it prints in its place",
		"vm.sh:1: vmrun cannot work out $((2<<9)): write its value",
		"vm.sh:1: vmrun cannot work out ${0/a/b}: write its value" } },
	{ "what must be set", "bhyve -c ${N:?} web", { "vm.sh:1: $N is not set", NULL, NULL } },
	{ "an empty value that a colon refuses", "N=\nbhyve -c ${N:?} web",
	    { "vm.sh:2: $N is not set", NULL, NULL } },
	{ "a home directory", "bhyve -k ~/web.conf web",
	    { "vm.sh:1: vmrun cannot work out ~: write the path", NULL, NULL } },
	{ "an unset program", "$BHYVE -c 2 web", { "vm.sh:1: $BHYVE is not set", NULL, NULL } },
	{ "a program that is searched", "cmd=$(which bhyve)\nsudo $cmd -c 2 web",
	    { "vm.sh:1: vmrun cannot work out $(which bhyve): write what it prints", NULL, NULL } },
	{ "the last value counts, also an unknown one", "VM=web\nVM=$1\nbhyve -c 2 $VM",
	    { "vm.sh:2: $1 is not set", NULL, NULL } },
	{ "an unset variable of the loader", "bhyveload -d $IMG web\n" VM,
	    { "vm.sh:1: $IMG is not set", NULL, NULL } },
	{ "an unset variable around", "sh -c \"bhyve -c 2 $EXTRA web\"",
	    { "vm.sh:1: $EXTRA is not set", NULL, NULL } },
	{ "a loop with two values", "for vm in a b; do\nbhyve -c 2 $vm\ndone",
	    { "vm.sh:1: this loop gives $vm several values, and a spec is one VM", NULL, NULL } },
	{ "a value that is read", "vm=web\nread vm\nbhyve -c 2 $vm",
	    { "vm.sh:2: the text does not tell the value that $vm has behind this line: write the "
	      "value in its place",
		NULL, NULL } },
	{ "two commands", VM "\n\nbhyve -c 2 -m 1G \\\n other\n",
	    { "vm.sh:3: a second bhyve command, which differs from that of line 1: import a copy "
	      "of "
	      "the text, in the same directory, without the command that does not apply (lines 1 "
	      "or 3-4)",
		NULL, NULL } },
	{ "a tap by the name that ifconfig gives it",
	    "T=$(ifconfig tap create up)\nbhyve -s 3,virtio-net,$T web\n",
	    { "vm.sh:1: vmrun cannot work out $(ifconfig tap create up): write what it prints in "
	      "its place; any name such as tap0 will do if the spec then has \"bridge\": "
	      "\"bridge0\" in the place of \"name\"",
		NULL, NULL } },
	{ "two commands in a line", VM "; bhyve -c 4 web\n",
	    { "in the same directory, without the command that does not apply", NULL, NULL } },
	{ "typeset dashes",
	    "Try:\n\n# bhyve \xe2\x80\x93"
	    "c 2 \xe2\x80\x93"
	    "m 1G web\n",
	    { "vm.sh:3: options begin with a typeset dash, as pages have them: write \"-\"", NULL,
		NULL } },
	{ "FreeBSD's script",
	    "sudo sh -e /usr/share/examples/bhyve/vmrun.sh -c 4 -d guest.img vm\n",
	    { "vm.sh:1: this runs FreeBSD's script vmrun.sh, which makes the bhyve command: start "
	      "the VM once with \"sh -x vmrun.sh ... 2>trace\", power it off, and run \"vmrun "
	      "--import trace\" in the same directory",
		NULL, NULL } },
	{ "FreeBSD's script at a prompt, and a program that is not set",
	    "# ./vmrun.sh -c 4 vm\n$BHYVE -c 2 web\n",
	    { "vm.sh:2: $BHYVE is not set", NULL, NULL } },
	{ "a quote without an end", "echo a\nbhyve -c 2 \"web\n",
	    { "vm.sh:2: unterminated quote \"", NULL, NULL } },
	{ "a quote without an end in prose", "bhyve -c 2 -m 1G web isn't it\n",
	    { "vm.sh:1: unterminated quote '", NULL, NULL } },
	{ "a quote without an end, and a variable", "N=\"a\nbhyve -c 2 $N\n",
	    { "vm.sh:1: unterminated quote \"", "vm.sh:2: $N is not set in this text", NULL } },
	{ "gdb without a command", "gdb bhyve core", { "no bhyve command found", NULL, NULL } },
	{ "an apostrophe", "\n\nthat's it\n", { "vm.sh:3: unterminated quote '", NULL, NULL } },
	{ "a substitution without an end", "bhyve -c $(nproc web",
	    { "vm.sh:1: unterminated command substitution $(", NULL, NULL } },
	{ "a title", "  PID TT  STAT    TIME COMMAND\n 1234  0  SC   0:00.10 bhyve: web (bhyve)\n",
	    { "vm.sh:2: this is the title that bhyve gives its process", NULL, NULL } },
	{ "none", "",
	    { "vm.sh: no bhyve command found: expected one with its options", NULL, NULL } },
	{ "words that run no VM",
	    "echo bhyve -c 2 web\npkill bhyve\nkldload vmm\nbhyvectl --destroy\n"
	    "which bhyve\npgrep -f \"bhyve: vm\"\ncommand -v bhyve web\nbhyve -h\n"
	    "bhyve is a hypervisor\nsudo pkill -x bhyve\n",
	    { "vm.sh: no bhyve command found", NULL, NULL } },
	{ "a bomb",
	    "A=xxxxxxxxxxxxxxxx\nA=$A$A$A$A\nA=$A$A$A$A\nA=$A$A$A$A\nA=$A$A$A$A\nA=$A$A$A$A\n"
	    "A=$A$A$A$A\nA=$A$A$A$A\nA=$A$A$A$A\nA=$A$A$A$A\nbhyve -c 2 $A",
	    { "vm.sh:9: variables expand to more than 1 MiB", NULL, NULL } },
	{ "a text that runs itself", "A='eval $A; eval $A; bhyve -c 2 web'\neval $A\n",
	    { "vm.sh:2: commands in commands: more than 8 levels", NULL, NULL } },
};

static void test_found(void **state)
{
	(void)state;
	check_all_found(found_cases, sizeof(found_cases) / sizeof(found_cases[0]));
}

/* A command may have no word: its words are still a place in an array. */
static void test_no_words(void **state)
{
	struct shell_script script;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(shell_read("<a", 2, 1, SHELL_COMMENTS, &script, &err), 0);
	assert_int_equal(script.commands, 1);
	assert_int_equal(script.words, 0);
	assert_non_null(script.word);
	shell_free(&script);
}

static void test_refused(void **state)
{
	static const char *const nul[3] = { "vm.sh:2: a NUL byte", NULL, NULL };

	(void)state;
	check_all_refused(refused_cases, sizeof(refused_cases) / sizeof(refused_cases[0]));
	check_refused("a NUL byte", "a\n\0" VM, 3 + strlen(VM), nul);
}

/* Texts that cost a shell much: each is refused or read at once. */
static void test_hostile(void **state)
{
	static const char *const pieces[] = { "$(", "${a:-", "\"$(", "((((", "eval '", "sh -c \"",
		"`", "<<E ", "\\\n", "$a", "a=$a$a;", "${a:=$a}x", "if ", "x=1 ", "| ", "#\n",
		"bhyveload a\nbhyveload b\n", "# ;", "b$b ", "echo $(bhyve) -x\n", "it's \"\n",
		"\"$(bhyve `\n", "$(\n", "${\n", "x y z z z z z z z z z\n$(bhyve '\n",
		"`bhyve -x`" };
	size_t n = sizeof(pieces) / sizeof(pieces[0]);

	(void)state;
	for (size_t i = 0; i < 2 * n; i++) {
		STR_AUTO struct str text = { 0 };
		struct command_text found;
		REPORT_AUTO struct report report = { 0 };

		str_add(&text, "a=0123456789\n");
		for (size_t k = 0; k < 5000; k++)
			str_add(&text, pieces[i / 2]);
		str_add(&text, i % 2 == 0 ? "\nbhyve -c 2 web\n" : "bhyve");
		if (command_text_read(text.text, text.length, &origin, &found, &report) != 0)
			assert_true(report.count > 0);
		command_text_free(&found);
	}
}

/* Mutates a text: cuts, doubles and replaces pieces of it. */
static char *mutated(struct dice *d, const char *text)
{
	static const char odd[] = "'\"`$(){}<>|&;\\\n #=@~\r\t-b1:";
	struct str s = { 0 };
	unsigned length = (unsigned)strlen(text);

	for (unsigned i = 0; i < length; i++) {
		unsigned roll = dice_roll(d, 60);

		if (roll == 0)
			str_add_n(&s, &odd[dice_roll(d, sizeof(odd) - 1)], 1);
		else if (roll == 1)
			str_add(&s, text + dice_roll(d, length));
		else if (roll > 2)
			str_add_n(&s, text + i, 1);
		if (s.length > 4000)
			break;
	}
	return str_take(&s);
}

static void test_mutations(void **state)
{
	size_t texts = sizeof(found_cases) / sizeof(found_cases[0]), read = 0;

	(void)state;
	for (unsigned seed = 0; seed < 5000; seed++) {
		struct dice d;
		struct command_text found;
		REPORT_AUTO struct report report = { 0 };
		int rc;

		dice_start(&d, seed);
		MEM_AUTO char *text = mutated(&d, found_cases[dice_roll(&d, (unsigned)texts)].text);

		rc = command_text_read(text, strlen(text), &origin, &found, &report);
		dice_check(&d, rc == 0 || rc == -1, "a status");
		dice_check(&d, (rc == 0) == (report.count == 0), "a report for each failure");
		dice_check(&d, rc != 0 || found.argv.count > 0, "a command");
		dice_check(&d, rc != 0 || found.line > 0, "its line");
		read += rc == 0 ? 1 : 0;
		command_text_free(&found);
	}
	assert_true(read > 500 && read < 4500);
}

/* Returns a line of pieces, with variables that the scripts of this test set. */
static char *random_line(struct dice *d)
{
	static const char *const piece[] = { "a", "b", " ", "\t", "'", "\"", "\\a", "\\ ", "\\\\",
		"\\'", "\\\"", "\\\n", "$A", "${B}", "\"$B\"", "${N:-x y}", "\"${N:-x y}\"",
		"${N-$A}", "${B:+$A c}", "${E:-d}", "${E-d}", "${E+f}", "$E", "\"$E\"", "$ ",
		"\\$A", "=", "#", "${C:=g h}", "x", " ", " " };
	struct str s = { 0 };

	for (unsigned n = 1 + dice_roll(d, 12); n > 0; n--)
		str_add(&s, piece[dice_roll(d, sizeof(piece) / sizeof(piece[0]))]);
	return str_take(&s);
}

/* Runs a script and adds what it prints; each word ends with a NUL byte. */
static void run_shell(const char *script, struct words *printed)
{
	char path[] = "/tmp/vmrun-shell.XXXXXX";
	int file = mkstemp(path), c;
	STR_AUTO struct str word = { 0 };

	assert_true(file >= 0);
	assert_int_equal(write(file, script, strlen(script)), (ssize_t)strlen(script));
	MEM_AUTO char *command = mem_format("LC_ALL=C /bin/sh %s", path);
	FILE *output = popen(command, "r");

	assert_non_null(output);
	while ((c = getc(output)) != EOF) {
		char byte = (char)c;

		if (byte == '\0')
			words_take(printed, str_take(&word));
		else
			str_add_n(&word, &byte, 1);
	}
	assert_int_equal(pclose(output), 0);
	(void)close(file);
	(void)unlink(path);
}

/* The words of bhyve are those that a shell gives it. */
static void test_as_a_shell_does(void **state)
{
	static const char set[] = "A=1\nB=' 2  3 '\nE=\nunset N C\n";
	STR_AUTO struct str script = { 0 };
	WORDS_AUTO struct words wanted = { 0 };
	WORDS_AUTO struct words got = { 0 };
	struct dice d;

	(void)state;
	dice_start(&d, 7);
	for (int i = 0; i < 2000; i++) {
		MEM_AUTO char *line = random_line(&d);
		MEM_AUTO char *text = mem_format("%sbhyve -x %s", set, line);
		REPORT_AUTO struct report report = { 0 };
		struct command_text found;

		bool has_both = strchr(line, '#') != NULL && strchr(line, '\n') != NULL;

		if (command_text_read(text, strlen(text), &origin, &found, &report) == 0 &&
		    !has_both) {
			str_addf(&script, "%sprintf '%%s\\0' bhyve -x %s\n", set, line);
			words_append(&got, &found.argv);
		}
		command_text_free(&found);
	}
	run_shell(script.text, &wanted);
	assert_true(got.count > 3000);
	for (size_t i = 0; i < wanted.count && i < got.count; i++)
		compare(
		    "a random line", i == 0 ? "" : got.item[i - 1], got.item[i], wanted.item[i]);
	assert_int_equal(got.count, wanted.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_no_words),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_as_a_shell_does),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
