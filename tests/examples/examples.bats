#!/usr/bin/env bats
# Every file of examples/: a command that bhyve takes, a spec by the schema, a walk as it is
# written down in walks/.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	load examples
	cd "$SOURCE/examples"
	got=$BATS_TEST_TMPDIR
}

teardown() {
	common_teardown
}

@test "each file is in a list here: a spec, or what belongs to one" {
	local file listed # those of services are in tests/pack
	listed=$(printf '%s\n' "${specs[@]%% *}" "${others[@]}" | sort -u)
	while read -r file; do
		grep -qxF "$file" <<<"$listed" || { echo "in no list of tests/examples: $file" >&2 && return 1; }
	done < <(find . -type f ! -path './guest/*' ! -path './rc.d/*' ! -path './systemd/*' ! -path './runit/*' ! -path './s6/*' ! -path './nomad/*' ! -path './prometheus/*' | sed 's,^\./,,')
	while read -r file; do
		[ -f "$file" ] || { echo "no such example: $file" >&2 && return 1; }
		[ "$file" = README.md ] || grep -qF "(${file%%/*}" README.md || [ "$file" = hello.lua ] ||
			{ echo "not in examples/README.md: $file" >&2 && return 1; }
	done <<<"$listed"
}

@test "each spec is short, and its targets are those that are tested here" {
	local spec file
	for spec in "${specs[@]}"; do
		file=${spec%% *}
		is "$(wc -l <"$file" | awk '{ print ($1 <= 55) }') $file" "1 $file"
		[[ $file == *.json ]] || continue
		is "$file $(jq -r '["default"] + (.targets // {} | keys_unsorted - ["default"]) | join(" ")' \
			"$file")" "$spec"
	done
}

@test "each target of each spec gives a command that bhyve takes" {
	local file target line
	each_target | while read -r file target; do
		vmrun -d -t "$target" "$file" >"$got/line"
		while IFS= read -r line; do
			eval "set -- $line"
			[ "$1" = "$FAKEBHYVE" ]
			FAKEBHYVE_PARSE=1 "$@" || { echo "$file, $target: $line" >&2 && return 1; }
		done <"$got/line"
	done
}

@test "each target of each spec gives a command of qemu, except where README.md says so" {
	local file target cannot=0
	while read -r file target; do
		status=0
		vmrun --hypervisor qemu -d -t "$target" "$file" >"$got/line" 2>"$got/err" || status=$?
		if [ "$file" = passthru.json ]; then
			cannot=$((cannot + 1))
			is "$file $target $status" "$file $target 65"
			has '"lookup" asks' "$got/err"
		else
			is "$file $target $status" "$file $target 0"
			grep -q '^qemu-system-' "$got/line"
		fi
	done < <(each_target)
	is "$cannot" 2
	has 'except [passthru.json](passthru.json)' README.md
}

@test "each target of each spec, resolved, is a spec by the schema" {
	local file target n=0
	"$VMRUN" --print schema >"$got/schema"
	while read -r file target; do
		n=$((n + 1))
		vmrun --print spec -t "$target" "$file" >"$got/$n.resolved"
	done < <(each_target)
	for file in *.json jail/*.json; do
		cp "$file" "$got/${file//\//-}.resolved"
	done
	python - "$got/schema" "$got"/*.resolved <<-'END'
		import json, sys
		from jsonschema import Draft202012Validator
		validator = Draft202012Validator(json.load(open(sys.argv[1])))
		for name in sys.argv[2:]:
		    validator.validate(json.load(open(name)))
	END
}

# devfs_rule_run() follows an include in a rule set, but none in a rule set that was included.
@test "the jail's devices: no rule set is included that includes others" {
	is "$(sed -n 's/^add include \$devfsrules_//p' jail/devfs.rules)" "$(printf 'hide_all\nunhide_basic\nunhide_login')"
}

@test "each spec but those of one host is one for qemu too" {
	local file target
	while read -r file target; do
		case $file in
		passthru.json | backoff.json) continue ;; # a lookup on FreeBSD; a vale switch
		esac
		vmrun --hypervisor qemu -d -t "$target" "$file" >"$got/line"
		grep -q '^qemu-system' "$got/line"
	done < <(each_target)
}

@test "each walk comes out as it is written down; UPDATE=1 writes it anew" {
	local file
	for file in "$SOURCE"/tests/examples/walks/*; do
		walk_again "$file" >"$got/${file##*/}"
		[ -z "${UPDATE:-}" ] || cp "$got/${file##*/}" "$file"
		diff -u "$file" "$got/${file##*/}"
	done
	for file in "${specs[@]%% *}"; do
		grep -q " $file\$" "$SOURCE"/tests/examples/walks/* || { echo "no walk of $file" >&2 && return 1; }
	done
}

@test "every command of README.md does what it should: none is refused" {
	local line n=0
	while IFS= read -r line; do
		case $line in
		*--simulate* | *' -d '* | *--print*) eval "${line#"${line%%[! ]*}"}" >/dev/null && n=$((n + 1)) ;;
		esac
	done < <(sed -n 's/^    [$] //p' README.md)
	[ "$n" -ge 9 ]
}

@test "fleet.lua: each machine is itself, and what is no machine is told what is" {
	local name
	for name in web1 web9 db4 ci20; do
		VM=$name vmrun -d fleet.lua
	done >"$got/commands"
	is "$(grep -o 'mac=[^ ]*' "$got/commands" | sort -u | wc -l)" 4
	is "$(grep -o 'rfb=[^ ]*' "$got/commands" | paste -sd' ' -)" \
		'rfb=127.0.0.1:5911 rfb=127.0.0.1:5919 rfb=127.0.0.1:5924 rfb=127.0.0.1:5950'
	for name in '' web web0 web10 db5 mail1 WEB1 web1x; do
		status=0
		VM=$name "$VMRUN" -d fleet.lua >"$got/out" 2>"$got/err" || status=$?
		is "$status $name" "65 $name"
		has "no machine \"$name\": set VM to one of ci1 to ci20, db1 to db4, web1 to web9" "$got/err"
	done
}

@test "shrink.lua: memory goes down with each kill, and comes back after a poweroff" {
	cd "$BATS_TEST_TMPDIR"
	spec '{"mem": "16G", "hooks": [{"use": "'"$SOURCE"'/examples/shrink.lua", "sizes": ["12G", "8G"]}]}'
	script 'signal 9' 'signal 9' 'exit 1'
	supervised --state-dir "$PWD/state" vm.json
	is "$(mems)" '16384M 12288M 8192M'
	supervised --state-dir "$PWD/state" vm.json
	is "$(mems)" '16384M 12288M 8192M 16384M'
	spec '{"hooks": [{"use": "'"$SOURCE"'/examples/shrink.lua", "sizes": ["12Gi"], "size": 1}]}'
	supervised vm.json
	is "$status" 65
	has 'hooks[0].sizes' && has 'sizes of memory' && has 'did you mean "sizes"?'
}

@test "passthru.json where the card cannot be found: boots without it, as the simulation says" {
	cd "$BATS_TEST_TMPDIR"
	fake_host "$PWD/host"
	echo 'bridge0 up' >host/interfaces
	supervised --set 'backoff={"initial":0.01}' "$SOURCE/examples/passthru.json"
	is "$status" 0
	has '10de 1c03: no such PCI device'
	has 'target without runs under bhyve'
	has 'next boot: target without in 0.01 s (on.check_failed)'
}
