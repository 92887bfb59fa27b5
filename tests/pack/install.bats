#!/usr/bin/env bats
# cmake --install: where the files are, which directories they name, and that "uninstall" removes them.
# shellcheck disable=SC2154 # status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	export DESTDIR=$PWD/dest
}

# install_to PREFIX
install_to() {
	prefix=$1
	cmake --install "$BINARY" --prefix "$prefix" >log 2>&1 || { cat log && return 1; }
	root=$DESTDIR${prefix%/}
	sub=bin examples=share/doc/vmrun/examples
	if [ "$(uname -s)" = FreeBSD ]; then
		sub=sbin examples=share/examples/vmrun
	fi
}

# The text files of the examples, the manuals and the pages, installed.
texts() {
	find "$root/$examples" "$root/share/man" "$root/share/doc/vmrun" -type f ! -name '*.rom'
}

@test "programs, licence, manuals and examples are where they belong" {
	install_to /opt/vm
	for file in $sub/vmrun $sub/vmrunctl share/doc/vmrun/LICENSE share/man/man8/vmrun.8 \
		share/man/man5/vmrun.conf.5 share/man/man3/libvmrun.3 include/vmrun/vmrun.h \
		$examples/systemd/vmrun@.service $examples/README.md share/vmrun/event.schema.json; do
		[ -s "$root/$file" ] || { echo "$file is missing" && return 1; }
	done
	for file in "$SOURCE"/man/*.[0-9]*; do
		file=${file##*/}
		section=${file##*.}
		[ -s "$root/share/man/man${section%%[a-z]*}/$file" ]
	done
	"$root/$sub/vmrun" --version | grep -qx 'vmrun [0-9.]*'
	for file in runit/run runit/finish s6/run s6/finish rc.d/vmrun; do
		[ -x "$root/$examples/$file" ]
	done
	[ ! -x "$root/$examples/systemd/vmrun@.service" ]
}

@test "every text names the prefix that was chosen, and is the source's otherwise" {
	install_to /opt/vm
	texts >files
	while read -r file; do
		name=${file#"$root"/}
		case $name in
		$examples/*) from=examples/${name#"$examples"/} ;;
		share/man/*) from=man/${name##*/} ;;
		*) from=${name#share/doc/vmrun/} ;;
		esac
		sed -e "s,/usr/local/sbin/vmrun,/opt/vm/$sub/vmrun,g" \
			-e 's,/usr/local/etc/vmrun,/opt/vm/etc/vmrun,g' \
			-e "s,/usr/local/share/examples/vmrun,/opt/vm/$examples,g" \
			-e 's,/usr/local/share/vmrun,/opt/vm/share/vmrun,g' "$SOURCE/$from" | cmp - "$file"
	done <files
	[ "$(wc -l <files)" -gt 30 ]
	# What they name exists, and nothing of vmrun's is left in /usr/local.
	run xargs grep -lE '/usr/local/(s?bin|etc|share(/examples)?)/vmrun' <files
	is "$output" ''
	# The manuals name no directory of the sources, and none that starts from nowhere.
	run grep -rnE '^\.(Pa|It Pa) (share|examples)/' "$root/share/man"
	is "$output" ''
	xargs grep -ohE "/opt/vm/(s?bin/vmrun[a-z]*|share/[a-z./]*[a-z])" <files | sort -u >named
	for word in "/opt/vm/$sub/vmrun" "/opt/vm/$sub/vmrunctl" "/opt/vm/$examples"; do
		grep -qx "$word" named
	done
	while read -r path; do
		[ -e "$DESTDIR$path" ] || { echo "$path is named and does not exist" && return 1; }
	done <named
}

@test "below /usr the specs are in /etc" {
	install_to /usr
	grep -q '^exec /usr/s\{0,1\}bin/vmrun "/etc/vmrun/' "$root/$examples/runit/run"
	grep -q "^ExecStart=/usr/$sub/vmrun " "$root/$examples/systemd/vmrun@.service"
}

@test "uninstall removes all of it and nothing else" {
	install_to /opt/vm
	mkdir -p "$root/share/man/man8" "$root/share/vmrun/hooks"
	echo 'of others' | tee "$root/share/man/man8/other.8" "$root/share/vmrun/hooks/mine.lua" >/dev/null
	cmake --build "$BINARY" --target uninstall >log 2>&1
	(cd "$root" && find . ! -type d | sort) >left
	is "$(cat left)" "$(printf './share/man/man8/other.8\n./share/vmrun/hooks/mine.lua')"
	[ ! -e "$root/share/doc/vmrun" ]
	[ ! -e "$root/include/vmrun" ]
	[ -d "$root/share/vmrun/hooks" ]
}

@test "an installation leaves nothing in the build directory" {
	install_to /opt/vm
	is "$(find "$BINARY" -maxdepth 1 -name 'installed-text*')" ''
}
