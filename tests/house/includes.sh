#!/bin/sh
# The rules of the house that a compiler does not check: which rooms a room may include, which room
# may include Lua, which may ask for the operating system, whether CMake builds every file, and how
# long rooms, files and functions may be.
#
#	includes.sh ROOT	prints the faults in ROOT/src, one per line; status 1 if there are any

set -eu
root=$1
cd "$root"

# Each room and those that it may include, without cycles.  `api` is a public header,
# "vmrun/vmrun.h", "vmrun/event.h" or "vmrun/client.h"; src/vmrun is the program vmrun.  `own` is a name without a
# directory: a file in the directory of the file that includes it.
rules='
base: base
platform: base platform
device: base platform device
spec: base platform device spec
describe: base platform device spec describe
process: base platform spec process
script: base platform process script
target: base target
config: base platform device spec process script target config
hyper: base platform device spec hyper
shell: base platform shell
import: base platform device spec target config hyper shell import
check: base platform device spec hyper check
event: base platform event api
policy: base platform device spec hyper policy
plan: base platform script device spec target config hyper plan
ledger: base platform device spec hyper ledger
guest: base platform process spec guest
hook: base platform process script spec config event ledger guest hook
machine: base platform script device spec config hyper check process event policy plan ledger guest hook machine api
control: base platform spec config process event ledger guest hook machine control api
lib: base platform script device spec describe config hyper check process event policy plan ledger guest hook machine control import lib api
client: base platform ledger client api
cli: base cli api
vmrun: base cli own api
vmrunctl: base cli vmrunctl api
luamodule: base luamodule api
'

# Macros that distinguish operating systems, matched as whole words.
systems='__(FreeBSD|FreeBSD_kernel|FreeBSD_version|linux|linux_|gnu_linux|APPLE|MACH|NetBSD|OpenBSD'
systems="$systems|DragonFly|unix|sun|GLIBC|ANDROID|CYGWIN|MidnightBSD)(__)?"
systems="$systems|_WIN32|_GNU_SOURCE|_DEFAULT_SOURCE|_BSD_SOURCE|__BSD_VISIBLE|BSD"

