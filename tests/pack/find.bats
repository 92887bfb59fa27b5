#!/usr/bin/env bats
# Programs find an installed libvmrun by CMake and by pkg-config, also in a prefix that was moved.
# shellcheck disable=SC2154 # status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	"$CMAKE" --install "$BUILD" --prefix "$PWD/prefix" >installed
	mv prefix moved
	cat >program.c <<-'END'
		#include <stdio.h>
		#include <vmrun/client.h>
		#include <vmrun/vmrun.h>

		int main(void)
		{
			(void)vmrun_list_free(NULL);
			return puts(vmrun_version()) < 0;
		}
	END
	version=$("$VMRUN" -V | awk '{ print $2 }')
}

teardown() {
	common_teardown
}

@test "pkg-config" {
	pc=$(find "$PWD/moved" -name vmrun.pc)
	export PKG_CONFIG_PATH=${pc%/*}
	pkg-config --exact-version "$version" vmrun
	lib=$(pkg-config --variable=libdir vmrun)
	# shellcheck disable=SC2046 # words for the compiler
	"$CC" program.c $(pkg-config --cflags --libs vmrun) $SANITIZE -o program
	is "$(LD_LIBRARY_PATH=$lib ./program)" "$version"
}

@test "find_package, with a version" {
	cat >CMakeLists.txt <<-'END'
		cmake_minimum_required(VERSION 3.20)
		project(program LANGUAGES C)
		find_package(vmrun 0.2 REQUIRED)
		add_executable(program program.c)
		target_link_libraries(program PRIVATE vmrun::vmrun)
	END
	"$CMAKE" -G "$GENERATOR" -S . -B built -D CMAKE_PREFIX_PATH="$PWD/moved" -D CMAKE_C_COMPILER="$CC" \
		-D CMAKE_C_FLAGS="$SANITIZE" >said
	"$CMAKE" --build built >>said
	is "$(built/program)" "$version"
	sed -i.old 's/vmrun 0.2/vmrun 9.0/' CMakeLists.txt
	status=0
	"$CMAKE" -G "$GENERATOR" -S . -B other -D CMAKE_PREFIX_PATH="$PWD/moved" -D CMAKE_C_COMPILER="$CC" >said 2>&1 || status=$?
	[ "$status" -ne 0 ]
	grep -q 'requested version "9.0"' said
}
