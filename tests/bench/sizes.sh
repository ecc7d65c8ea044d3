#!/bin/bash
#
# What a request takes by its size, its output's, and how many sessions there
# are; outputs beside the same program's when nothing is between it and the
# client but splice(2).
#
#	sizes.sh [input] [variables] [output] [sessions]		all by default
#
# ROUNDS (8)		of each size in turn, EACH (5) requests a round
# SESSIONS (0 1000 100000)	stored; each number is a store of its own
# TMPDIR		where these are, on a disk

set -u

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
rounds=${ROUNDS:-8}
each=${EACH:-5}
program load
program splice

# A request asks as others do that come now and then: ask PORT BODY [OPTION]...
ask() {
	local line

	line=$("$tmp/load" "${@:3}" --pause 20 --count "$each" --seconds 60 \
		"$1" "$2")
	[[ $line == *" other=0 failed=0 "* ]] || echo "$2: $line" >&2
	value median_us "$line"
}

# Notes a figure: note NAME VALUE
note() {
	echo "$2" >>"$tmp/notes.$1"
}

noted() {
	median <"$tmp/notes.$1"
}

# A table of what was noted by size: table PREFIX WHAT LABEL=SIZE...
table() {
	local prefix=$1 what=$2 size

	shift 2
	echo
	echo "| $what | median us | / first |"
	echo '|---|--:|--:|'
	for size in "$@"; do
		echo "| ${size%=*} | $(noted "$prefix-${size#*=}") |" \
			"$(ratio "$(noted "$prefix-${size#*=}")" \
				"$(noted "$prefix-${1#*=}")") |"
	done
}

# Its last beside its first: ends PREFIX WHAT LABEL=SIZE... [-- TARGET]
ends() {
	local prefix=$1 what=$2 last sizes=()

	shift 2
	while (($#)) && [ "$1" != -- ]; do
		sizes+=("$1")
		shift
	done
	last=${sizes[-1]}
	row "$what" "${last%=*}" "$(noted "$prefix-${last#*=}")" \
		"${sizes[0]%=*}" "$(noted "$prefix-${sizes[0]#*=}")" us "${@:2}"
}

# The requests of all sizes by turns: ask_by_size PREFIX LABEL=SIZE...
ask_by_size() {
	local prefix=$1 n size

	shift
	for ((n = 0; n < rounds; n++)); do
		for size in "${@#*=}"; do
			note "$prefix-$size" "$(ask "$port" "@$tmp/$prefix.$size")"
		done
	done
}

input() {
	# A body has at most 4 MB, and this is not all of it.
	local sizes=('1 KB=1024' '100 KB=102400' '1 MB=1048576' '4 MB=4190000')
	local size

	for size in "${sizes[@]}"; do
		size=${size#*=}
		{
			printf '{"command":["/usr/bin/wc","-c"],"stdin":"'
			head -c "$size" /dev/zero | tr '\0' x
			printf '"}'
		} >"$tmp/input.$size"
	done
	ask_by_size input "${sizes[@]}"
	table input 'POST /run of wc, standard input' "${sizes[@]}"
	ends input 'POST /run, by standard input' "${sizes[@]}"
}

env_of() {
	seq "$1" | awk '{ printf "%s\"NAME_%d\":\"value %d\"",
		(NR > 1 ? "," : ""), $1, $1 }'
}

variables() {
	local sizes=('0 variables=0' '10 variables=10' '100 variables=100'
		'1,000 variables=1000') size

	for size in "${sizes[@]}"; do
		size=${size#*=}
		echo '{"command":["/bin/true"],"env":{'"$(env_of "$size")"'}}' \
			>"$tmp/env.$size"
	done
	ask_by_size env "${sizes[@]}"
	table env 'POST /run of /bin/true, environment' "${sizes[@]}"
	ends env 'POST /run, by environment' "${sizes[@]}"
}

# Prints so many bytes; those that perl takes to start are not a pipe's.
print='$n = shift; $x = "x" x 65536; '
print+='$n -= syswrite STDOUT, $x, $n < 65536 ? $n : 65536 while $n > 0'

output() {
	local sizes=('1 KB=1024' '100 KB=102400' '1 MB=1048576'
		'10 MB=10485760' '100 MB=104857600')
	local n size label mine theirs line each
	local options=(--accept application/x-ndjson)

	for ((n = 0; n < rounds; n++)); do
		for size in "${sizes[@]}"; do
			size=${size#*=}
			# Of the longest, fewer: each takes long enough.
			each=$((size > 5000000 ? 1 : 5))
			note "output-$size" "$(ask "$port" \
				'{"command":["/usr/bin/perl","-e","'"${print//\"/\\\"}"'","'"$size"'"]}' \
				"${options[@]}")"
			line=$("$tmp/splice" "$each" /usr/bin/perl -e "$print" "$size")
			note "splice-$size" "$(value median_us "$line")"
			[ "$(value bytes "$line")" = "$size" ] || echo "$line" >&2
		done
	done
	echo
	echo '| output | POST /run, events | a pipe, spliced | MB/s | spliced | of it |'
	echo '|---|--:|--:|--:|--:|--:|'
	for size in "${sizes[@]}"; do
		label=${size%=*}
		size=${size#*=}
		mine=$(noted "output-$size")
		theirs=$(noted "splice-$size")
		echo "| $label | $mine us | $theirs us | $(ratio "$size" "$mine") |" \
			"$(ratio "$size" "$theirs") | $(ratio "$theirs" "$mine") |"
		row "Output of $label" 'POST /run' "$(ratio "$size" "$mine")" \
			'a pipe, spliced' "$(ratio "$size" "$theirs")" MB/s \
			at-least 0.6
	done
}

thousands() {
	sed ':more; s/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/; t more' <<<"$1"
}

# A store of so many, and a server; one session is there to run in.
declare -A port_of session_of
store() {
	local answer

	export MAYFLY_STATE_DIR=$tmp/state.$1
	serve "" MAYFLY_MAX_SESSIONS=1000000
	port_of[$1]=$port
	(($1 > 0)) || return
	# Through the server, since those made by the command are root's.
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf 'POST /sessions HTTP/1.0\r\nHost: localhost\r\n%s\r\n%s' \
		'Content-Type: application/json' \
		$'Content-Length: 12\r\n\r\n{"ttl":null}' >&3
	answer=$(cat <&3)
	exec 3<&-
	[[ $answer =~ \"session_id\":\"([a-z0-9]+)\" ]] || exit
	session_of[$1]=${BASH_REMATCH[1]}
	"$here/sessions.py" "$MAYFLY_STATE_DIR" "$1" || exit
}

sessions() {
	local sizes=() count n create='{"ttl":60}'

	for count in ${SESSIONS:-0 1000 100000}; do
		sizes+=("$(thousands "$count") sessions=$count")
		store "$count"
	done
	sync -f "$tmp"
	for ((n = 0; n < rounds; n++)); do
		for count in ${SESSIONS:-0 1000 100000}; do
			note "run-$count" \
				"$(ask "${port_of[$count]}" "$body_none")"
			note "create-$count" "$(ask "${port_of[$count]}" \
				"$create" --path /sessions)"
			((count > 0)) || continue
			note "in-$count" "$(ask "${port_of[$count]}" \
				"$body_none" \
				--path "/sessions/${session_of[$count]}/run")"
		done
	done
	table run 'POST /run, with so many stored' "${sizes[@]}"
	table create 'POST /sessions' "${sizes[@]}"
	ends run 'POST /run, by sessions stored' "${sizes[@]}" -- at-most 1.2
	ends create 'POST /sessions, by sessions stored' "${sizes[@]}" -- \
		at-most 1.2
	[[ ${sizes[0]} != '0 '* ]] || sizes=("${sizes[@]:1}")
	((${#sizes[@]} > 0)) || return
	table in 'POST /sessions/ID/run' "${sizes[@]}"
	ends in 'POST /sessions/ID/run, by sessions stored' "${sizes[@]}" -- \
		at-most 1.2
}

serve ""
echo '## A request by its size'
(($# > 0)) || set -- input variables output sessions
for part in "$@"; do
	case $part in
	input | variables | output | sessions) "$part" ;;
	*)
		echo "sizes.sh: no part '$part'" >&2
		exit 64
		;;
	esac
done