check_includes() {
	find src -name '*.[chS]' | LC_ALL=C sort | RULES=$rules xargs awk '
	BEGIN {
		n = split(ENVIRON["RULES"], line, "\n")
		for (i = 1; i <= n; i++) {
			m = split(line[i], word, "[: ]+")
			if (m > 1)
				known[word[1]] = 1
			for (j = 2; j <= m; j++)
				may[word[1], word[j]] = 1
		}
	}
	function wrong(text) { printf "%s:%d: %s\n", FILENAME, FNR, text }
	FNR == 1 {
		split(FILENAME, part, "/")
		room = part[2]
		if (!(room in known))
			wrong("the room \"" room "\" is not in the rules of tests/house/includes.sh")
	}
	/^[ \t]*#[ \t]*include/ {
		name = $0
		sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
		quoted = substr(name, 1, 1) == "\""
		sub(/^["<]/, "", name)
		sub(/[">].*/, "", name)
		target = index(name, "/") > 0 ? substr(name, 1, index(name, "/") - 1) : "own"
		if (name ~ /^vmrun\/(vmrun|event|client)\.h$/)
			target = "api"
		if (name ~ /^(lua|lauxlib|lualib|luaconf)[^\/]*\.hp*$/ || name ~ /^lua[^\/]*\/.*lua.*\.h/) {
			if (room != "script" && room != "luamodule")
				wrong("only src/script and src/luamodule include " name)
		} else if (index(name, "..") > 0) {
			wrong("a way up in an include: " name)
		} else if (quoted && !((room, target) in may)) {
			wrong("src/" room " must not include \"" name "\"")
		} else if (room == "control" && target == "machine" && name != "machine/machine.h") {
			wrong("src/control sees the machine through \"machine/machine.h\" only")
		} else if (name ~ /^machine\/(cleanup|decide|draft|ending|hypervisor|prepare|recovery|stop)\.h$/ &&
		    FILENAME != "src/machine/machine.c" && FILENAME != "src/" substr(name, 1, length(name) - 1) "c") {
			wrong("a phase of the machine includes no other: src/machine/machine.c leads from one to the next")
		} else if (!quoted && (target in known || target == "api")) {
			wrong("<" name "> is ours: write \"" name "\"")
		}
	}'
}

# No directory src/vmrun may hide a public header where src is searched first.
check_api() {
	for header in vmrun.h event.h client.h; do
		[ ! -e "src/vmrun/$header" ] ||
			echo "src/vmrun/$header: hides the public header of that name"
	done
}

# The Lua module is made of public functions alone; ppoll(2), which it needs, is of POSIX since 2024.
check_systems() {
	find src -name '*.[chS]' ! -path 'src/platform/*' ! -path src/luamodule/loop.c -exec \
		grep -nE "^[[:space:]]*#.*(^|[^A-Za-z0-9_])($systems)([^A-Za-z0-9_]|\$)" /dev/null {} + |
		sed 's/$/   <- belongs in src\/platform/'
}

# CMakeLists.txt lists the files of one system as NAME_${system}.c.
check_build() {
	find src -name '*.c' | LC_ALL=C sort | awk '
	FILENAME != "-" {
		gsub(/[()]/, " ")
		for (i = 1; i <= NF; i++)
			listed[$i] = 1
		next
	}
	{
		by_system = $0
		sub(/_(linux|freebsd)\.c$/, "_${system}.c", by_system)
		if (!($0 in listed) && !(by_system in listed))
			print $0 ": not in CMakeLists.txt"
	}' CMakeLists.txt -
}

check_length() {
	find src -name '*.[chS]' -exec wc -l {} + |
		awk '$2 != "total" && $1 > 500 { printf "%s: %d lines, at most 500\n", $2, $1 }'
	find src -name '*.c' | awk -F/ '{ n[$2]++ }
		END { for (room in n) if (n[room] > 20) printf "src/%s: %d .c files, at most 20\n", room, n[room] }'
	# clang-format puts the braces of a function in the first column.
	find src -name '*.c' | LC_ALL=C sort | xargs awk '
	/^\{$/ { began = FNR }
	/^\}$/ && FNR - began > 61 {
		printf "%s:%d: a function of %d lines, at most 60\n", FILENAME, began, FNR - began - 1
	}'
}

# A socket of the library, which a program with threads may use, is closed in a child from the start.
check_sockets() {
	find src -name '*.c' ! -path 'src/vmrun/*' ! -path 'src/vmrunctl/*' -exec \
		grep -nE '(^|[^A-Za-z0-9_])(socket|socketpair)\([^"]*SOCK_' /dev/null {} + |
		grep -v SOCK_CLOEXEC | sed 's/$/   <- without SOCK_CLOEXEC/'
}

# A comment of several lines is a block: /* and */ stand on lines of their own.  clang-format breaks
# any other form when its first line is full.
check_comments() {
	find src include -name '*.[ch]' | LC_ALL=C sort | xargs awk '
	/^[ \t]*\/\* / && !/\*\// {
		printf "%s:%d: a comment of several lines has /* on a line of its own\n", FILENAME, FNR
	}'
}

# src/README.md names every room and no file that does not exist.
check_map() {
	map=src/README.md
	[ -e "$map" ] || return 0
	for room in src/*/; do
		room=${room#src/}
		grep -qF "| \`${room%/}\` |" "$map" || echo "$map: no row for the room ${room%/}"
	done
	grep -oE '`[a-z]+/[a-z_]+\.[ch]`' "$map" | tr -d '`' | sort -u | while read -r file; do
		[ -e "src/$file" ] || echo "$map: src/$file does not exist"
	done
}

wrong=$(check_includes; check_api; check_systems; check_build; check_length; check_sockets; check_comments; check_map)
if [ -n "$wrong" ]; then
	printf '%s\n' "$wrong"
	exit 1
fi
