#!/usr/bin/env bats
# The completions: every shell reads its file, and offers every option, command and value that there is.
# shellcheck disable=SC2154 # status, output: bats

setup() {
	load ../cli/common
	common_setup
	made=$BINARY/completions
	mkdir bin
	ln -s "$VMRUN" bin/vmrun
	ln -s "$VMRUNCTL" bin/vmrunctl
	PATH=$PWD/bin:$PATH
	touch a.json b.lua c.txt
}

# options PROGRAM: what its --help lists, a line each
options() {
	"$BATS_TEST_TMPDIR/bin/$1" --help | awk '/^  (-|    --)/ {
		for (i = 1; i <= 2; i++) {
			sub(/,$/, "", $i)
			if ($i ~ /^-/)
				print $i
		}
	}' | sort
}

commands() {
	vmrunctl --help | sed -n 's/^  \([a-z-]*\) .*/\1/p' | grep . | sort
}

has_shell() {
	command -v "$1" >/dev/null || skip "there is no $1"
}

# complete_bash WORD...: what bash offers for the last word
complete_bash() {
	bash -c 'shopt -u extglob
		compopt() { :; } # only readline has an answer for it
		. "$0/$1"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		"_$1"
		printf "%s\n" "${COMPREPLY[@]}"' "$made/bash" "$@" | sort
}

@test "bash offers every option of the tables, and no other" {
	for program in vmrun vmrunctl; do
		is "$(complete_bash $program -)" "$(options $program)"
	done
	[ "$(options vmrun | wc -l)" -gt 40 ]
	[ "$(options vmrunctl | wc -l)" -gt 10 ]
}

@test "bash offers values, specs, directories and hooks" {
	mkdir dir
	is "$(complete_bash vmrun --format '')" "$(printf 'auto\njson\nlua\nucl')"
	is "$(complete_bash vmrun --format = l)" lua
	is "$(complete_bash vmrun --format =)" "$(printf 'auto\njson\nlua\nucl')"
	is "$(complete_bash vmrun '')" "$(printf 'a.json\nb.lua\nbin\ndir')"
	is "$(complete_bash vmrun -c b)" "$(printf 'b.lua\nbin')"
	is "$(complete_bash vmrun --run-dir d)" dir
	is "$(complete_bash vmrun --events c)" c.txt
	is "$(complete_bash vmrun -t '')" ''
	is "$(complete_bash vmrun --hook back)" backoff
}

@test "bash offers vmrunctl's commands and VMs in both orders" {
	mkdir -m 700 run
	spec
	script 'acpi on ready up wait exit 1'
	"$VMRUN" "${unchecked[@]}" --run-dir "$PWD/run" vm.json >out 2>err </dev/null 3>&- &
	pids+=($!)
	await_file up
	rm bin/vmrunctl
	printf '#!/bin/sh\nexec "%s" -r "%s/run" "$@"\n' "$VMRUNCTL" "$PWD" >bin/vmrunctl
	chmod +x bin/vmrunctl
	is "$(complete_bash vmrunctl '')" "$( (commands && echo "$vm") | sort)"
	is "$(complete_bash vmrunctl stop '')" "$vm"
	is "$(complete_bash vmrunctl -r run stop '')" "$vm"
	is "$(complete_bash vmrunctl "$vm" rese)" reset
	is "$(complete_bash vmrunctl "$vm" run b)" "$(printf 'b.lua\nbin')"
	is "$(complete_bash vmrunctl forget "$vm" '')" "$(printf 'ab_upgrade\ninstall_once')"
	is "$(complete_bash vmrunctl wait --state giv)" given_up
	vmrunctl "$vm" stop
	wait "${pids[0]}"
}

@test "each value that is offered is one that the program takes, and others are refused" {
	spec
	# A value is refused with 64; a spec that is none, or a VM that does not run, has another status.
	sed -n "s/^\t\(--[a-z-]*\)) .*compgen -W '\([^']*\)'.*/\1 \2/p" "$made/bash/vmrun" | grep -v '^--hook' >pairs
	[ "$(wc -l <pairs)" -ge 6 ]
	while read -r option values; do
		for file in zsh/_vmrun fish/vmrun.fish csh/vmrun.csh; do
			grep -qF -- "$values" "$made/$file"
		done
		for value in $values; do
			case $option in
			--print) set -- ;;
			--import-format) set -- --import ;;
			*) set -- -d ;;
			esac
			run "$VMRUN" "$option" "$value" "$@" vm.json </dev/null
			[ "$status" -ne 64 ] || { echo "$option $value: $output" && return 1; }
		done
		run "$VMRUN" "$option" no-such-word "$@" vm.json </dev/null
		[ "$status" -ne 0 ] || { echo "$option takes everything" && return 1; }
	done <pairs
}

@test "bash and shellcheck find no fault" {
	for program in vmrun vmrunctl; do
		bash -n "$made/bash/$program"
	done
	has_shell shellcheck
	shellcheck -s bash "$made/bash/vmrun" "$made/bash/vmrunctl"
}

@test "zsh reads its files, and they give _arguments every option" {
	has_shell zsh
	for program in vmrun vmrunctl; do
		zsh -n "$made/zsh/_$program"
		zsh -f -c '_arguments() { print -rl -- "$@" }; . "$0"' "$made/zsh/_$program" |
			sed -n 's/^\(([^)]*)\)\{0,1\}\**\(-[A-Za-z-]*\)[+=]\{0,1\}\[.*/\2/p' | sort >offered
		is "$(cat offered)" "$(options $program)"
	done
	for command in $(commands); do
		grep -q "^		'$command:" "$made/zsh/_vmrunctl"
	done
}

@test "zsh completes with them" {
	has_shell zsh
	mkdir functions
	cp "$made"/zsh/_vmrun* functions
	rm -f functions/*.help
	# A shell on a terminal of its own: TAB is what shows whether the specifications are well-formed.
	cat >drive <<-'END'
		zmodload zsh/zpty
		zpty -b shell zsh -f -i
		ask() {
			local got= line
			zpty -w shell "$1"
			while [[ $got != *"$2"* ]]; do
				zpty -r shell line || return 1
				got+=$line
			done
		}
		zpty -w shell "PS1=; fpath=(\$PWD/functions \$fpath); autoload -U compinit; compinit -D -u; echo up-\$((1+1))"
		ask '' up-2
		zpty -w -n shell $'vmrun --format l\t\n'
		ask '' 'format lua'
		zpty -d shell
	END
	timeout 60 zsh -f drive
}

@test "fish offers every option, command and value" {
	has_shell fish
	for program in vmrun vmrunctl; do
		fish -n "$made/fish/$program.fish"
		offered=$(fish -N -c ". $made/fish/$program.fish; complete -C '$program --'" | cut -f1 | sort)
		is "$offered" "$(options $program | grep '^--')"
	done
	offered=$(fish -N -c ". $made/fish/vmrunctl.fish; complete -C 'vmrunctl '" | cut -f1 | sort)
	is "$offered" "$(commands)"
	is "$(fish -N -c ". $made/fish/vmrun.fish; complete -C 'vmrun --format '" | cut -f1 | sort | tr '\n' ' ')" 'auto json lua ucl '
}

@test "tcsh takes its rules" {
	has_shell tcsh
	for program in vmrun vmrunctl; do
		rules=$(tcsh -f -c "source $made/csh/$program.csh; complete $program")
		words=$(sed -n "s,^'c/--/(\([^)]*\))/'.*,\1,p" <<<"$rules" | tr ' ' '\n' | sed 's/^/--/' | sort)
		is "$words" "$(options $program | grep '^--')"
	done
}
