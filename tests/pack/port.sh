#!/bin/sh
# Compares packaging/freebsd with what CMake installs.
#
#	port.sh SOURCE BUILD [cross]	BUILD: a build directory; cross: one for FreeBSD, made on another system
#
# UPDATE=1 writes the file list from a build of this system: its paths are FreeBSD's but for a few.

set -eu
source=$1 build=$2 cross=${3:-}
port=$source/packaging/freebsd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=/usr/local
version=$(sed -n 's/^#define VMRUN_VERSION "\(.*\)"$/\1/p' "$source/include/vmrun/vmrun.h")

wrong() {
	echo "$0: $*" >&2
	exit 1
}

grep -q "^DISTVERSION=	$version\$" "$port/Makefile" || wrong "packaging/freebsd/Makefile is not of version $version"
grep -q "^## $version (" "$source/CHANGELOG.md" || wrong "CHANGELOG.md has nothing of version $version"

DESTDIR=$work/root cmake --install "$build" --prefix "$prefix" >"$work/log" 2>&1 || {
	cat "$work/log" >&2
	exit 1
}
# A build type is part of the name of a file, and the directories of Linux are others.
(cd "$work/root$prefix" && find . ! -type d) | sed -e 's,^\./,,' \
	-e 's,^bin/,sbin/,' -e 's,^lib/[a-z0-9_]*-[a-z0-9-]*/,lib/,' -e 's,^lib64/,lib/,' -e 's,^man/,share/man/,' \
	-e 's,^share/doc/vmrun/examples/,share/examples/vmrun/,' \
	-e 's,^share/zsh/vendor-completions/,share/zsh/site-functions/,' \
	-e 's,^\(lib/cmake/vmrun/.*-\)\(debug\|release\|relwithdebinfo\|minsizerel\|noconfig\)\.cmake$,\1%%CMAKE_BUILD_TYPE%%.cmake,' \
	-e "s,^\(lib/libvmrun.so.\)$version\$,\1%%VERSION%%," \
	-e 's,^\(share/man/.*\.[0-9][a-z]*\)$,\1.gz,' >"$work/installed"
# Only a build on FreeBSD installs the rc.d script.
[ -n "$cross" ] || [ "$(uname -s)" = FreeBSD ] || echo etc/rc.d/vmrun >>"$work/installed"
LC_ALL=C sort -u "$work/installed" >"$work/files"

if [ "${UPDATE:-}" = 1 ] && [ -z "$cross" ]; then
	cp "$work/files" "$port/pkg-plist"
fi
cp "$port/pkg-plist" "$work/plist"
if [ -n "$cross" ]; then
	# A cross build can neither run its programs, which make the completions, nor build the demo guest.
	grep -v -e completions -e site-functions -e 'guest\.rom$' "$work/plist" >"$work/less"
	mv "$work/less" "$work/plist"
fi
diff -u "$work/plist" "$work/files" || wrong "pkg-plist (-) and what CMake installs (+) differ; see packaging/freebsd/README.md"
