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
