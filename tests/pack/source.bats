#!/usr/bin/env bats
# The source tarball, which "git archive" makes, and the programs, which say nothing of where they were built.
# shellcheck disable=SC2154 # status, output: bats

@test "the tarball has every file that the build and the tests name, and builds without Git" {
	git -c safe.directory='*' -C "$SOURCE" rev-parse HEAD >/dev/null 2>&1 || skip 'these sources are not a Git repository'
	cd "$BATS_TEST_TMPDIR"
	git -c safe.directory='*' -C "$SOURCE" archive --prefix=source/ HEAD | tar -x
	[ ! -e source/.github ]
	[ ! -e source/.gitattributes ]
	[ -e source/LICENSE ]
	mkdir bin
	printf '#!/bin/sh\necho "$0 was called" >&2\nexit 1\n' >bin/git
	chmod +x bin/git
	# CMake and Ninja name a file that is missing; one part is compiled, the others take a minute.
	PATH=$PWD/bin:$PATH cmake -G Ninja -S source -B build -D VMRUN_TESTS=ON >log 2>&1 || { cat log && return 1; }
	ninja -C build -n >log 2>&1 || { tail log && return 1; }
	PATH=$PWD/bin:$PATH ninja -C build vmrun_cli >log 2>&1 || { tail log && return 1; }
	[ -s build/libvmrun_cli.a ]
}

@test "programs and library do not name the directories of the build" {
	[ "$BUILD_TYPE" != Debug ] || skip 'a build for a debugger names them'
	for file in "$VMRUN" "$VMRUNCTL" "$LIBVMRUN"; do
		[ -s "$file" ]
		! grep -qaF "$SOURCE" "$file" || { echo "$file names $SOURCE" && return 1; }
		! grep -qaF "$BINARY" "$file" || { echo "$file names $BINARY" && return 1; }
	done
}
