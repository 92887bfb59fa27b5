#!/usr/bin/env bats
# examples/prometheus: the rules speak of metrics that exist, and the cron line writes them.
# shellcheck disable=SC2154 # vm, pid and status: ../cli/common.bash

setup() {
	load ../cli/common
	common_setup
	examples=$SOURCE/examples/prometheus
	mkdir -m 700 run
	mkdir textfiles
}

teardown() {
	common_teardown
}

# up: starts a VM that runs until a stop request
up() {
	spec
	script 'acpi on ready up wait exit 1'
	"$VMRUN" "${stated[@]}" "${unchecked[@]}" "${untimed[@]}" --run-dir "$PWD/run" vm.json >out 2>err </dev/null 3>&- &
	pid=$!
	pids+=("$pid")
	await_file up
}

# with_yaml ARG...: runs the first Python that has the parser
with_yaml() {
	local python
	for python in python3 /usr/bin/python3 python3.11; do
		if "$python" -c 'import yaml' 2>/dev/null; then
			"$python" "$@"
			return
		fi
	done
	echo 'no python3 with yaml: install python3-yaml (FreeBSD: py311-pyyaml)' >&2
	return 1
}

@test "each rule is complete, and names metrics, labels, causes and states that exist" {
	up
	"$VMRUNCTL" -r "$PWD/run" metrics >metrics
	"$VMRUNCTL" -r "$PWD/run" metrics --json >metrics.json
	cp "$SOURCE/man/vmrunctl.8" manual
	if command -v mandoc >/dev/null && command -v col >/dev/null; then
		mandoc -T ascii manual | col -b >plain && mv plain manual
	fi
	with_yaml - "$examples/vmrun.rules.yml" <<-'END'
		import json, re, sys, yaml
		rules = [r for g in yaml.safe_load(open(sys.argv[1]))["groups"] for r in g["rules"]]
		text = open("metrics").read()
		names = set(re.findall(r"^# TYPE (\S+)", text, re.M))
		labels = set(re.findall(r'(\w+)="', text)) | {"instance"}
		causes = set(json.load(open("metrics.json"))[0]["exits"])
		states = set(re.findall(r"[a-z_]+", open("manual").read()))
		used = set()
		assert len({r["alert"] for r in rules}) == len(rules) >= 8
		for r in rules:
		    expr = r["expr"]
		    assert set(r) <= {"alert", "expr", "for", "labels", "annotations"}, r
		    assert r["labels"]["severity"] in ("critical", "warning", "info"), r
		    assert re.fullmatch(r"[0-9]+m", r.get("for", "1m")), r
		    for a, b in ("()", "{}", "[]"):
		        assert expr.count(a) == expr.count(b), expr
		    mentioned = set(re.findall(r"\b(?:vmrun|node)_\w+", expr))
		    assert mentioned and mentioned <= names | {"node_textfile_mtime_seconds"}, (expr, mentioned)
		    used |= mentioned
		    by = [n.strip() for group in re.findall(r"(?:by|on) \(([^)]*)\)", expr) for n in group.split(",")]
		    assert set(by) <= labels, (expr, by)
		    for label, words in re.findall(r'\b(\w+)[!=]=?~?"([^"]*)"', expr):
		        known = {"cause": causes, "state": states, "file": None}[label]
		        assert known is None or set(words.split("|")) <= known, (expr, words)
		    # A label of a message must be one that the expression keeps.
		    for label in re.findall(r"\$labels\.(\w+)", json.dumps(r["annotations"])):
		        assert label in labels, (r["alert"], label)
		        assert not by or label in by, (r["alert"], label)
		assert {"vmrun_up", "vmrun_ready", "vmrun_exits_total", "vmrun_boots_total"} <= used
	END
	"$VMRUNCTL" -r "$PWD/run" "$vm" stop
	ends 0
}

# minute: runs the command of the cron line as cron does, with our program, our run-dir and our directory
minute() {
	local line
	line=$(sed -n 's/^\* \* \* \* \* root //p' "$examples/vmrun-metrics.cron")
	[[ $line == *vmrunctl* && $line != *%* ]] # cron takes a % for a line end
	cat >vmrunctl <<-END
		#!/bin/sh
		[ ! -e broken ] || { echo half; exit 71; }
		exec "$VMRUNCTL" -r "$PWD/run" "\$@"
	END
	chmod +x vmrunctl
	status=0
	DIR=$PWD/textfiles /bin/sh -c "${line//\/usr\/local\/sbin\/vmrunctl/$PWD/vmrunctl}" || status=$?
}

@test "the cron line replaces the file as a whole, and keeps the old one when vmrunctl fails" {
	up
	minute
	is "$status" 0
	has "vmrun_boots_total{vm=\"$vm\"} 1" textfiles/vmrun.prom
	"$VMRUNCTL" -r "$PWD/run" "$vm" stop
	ends 0
	cp textfiles/vmrun.prom before
	touch broken
	minute
	is "$(ls textfiles)" vmrun.prom
	cmp before textfiles/vmrun.prom
	rm broken
	minute
	lacks "$vm" textfiles/vmrun.prom
	is "$(ls textfiles)" vmrun.prom
	# cron.d needs the user between the times and the command, and the directory is set once.
	is "$(grep -c '^DIR=/' "$examples/vmrun-metrics.cron")" 1
	is "$(grep -vc -e '^#' -e '^DIR=' -e '^$' "$examples/vmrun-metrics.cron")" 1
}
