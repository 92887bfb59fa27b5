#!/usr/bin/env bats
# examples/nomad: the spec in the job, filled in as Nomad would, and the job's command.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	port=$((20000 + $$ % 12000)) # Nomad's range
	job=$SOURCE/examples/nomad/vm.nomad.hcl
	mkdir -p task/local task/secrets
	echo secret >task/secrets/vnc
	: >disk.img
	rendered >task/local/vm.json
}

teardown() {
	common_teardown
}

# variable NAME: the default of a variable of the job
variable() {
	awk -v name="\"$1\"" '$1 == "variable" { found = $2 == name }
		found && $1 == "default" { gsub(/"/, "", $3); print $3 }' "$job"
}

# The text of the spec's template, with the job's variables and those of the task in it.
rendered() {
	sed -n '/<<-SPEC$/,/^ *SPEC$/p' "$job" | sed -e '1d' -e '$d' \
		-e "s,\${var.name},$vm," \
		-e "s,\${var.cpus},$(variable cpus)," \
		-e "s,\${var.mem},$(variable mem)," \
		-e "s,\${var.bridge},$(variable bridge)," \
		-e "s,\${var.disk},$PWD/disk.img," \
		-e 's,{{ env "NOMAD_IP_vnc" }},127.0.0.1,' \
		-e "s,{{ env \"NOMAD_PORT_vnc\" }},$port," \
		-e "s,{{ env \"NOMAD_SECRETS_DIR\" }},$PWD/task/secrets,"
}

# The words after -c in the job's config, with our vmrun.
command_of_job() {
	sed -n 's/^ *args *= \["-c", "\(.*\)"\]$/\1/p' "$job" | sed "s,/usr/local/sbin/vmrun,$BATS_TEST_TMPDIR/vmrun,"
}

@test "nothing is left to fill in, and it is JSON" {
	lacks '${' task/local/vm.json
	lacks '{{' task/local/vm.json
	is "$(jq -r .name task/local/vm.json)" "$vm"
	is "$(jq -c .graphic task/local/vm.json)" \
		"{\"host\":\"127.0.0.1\",\"port\":$port,\"password_file\":\"$PWD/task/secrets/vnc\"}"
}

@test "bhyve gets Nomad's port, and the same addresses everywhere" {
	"$VMRUN" -d --run-dir "$PWD/run" - <task/local/vm.json >out 2>err
	has "fbuf,rfb=127.0.0.1:$port" out
	has "virtio-blk,$PWD/disk.img" out
	has '-c cpus=2,sockets=1,cores=1,threads=2 -m 2048M' out
	has '-l com1,stdio' out
	cp out first
	(cd / && exec "$VMRUN" -d --run-dir "$BATS_TEST_TMPDIR/run" -) <task/local/vm.json >out 2>err
	cmp first out
}

@test "the job's command runs in an open directory, is vmrun itself, and heeds kill_signal" {
	chmod 777 task task/local task/secrets
	fake_host
	echo 'bridge0 up' >state/interfaces
	echo vmm.ko >state/modules
	cat >vmrun <<-END
		#!/bin/sh
		exec "$VMRUN" --run-dir "$PWD/run" --state-dir "$PWD/keep" --set bootrom="$rom" "\$@"
	END
	chmod +x vmrun
	script "acpi on ready $PWD/up print login: wait exit 1"
	(cd task && exec /bin/sh -c "$(command_of_job)") >out 2>err 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
	await_text 'runs under'
	await_text 'login:' out
	has 'member=tap' state/interfaces
	kill -s "$(sed -n 's/^ *kill_signal *= "\(.*\)"$/\1/p' "$job" | sed s/^SIG//)" "$pid"
	ends 0
	has 'pressing the power button'
	is "$(cut -d' ' -f1 state/interfaces)" bridge0
	nothing_runs
}

@test "root's vmrun refuses the spec as a file there, as the page says" {
	[ "$(id -u)" = 0 ] || skip "only root is asked, and this is user $(id -un)"
	umask 022
	chmod 777 task/local
	vmrun task/local/vm.json
	is "$status" 66
	has 'anyone may write the directory'
}

@test "the page names the statuses that the manual has" {
	for one in 3 4 10 69 70 71 75 64 65 66 126 127; do
		grep -q "^| [^|]*\b$one\b[^|]*|" "$SOURCE/examples/nomad/README.md"
		grep -q "^\.It .*\b$one\b" "$SOURCE/man/vmrun.8"
	done
}
