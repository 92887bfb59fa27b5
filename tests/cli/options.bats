#!/usr/bin/env bats
# The command line, and dry runs.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load common
	common_setup
}

teardown() {
	common_teardown
}

# usage_error TEXT ARG...: checks for status 64, the reason and the usage on stderr, nothing on stdout
usage_error() {
	local text=$1
	shift
	vmrun "$@"
	is "$status" 64
	has "$text"
	has 'usage: vmrun'
	[ ! -s out ]
	is "$(starts)" ''
}

@test "wrong options, no FILE, two FILEs: usage, 64" {
	spec
	usage_error 'missing FILE'
	usage_error 'unknown option --nope' --nope vm.json
	local name
	name=$(printf 'x%.0s' {1..64})
	usage_error "unknown option --$name" "--$name" vm.json
	usage_error "unknown option --$name" "--${name}y" vm.json
	lacks "${name}y" err
	usage_error 'unknown option -q' -q vm.json
	usage_error 'unknown option -q' -dq vm.json
	usage_error 'one FILE only, got "vm.json" and "vm2.json"' vm.json vm2.json
	usage_error 'one FILE only' -c vm.json vm2.json
	usage_error 'one FILE only' vm2.json -c vm.json
	usage_error 'needs NAME' vm.json -t
	usage_error '--set needs KEY=VALUE' vm.json --set
	usage_error '--dry-run takes no value' --dry-run=yes vm.json
	usage_error 'invalid --reboot-count' --reboot-count two vm.json
	usage_error 'invalid --reboot-count' --reboot-count -1 vm.json
	usage_error '--print takes' --print nonsense vm.json
	usage_error '--exit-status takes guest' --exit-status host vm.json
	vmrun --bhyve /a --qemu /b vm.json
	is "$status" 64
	has '--bhyve and --qemu are both given: choose one with --hypervisor'
}

@test "two options that say what to do in place of a run: 64, unless they say the same" {
	spec
	usage_error '--check and --dry-run exclude each other' -d -n vm.json
	usage_error '--check and --print exclude each other' -n --print spec vm.json
	usage_error '--dry-run and --debug exclude each other' -d --debug vm.json
	usage_error '--dry-run and --print exclude each other' -d --print graph vm.json
	usage_error '--debug and --print exclude each other' --debug --print policy vm.json
	usage_error '--check and --print exclude each other' --check --print schema
	usage_error '--simulate and --dry-run exclude each other' --simulate 0 -d vm.json
	usage_error '--check and --simulate exclude each other' --simulate 0 -n vm.json
	usage_error '--import and --dry-run exclude each other' --import web.conf -d
	vmrun -d --print argv vm.json
	is "$status" 0
	vmrun --debug --print spec vm.json
	is "$status" 0
}

@test "wrong values of options: 64" {
	spec
	vmrun --format toml -d vm.json
	is "$status" 64
	has '"toml"'
	vmrun --hypervisor xen -d vm.json
	is "$status" 64
	has '"xen"'
	vmrun --reboot-on sometimes -d vm.json
	is "$status" 64
	has 'invalid cause or status "sometimes"'
	vmrun --set mem -d vm.json
	is "$status" 64
	has 'KEY=VALUE'
}

@test "an empty value is a usage error that names the option" {
	spec
	local option
	while read -r option; do
		usage_error "$option needs " "$option" '' vm.json
		has ', got ""'
	done < <("$VMRUN" -h | sed -n 's/^  \(-.,\)\{0,1\} *\(-[-a-zA-Z]*\) [A-Z].*/\2/p' | grep -v reboot-on)
	usage_error '--bhyve needs PATH, got ""' --bhyve= vm.json
	usage_error '-p needs FILE, got ""' -p '' vm.json
	usage_error '--config needs FILE, got ""' -c '' vm.json
	usage_error 'FILE is "": name the spec' ''
	usage_error 'FILE is "": name the spec' -d vm.json ''
	VMRUN_BHYVE='' BHYVE_EXEC='' VMRUN_QEMU='' VMRUN_HYPERVISOR='' vmrun -d vm.json
	is "$status" 0
	vmrun -d --reboot-on '' vm.json
	is "$status" 0
}

