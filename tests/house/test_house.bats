# Tests that the checks of the house rules find violations: each test breaks a small house in one place.

rooms="base platform device spec process script config hyper check event policy plan ledger machine control lib cli vmrun vmrunctl"

setup() {
	load ../cli/tools
	cd "$BATS_TEST_TMPDIR"
	for room in $rooms; do
		mkdir -p src/$room
		printf '#include <stdio.h>\n' >src/$room/a.c
		printf 'struct %s;\n' $room >src/$room/a.h
	done
	mkdir -p include/vmrun
	printf 'int vmrun(void);\n' >include/vmrun/vmrun.h
	printf 'int event(void);\n' >include/vmrun/event.h
	touch src/platform/os_linux.c src/platform/os_freebsd.c
	printf 'add_library(x src/platform/os_${system}.c\n' >CMakeLists.txt
	for file in src/*/a.c; do printf '\t%s\n' "$file"; done >>CMakeLists.txt
	echo ')' >>CMakeLists.txt
}

rules() {
	run "$HOUSE/includes.sh" .
}

broken() {
	rules
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ "$output" == *"$1"* ]]
}

@test "a house in order" {
	rules
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "every forbidden way between rooms" {
	may() {
		case $1:$2 in
		base:base | platform:base | platform:platform) return 0 ;;
		script:base | script:platform | script:process | script:script) return 0 ;;
		device:base | device:platform | device:device) return 0 ;;
		spec:base | spec:platform | spec:device | spec:spec) return 0 ;;
		config:base | config:platform | config:script | config:device) return 0 ;;
		config:spec | config:process | config:config) return 0 ;;
		hyper:base | hyper:platform | hyper:device | hyper:spec | hyper:hyper) return 0 ;;
		check:base | check:platform | check:device | check:spec) return 0 ;;
		check:hyper | check:check) return 0 ;;
		process:base | process:platform | process:spec | process:process) return 0 ;;
		event:base | event:platform | event:event | event:api) return 0 ;;
		policy:base | policy:platform | policy:device | policy:spec) return 0 ;;
		policy:hyper | policy:policy) return 0 ;;
		plan:base | plan:platform | plan:script | plan:device | plan:spec) return 0 ;;
		plan:config | plan:hyper | plan:plan) return 0 ;;
		ledger:base | ledger:platform | ledger:device | ledger:spec) return 0 ;;
		ledger:hyper | ledger:ledger) return 0 ;;
		machine:control | machine:lib | machine:cli | machine:vmrun | machine:vmrunctl) return 1 ;;
		lib:cli | lib:vmrun | lib:vmrunctl) return 1 ;;
		machine:* | lib:*) return 0 ;;
		control:base | control:platform | control:spec | control:config) return 0 ;;
		control:process | control:event | control:ledger | control:machine) return 0 ;;
		control:control | control:api) return 0 ;;
		cli:base | cli:cli | cli:api) return 0 ;;
		vmrun:base | vmrun:cli | vmrun:api) return 0 ;;
		vmrunctl:base | vmrunctl:cli | vmrunctl:vmrunctl | vmrunctl:api) return 0 ;;
		*) return 1 ;;
		esac
	}
	for from in $rooms; do
		wanted=() n=0
		for to in $rooms api; do
			n=$((n + 1))
			name=$to/a.h
			[ $from:$to != control:machine ] || name=machine/machine.h
			[ $to != api ] || name=vmrun/vmrun.h
			printf '#  include "%s"\n' $name
			may $from $to ||
				wanted+=("src/$from/a.c:$n: src/$from must not include \"$name\"")
		done >src/$from/a.c
		rules
		[ "$output" = "$(printf '%s\n' "${wanted[@]}")" ]
		: >src/$from/a.c
	done
}

@test "headers are looked at too" {
	echo '#include "machine/a.h"' >src/base/a.h
	broken 'src/base/a.h:1: src/base must not include "machine/a.h"'
}

@test "the control socket sees the machine through its header only" {
	echo '#include "machine/machine_inside.h"' >src/control/a.c
	broken 'through "machine/machine.h" only'
	echo '#include "machine/machine.h"' >src/control/a.c
	rules
	[ "$status" -eq 0 ]
}

@test "a phase of the machine does not see another" {
	echo '#include "machine/stop.h"' | tee src/machine/a.c >src/machine/a.h
	rules
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 2 ]
	[[ "$output" == *'a phase of the machine includes no other'* ]]
	: >src/machine/a.h
	for file in stop machine; do
		mv src/machine/a.c src/machine/$file.c
		sed -i 's,src/machine/[a-z]*\.c,src/machine/'$file.c, CMakeLists.txt
		rules
		[ "$status" -eq 0 ]
		mv src/machine/$file.c src/machine/a.c
	done
}

@test "only the program vmrun includes a file beside it without its room" {
	echo '#include "a.h"' >src/vmrun/a.c
	rules
	[ "$status" -eq 0 ]
	for room in $rooms; do
		[ $room != vmrun ] || continue
		echo '#include "a.h"' >src/$room/a.c
		broken "src/$room must not include \"a.h\""
		: >src/$room/a.c
	done
}

@test "a header that hides the public one" {
	echo 'struct hidden;' >src/vmrun/vmrun.h
	broken 'src/vmrun/vmrun.h: hides the public header'
}

@test "ways around: a way up, angle brackets" {
	echo '#include "../machine/a.h"' >src/cli/a.c
	broken 'a way up'
	for name in machine/a.h vmrun/a.h vmrun/vmrun.h; do
		echo "#include <$name>" >src/cli/a.c
		broken 'is ours'
	done
}

@test "Lua is for src/script" {
	printf '#include <lua.h>\n#include <lauxlib.h>\n' >src/script/a.c
	rules
	[ "$status" -eq 0 ]
	for name in '<lua.h>' '"lua.h"' '<lauxlib.h>' '<lualib.h>' '<lua.hpp>' '<lua5.4/lua.h>'; do
		echo "#include $name" >src/config/a.c
		broken 'only src/script'
	done
}

@test "systems are for src/platform" {
	echo '#ifdef __linux__' >src/platform/a.c
	rules
	[ "$status" -eq 0 ]
	for line in '#ifdef __linux__' '#if defined(__FreeBSD__)' '#if 1 && __FreeBSD_version > 1' \
		' # elif defined __APPLE__' '#define _GNU_SOURCE' '#ifdef __GLIBC__'; do
		echo "$line" >src/machine/a.c
		broken 'src/machine/a.c:1:'
	done
}

@test "a socket that a child would inherit" {
	echo 'fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);' >src/lib/a.c
	rules
	[ "$status" -eq 0 ]
	echo 'fd = socket(AF_UNIX, SOCK_STREAM, 0);' >src/lib/a.c
	broken 'src/lib/a.c:1:'
	echo 'if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)' >src/lib/a.c
	broken 'without SOCK_CLOEXEC'
}

@test "a file that is not built" {
	touch src/machine/b.c
	broken 'src/machine/b.c: not in CMakeLists.txt'
}

@test "a file that is too long" {
	yes '' | head -n 500 >src/machine/a.c
	rules
	[ "$status" -eq 0 ]
	echo >>src/machine/a.c
	broken 'src/machine/a.c: 501 lines'
}

@test "a function that is too long" {
	{ printf 'int f(void)\n{\n' && yes '' | head -n 60 && echo '}'; } >src/machine/a.c
	rules
	[ "$status" -eq 0 ]
	sed -i '2a\\' src/machine/a.c
	broken 'src/machine/a.c:2: a function of 61 lines'
}

@test "a room of too many files" {
	for i in $(seq 2 20); do touch "src/machine/$i.c" && echo "src/machine/$i.c" >>CMakeLists.txt; done
	rules
	[ "$status" -eq 0 ]
	touch src/machine/21.c && echo src/machine/21.c >>CMakeLists.txt
	broken 'src/machine: 21 .c files'
}

@test "a comment of several lines that is no block" {
	printf '/*\n * Two\n * lines.\n */\n/* One. */\n' >src/machine/a.c
	rules
	[ "$status" -eq 0 ]
	printf '\t/* One.\n\t */\n' >>src/machine/a.c
	broken 'src/machine/a.c:6: a comment'
	sed -i 's,^\t/\* One,\t/* Two\n\t * lines,' src/machine/a.c
	broken 'src/machine/a.c:6: a comment'
}

