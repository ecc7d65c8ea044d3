#!/bin/bash
# Wherever a session's making, use or end breaks off: what was acknowledged
# stays, the rest is whole or goes, and one reap leaves nothing.
# as: root user subuid

# shellcheck source=tests/faults/lib.sh
. "$(dirname "$0")/faults/lib.sh"

if faultcase "a run in a session is no wrong success, and leaves it whole"
then
	begin
	echo input >in
	prepare()
	{
		count_try
		look_options
		in_session "$kept" true
		words=(session run "$kept" "${options[@]}"
		    --env "MARK=$number" -- sh -c "$LOOK")
	}
	judge()
	{
		judge_look
		[[ $status != 7 ]] || in_session "$kept" \
		    grep -qx "$number" /root/mark ||
		    wrong "what it wrote is not there"
	}
	sweep "session run" 0.1:kill
	finish_sweeps
fi

if faultcase "a session that was told of is there, another one whole or not"
then
	begin
	words=(session create --env A=1 --cwd /tmp --ttl none --nofile 33)
	judge()
	{
		made=$(cat out)
		[[ $status == 0 && $made =~ ^[a-z0-9]{26}$ ]] ||
		    expect_own_failure
	}
	after()
	{
		local one

		if [[ $made =~ ^[a-z0-9]{26}$ ]]; then
			# shellcheck disable=SC2016
			in_session "$made" sh -c 'echo $A $PWD $(ulimit -n)
			    echo kept >/root/kept'
			[[ $(cat seen) == "1 /tmp 33" ]] ||
			    wrong "it is not what it was to be: $(head -c 200 \
				seen)"
		fi
		for one in "$STATE"/sessions/*; do
			one=${one##*/}
			[[ $one == "$kept" ]] ||
			    in_session "$one" sh -c 'echo kept >/root/kept'
			[[ $one == "$kept" ]] || expect_whole_or_gone "$one"
		done
	}
	sweep "session create"
	finish_sweeps
fi

if faultcase "a deletion is done or not begun, whatever goes wrong"; then
	begin
	prepare()
	{
		[[ -n $made && $made != "$kept" ]] && exists "$made" ||
		    make_session
		words=(session delete "$made")
	}
	judge()
	{
		if [[ $status == 0 ]]; then
			! exists "$made" || wrong "it is still there"
		else
			expect_own_failure
		fi
	}
	after()
	{
		! exists "$made" || works "$made" ||
		    wrong "it is damaged: $(head -c 200 seen)"
		! exists "$made" || expect_whole_or_gone "$made"
	}
	sweep "session delete" 0:fsync 0:write 0:openat
	finish_sweeps
fi

if faultcase "a change of a session is made or not, and told as it is"; then
	begin
	make_session --env A=0 --cwd /
	changed=$made
	leaks_list all >leaks.before
	before=0
	prepare()
	{
		count_try
		words=(session env "$changed" "A=$number" "B=$number")
	}
	judge()
	{
		[[ $status == 0 ]] || expect_own_failure
	}
	after()
	{
		# shellcheck disable=SC2016
		in_session "$changed" sh -c 'echo "$A" "${B:-$A}"'
		case $(cat seen) in
		"$number $number") before=$number ;;
		"$before $before")
			[[ $status != 0 ]] || wrong "it is not changed" ;;
		*) wrong "it is damaged: $(head -c 200 seen)" ;;
		esac
	}
	sweep "session env"
	before=/
	prepare()
	{
		count_try
		words=(session cwd "$changed" "$([[ $before == / ]] &&
		    echo /tmp || echo /)")
	}
	after()
	{
		in_session "$changed" pwd
		case $(cat seen) in
		"${words[3]}") before=${words[3]} ;;
		"$before")
			[[ $status != 0 ]] || wrong "it is not changed" ;;
		*) wrong "it is damaged: $(head -c 200 seen)" ;;
		esac
	}
	sweep "session cwd" 0.1.1:chdir
	after()
	{
		:
	}
	t_as "$MAYFLY" session delete "$changed"
	finish_sweeps
fi

if faultcase "what is told of sessions is all there is, or an error"; then
	begin
	prepare()
	{
		words=(session list)
	}
	judge()
	{
		if [[ $status == 0 ]]; then
			cmp -s out usual.out || wrong "another list"
		else
			expect_own_failure
		fi
	}
	sweep "session list" 0:openat 0:getdents64 0:mmap
	judge()
	{
		# The run before has used it.
		sed -i 's/"\(age\|idle\)_secs": *[0-9]*//g
		    s/"\(last_used\|expires\)_at": *[^,]*//g' out usual.out
		if [[ $status == 0 ]]; then
			cmp -s out usual.out || wrong "something else"
		else
			expect_own_failure
		fi
	}
	prepare()
	{
		words=(session list --json)
	}
	sweep "session list --json" 0:mmap 0:write
	prepare()
	{
		words=(session show "$kept" --json)
	}
	sweep "session show" 0:mmap 0:write
	finish_sweeps
fi

if faultcase "a reap that says so has reaped, and the next one does the rest"
then
	begin
	prepare()
	{
		make_session
		t_as sed -zi 's/^ttl=none/ttl=1/
		    s/^last_used_at=.*/last_used_at=1000000000/' \
		    "$STATE/sessions/$made/meta"
		t_as mkdir -p "$STATE/trash/new-left/upper" \
		    "$STATE/trash/old/upper/a/b"
		t_as touch "$STATE/trash/old/lock" "$STATE/trash/old/upper/a/f"
		words=(reap)
	}
	judge()
	{
		if [[ $status == 0 ]]; then
			! exists "$made" || wrong "what has expired is there"
			[[ -z $(ls "$STATE/trash") ]] || wrong "there is trash"
		else
			expect_own_failure
		fi
	}
	sweep reap 0:openat 0:getdents64 0:mmap 0:flock
	finish_sweeps
fi

figures
t_done
