# Tools as Debian has them, where others are: wc pads its numbers, `sed -i` wants a suffix, stat has other
# letters.
# shellcheck shell=bash

if [[ $OSTYPE != linux* ]]; then
	wc() {
		command wc "$@" | tr -d ' '
	}

	sed() {
		local in_place=()
		if [ "$1" = -i ]; then
			in_place=(-i '')
			shift
		fi
		command sed "${in_place[@]}" "$@"
	}

	# stat -c FORMAT FILE...
	stat() {
		local format
		format=$(command sed 's/%z/%Sc/g; s/%s/%z/g; s/%y/%Sm/g; s/%Y/%m/g; s/%a/%Lp/g; s/%n/%N/g' <<<"$2")
		command stat -f "$format" "${@:3}"
	}
fi
