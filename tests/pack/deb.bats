#!/usr/bin/env bats
# What the Debian package has in it.
# shellcheck disable=SC2154 # status, output: bats

# Bats cannot skip in setup_file.
has_tools() {
	command -v dpkg-deb >/dev/null && command -v dpkg-shlibdeps >/dev/null
}

setup_file() {
	has_tools || return 0
	cd "$BATS_FILE_TMPDIR"
	# The build directory's prefix is not that of a package.
	DEBFULLNAME=x SOURCE_DATE_EPOCH=1000000000 cpack --config "$BINARY/CPackConfig.cmake" -G DEB -B "$PWD/packed" \
		-D CPACK_PACKAGING_INSTALL_PREFIX=/usr >log 2>&1 || { cat log && return 1; }
	mv packed/vmrun_*.deb vmrun.deb
	dpkg-deb -c vmrun.deb >list
	dpkg-deb -x vmrun.deb root
}

setup() {
	cd "$BATS_FILE_TMPDIR"
	has_tools || skip 'there is no dpkg-deb or dpkg-shlibdeps'
}

field() {
	dpkg-deb -f vmrun.deb "$1"
}

@test "it is of this version, and needs Lua and libc" {
	version=$(sed -n 's/^#define VMRUN_VERSION "\(.*\)"$/\1/p' "$SOURCE/include/vmrun/vmrun.h")
	[ "$(field Package)" = vmrun ]
	[ "$(field Version)" = "$version" ]
	[ "$(field Architecture)" = "$(dpkg --print-architecture)" ]
	for library in libc6 liblua5.4-0; do
		[[ ", $(field Depends)" == *", $library"* ]]
	done
	[ "$(root/usr/bin/vmrun --version)" = "vmrun $version" ]
}

@test "programs, library, header, manuals, licence and changelog are where Debian has them" {
	for file in bin/vmrun bin/vmrunctl include/vmrun/vmrun.h share/doc/vmrun/copyright share/doc/vmrun/changelog.gz \
		share/doc/vmrun/CHANGELOG.md share/man/man8/vmrun.8.gz share/man/man5/vmrun.conf.5.gz \
		share/bash-completion/completions/vmrun share/doc/vmrun/examples/systemd/vmrun@.service; do
		[ -s "root/usr/$file" ] || { echo "$file is missing" && return 1; }
	done
	[ -n "$(find root/usr/lib -name libvmrun.so.0)" ] || [ -n "$(find root/usr/lib -name 'libvmrun.so.*')" ]
	[ ! -e root/usr/share/doc/vmrun/LICENSE ]
	[ -z "$(find root/usr/share/man -name '*.[0-9]')" ]
	zcat root/usr/share/doc/vmrun/changelog.gz | head -n 1 | grep -qx "vmrun ($(field Version)) .*"
	zcat root/usr/share/man/man8/vmrun.8.gz | cmp - <(sed -e 's,/usr/local/share/examples/vmrun,/usr/share/doc/vmrun/examples,' \
		-e 's,/usr/local/etc/vmrun,/etc/vmrun,' -e 's,/usr/local/share/vmrun,/usr/share/vmrun,' \
		-e 's,/usr/local/sbin/vmrun,/usr/bin/vmrun,' "$SOURCE/man/vmrun.8")
}

@test "everything is root's, below /usr, and of the time that was asked for" {
	run grep -vE '^[^ ]+ root/root ' list
	[ "$output" = '' ]
	run grep -vE ' \./(usr/.*)?$' list
	[ "$output" = '' ]
	run grep -v 2001-09-09 list
	[ "$output" = '' ]
	[ ! -e root/usr/local ]
}

@test "no script runs at installation but the trigger of ldconfig" {
	dpkg-deb -e vmrun.deb control
	grep -qx 'activate-noawait ldconfig' control/triggers
	grep -qE '^libvmrun [0-9.]+ vmrun \(>= [0-9.]+\)$' control/shlibs
	[ "$(ls control)" = $'control\nmd5sums\nshlibs\ntriggers' ]
}
