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
	sed -n 's/.*: target \(.*\) runs under .*/\1/p' err | paste -sd' '
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
