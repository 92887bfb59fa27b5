# Functions for all suites.  CTest sets the paths VMRUN, TEST_VMRUN (see fake_host), FAKEBHYVE, GUEST,
# PTY and SOURCE.
# shellcheck shell=bash disable=SC2034,SC2154 # read by the suites; set by bats

# shellcheck source=tools.bash
source "${BASH_SOURCE[0]%/*}/tools.bash"

# Enters a directory and makes a name that no other test has; fakebhyve is the hypervisor, and the
# firmware is empty.
common_setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	local name
	for name in $(compgen -e FAKE) $(compgen -e VMRUN_); do
		[ "$name" = FAKEBHYVE ] || unset "$name"
	done
	unset BHYVE_EXEC NOTIFY_SOCKET XDG_STATE_HOME
	export HOME=$PWD XDG_RUNTIME_DIR=$PWD LC_ALL=C
	export FAKEBHYVE_LOG=$PWD/starts FAKEBHYVE_SCRIPT=$PWD/script FAKEBHYVE_NODISK=1
	export VMRUN_BHYVE=$FAKEBHYVE
	rom=$BATS_FILE_TMPDIR/rom
	[ -e "$rom" ] || head -c 4096 /dev/zero >"$rom"
	vm=t$$-$BATS_SUITE_TEST_NUMBER
	pids=()
	unchecked=(--state-dir "$BATS_TEST_TMPDIR.keep" --no-requirement-check)
	stated=(--state-dir "$BATS_TEST_TMPDIR.keep")
	untimed=(--no-log-time)
}

# Ends the processes that a failed test left.
common_teardown() {
	kill_left "${pids[@]}"
	[ -z "${FAKEBHYVE_LOG:-}" ] || end_fakes
}

end_fakes() {
	local left
	left=$(fake_pids)
	# shellcheck disable=SC2086 # one pid a word
	kill_left $left
}

# kill_left PID...: kills these processes if they are this test's: the kernel may have given a pid to a
# process of another test by now
kill_left() {
	local pid
	for pid in "$@"; do
		is_of_test "$pid" || continue
		kill -KILL "$pid" 2>/dev/null || :
	done
}

