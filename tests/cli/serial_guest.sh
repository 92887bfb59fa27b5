#!/bin/sh
# A guest in place of bhyve, on its first serial port: it greets, and answers lines until one tells it
# to end.
for word; do
	case $word in com1,*) line=${word#com1,} ;; esac
done
exec 3<>"$line"
printf 'login: ' >&3
while read -r text <&3; do
	case $text in
	again) exit 0 ;;
	off)
		printf 'last words\n' >&3
		exit 1
		;;
	odd) printf 'a\0b\033[1mc\033[0m\r\n' >&3 ;;
	flood) yes >&3 ;;
	*) printf 'got %s\n' "$text" >&3 ;;
	esac
done
