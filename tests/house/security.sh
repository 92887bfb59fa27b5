#!/bin/sh
# docs/security.md names a test for each defence: `tests/FILE`, "NAME".  Prints those that do not
# exist; status 1 if there are any.
#
#	security.sh ROOT

set -eu
cd "$1"
page=docs/security.md

pairs=$(grep -o '`tests/[a-z_0-9/.]*`\(, "[^"]*"\)\{0,1\}' "$page" | sort -u)
if [ "$(printf '%s\n' "$pairs" | wc -l)" -lt 20 ]; then
	echo "$page: names fewer than 20 tests"
	exit 1
fi
wrong=$(printf '%s\n' "$pairs" | while IFS= read -r pair; do
	file=${pair#?}
	file=${file%%\`*}
	name=
	case $pair in *\"*) name=${pair#*\"} && name=${name%\"} ;; esac
	if [ ! -e "$file" ]; then
		echo "$page: $file does not exist"
	elif [ -n "$name" ] && ! grep -qF -e "@test \"$name\" {" -e "static void $name(" "$file"; then
		echo "$page: $file has no test \"$name\""
	fi
done)
[ -z "$wrong" ] || { printf '%s\n' "$wrong" && exit 1; }
