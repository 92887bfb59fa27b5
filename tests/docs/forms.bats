#!/usr/bin/env bats
# examples.py runs each form of an example, and finds what is wrong in it.
# shellcheck disable=SC2016,SC1003 # Markdown has backquotes; lines that end with a backslash

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# page LINE...: runs the examples of a page of these lines; a line FENCE is a fence
page() {
	printf '%s\n' "$@" | sed 's/^FENCE/```/' >page.md
	status=0
	python3 "$SOURCE/tests/docs/examples.py" page.md >said 2>&1 || status=$?
}

# faulty TEXT LINE...: checks that the page has one fault, which is told with the text
faulty() {
	local text=$1
	shift
	page "$@"
	if [ "$status" != 1 ] || ! grep -qF -e "$text" said || ! grep -q ' 1 faults$' said; then
		cat said >&2
		return 1
	fi
}

# good LINE...: checks that the page has no fault
good() {
	page "$@"
	[ "$status" = 0 ] || { cat said >&2 && return 1; }
}

file=('`demo.json`:' '' FENCEjson '{"name": "demo", "cpu": 1, "mem": "64M"}' FENCE '')

@test "sessions: files, output, status, wildcards, continued lines, background jobs" {
	good "${file[@]}" FENCEsh '$ vmrun --simulate reboot,poweroff \' '    demo.json' \
		$'1\tdefault\treboot\tboot\tdefault\tdefault\t0' ... '$ vmrun nosuch.json   # status 66' \
		'...No such file...' '$ vmrun -d demo.json' 'bhyve -c \' '  cpus=1...demo' FENCE \
		"<!-- test: guest 'ready up waitfile go exit 0' 'exit 1' -->" \
		FENCEsh '$ vmrun demo.json &' FENCE '<!-- test: await test -e up -->' \
		FENCEsh '$ vmrunctl demo status' ... 'pid        ...' ... '$ touch go' '$ wait' FENCE
	faulty 'other output' "${file[@]}" FENCEsh '$ vmrun --simulate reboot demo.json' wrong FENCE
	faulty 'status 66, expected 0' "${file[@]}" FENCEsh '$ vmrun -d demo.json' '$ vmrun -d no.json' FENCE
	faulty 'status 0, expected 65' "${file[@]}" FENCEsh '$ vmrun -d demo.json  # status 65' FENCE
	faulty 'status 1, expected 0' '<!-- test: false -->'
	faulty 'no later command names demo.json' "${file[@]}" 'Text.'
}

@test "fragments of each language" {
	good FENCEjson '"on": {"triple_fault": {"boot": "rescue"}}' FENCE '' \
		FENCElua 'function vm.on_exit(exit) return exit.cause == "error" and "rescue" end' FENCE '' \
		FENCElua 'return { on_exit = function() return false end }' FENCE '' \
		FENCEucl 'name: demo' 'cpu: 2' 'mem: 1G' 'targets install { next_target: default }' FENCE '' \
		FENCEc 'struct vmrun_options options = VMRUN_OPTIONS;' '(void)options;' FENCE '' \
		FENCEpython 'print("x")' FENCE
	faulty 'unknown key' FENCEjson '"onn": {}' FENCE
	faulty 'nowhere' FENCElua 'function vm.on_exit() return "nowhere" end' FENCE
	faulty 'unknown key' FENCEucl 'name: demo' 'cpu: 2' 'mem: 1G' 'colour: red' FENCE
	faulty 'nosuch' FENCEc 'int x = nosuch;' FENCE
	faulty 'SyntaxError' FENCEpython 'def' FENCE
	faulty 'no form of an example' FENCE 'some words' FENCE
	faulty 'no form of an example' 'Text:' '' '    some words' '    and more'
}

@test "mdoc: literal blocks, Dl lines, escapes, hidden commands, names of files" {
	cat >page.8 <<-'END'
		The file
		.Pa demo.json :
		.Bd -literal
		{ "name": "demo", "cpu": 1, "mem": "64M" }
		.Ed
		.\" test: true
		.Dl vmrun -d demo.json
		.Dl # echo \&"a\eb\(dq
		.Bd -literal -offset indent
		$ echo 'a\eb'
		a\eb
		.Ed
		.Dl \&"cpu\&": 2
	END
	python3 "$SOURCE/tests/docs/examples.py" page.8
	sed -i.old 's/^a.eb$/ab/' page.8
	run python3 "$SOURCE/tests/docs/examples.py" page.8
	[ "$status" = 1 ]
	[[ $output == *'other output than on the page'* ]]
}

@test "nothing is left when a page ends: neither guests nor files" {
	good "${file[@]}" "<!-- test: guest 'ready $PWD/up deaf' -->" \
		FENCEsh '$ vmrun demo.json &' FENCE "<!-- test: await test -e $PWD/up -->"
	read -r pid <up
	! kill -0 "$pid" 2>/dev/null || [ "$(ps -o stat= -p "$pid" | cut -c1)" = Z ]
}
