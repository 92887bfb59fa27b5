# What the suites of the stock hooks share.
# shellcheck shell=bash disable=SC2154 # vm and status: ../cli/common.bash

load ../cli/common

# hooked HOOK [JSON]: a spec with this entry of `hooks`, and more keys
hooked() {
	spec "$(jq -n --argjson hook "$1" --argjson more "${2:-"{}"}" \
		'{targets: {rescue: {}, install: {}, a: {}, b: {}}, hooks: [$hook]} * $more')"
}

# booted: the targets that ran, in order
booted() {
	sed -n 's/.*: target \(.*\) runs under .*/\1/p' err | paste -sd' ' -
}

# plays LINE... -- ARG...: a run of vm.json with this script of fakebhyve
plays() {
	local lines=()
	while [ "$1" != -- ]; do
		lines+=("$1")
		shift
	done
	shift
	script "${lines[@]}"
	vmrun "$@" vm.json
}

# kept FILTER: what vmrun.state of the VM has
kept() {
	jq -cS "$1" "state/$vm/state.json"
}

# of_old HOOK: the state is what version 0.1 kept for this hook
of_old() {
	mkdir -p "state/$vm"
	cp "$SOURCE/tests/hooks/state-0.1/$1.json" "state/$vm/state.json"
}

# cannot_keep, can_keep: writing the state fails, as in a directory that is full, and works again
cannot_keep() {
	mkdir -p "state/$vm/state.json.new"
}

can_keep() {
	rmdir "state/$vm/state.json.new"
}

# ctl ARG...: sets status; what vmrunctl says is in the files said and wrong
ctl() {
	status=0
	timeout -k 5 60 "$VMRUNCTL" -r "$BATS_RUN_TMPDIR/run" --state-dir "$PWD/state" "$@" >said 2>wrong </dev/null 3>&- || status=$?
}

# refuses HOOK TEXT...: the spec is refused with these lines, each at the place of the hook
refuses() {
	hooked "$1"
	shift
	vmrun vm.json
	is "$status" 65
	is "$(grep -c '^vm.json:[0-9]*:[0-9]*: hooks\[0\]' err)" $#
	while [ $# -gt 0 ]; do
		has "$1"
		shift
	done
	is "$(starts)" ''
}