@test "an unknown room" {
	mkdir src/attic
	echo 'struct attic;' >src/attic/a.h
	broken 'the room "attic"'
}

@test "a map that is out of date" {
	for room in src/*/; do room=${room#src/} && echo "| \`${room%/}\` | |"; done >src/README.md
	rules
	[ "$status" -eq 0 ]
	echo 'It is in `base/b.c`, and that in `base/a.c`.' >>src/README.md
	broken 'src/README.md: src/base/b.c does not exist'
	sed -i '$d; /`plan`/d' src/README.md
	broken 'src/README.md: no row for the room plan'
}

@test "a header that does not compile alone" {
	run "$HOUSE/headers.sh" . "$CC"
	[ "$status" -eq 0 ]
	echo 'size_t length(void);' >src/base/a.h
	run "$HOUSE/headers.sh" . "$CC"
	[ "$status" -eq 1 ]
	[[ "$output" == *"base/a.h does not compile alone"* ]]
	echo 'struct twice { int a; };' >src/base/a.h
	run "$HOUSE/headers.sh" . "$CC"
	[ "$status" -eq 1 ]
}

@test "a page on security that names a test that does not exist" {
	mkdir -p docs tests/cli
	for n in $(seq 20); do
		echo "@test \"attack $n\" {" >>tests/cli/a.bats
		echo "| \`tests/cli/a.bats\`, \"attack $n\" |" >>docs/security.md
	done
	"$HOUSE/security.sh" .
	echo '`tests/cli/a.bats`, "attack"' >>docs/security.md
	run "$HOUSE/security.sh" .
	[ "$status" -eq 1 ]
	[ "$output" = 'docs/security.md: tests/cli/a.bats has no test "attack"' ]
	echo '`tests/cli/b.bats`' >docs/security.md
	run "$HOUSE/security.sh" .
	[ "$status" -eq 1 ]
}

@test "phrases that messages and pages must not contain" {
	mkdir -p lua hooks man docs examples include
	echo 'A page.' >README.md
	"$HOUSE/english.sh" .
	local phrase
	for phrase in 'the VM'"'"'s folder' 'the old one stays'; do
		echo "$phrase" >docs/page.md
		run "$HOUSE/english.sh" .
		[ "$status" -eq 1 ]
		[[ "$output" == *"docs/page.md:1:$phrase"* ]]
		rm docs/page.md
	done
	echo 'char *text = "\"%s\" is no size"; /* "the spec was read again" */' >src/base/a.c
	run "$HOUSE/english.sh" .
	[ "$status" -eq 1 ]
	[[ "$output" == *'invalid size'*'a sentence with a subject'* ]]
}
