#!/bin/sh
# fence.sh DIRECTORY COMMAND...: runs a command where it can harm nothing: a mutant may signal every process,
# or remove any file.  Its processes see only each other and end with it; only DIRECTORY can be changed,
# and /tmp, /var/tmp and /run are empty and vanish.
set -eu
if [ "${1-}" != --inside ]; then
	# root makes the namespaces by itself; another user needs a user namespace.
	user=
	[ "$(id -u)" -eq 0 ] || user="--user --map-root-user"
	# shellcheck disable=SC2086 # two words
	exec unshare $user --mount --pid --fork --kill-child --mount-proc "$0" --inside "$@"
fi
directory=$2
shift 2
trap 'exit 99' EXIT # what world.py takes for a failure of this script
mount --make-rprivate /
# The directory may be below one that becomes empty.
mount --bind "$directory" /mnt
for each in /tmp /var/tmp /run; do
	mount -t tmpfs -o mode=1777 tmpfs "$each"
done
mkdir -p "$directory"
mount --bind / /
mount -o remount,ro,bind /
mount --move /mnt "$directory" 2>/dev/null || mount --bind /mnt "$directory"
cd "$directory"
trap - EXIT
# Not exec: the first process of a namespace ignores signals that would end others.
"$@"
