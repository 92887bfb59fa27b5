#!/bin/sh
# Compiles and links the whole program for FreeBSD 14 on another system: freebsd.sh amd64|arm64
# Only the compiler comes from PyPI (ziglang brings FreeBSD's headers and link stubs), Lua from
# Debian's source package.  All of it stays in build-cross/: the second run is offline.
set -eu

arch=${1:-}
case $arch in
amd64) cpu=x86_64 machine='X86-64' ;;
arm64) cpu=aarch64 machine='AArch64' ;;
*)
	echo "usage: $0 amd64|arm64" >&2
	exit 64
	;;
esac

cd "$(dirname "$0")/../.."
cross=$PWD/build-cross
prefix=$cross/prefix-$arch
# The first version known to mark its executables with FreeBSD's ABI note, which the kernel looks for.
zig_version=0.16.0
zig=$cross/zig/zig
jobs=$(getconf _NPROCESSORS_ONLN)
mkdir -p "$cross"
export ZIG_GLOBAL_CACHE_DIR="$cross/zig-cache" ZIG_LOCAL_CACHE_DIR="$cross/zig-cache"

quietly() {
	"$@" </dev/null >"$cross/log" 2>&1 && return
	status=$?
	cat "$cross/log" >&2
	echo "$0: failed with status $status: $*" >&2
	exit "$status"
}

get_zig() {
	[ -x "$zig" ] && return
	python3 -m venv "$cross/zig"
	if ! "$cross/zig/bin/pip" install -q "ziglang==$zig_version" </dev/null >"$cross/log" 2>&1; then
		tail -n 3 "$cross/log" >&2
		echo "skipped: PyPI cannot be reached"
		exit 0
	fi
	# Last, so that its presence says that the rest is there.
	ln -s "$("$cross/zig/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/zig" "$zig"
}

# The mirrors are the system's own, but its lists stay as they are: only here is deb-src said.
get_sources() {
	[ -d "$cross/source" ] && return
	apt=$cross/apt
	mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/source"
	for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
		case $list in
		*.list) sed -n 's/^[[:blank:]]*deb[[:blank:]]/deb-src /p' "$list" ;;
		*.sources) sed 's/^Types:.*/Types: deb-src/' "$list" ;;
		esac >"$apt/parts/${list##*/}" 2>/dev/null || :
	done
	cat >"$apt/conf" <<-END
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$apt/parts";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
		APT::Sandbox::User "root";
	END
	export APT_CONFIG="$apt/conf"
	quietly apt-get update
	(cd "$apt/source" && quietly apt-get source --download-only lua5.4)
	# Debian's patches concern its own build and tests, none is needed to compile.
	mkdir -p "$cross/source.new/lua5.4"
	tar -xf "$apt/source/lua5.4"_*.orig.tar.gz -C "$cross/source.new/lua5.4" --strip-components=1
	mv "$cross/source.new" "$cross/source"
	rm -rf "$apt"
}

# CMake wants each tool as one program; the target stands in the wrapper.
make_tools() {
	mkdir -p "$prefix/bin"
	write_tool cc "cc -target $cpu-freebsd.14.0-none"
	write_tool ar ar
	write_tool ranlib ranlib
}

write_tool() {
	printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$zig" "$2" >"$prefix/bin/$1"
	chmod +x "$prefix/bin/$1"
}

# Names and pkg-config files as Debian has them, so that CMake needs no second way to find them.
make_libraries() {
	[ -f "$prefix/lib/pkgconfig/lua5.4.pc" ] && return
	include=$prefix/include/lua5.4
	mkdir -p "$include" "$prefix/lib/pkgconfig"
	lua=$cross/source/lua5.4/src
	cp "$lua/lua.h" "$lua/luaconf.h" "$lua/lauxlib.h" "$lua/lualib.h" "$include"
	compile_library lua5.4 "$lua" -DLUA_USE_POSIX -DLUA_USE_DLOPEN -DLUA_COMPAT_5_3
	write_pc lua5.4
}

# Every source file of a directory but the programs.
compile_library() {
	name=$1 directory=$2
	shift 2
	objects=$prefix/objects-$name
	mkdir -p "$objects"
	(cd "$objects" && find "$directory" -maxdepth 1 -name '*.c' ! -name lua.c ! -name luac.c -print0 |
		xargs -0 -P "$jobs" -n 4 "$prefix/bin/cc" -w -O2 -fPIC "$@" -c)
	rm -f "$prefix/lib/lib$name.a"
	"$prefix/bin/ar" rcs "$prefix/lib/lib$name.a" "$objects"/*.o
	rm -r "$objects"
}

write_pc() {
	cat >"$prefix/lib/pkgconfig/$1.pc" <<-END
		Name: $1
		Description: $1 for FreeBSD on $arch
		Version: 5.4
		Libs: -L$prefix/lib -l$1 -lm
		Cflags: -I$prefix/include/lua5.4
	END
}

# Linking is not enough: it must be what a FreeBSD kernel of that architecture takes.
check_executable() {
	program=$1
	readelf -hlnW "$program" >"$cross/log"
	for mark in "Type: *DYN" "Machine: .*$machine" 'interpreter: /libexec/ld-elf.so.1' \
		'FreeBSD .*NT_VERSION'; do
		grep -q "$mark" "$cross/log" || {
			cat "$cross/log" >&2
			echo "$0: $program: no '$mark' in the above" >&2
			exit 1
		}
	done
	echo "$program: FreeBSD executable for $arch"
}

get_zig
get_sources
make_tools
make_libraries
quietly cmake --preset ci -B "build-cross/$arch" -D VMRUN_CROSS_ARCH="$arch" -D VMRUN_TESTS=OFF \
	-D CMAKE_TOOLCHAIN_FILE="$PWD/cmake/freebsd-toolchain.cmake"
quietly cmake --build "build-cross/$arch"
check_executable "build-cross/$arch/vmrun"
tests/pack/port.sh "$PWD" "build-cross/$arch" cross