@test "a wrong hypervisor in the environment: 64, and the variable is named" {
	spec
	export VMRUN_HYPERVISOR=behyve
	usage_error 'the environment variable VMRUN_HYPERVISOR takes bhyve, qemu or auto, got "behyve", did you mean "bhyve"?' -d vm.json
	vmrun --hypervisor bhyve -d vm.json
	is "$status" 0
	vmrun --bhyve /b -d vm.json
	is "$status" 0
	vmrun --print schema
	is "$status" 0
}

@test "-h and -V: stdout, 0" {
	local option
	for option in -h --help; do
		vmrun $option
		is "$status" 0
		has 'usage: vmrun' out
		for word in --config --target --dry-run --debug --print --set --no-reboot \
			--reboot-count --reboot-on --hypervisor --bhyve --qemu -p -P --exit-status; do
			has "$word" out
		done
		[ ! -s err ]
	done
	for option in -V --version; do
		vmrun $option
		is "$status" 0
		grep -qE '^vmrun [0-9]+\.[0-9]+' out
		[ ! -s err ]
	done
}

@test "the spec: FILE, -c FILE, -cFILE, --config, and stdin in every spelling" {
	spec
	vmrun -d vm.json
	is "$status" 0
	mv out wanted
	for words in '-c vm.json' '-cvm.json' '--config vm.json' '--config=vm.json' '-dcvm.json'; do
		# shellcheck disable=SC2086 # two words
		vmrun -d $words
		is "$status" 0
		cmp out wanted
	done
	for words in - -c- '-c -' '--config -' --config=-; do
		# shellcheck disable=SC2086
		"$VMRUN" -d $words <vm.json >out 2>err
		cmp out wanted
	done
	printf '\xef\xbb\xbf \n\t' | cat - vm.json | "$VMRUN" -d - >out
	cmp out wanted
	lua ''
	"$VMRUN" -d - <vm.lua >out
	cmp out wanted
}

@test "the format: extension, then content, then --format" {
	spec '{}' spec.anything
	vmrun -d spec.anything
	is "$status" 0
	cp spec.anything wrong.lua
	vmrun -d wrong.lua
	is "$status" 65
	vmrun -d --format json wrong.lua
	is "$status" 0
	lua ''
	cp vm.lua plain
	vmrun -d plain
	is "$status" 0
	cp vm.lua wrong.json
	vmrun -d wrong.json
	is "$status" 65
	vmrun -d --format=lua wrong.json
	is "$status" 0
	vmrun -d --format auto plain
	is "$status" 0
}

@test "words after -- go to the hypervisor, before the name" {
	spec
	vmrun vm.json -- -x -o 'a.b=c d'
	is "$status" 0
	is "$(jq -r '.argv[-4:] | join("|")' starts)" "-x|-o|a.b=c d|$vm"
	vmrun -d vm.json --
	is "$status" 0
	vmrun -d vm.json -- -d --nope vm2.json
	is "$status" 0
	has "-d --nope vm2.json $vm" out
}

@test "--set overrules keys of the merged spec" {
	spec '{"emulations": [{"device": "virtio-blk", "path": "a.img"}],
		"targets": {"big": {"mem": "2G"}}}'
	vmrun --debug -t big --set cpu.cores=2 --set cpu.threads=1 --set cpu.sockets=3 vm.json
	is "$status" 0
	is "$(jq -c .cpu out)" '{"threads":1,"cores":2,"sockets":3}'
	vmrun --debug -t big --set mem=128M --set 'cpu={"cores":2,"threads":1,"sockets":1}' \
		--set 'emulations[0].path=b c.img' --set emulations.0.ro=true --set com1=stdio vm.json
	is "$status" 0
	is "$(jq -c '[.mem, .cpu.cores, .com1, .emulations[0].path, .emulations[0].ro]' out)" \
		"[134217728,2,\"stdio\",\"$PWD/b c.img\",true]"
	vmrun -d --set memm=1G vm.json
	is "$status" 65
	has 'did you mean "mem"?'
	vmrun -d --set mem=much vm.json
	is "$status" 65
	has 'mem'
}

@test "--set of a device that only a target has holds in that target" {
	spec '{"emulations": [{"device": "virtio-blk", "path": "a.img"}],
		"targets": {"install": {"emulations": [{"device": "ahci-cd", "path": "cd.iso"}]}}}'
	vmrun --debug -t install --set 'emulations[1].path=other.iso' vm.json
	is "$status" 0
	is "$(jq -r '.emulations[].path' out)" "$PWD/a.img"$'\n'"$PWD/other.iso"
	vmrun --debug --set 'emulations[1].path=other.iso' vm.json
	is "$status" 0
	is "$(jq -r '.emulations[].path' out)" "$PWD/a.img"
	vmrun --debug --set 'emulations[2].path=other.iso' vm.json
	is "$status" 65
	has 'emulations[2]: emulations has 1 entries, counted from 0'
	has 'emulations[2]: in target install: emulations has 2 entries, counted from 0'
}