# Returns whether a process runs in the directory of the test, or has its environment.
is_of_test() {
	[ -e /proc/self/cwd ] || return 0
	[[ $(readlink "/proc/$1/cwd")/ == "$(cd "$BATS_TEST_TMPDIR" && pwd -P)"/* ]] ||
		grep -qzxF "BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR" "/proc/$1/environ" 2>/dev/null
}

# fake_host [DIRECTORY]: makes the files of the directory the answers of the commands in tests/fake/bin
# and the /dev/vmm of TEST_VMRUN; the released program has no variable for that.
fake_host() {
	export FAKE_STATE_DIR=${1:-$PWD/state} PATH=$SOURCE/tests/fake/bin:$PATH
	VMRUN=$TEST_VMRUN
	mkdir -p "$FAKE_STATE_DIR"
}

# --- specs and runs ---

# spec [JSON] [FILE]: writes a spec of the smallest VM, with these keys merged over it
spec() {
	jq -n --arg name "$vm" --arg rom "$rom" --argjson more "${1:-"{}"}" \
		'{name: $name, cpu: 1, mem: "64M", bootrom: $rom} + $more |
			.backoff //= false | .restart_limit //= false' >"${2:-vm.json}"
}

# lua BODY: writes vm.lua, a spec of the smallest VM; BODY changes the table `vm`
lua() {
	printf 'local vm = { name = "%s", cpu = 1, mem = "64M", bootrom = "%s", backoff = false, %s' \
		"$vm" "$rom" "restart_limit = false }
$1
return vm
" >vm.lua
}

# script LINE...: sets one line for each start of fakebhyve
script() {
	printf '%s\n' "$@" >script
}

# Most tests name disks and interfaces that do not exist; tests with checks empty `unchecked`.

# Messages have no time in front, which tests of lines would trip over; tests of the time empty
# `untimed`.

# The seconds that a run of vmrun() may take.
patience=120

# vmrun ARG...: runs vmrun and sets status; stdout and stderr are in the files out and err
vmrun() {
	status=0
	timeout -k 5 "$patience" "$VMRUN" "${stated[@]}" "${unchecked[@]}" "${untimed[@]}" --run-dir "$BATS_RUN_TMPDIR/run" "$@" >out 2>err </dev/null 3>&- || status=$?
}

# start ARG...: does the same in the background, and sets pid
start() {
	: >out
	: >err
	"$VMRUN" "${stated[@]}" "${unchecked[@]}" "${untimed[@]}" --run-dir "$BATS_RUN_TMPDIR/run" "$@" >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
}

# in_session COMMAND...: runs it in a session of its own, without a terminal
in_session() {
	exec python3 -c 'import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

# ends STATUS: waits for the run in the background, which must end with the status
ends() {
	status=0
	wait "$pid" || status=$?
	is "$status" "$1"
}

# stop_again PID [SIGNAL]: sends a further stop signal, which is a request of its own once a second has
# passed since the first; the test has waited for what the first one did
stop_again() {
	sleep 1.1
	kill "-${2:-TERM}" "$1"
}

# Prints an address on loopback for servers of this test; on Linux, no other test's servers are there.
own_host() {
	if [ "$(uname)" = Linux ]; then
		echo "127.$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1))"
	else
		echo 127.0.0.1
	fi
}

# --- waiting for events, never for a time ---

# await COMMAND...: polls until the command succeeds; fails after a minute
await() {
	local tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		if [ $tries -ge 3000 ]; then
			echo "never came true: $*" >&2
			[ ! -e err ] || tail -c 10000 err >&2
			return 1
		fi
		sleep 0.02
	done
}

await_file() {
	await test -e "$1"
}

# await_text TEXT [FILE]: waits until the file (err) has the text
await_text() {
	await grep -qF -e "$1" "${2:-err}"
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

# Returns whether a process has ended: then its files are closed, also when nobody has reaped it.
has_ended() {
	is_gone "$1" || [[ $(ps -o stat= -p "$1") == Z* ]]
}

# end_left PID...: kills these processes as kill_left does, and waits until they have ended
end_left() {
	local pid
	kill_left "$@"
	for pid in "$@"; do
		await has_ended "$pid"
	done
}

# --- the words of fakebhyve ---

starts() {
	[ ! -e "$FAKEBHYVE_LOG" ] || wc -l <"$FAKEBHYVE_LOG"
}

# await_starts N: waits until N starts are logged, which the hypervisor does only after vmrun has said
# that it runs
await_starts() {
	await eval "[ \"\$(starts)\" = $1 ]"
}

fake_pids() {
	[ ! -e "$FAKEBHYVE_LOG" ] || jq .pid "$FAKEBHYVE_LOG"
}

# devices_of N: prints the devices of the N-th start as SLOT,MODEL, without the bridges
devices_of() {
	sed -n "$1p" "$FAKEBHYVE_LOG" | jq -r '.argv as $a | range($a | length) |
		select($a[.] == "-s") | $a[. + 1]' | cut -d, -f1,2 | grep -v -e hostbridge -e lpc
}

# --- checks ---

# Runs the first Python that has the validator, which the first one in PATH may lack.
python() {
	local python
	for python in python3 /usr/bin/python3 python3.11; do
		if "$python" -c 'from jsonschema import Draft202012Validator' 2>/dev/null; then
			PYTHONDONTWRITEBYTECODE=1 "$python" "$@"
			return
		fi
	done
	echo 'no python3 with jsonschema: install python3-jsonschema (FreeBSD: py311-jsonschema)' >&2
	return 1
}

# is GOT WANTED: fails unless they are equal
is() {
	[ "$1" = "$2" ] && return
	printf 'got:    %s\nwanted: %s\n' "$1" "$2" >&2
	[ ! -e err ] || tail -n 20 err | sed 's/^/err: /' >&2
	return 1
}

# has TEXT [FILE]: fails unless the file (err) has the text
has() {
	grep -qF -e "$1" "${2:-err}" && return
	printf 'missing in %s: %s\n' "${2:-err}" "$1" >&2
	tail -c 10000 "${2:-err}" >&2
	return 1
}

lacks() {
	! grep -F -e "$1" "${2:-err}" >&2
}

# Prints the last exit that vmrun reported: (cause, ...)
cause() {
	sed -n 's/.* after [^(]* (\([a-z_]*\),.*/\1/p' err | tail -n 1
}

# Checks that no hypervisor that was started is left, not even as a zombie.
nothing_runs() {
	local one
	for one in $(fake_pids); do
		is_gone "$one" || { echo "still there: $one" >&2 && return 1; }
	done
}
