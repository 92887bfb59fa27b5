# The lists of what is in examples/.
# shellcheck shell=bash disable=SC2154,SC2034 # VMRUN: CTest; status: ../cli/common.bash

# A spec and its targets.
specs=(
	'hello.lua default install'
	'readme.json default install'
	'policy.json default install rescue'
	'install-once.json default install'
	'install-cd.json default install'
	'rescue.json default rescue'
	'ab-upgrade.json default a b'
	'staged.json default firmware install configure'
	'backoff.json default previous'
	'passthru.json default without'
	'fleet.lua default'
	'window.json default'
	'shrink.json default'
	'jail/vm.json default'
)
# What is no spec of a bhyve VM: hooks, files of other programs, and the specs of tests/guests.
others=(README.md policy.svg shrink.lua jail/jail.conf jail/devfs.rules ci.lua install.lua
	keeper.c manager.c manager.lua manager.py)

export VM=web2 # for fleet.lua

# A line for each: FILE TARGET
each_target() {
	local spec file target
	for spec in "${specs[@]}"; do
		for target in ${spec#* }; do
			echo "${spec%% *} $target"
		done
	done
}

# As a user would call it, not as ../cli/common.bash does.
vmrun() {
	"$VMRUN" "$@"
}

# A run with fakebhyve; status, out and err as in ../cli/common.bash.
supervised() {
	status=0
	"$VMRUN" --no-requirement-check --run-dir "$BATS_RUN_TMPDIR/run" --state-dir "$BATS_TEST_TMPDIR.keep" "$@" >out 2>err </dev/null || status=$?
}

mems() {
	jq -r '.argv | .[index("-m") + 1]' starts | paste -sd' ' -
}

# walk_again FILE: its commands, lines that begin with "$", each with what it prints now
walk_again() {
	local line
	while IFS= read -r line; do
		[[ $line == '$ '* ]] || continue
		printf '%s\n' "$line"
		eval "${line#\$ }" 2>/dev/null
	done <"$1"
}

# --- a list of exits, simulated and run ---

# Delays of a spec are too long for a test: `quick` are the options that cut them.
walking_setup() {
	walks=0
	quick=(--set 'backoff={"initial":0.01,"factor":2,"max":0.04,"reset_after":600}')
}

# same LIST [OPTION VALUE]... FILE: both walks, each from the state in the directory `before`, agree
same() {
	local list=$1
	shift
	walks=$((walks + 1))
	rm -rf state
	[ ! -e before ] || cp -R before state
	"$WALK" --run-dir "$BATS_RUN_TMPDIR/run" --state-dir "$PWD/state" "${@:1:$#-1}" "$list" "${!#}" \
		>rows 2>err </dev/null && return
	echo "walk ${*:1:$#-1} $list ${!#}" >&2
	cat rows err >&2
	return 1
}

# same_in_time ARG...: the same of a spec with limits of a second or two; a walk in which a busy host made
# short boots longer than these is repeated
same_in_time() {
	same "$@" || same "$@" || same "$@"
}
