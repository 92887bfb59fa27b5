#!/usr/bin/env bats
# examples/ci.lua with Linux guests, some of which fail in the middle.
# shellcheck disable=SC2154,SC2034 # shared with ../cli/common.bash

setup() {
	load linux
	linux_setup
}

teardown() {
	common_teardown
}

# ci ARG...: runs the matrix; results has the lines of the TAP file
ci() {
	vmrun --arg "name=$vm" --arg "matrix=$PWD/matrix.lua" --arg "tap=$PWD/tap" --arg "log=$PWD/log" \
		--set qemu.accel=tcg "$@" "$SOURCE/examples/ci.lua"
	results=$(cat tap)
}

# entry NAME [APPEND] TESTS: prints an entry of a matrix; TESTS is Lua
entry() {
	printf '{ name = "%s", append = "%s", tests = { %s }, kernel = "%s", initrd = "%s" },\n' \
		"$1" "${3:+$2}" "${3:-$2}" "$kernel" "$initrd"
}

matrix() {
	{ echo 'return {' && cat && echo '}'; } >matrix.lua
}

@test "every test of every kernel passes" {
	{ entry one '"uname -r", "[ $(hostname) = guest ]"' && entry two quiet '"true"'; } | matrix
	ci
	is "$results" "1..5
ok 1 - one: login
ok 2 - one: uname -r
ok 3 - one: [ \$(hostname) = guest ]
ok 4 - two: login
ok 5 - two: true"
	is "$status" 0
	has 'ok 5 - two: true'
	is "$(grep -c 'guest login: root' log)" 2
}

@test "a test fails, and the next one and the next kernel run all the same" {
	{ entry one '"(exit 7)", "true"' && entry two '"true"'; } | matrix
	ci
	is "$results" '1..5
ok 1 - one: login
not ok 2 - one: (exit 7) (status 7)
ok 3 - one: true
ok 4 - two: login
ok 5 - two: true'
	is "$status" 1
}

@test "the guest powers off in the middle: the first kernel, and the last one" {
	{ entry one '"poweroff -f", "true"' && entry two '"true", "poweroff -f"'; } | matrix
	ci
	is "$results" '1..6
ok 1 - one: login
not ok 2 - one: poweroff -f (poweroff)
not ok 3 - one: true (poweroff)
ok 4 - two: login
ok 5 - two: true
not ok 6 - two: poweroff -f (poweroff)'
	is "$status" 1
}

@test "the kernel panics: it stays there, and it resets" {
	{ entry stays panic=0 '"echo c >/proc/sysrq-trigger"' &&
		entry resets '"echo c >/proc/sysrq-trigger"'; } | matrix
	ci
	is "$(grep -c '^ok .* login$' tap)" 2
	is "$(grep '^not ok' tap)" 'not ok 2 - stays: echo c >/proc/sysrq-trigger (kernel panic)
not ok 4 - resets: echo c >/proc/sysrq-trigger (kernel panic)'
	is "$status" 1
}

@test "alive finds a guest that hangs" {
	entry hangs '"true", "sleep 1000000"' | matrix
	ci --set alive.every=10 --set alive.failures=2 --arg limit=1000
	is "$results" '1..3
ok 1 - hangs: login
ok 2 - hangs: true
not ok 3 - hangs: sleep 1000000 (unhealthy)'
	is "$status" 1
	is "$(cause)" unhealthy
}

@test "a test that goes on and on is ended by its limit" {
	entry busy '"while sleep 1; do echo more; done"' | matrix
	ci --arg limit=20
	is "$(tail -n 1 tap)" 'not ok 2 - busy: while sleep 1; do echo more; done (timeout)'
	is "$status" 1
}

@test "a kernel never gets ready" {
	entry silent guest=silent '"true"' | matrix
	ci --set ready.within=20
	is "$results" '1..2
not ok 1 - silent: login (not_ready)
not ok 2 - silent: true (not_ready)'
	is "$status" 1
	is "$(cause)" not_ready
}

@test "the script raises an error" {
	{ entry one '{}' && entry two '"true"'; } | matrix
	ci
	has 'ok 1 - one: login' tap
	grep -q '^not ok 2 - one: .*attempt to concatenate a table value' tap
	has 'ok 4 - two: true' tap
	is "$status" 1
}

@test "a stop by hand is no success" {
	entry one '"true", "sleep 1000000"' | matrix
	start --arg "name=$vm" --arg "matrix=$PWD/matrix.lua" --arg "tap=$PWD/tap" --arg "log=$PWD/log" \
		--set qemu.accel=tcg "$SOURCE/examples/ci.lua"
	await_text 'STATUS 0' log
	kill "$pid"
	ends 1
	is "$(tail -n 1 tap)" 'not ok 3 - one: sleep 1000000 (stopped)'
}

@test "a missing kernel" {
	{ entry one '"true"' && entry two '"true"' | sed 's/vmlinuz/nothing/'; } | matrix
	ci
	has 'ok 2 - one: true' tap
	has 'not ok 3 - two: login (check_failed)' tap
	is "$status" 1
	vmrun "$SOURCE/examples/ci.lua"
	is "$status" 65
	has 'no kernel: give --arg kernel=PATH'
}
