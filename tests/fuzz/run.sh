#!/bin/sh
# Runs fuzzers, two at a time, and prints a line for each: what it has executed and reached, or what it
# has found.
#
#	run.sh BUILD [--coverage] [SECONDS [NAME...]]	60 seconds each, all fuzzers
#
# FUZZ_SEED=N makes the same choices at each run of the same program.
# Coverage in lines is printed from an hour on.  Status 1 if a fuzzer has found a fault: BUILD/fuzz/found
# has its input then.  BUILD/fuzz/corpus/NAME has the corpus that has grown, for the next run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
hour=3600

# Prints the files that are inputs of a fuzzer beside those of its corpus.
seeds() {
	case $1 in
	document) find "$root/tests/golden" "$root/examples" -name '*.json' -size -8k ;;
	import) find "$root/tests/import" -name text -o -name '*.conf' ;;
	lua) find "$root/examples" "$root/hooks" -name '*.lua' -size -8k ;;
	esac
}

# Prints the words that a fuzzer puts into its inputs.
dictionary() {
	case $1 in
	document) "$build/tests/fuzz/fuzz_words" json ;;
	lua) "$build/tests/fuzz/fuzz_words" lua ;;
	esac
	[ ! -e "$here/$1.dict" ] || cat "$here/$1.dict"
}

# Prints how many lines of its rooms a fuzzer, which has this command, executes with its whole corpus.
coverage() {
	rooms=$(sed -n '/^ \* Rooms:/,/^ \*\//{s/^ \* Rooms://;s/^ \*\/\{0,1\}//;p;}' "$here/fuzz_$1.c" | tr '\n' ' ')
	shift
	LLVM_PROFILE_FILE=$work/$name.raw "$@" -runs=0 "$work/corpus/$name" "$here/corpus/$name" >/dev/null 2>&1
	llvm-profdata merge -o "$work/$name.profile" "$work/$name.raw"
	# shellcheck disable=SC2086 # a list of files and directories
	(cd "$root" && llvm-cov export -summary-only -instr-profile="$work/$name.profile" "$program" $rooms) |
		python3 -c 'import json, sys
lines = json.load(sys.stdin)["data"][0]["totals"]["lines"]
print(", %.0f %% of %d lines" % (lines["percent"], lines["count"]))'
}

# Prints the line of a run without a fault.
summary() {
	awk -v name="$1" -v lines="$2" '
	/^#[0-9]+.* cov: / {
		for (i = 1; i < NF; i++) {
			if ($i == "cov:") edges = $(i + 1)
			if ($i == "corp:") { split($(i + 1), part, "/"); inputs = part[1] }
		}
	}
	/^stat::number_of_executed_units:/ { runs = $2 }
	/^stat::average_exec_per_sec:/ { speed = $2 }
	END {
		printf "fuzz: %s: %d executions, %d/s, %d edges, %d inputs%s\n", name, runs, speed, edges, inputs, lines
	}' "$work/$1.log"
}

# Prints what a fuzzer has found, without the lines of its progress.
report() {
	printf 'fuzz: %s: FAILED with status %s; all of it is in %s\n' "$1" "$2" "$work/$1.log"
	grep -vE '^#[0-9]|NEW_FUNC|^INFO:|^stat::|^Base64:| in fuzzer::' "$work/$1.log" | tail -n 60
	find "$work/found" -name "$1-*" | sed "s|^|fuzz: run it again with: $program |"
}

# Runs one fuzzer.
fuzz() {
	name=$1 status=0 lines=
	program=$build/tests/fuzz/fuzz_$name
	mkdir -p "$work/corpus/$name"
	rm -f "$work/found/$name"-*
	set -- "$program" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout=120 -report_slow_units=40 -rss_limit_mb=1536 \
		-print_final_stats=1 -artifact_prefix="$work/found/$name-"
	dictionary "$name" >"$work/$name.dict"
	[ ! -s "$work/$name.dict" ] || set -- "$@" -dict="$work/$name.dict"
	seeds "$name" | LC_ALL=C sort | paste -s -d , - | tr -d '\n' >"$work/$name.seeds"
	[ ! -s "$work/$name.seeds" ] || set -- "$@" -seed_inputs="@$work/$name.seeds"
	"$@" "$work/corpus/$name" "$here/corpus/$name" </dev/null >"$work/$name.log" 2>&1 || status=$?
	# A slow input is a fault, too, but does not end the fuzzer.
	if [ "$status" -ne 0 ] || [ -n "$(find "$work/found" -name "$name-*")" ]; then
		report "$name" "$status"
		return 1
	fi
	[ "$covers" = no ] || lines=$(coverage "$name" "$@")
	summary "$name" "$lines"
}

build=$(cd "$1" && pwd) covers=no
shift
if [ "${1:-}" = --coverage ]; then
	covers=yes
	shift
fi
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ "$seconds" -lt "$hour" ] || covers=yes
work=$build/fuzz
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1

if [ "${FUZZ_ONE:-}" = yes ]; then
	fuzz "$1"
	exit
fi
mkdir -p "$work/found" "$work/corpus"
# shellcheck disable=SC2046 # names without blanks
[ $# -gt 0 ] || set -- $(cd "$here" && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
flag=
[ "$covers" = no ] || flag=--coverage
# shellcheck disable=SC2086 # an option or nothing
printf '%s\n' "$@" | FUZZ_ONE=yes xargs -P 2 -n 1 "$0" "$build" $flag "$seconds"
