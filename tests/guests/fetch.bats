#!/usr/bin/env bats
# Tests fetch.sh with an apt-get of its own: no network is used.

setup() {
	cd "$BATS_TEST_TMPDIR" || exit 1
	mkdir bin
	printf '#!/bin/sh\necho "  Depends: linux-image-1"\n' >bin/apt-cache
	chmod 755 bin/apt-cache
}

# apt_get SCRIPT: makes the apt-get that fetch.sh finds
apt_get() {
	printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>"%s/asked"\n%s\n' "$PWD" "$1" >bin/apt-get
	chmod 755 bin/apt-get
}

fetch() {
	status=0
	PATH=$PWD/bin:$PATH sh "$SOURCE/tests/guests/fetch.sh" guests env 2>err || status=$?
}

@test "a download that is stopped leaves no files" {
	apt_get "kill -TERM \$(cat '$PWD/pid')"
	status=0
	PATH=$PWD/bin:$PATH sh -c 'echo $$ >pid; exec sh "$0" guests' "$SOURCE/tests/guests/fetch.sh" || status=$?
	[ -s asked ]
	[ "$status" -ne 0 ]
	[ -z "$(ls guests)" ]
}

@test "without a network apt-get is asked not to retry, an older directory stays, and the error is shown" {
	mkdir guests
	echo old >guests/vmlinuz
	apt_get 'echo "E: no network"; exit 100'
	fetch
	[ "$status" -eq 1 ]
	[ "$(cat err)" = 'apt-get download failed: E: no network' ]
	[ "$(ls guests)" = vmlinuz ]
	[ "$(grep -c download asked)" -eq 2 ]
	[ "$(grep -c update asked)" -eq 1 ]
	! grep -v Acquire::Retries=0 asked
}
