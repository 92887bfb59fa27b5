#!/bin/sh
# Fails on phrases that messages, manuals and examples must not contain.
#
#	english.sh SOURCE-DIRECTORY

set -u
cd "$1" || exit 1
wrong=0

# refuse REGEX ADVICE PATH...
refuse() {
	regex=$1 advice=$2
	shift 2
	# synonyms.c has the words that users may write.
	if grep -rnE --exclude=synonyms.c -- "$regex" "$@"; then
		echo "write instead: $advice"
		wrong=1
	fi
}
text='src lua hooks man docs README.md examples'
# shellcheck disable=SC2086 # a list of directories
{
	refuse '"[^"]*\\" is no [a-zA-Z]' 'invalid size \"x\": expected ...' src
	refuse '[Ff]older' 'directory' $text include
	refuse '(old one stays|stands here twice|goes round in a circle|somebody resets)' \
		'a sentence with a subject that acts' $text
	refuse '"[^"]*(was read again|the most that may|nobody |what is ours|no VM runs)' \
		'a sentence with a subject that acts' src lua hooks
}
exit $wrong
