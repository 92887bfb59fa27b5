#!/usr/bin/env bats
# The user's own words for qemu, and vmrun's printed command.
# shellcheck disable=SC2154 # vm, pid, status and SOURCE: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	rom
}

teardown() {
	common_teardown
}

letters() {
	printf -- '-fw_cfg\nname=opt/vmrun/rom,string=%s\n' "$1"
}

# crashes WORD...: the guest crashes, and is known to have crashed, with these words for qemu
crashes() {
	local -a script
	mapfile -t script < <(letters t)
	vmrun vm.json -- "${script[@]}" "$@"
	[ "$status" = 3 ] || printf '%s\n' "$*" >&2
	is "$status" 3
	is "$(cause)" triple_fault
}

@test "vmrun knows each option of qemu's own list" {
	local option
	qemu-system-x86_64 -help | grep -oE '^--?[a-zA-Z][a-z0-9A-Z_-]*(/-[a-z]+)?' | tr / '\n' |
		sort -u >options
	[ "$(wc -l <options)" -gt 100 ]
	while read -r option; do
		vmrun -d vm.json -- "$option" value
		[ "$status" = 0 ] || [ "$status" = 65 ]
		lacks 'does not know'
		[ "$status" = 0 ] || has "qemu: "
	done <options
}

@test "the words that qemu takes leave a crash a crash" {
	truncate -s 1M disk.img
	crashes -d int -D int.log
	crashes -d guest_errors,unimp -trace 'pci*' -name other,process=other -no-reboot -nographic \
		-nodefaults -no-user-config -msg timestamp=on,guest-name=on -overcommit cpu-pm=off
	crashes -m 128 -smp 4,sockets=2 -cpu qemu64 -machine smm=off -boot menu=on,order=c -k de \
		-uuid 00000000-0000-0000-0000-000000000001 -rtc clock=vm -global isa-serial.wakeup=off
	crashes -action panic=pause -watchdog-action pause -seed 7 -icount shift=1 -pidfile qemu.pid \
		-monitor none -qmp unix:qmp.sock,server=on,wait=off -chardev null,id=mine -mon chardev=mine \
		-device isa-debug-exit -device pvpanic -object rng-builtin,id=rng -usb -vga std -only-migratable
	crashes -drive file=disk.img,if=virtio,format=raw -netdev user,id=net \
		-device e1000,netdev=net -nic none -serial none -parallel null -display none -vnc none \
		-smbios type=1,sku=x -fw_cfg name=opt/other,string=y -sandbox on -accel tcg,thread=single \
		-device virtio-rng-pci,id=mine -set device.mine.addr=9
	has 'pci 0:9:0 1af4:1005' out
	is "$(stat -c %s disk.img)" 1048576
}

@test "qemu.machine may begin with the type" {
	rom '{"qemu": {"accel": "tcg", "machine": "q35,hpet=off"}}'
	crashes
}

@test "-d and -D: the user's log has what the user asked for, and no more" {
	crashes -d int
	has 'qemu: Triple fault'
	has 'v=08'
	lacks 'CPU Reset'
	crashes -d int -D int.log
	has 'Triple fault' int.log
	has 'v=08' int.log
	lacks 'CPU Reset' int.log
	lacks 'v=08'
	crashes -d cpu_reset -D reset.log
	has 'CPU Reset' reset.log
	crashes -trace 'pci*,file=trace.log'
	has 'pci_' trace.log
	has 'Triple fault' trace.log
	# what no one has asked for stays with vmrun
	crashes
	lacks 'Triple fault'
	# as under qemu alone, a start empties the file
	printf 'of an earlier boot\n' >int.log
	crashes -d int -D int.log
	lacks 'of an earlier boot' int.log
}

@test "-D with a file that cannot be written: the VM does not start, and the reason is told" {
	local -a script
	mapfile -t script < <(letters p)
	vmrun vm.json -- "${script[@]}" -D no/such/file
	is "$status" 4
	has 'could not start the VM: cannot write the hypervisor'
	has 'no/such/file: No such file or directory'
	mkfifo fifo
	vmrun vm.json -- "${script[@]}" -D fifo
	is "$status" 4
	has 'fifo: no program reads this FIFO'
}

