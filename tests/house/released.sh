#!/bin/sh
# Checks that no released binary contains a word that only the tests use.
#
#	released.sh TESTED RELEASED...	TESTED is a program of the tests that contains such a word

set -u
word=FAKE_STATE_DIR
tested=$1
shift
wrong=0
if ! grep -qaF "$word" "$tested"; then
	echo "$tested: $word is expected here; if tests use another word now, look for that"
	wrong=1
fi
for binary; do
	[ -s "$binary" ] || { echo "$binary: no such binary" && wrong=1; }
	if grep -qaF "$word" "$binary"; then
		echo "$binary: reads $word, which only tests set"
		wrong=1
	fi
	case $binary in
	*vmrunctl) ;; # does not look into /dev/vmm
	*) grep -qaF /dev/vmm "$binary" || { echo "$binary: does not look into /dev/vmm" && wrong=1; } ;;
	esac
done
exit $wrong
