# shellcheck shell=bash
# What the tests of --import share.

# import ARG...: runs vmrun --import ARG...
import() {
	status=0
	"$VMRUN" --import "$@" >out 2>err || status=$?
}

# refused FORMAT TEXT: imports the text, which must fail with 65 and print nothing
refused() {
	printf '%s\n' "$2" >text
	import text --import-format "$1"
	is "$status" 65
	[ ! -s out ]
}