@test "-D with a full disk: one warning, and the guest goes on" {
	[ -c /dev/full ] || skip 'there is no /dev/full'
	crashes -d in_asm -D /dev/full
	is "$(grep -c 'cannot write the log to /dev/full: No space left on device' err)" 1
}

@test "-S: a monitor starts the guest, not vmrun" {
	local -a script
	mapfile -t script < <(letters p)
	start vm.json -- "${script[@]}" -S -monitor unix:monitor.sock,server=on,wait=off
	await_text 'runs under qemu'
	await test -S monitor.sock
	python3 - <<-'P'
		import socket
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(60)
		s.connect("monitor.sock")
		def ask(command):
		    text = b""
		    s.sendall(command)
		    while not text.rstrip().endswith(b"(qemu)") or b"VM status" not in text:
		        part = s.recv(4096)
		        if not part:
		            break
		        text += part
		    return text
		assert b"paused" in ask(b"info status\n")
		s.sendall(b"cont\n")
		# qemu may drop what it has not read yet of a client that is gone
		try:
		    while s.recv(4096):
		        pass
		except ConnectionResetError:
		    pass
	P
	ends 0
	is "$(cause)" poweroff
	has 'powering off' out
}

@test "-monitor stdio: the monitor has vmrun's stdin and stdout" {
	local -a script
	mapfile -t script < <(letters w)
	rom '{"com1": null}'
	status=0
	printf 'info status\nquit\n' | timeout -k 5 120 "$VMRUN" "${stated[@]}" --run-dir \
		"$BATS_RUN_TMPDIR/run" vm.json -- "${script[@]}" -monitor stdio >out 2>err || status=$?
	is "$status" 0
	has 'VM status: ' out
	is "$(cause)" poweroff
	vmrun --events - vm.json -- -monitor stdio
	is "$status" 64
}

@test "what would take the guest out of vmrun's hands is refused with the reason" {
	vmrun vm.json -- -daemonize -no-shutdown
	is "$status" 65
	has '--: qemu: -daemonize: qemu would leave vmrun'
	has '--: qemu: -no-shutdown: qemu would stay after a power-off'
	rom '{"qemu": {"accel": "tcg", "args": ["-snapshot"]}}'
	vmrun vm.json
	is "$status" 65
	has 'qemu.args: qemu: -snapshot: '
}

# pasted ARG...: runs the printed command by a shell, in another directory
pasted() {
	"$VMRUN" -d "$@" >line 2>notes
	is "$(wc -l <line)" 1
	mkdir -p elsewhere
	status=0
	(cd elsewhere && timeout -k 5 120 sh ../line) >out 2>err </dev/null || status=$?
	sed -i 's/\r$//' out
}

@test "the printed command runs in a shell" {
	truncate -s 1M 'a disk,1.img'
	rom '{"cpu": 2, "emulations": [{"device": "virtio-blk", "path": "a disk,1.img", "slot": 5},
		{"device": "virtio-net", "type": "slirp", "name": "slirp"}]}'
	pasted vm.json -- -fw_cfg 'name=opt/vmrun/rom,string=p' -d int -D int.log
	is "$status" 0
	is "$(cat err)" ''
	is "$(cat notes)" ''
	has 'pci 0:5:0 1af4:1001' out
	has 'cpus 2' out
	has 'powering off' out
	has 'v=' elsewhere/int.log
}

@test "what a printed command lacks is named" {
	rom '{"varfile": "vars.fd", "varfile_template": "/template.fd",
		"graphic": {"password": "secret", "wait": true},
		"tpm": {"type": "swtpm", "path": "tpm.sock", "managed": true}}'
	vmrun -d vm.json
	is "$status" 0
	has "$PWD/vars.fd is made by a run from /template.fd, if it is missing"
	has 'a run holds the guest until the first VNC client connects'
	has "$PWD/tpm.sock is the socket of swtpm, which a run starts"
	has 'secret is written when the VM runs: the password'
	lacks ' -S ' out
	lacks 'fd=' out
	rom '{"gdb": "w1234"}'
	vmrun -d vm.json
	has ' -S ' out
}

@test "two processors: qemu warns of nothing" {
	rom '{"cpu": 2}'
	guest p
	is "$status" 0
	has 'cpus 2' out
	lacks warning
	lacks hyperthreading
}
