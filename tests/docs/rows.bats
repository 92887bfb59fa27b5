#!/usr/bin/env bats
# The lists of functions, members, commands and options in the manuals are those of the programs.

setup() {
	cp "$SOURCE"/man/*.[1-9]* "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return 1
}

# compare: compares the copies of the manuals with the programs
compare() {
	status=0
	python3 "$SOURCE/tests/docs/rows.py" . "$TEST_VMRUN" "$VMRUNCTL" "$BATS_FILE_TMPDIR/answers" >said 2>&1 || status=$?
}

# faulty PAGE SCRIPT TEXT: checks that a page changed by this script of sed has one fault, this one
faulty() {
	cp "$1" before
	sed -i.old "$2" "$1"
	! cmp -s before "$1" || { echo "nothing changed: $2" >&2 && return 1; }
	compare
	mv before "$1"
	if [ "$status" != 1 ] || [ "$(cat said)" != "$1: $3" ]; then
		cat said >&2
		return 1
	fi
}

@test "vmrun-hooks(5), vmrunctl(8) and vmrun(8) have what there is, and nothing else" {
	compare
	cat said >&2
	[ "$status" = 0 ]
}

@test "a function, value, member, hook or kind that vmrun-hooks(5) lacks or invents is found" {
	local page=vmrun-hooks.5
	faulty $page '/^\.It Fn vmrun\.regex /d' 'vmrun: missing from the page: regex'
	faulty $page '/^\.It Va vmrun\.args$/d' 'vmrun: missing from the page: args'
	faulty $page 's/^\.It Va vmrun\.args$/.It Va vmrun.args , vmrun.state_dir/; s/ , vmrun\.state_dir$//' \
		'vmrun: missing from the page: state_dir'
	faulty $page 's/^\.Fn vmrun\.sleep$/.Fn vmrun.slep/' 'vmrun: does not exist: vmrun.slep'
	faulty $page 's/^\.It Fn vmrun\.send text .*/.It Fn vmrun.send text/' \
		'vmrun.send: expected 2 arguments, the page has: text'
	faulty $page 's/^\.It Fn on_ready boot$/.It Fn on_ready/' 'on_ready: expected 1 arguments, the page has: '
	faulty $page '/^\.It Fn on_end /d' 'hooks: missing from the page: on_end'
	faulty $page '/^\.It Va previous_cause$/d' 'vmrun.Boot: missing from the page: previous_cause'
	faulty $page 's/^\.It Va tap , bridge$/.It Va tap , bridge , switch/' \
		'vmrun.Chosen: only in the page: switch'
	faulty $page 's/^\.It Va stderr$/.It Va stdout/; s/^\.It Va uptime$/.It Va uptime , stderr/' \
		'vmrun.Exit: only in the page: stdout'
	faulty $page 's/, cwd =//' 'vmrun.exec: missing from the page: cwd'
	faulty $page 's/^\.It Cm causes$/.It Cm causes , list/' 'kinds of options: only in the page: list'
}

@test "a command, argument or option that vmrunctl(8) lacks or invents is found" {
	local page=vmrunctl.8
	faulty $page '/^\.It Cm reload$/d' 'commands: missing from the page: reload'
	faulty $page 's/^\.It Cm reload$/&\n.It Cm pause/' 'commands: only in the page: pause'
	faulty $page 's/^\.It Cm next Ar target/.It Cm next/' \
		'next: expected the argument "Ar target", the page has ""'
	faulty $page 's/Oo Ar target Oc/Ar target/' \
		'reboot: expected the argument "Oo Ar target Oc", the page has "Ar target"'
	faulty $page 's/^\.It Cm kill .*/.It Cm kill/' 'options of kill: missing from the page: no-wait'
	faulty $page 's/^\.It Cm reset$/& Op Fl -json/' 'options of reset: only in the page: json'
	faulty $page 's/^\.It Fl h , -help/.It Fl h/' 'options: missing from the page: help'
	faulty $page 's/^\.It Fl -json$/.It Fl -quiet\n&/' 'options: only in the page: quiet'
}

@test "an option that vmrun(8) lacks or invents is found" {
	faulty vmrun.8 's/^\.It Fl -syslog$/.It/' 'options: missing from the page: syslog'
	faulty vmrun.8 's/^\.It Fl -syslog$/&\n.It Fl -verbose/' 'options: only in the page: verbose'
}