@test "--debug is the resolved spec in JSON: target merged, defaults and slots filled in" {
	spec '{"emulations": [{"device": "virtio-blk", "path": "a.img"}],
		"targets": {"install": {"mem": "2G", "next_target": "default",
			"emulations": [{"device": "ahci-cd", "path": "cd.iso"}]}}}'
	vmrun --debug -t install vm.json
	is "$status" 0
	[ ! -s err ]
	is "$(jq -c '[.name, .mem, .next_target, .utc_clock, (.emulations | map(.slot))]' out)" \
		"[\"$vm\",2147483648,\"default\",true,[\"0:1:0\",\"0:2:0\"]]"
	mv out wanted
	vmrun --print spec -t install vm.json
	cmp out wanted
	# The output is a spec with the same meaning.
	cp wanted again.json
	vmrun --debug again.json
	is "$status" 0
	cmp out wanted
	is "$(starts)" ''
}

# splits ARG...: checks that sh splits the output of -d into the argv of a run
splits() {
	rm -f starts
	vmrun -d "$@"
	is "$status" 0
	is "$(wc -l <out)" 1
	is "$(starts)" ''
	# The user's shell would make these words; each ends with a NUL here.
	sh -c "printf '%s\\0' $(cat out)" >printed
	vmrun "$@"
	is "$status" 0
	jq -j '.argv | map(. + "\u0000") | add' starts >used
	cmp printed used
}

@test "-d prints one line that sh splits into the argv of a run" {
	mkdir 'o d' || return 1
	cp "$FAKEBHYVE" "o d/b'h\$(x)yve"
	spec '{"com2": "/dev/nmdm\"A", "emulations": [
		{"device": "virtio-blk", "path": "a b.img"},
		{"device": "virtio-blk", "path": "it'"'"'s $HOME `ls` \\ * ? [a] {b,c}"},
		{"device": "virtio-blk", "path": "-s"},
		{"device": "ahci-cd", "path": "comma, 100% = ~ # ; & | < > ! ( ).iso", "ser": "x"},
		{"device": "ahci-hd", "path": "tab\there newline\nthere"},
		{"device": "virtio-blk", "path": "grün ☃.img"},
		{"device": "virtio-console", "ports": ["con sole"]}],
		"extra_options": ["-w", "a\"b"]}'
	# bhyve would not accept all of this; the test compares only the words.
	export FAKEBHYVE_PARSE=1
	local same=0
	vmrun -d --bhyve "o d/b'h\$(x)yve" vm.json
	is "$status" 0
	is "$(wc -l <out)" 1 # also with the newline of a path
	sh -c "printf '%s\\0' $(cat out)" >printed
	vmrun --bhyve "o d/b'h\$(x)yve" vm.json
	jq -j '.argv | map(. + "\u0000") | add' starts >used
	cmp printed used || same=1
	is $same 0
}

@test "-d prints one line, for ordinary paths, and the line runs" {
	spec '{"com1": "stdio", "emulations": [{"device": "virtio-blk", "path": "a b'"'"'$c.img"}]}'
	splits vm.json
	splits vm.json -- -w -x
	rm starts
	script 'print it_runs exit 3'
	vmrun -d vm.json
	status=0
	sh -c "$(cat out)" >said || status=$?
	is "$status" 3
	is "$(cat said)" 'it runs'
}

@test "--print argv and --dry-run are -d" {
	spec
	vmrun -d vm.json
	mv out wanted
	vmrun --print argv vm.json
	cmp out wanted
	vmrun --print=argv vm.json
	cmp out wanted
	vmrun --dry-run vm.json
	cmp out wanted
}

@test "results go to stdout, messages to stderr" {
	lua 'vmrun.log("warning", "read twice"); print("hello")'
	vmrun -d vm.lua
	is "$status" 0
	is "$(wc -l <out)" 1
	has 'warning: read twice'
	has 'hello'
	script 'exit 1'
	vmrun vm.lua
	is "$status" 0
	[ ! -s out ]
	has 'the guest powered off'
}

