#!/bin/bash
# B3: names that are exchanged, a directory for a link to the host, while the
# tree that they stand in is removed.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=B3
PAIRS=200

# So many directories with a file, and so many links to the canary.
make_pairs()
{
	inside --wall 60000 --time 60000 --env "C=$PWD/canary" -- perl -e '
		mkdir "/x" or die; chdir "/x";
		for (0 .. $ARGV[0] - 1) {
			mkdir "d$_" or die $!;
			open my $f, ">", "d$_/file" or die $!;
			symlink $ENV{C}, "l$_" or die $!;
		}' "$PAIRS"
	expect_status 0
}

# Reaps, and where strace can do so waits before it opens anything: the names
# are exchanged in that time.
reap_slowly()
{
	local slow=(strace -E "$UNCHECKED" -f -qq -o /dev/null -e trace=openat2
	    -e inject=openat2:delay_enter=500)

	"${slow[@]}" true 2>/dev/null || slow=()
	t_as "${slow[@]}" "$MAYFLY" reap </dev/null >out 2>err
}

for INSIDE in $ATTACK_UIDS; do
	# Who removes is the same, whoever ran inside.
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "what is exchanged while it is removed leads nowhere"
	then
		make_canary
		program exchange
		for _ in 1 2 3 4 5 6; do
			create
			make_pairs
			: >begun
			# Not t_as: it has to be what is killed.
			"${T_AS[@]}" "$ATTACK/exchange" \
			    "$STATE/sessions/$id/upper/x" >begun &
			swapper=$!
			await "the exchange" test -s begun
			session delete "$id"
			expect_status 0
			expect_canary
			reap_slowly
			expect_canary
			kill "$swapper" 2>/dev/null
			wait "$swapper" 2>/dev/null
			# What moved under the reaper's hands the next one has.
			reap
			expect_status 0
			expect_clean
		done
	fi

	if attackcase "a run that exchanges names is over before it is removed"
	then
		make_canary
		program swap
		create
		spawn session run "$id" --ro-bind "$ATTACK:/attack" \
		    --time 60000 --env "C=$PWD/canary" -- sh -c 'mkdir /a
		    trap "" TERM HUP; echo x >/a/file; ln -s "$C" /b; ln -s / /c
		    /attack/swap /a /b & /attack/swap /b /c & echo up; wait' \
		    </dev/null
		await "the run" grep -q up out
		t_as "$MAYFLY" reap
		t_as "$MAYFLY" session delete "$id"
		check "it was not deleted" test $? = 0
		t_as "$MAYFLY" reap
		finish
		expect_status 137
		expect_canary
		reap
		expect_clean
	fi
done
t_done
