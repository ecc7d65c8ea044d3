# shellcheck shell=bash
#
# How the programs of the attack suite are compiled: static, so that they start
# in any image. Sourced by lib.sh and run.sh.

# NAME from SOURCES, as DIRECTORY/NAME.
attack_compile()
{
	local name=$1 sources=$2 out=$3/$1

	set -- -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -o "$out"
	case $name in
	a01_preload) set -- "$@" -shared -fPIC "$sources/$name.c" ;;
	exchange | listen | ptyrun | swap) set -- "$@" -static "$sources/$name.c" ;;
	*)
		set -- "$@" -static -pthread "$sources/$name.c" \
		    "$sources/attack.c"
		;;
	esac
	"${CC:-cc}" "$@"
}

# Every program, into a new directory that all users can read.
attack_compile_all()
{
	local source name

	mkdir -m 0755 "$2"
	for source in "$1"/*.c; do
		name=$(basename "$source" .c)
		[[ $name == attack ]] || attack_compile "$name" "$1" "$2" ||
		    return
	done
}
