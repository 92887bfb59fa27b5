#!/usr/bin/env bats
# The screen of a real guest, as gvnccapture (Debian's package gvncviewer) sees it.  The guest is a
# multiboot image of a few bytes, which colours the screen of 80 x 25 cells.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load qemu
	qemu_setup
	command -v gvnccapture >/dev/null || skip 'gvnccapture is not installed'
	image "$halt" >kernel
	mkfifo keys
}

teardown() {
	exec 9>&- || :
	common_teardown
}

halt='\xf4\xeb\xfd'                    # hlt; jmp to the hlt
reset='\x66\xba\xf9\x0c\xb0\x06\xee'$halt # mov dx, 0xcf9; mov al, 6; out dx, al

# image END: prints the image; END is its last instructions.  ../e2e/multiboot.bats explains the header.
image() {
	printf '\x02\xb0\xad\x1b\x00\x00\x01\x00\xfe\x4f\x51\xe4'
	printf '\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20\x00\x10\x00'
	printf '\xfc\xbf\x00\x80\x0b\x00'                     # cld; mov edi, 0xb8000: the text screen
	printf '\x66\xb8\x20\x40\xb9\x10\x04\x00\x00'         # mov ax, a blank on red; mov ecx, 13 * 80
	printf '\xf3\x66\xab'                                 # rep stosw
	printf '\x66\xb8\x20\x20\xb9\xc0\x03\x00\x00'         # mov ax, a blank on green; mov ecx, 12 * 80
	printf '\xf3\x66\xab'                                 # rep stosw
	printf '\x66\xba\xf8\x03\xb0\x21\xee'                 # mov dx, 0x3f8; mov al, '!'; out dx, al
	printf '%b' "$1"
}

# screen JSON: writes a spec of this guest with these keys of `graphic`
screen() {
	jq -n --arg name "$vm" --argjson graphic "$1" '{name: $name, cpu: 1, mem: "64M", com1: "stdio",
		qemu: {accel: "tcg", kernel: "kernel"}, graphic: ({port: "auto"} + $graphic),
		stop: [{do: "kill", wait: 60}], backoff: false, restart_limit: false}' >vm.json
}

# Starts the VM and sets display to its address, as VNC clients write it.
start_screen() {
	start "$@" vm.json
	await_text 'screen: vnc://'
	display=$(sed -n 's|.*screen: vnc://127.0.0.1:\([0-9]*\).*|\1|p' err)
	display=127.0.0.1:$((display - 5900))
}

# capture [PASSWORD]: takes the picture seen.png; what the client says is in the file client, its status
# in shot
capture() {
	local client
	rm -f seen.png
	: >client
	timeout -k 5 60 "$PTY" gvnccapture "$display" "$PWD/seen.png" >client 2>&1 <keys 3>&- 9>&- &
	client=$!
	pids+=("$client")
	exec 9>keys
	[ $# -eq 0 ] || await answered "$1"
	shot=0
	wait "$client" || shot=$?
	exec 9>&-
}

# answered PASSWORD: types it after the client has asked, and again, since the client drops what was
# typed before it had changed its terminal; succeeds when the client has heard from the server
answered() {
	! grep -q -e 'Connected to' -e 'Unable to connect' client || return 0
	! grep -q Password: client || printf '%s\n' "$1" >&9
	return 1
}

# colours: prints the size of seen.png, and the colours of points in each of its quarters, by row
colours() {
	python3 - seen.png <<-'END'
		import struct, sys, zlib
		data = open(sys.argv[1], "rb").read()
		assert data[:8] == b"\x89PNG\r\n\x1a\n"
		at, parts = 8, {b"IDAT": b""}
		while at < len(data):
		    size, kind = struct.unpack(">I4s", data[at:at + 8])
		    parts[kind] = parts.get(kind, b"") + data[at + 8:at + 8 + size]
		    at += size + 12
		width, height, depth, colour = struct.unpack(">IIBB", parts[b"IHDR"][:10])
		assert depth == 8 and colour in (2, 6)
		n = 3 if colour == 2 else 4
		raw, rows, before = zlib.decompress(parts[b"IDAT"]), [], bytes(width * n)
		def paeth(a, b, c):
		    return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
		for y in range(height):
		    start = y * (width * n + 1)
		    row = bytearray(raw[start + 1:start + 1 + width * n])
		    for i in range(len(row)):
		        a, b, c = (row[i - n] if i >= n else 0), before[i], (before[i - n] if i >= n else 0)
		        row[i] = (row[i] + (0, a, b, (a + b) // 2, paeth(a, b, c))[raw[start]]) & 255
		    rows.append(row)
		    before = row
		print(width, height)
		for y in height // 4, height * 3 // 4:
		    print(*(rows[y][x * n:x * n + 3].hex() for x in (width // 4, width * 3 // 4)))
	END
}

drawn='720 400
a80000 a80000
00a800 00a800'

# shows [PASSWORD]: takes pictures until one has the guest's colours, at most 20: qemu may send the first
# one from before
shows() {
	for _ in {1..20}; do
		capture "$@"
		is "$shot" 0
		[ "$(colours)" != "$drawn" ] || return 0
	done
	is "$(colours)" "$drawn"
}

@test "a picture shows what the guest drew" {
	screen '{}'
	start_screen
	await_text '!' out
	shows
	kill "$pid"
	ends 0
}

@test "the password is asked for, and a wrong one is refused" {
	screen '{"password": "top, %s1"}'
	start_screen
	await_text '!' out
	capture 'top'
	is "$shot" 1
	[ ! -e seen.png ]
	has 'Unable to connect' client
	shows 'top, %s1'
	kill "$pid"
	ends 0
	lacks 'top, %s1'
}

@test "wait holds the first boot until a client connects, and no other boot" {
	image "$reset" >kernel
	screen '{"wait": true}'
	start_screen --reboot-count 2
	has 'waiting for a viewer'
	# a VM that does not wait is through meanwhile
	jq '.name += "b" | .graphic = null' vm.json >other.json
	timeout 60 "$VMRUN" "${stated[@]}" --run-dir "$BATS_RUN_TMPDIR/run" --reboot-count 2 other.json >out2 2>err2 \
		</dev/null 3>&-
	is "$(tr -d '\r' <out2)" '!!!'
	is "$(cat out)" ''
	capture # the guest may reset before the client has the picture
	ends 0
	is "$(tr -d '\r' <out)" '!!!'
	is "$(grep -c 'after .* (reboot,' err)" 3
}
