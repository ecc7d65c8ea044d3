#!/bin/bash
# Wherever a snapshot, a fork or the reaping of layers breaks off: the session
# has all that was written, what was acknowledged is there, the rest is whole
# or goes, and one reap leaves nothing.
# as: root user subuid

# shellcheck source=tests/faults/lib.sh
. "$(dirname "$0")/faults/lib.sh"

# Removes the session that was made for this try, and what it has become; what
# is left of it after that is a leak.
end_all()
{
	local one

	for one in "$STATE"/snapshots/*/; do
		one=$(basename "$one")
		[[ $one == '*' ]] || t_as "$MAYFLY" snapshot delete "$one" \
		    </dev/null >seen 2>&1 ||
		    wrong "snapshot $one cannot go: $(head -c 200 seen)"
	done
	for one in "$STATE"/sessions/*/; do
		one=$(basename "$one")
		[[ $one == "$kept" || $one == '*' ]] ||
		    t_as "$MAYFLY" session delete "$one" >seen 2>&1 ||
		    wrong "$one cannot go: $(head -c 200 seen)"
	done
	t_as "$MAYFLY" reap </dev/null >reaped 2>&1 ||
	    complain_of "the last reap: $(head -c 200 reaped)"
}

# The session of this try with two layers' worth of files: one layer is there.
make_layered()
{
	# shellcheck disable=SC2119
	make_session
	t_as "$MAYFLY" session snapshot "$made" </dev/null >first 2>seen
	in_session "$made" sh -c 'echo second >/root/second; rm /srv/a/b/c
	    chmod 0711 /'
}

# Whatever came of it, nothing that was written is lost.
expect_all()
{
	in_session "$1" sh -c 'cat /root/kept /root/second; ls /srv/a/b
	    stat -c %a /; echo >/root/again'
	[[ $(cat seen) == $'kept\nsecond\n711' ]] ||
	    wrong "$1 is not what it was: $(head -c 200 seen)"
}

# The directories that the first of them makes for all later ones.
(
	cd "$T_ROOT" || exit
	kept=''
	make_layered
	t_as "$MAYFLY" session fork "$made" </dev/null >seen 2>&1
	end_all
) </dev/null >/dev/null 2>&1

if faultcase "a snapshot is taken or not, and the session loses nothing"; then
	begin
	prepare()
	{
		make_layered
		words=(session snapshot "$made" name)
	}
	judge()
	{
		taken=$(cat out)
		[[ $status == 0 && $taken =~ ^[a-z0-9]{26}$ ]] ||
		    expect_own_failure
	}
	after()
	{
		local one

		expect_all "$made"
		if [[ $taken =~ ^[a-z0-9]{26}$ ]]; then
			one=$(t_as "$MAYFLY" session create --snapshot \
			    "$taken" 2>seen) || wrong "it is not there: $(
			    head -c 200 seen)"
			[[ -z $one ]] || expect_all "$one"
		fi
		for one in "$STATE"/snapshots/*; do
			one=$(t_as "$MAYFLY" session create --snapshot \
			    "${one##*/}" 2>seen) || wrong "one is damaged: $(
			    head -c 200 seen)"
			in_session "$one" cat /root/kept
			[[ $(cat seen) == kept ]] || wrong "one is damaged"
		done
		end_all
	}
	sweep "session snapshot"
	finish_sweeps
fi

if faultcase "all forks are made or none, and the session loses nothing"; then
	begin
	prepare()
	{
		make_layered
		words=(session fork "$made" 2)
	}
	judge()
	{
		mapfile -t forks <out
		[[ $status == 0 && ${#forks[@]} == 2 ]] || expect_own_failure
	}
	after()
	{
		local one

		expect_all "$made"
		for one in "${forks[@]}"; do
			[[ ! $one =~ ^[a-z0-9]{26}$ ]] || expect_all "$one"
		done
		for one in "$STATE"/sessions/*; do
			one=${one##*/}
			[[ $one == "$kept" || $one == "$made" ]] ||
			    expect_all "$one"
		done
		end_all
	}
	sweep "session fork"
	finish_sweeps
fi

if [[ $AS == root ]] &&
    faultcase "a session's archive is whole, or told not to be"; then
	begin
	prepare()
	{
		make_layered
		words=(session export "$made")
	}
	judge()
	{
		[[ $status == 0 ]] || expect_own_failure
	}
	after()
	{
		if [[ $status == 0 ]]; then
			tar -xOf out root/kept root/second >seen 2>&1
			[[ $(cat seen) == $'kept\nsecond' ]] ||
			    wrong "it is not whole: $(head -c 200 seen)"
		fi
		expect_all "$made"
		end_all
	}
	sweep "session export"
	finish_sweeps
fi

if faultcase "a session is made of a snapshot or not"; then
	begin
	prepare()
	{
		make_layered
		from=$(t_as "$MAYFLY" session snapshot "$made" 2>seen)
		words=(session create --snapshot "$from")
	}
	judge()
	{
		child=$(cat out)
		[[ $status == 0 && $child =~ ^[a-z0-9]{26}$ ]] ||
		    expect_own_failure
	}
	after()
	{
		[[ ! $child =~ ^[a-z0-9]{26}$ ]] || expect_all "$child"
		end_all
	}
	sweep "session create --snapshot"
	finish_sweeps
fi

if faultcase "a snapshot's end is done or not begun"; then
	begin
	prepare()
	{
		make_layered
		words=(snapshot delete "$(cat first)")
	}
	judge()
	{
		if [[ $status == 0 ]]; then
			[[ ! -e $STATE/snapshots/$(cat first) ]] ||
			    [[ ! -e $STATE/snapshots/$(cat first)/meta ]] ||
			    wrong "it is still there"
		else
			expect_own_failure
		fi
	}
	after()
	{
		expect_all "$made"
		end_all
	}
	sweep "snapshot delete"
	finish_sweeps
fi

if faultcase "a reap of layers takes none that is named, wherever it ends"; then
	begin
	prepare()
	{
		local n

		make_layered
		# As many layers as are merged, and some that nobody names.
		for n in {1..16}; do
			in_session "$made" sh -c "echo $n >/root/n"
			t_as "$MAYFLY" session snapshot "$made" </dev/null \
			    >last 2>seen
		done
		t_as mkdir -p "$STATE"/layers/id/{q,r}aaaaaaaaaaaaaaaaaaaaaaaaa/d
		words=(reap)
	}
	judge()
	{
		[[ $status == 0 ]] || expect_own_failure
	}
	after()
	{
		expect_all "$made"
		in_session "$made" cat /root/n
		[[ $(cat seen) == 16 ]] || wrong "the layers are not in order"
		[[ ! -e $STATE/layers/id/qaaaaaaaaaaaaaaaaaaaaaaaaa ]] ||
		    wrong "a layer is left"
		child=$(t_as "$MAYFLY" session create --snapshot \
		    "$(cat first)" 2>seen) || wrong "a snapshot is damaged"
		in_session "$child" sh -c 'cat /root/kept; ls /root /srv/a/b'
		[[ $(cat seen) == $'kept\n/root:\nagain\nkept\nmark\n\n/srv/a/b:\nc' ]] ||
		    wrong "a snapshot is not what it was: $(head -c 200 seen)"
		end_all
	}
	sweep "reap of layers"
	finish_sweeps
fi

figures
t_done
