# Functions for the examples of a page (examples.py).
# shellcheck shell=bash

# guest LINE...: sets what the next guests do, a line each
guest() {
	printf '%s\n' "$@" >"$FAKEBHYVE_SCRIPT"
}

# checks: from now on runs check the host
checks() {
	export DOCS_CHECKS=1
}

# dry: from now on vmrun only prints the command of the first boot (-d)
dry() {
	export DOCS_DRY=1
}

# await COMMAND...: polls until the command succeeds; fails after a minute
await() {
	local tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || return 1
		sleep 0.05
	done
}

# walk SPEC [OPTION...]: builds the command of each target, and walks the policy; no hook may fail
walk() {
	local spec=$1 target targets
	shift
	targets=$(vmrun --print policy "$@" "$spec" | head -n 1)
	[ -n "$targets" ] || return 1
	for target in $targets; do
		vmrun -d "$@" -t "$target" "$spec" || return 1
	done
	vmrun --simulate reboot,triple_fault,error,poweroff "$@" "$spec" >walked 2>&1 || return 1
	cat walked
	! grep -q ' of .* failed' walked
}

# spec_of FILE: prints the spec of which the file is a whole or a part
spec_of() {
	local text
	text=$(cat "$1")
	[[ $text == '{'* ]] || text="{$text}"
	jq -s '.[0] * .[1]' base.json - <<<"$text"
}

# ucl FILE: writes the answer of the uclcmd of the tests
ucl() {
	python3 "$SOURCE/tests/docs/ucl.py" "$1" >"$1.json"
}

# compile FILE: compiles a program in C, or statements of one
compile() {
	local file=$1
	if ! grep -q '^#include' "$file"; then
		{
			printf '#include <poll.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <vmrun/vmrun.h>\n'
			echo 'int main(void)'
			echo '{'
			cat "$file"
			echo '}'
		} >"whole-$file"
		file=whole-$file
	fi
	cc -std=c11 -D_POSIX_C_SOURCE=200809L -fsyntax-only -Wall -Wextra -I"$SOURCE/include" "$file"
}

# services: makes sysrc and service work with the rc.d script, in the directories of the page
services() {
	export PATH="$SOURCE/tests/fake/rc:$PATH" RC_CONF=$DOCS/rc.conf FAKE_SYSLOG=$DOCS/syslog
	sed "s,^\. /etc/rc.subr,. $SOURCE/tests/fake/rc/rc.subr," "$SOURCE/examples/rc.d/vmrun" >"$DOCS/vmrun.rc"
	printf 'vmrun_%s\n' "dir=$PWD" "piddir=$DOCS" "rundir=$DOCS/r" "binary=$SOURCE/tests/docs/bin/vmrun" \
		"ctl=$SOURCE/tests/docs/bin/vmrunctl" daemon=daemon >"$RC_CONF"
	: >"$FAKE_SYSLOG"
}

# sysrc NAME=VALUE...: sets variables of rc.conf; /tank is in the directory of the page
sysrc() {
	local setting
	for setting; do
		printf '%s="%s"\n' "${setting%%=*}" "${setting#*=}" | sed "s,\"/tank,\"$PWD/tank,"
	done >>"$RC_CONF"
}

# service NAME COMMAND [VM]: runs the rc.d script; a console prints a line of the guest, and ends with the VM
service() {
	shift
	if [ "$1" != console ]; then
		sh "$DOCS/vmrun.rc" "$@"
		return
	fi
	sh "$DOCS/vmrun.rc" "$@" >"$DOCS/console" &
	await test -s "$DOCS/console" && sh "$DOCS/vmrun.rc" stop "$2" && wait $!
}

# daemon OPTION... COMMAND...: runs daemon(8), with files in the directories of the page
daemon() {
	local words word
	for word; do
		words+=("$(sed "s,^/var/run/,$DOCS/,; s,^/usr/local/etc/vmrun/,$PWD/," <<<"$word")")
	done
	command daemon -P "$DOCS/daemon.pid" "${words[@]}"
}
