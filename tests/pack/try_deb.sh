#!/bin/sh
# Installs the Debian package on this system with its dependencies, boots the demo guest with the installed
# program, and removes the package.  For containers and chroots that are thrown away: needs root and a network.
#
#	try_deb.sh FILE.deb

set -eu
package=$(realpath "$1")
export DEBIAN_FRONTEND=noninteractive
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

wrong() {
	echo "$0: $*" >&2
	exit 1
}

apt-get install -y --no-install-recommends "$package" qemu-system-x86
command -v vmrun | grep -qx /usr/bin/vmrun || wrong "vmrun is not in /usr/bin"
ldconfig -p | grep -q 'libvmrun\.so' || wrong "ldconfig does not know libvmrun"

vmrun --hypervisor qemu --run-dir "$home/run" --state-dir "$home/state" \
	-t install /usr/share/doc/vmrun/examples/hello.lua </dev/null >"$home/out" 2>&1 || {
	cat "$home/out" >&2
	wrong "the demo ended with status $?"
}
grep -q 'no cd: powering off' "$home/out" || { cat "$home/out" >&2 && wrong "the demo did not boot its second target"; }
vmrunctl -r "$home/run" list

dpkg -L vmrun >"$home/files"
apt-get remove -y vmrun
dpkg-query -W vmrun 2>/dev/null && wrong "dpkg still has configuration files or scripts of vmrun"
while read -r file; do
	[ -d "$file" ] || [ ! -e "$file" ] || wrong "$file is still there"
done <"$home/files"
[ ! -e /usr/share/vmrun ] || wrong "/usr/share/vmrun is still there"
[ ! -e /usr/share/doc/vmrun ] || wrong "/usr/share/doc/vmrun is still there"
echo "installed, booted the demo and removed: ${package##*/}"