@test "output that cannot be written is an error" {
	[ -e /dev/full ] || skip 'no /dev/full'
	spec
	status=0
	"$VMRUN" -d vm.json >/dev/full 2>err || status=$?
	is "$status" 71
	has 'cannot write to stdout'
}

@test "the hypervisor: options before the environment; a program chooses it" {
	spec
	unset VMRUN_BHYVE
	word() {
		local wanted=$1
		shift
		env "$@" "$VMRUN" "${options[@]}" -d vm.json >out 2>err
		is "$(cut -d' ' -f1 out)" "$wanted"
	}
	options=()
	word bhyve A=
	word qemu-system-x86_64 VMRUN_HYPERVISOR=qemu
	word /some/bhyve VMRUN_BHYVE=/some/bhyve
	word /some/bhyve BHYVE_EXEC=/some/bhyve
	word /some/bhyve BHYVE_EXEC=/other VMRUN_BHYVE=/some/bhyve
	word bhyve BHYVE_EXEC= VMRUN_BHYVE=
	word /some/qemu VMRUN_QEMU=/some/qemu
	word /some/qemu VMRUN_QEMU=/some/qemu VMRUN_BHYVE=/b VMRUN_HYPERVISOR=qemu
	word bhyve VMRUN_QEMU=/some/qemu VMRUN_HYPERVISOR=bhyve
	options=(--bhyve /my/bhyve)
	word /my/bhyve VMRUN_HYPERVISOR=qemu VMRUN_QEMU=/some/qemu VMRUN_BHYVE=/b
	options=(--qemu=/my/qemu)
	word /my/qemu VMRUN_BHYVE=/b BHYVE_EXEC=/c
	options=(--hypervisor qemu)
	word qemu-system-x86_64 VMRUN_BHYVE=/b
	word /some/qemu VMRUN_BHYVE=/b VMRUN_QEMU=/some/qemu
	options=(--hypervisor auto)
	word bhyve A=
	options=(--hypervisor qemu --bhyve /my/bhyve)
	word qemu-system-x86_64 A=
}

@test "programs of both hypervisors in the environment: each has its own" {
	spec
	VMRUN_QEMU=/some/qemu vmrun -d vm.json
	is "$(cut -d' ' -f1 out)" "$FAKEBHYVE"
}

@test "paths are relative to the spec's directory; from stdin to the working directory" {
	mkdir sub
	spec '{"emulations": [{"device": "virtio-blk", "path": "disk.img"}]}' sub/vm.json
	vmrun -d sub/vm.json
	has "0:1:0,virtio-blk,$PWD/sub/disk.img " out
	"$VMRUN" -d - <sub/vm.json >out
	has "0:1:0,virtio-blk,$PWD/disk.img " out
}

@test "a dry run touches nothing and needs no host" {
	unset FAKEBHYVE_NODISK VMRUN_BHYVE
	spec '{"bootrom": "/no/such/rom", "varfile": "vars.fd", "com1": "/dev/nmdm7A", "emulations": [
		{"device": "virtio-blk", "path": "/no/such/disk"},
		{"device": "virtio-net", "name": "tap77"},
		{"device": "virtio-console", "ports": ["sock"]}]}'
	touch sock
	# name, size, inode and times of all files
	stat -c '%n %s %i %y %z' vm.json sock >before
	PATH=/nowhere "$VMRUN" -d -p pid -P pid2 vm.json >out 2>err
	stat -c '%n %s %i %y %z' vm.json sock | cmp - before
	is "$(find . -mindepth 1 | sort | paste -sd' ' -)" './before ./err ./out ./sock ./vm.json'
}

@test "the original's example works unchanged" {
	cp "$SOURCE/examples/readme.json" .
	vmrun -d readme.json
	is "$status" 0
}

@test "--debug shows the firmware that is chosen by default" {
	echo '{"name":"a","cpu":1,"mem":"64M"}' >vm.json
	vmrun --debug --set bhyve.release=14 vm.json
	is "$status" 0
	is "$(basename "$(jq -r .bootrom out)")" BHYVE_UEFI.fd
}

@test "-d with a closed stdout is an error" {
	spec
	status=0
	"$VMRUN" -d vm.json >&- 2>err || status=$?
	is "$status" 71
	has 'cannot write to stdout'
}

@test "both pids in one file: 64" {
	spec
	vmrun -p pid -P pid vm.json
	is "$status" 64
	[ ! -e pid ]
}
