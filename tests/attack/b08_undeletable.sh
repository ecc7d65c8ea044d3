#!/bin/bash
# B8: trees that whoever made them hopes cannot be removed: without a right
# for anybody, of all owners, made immutable, taken apart while they go.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=B8

for INSIDE in $ATTACK_UIDS; do
	if attackcase "trees without a right for anybody go"; then
		create
		inside --user "$INSIDE" -- perl -e '
			chdir "/tmp"; my @all;
			for my $mode (0 .. 7, 01000, 02000, 06000, 0111, 0222,
			    0444) {
				my $d = sprintf "m%o", $mode;
				mkdir $d; mkdir "$d/in"; mkdir "$d/in/er";
				open F, ">", "$d/in/er/file" or die $!;
				chmod 0, "$d/in/er/file";
				chmod $mode, "$d/in/er", "$d/in", $d;
			}'
		expect_status 0
		delete
		reap
		expect_status 0
		expect_no_err
		expect_clean
	fi

	if [[ $INSIDE == 0 && $AS != user ]] &&
	    attackcase "trees of all owners go"; then
		create
		inside -- perl -e '
			chdir "/root"; my $top = ".";
			for my $id (1, 2, 7, 999, 1000, 32768, 65534, 65535) {
				mkdir "$top/$id" or die $!;
				open F, ">", "$top/$id/file" or die $!;
				chown $id, $id, "$top/$id/file", "$top/$id"
				    or die "$id $!";
				chmod 01700, "$top/$id"; $top = "$top/$id";
			}'
		expect_status 0
		delete
		reap
		expect_status 0
		expect_clean
	fi

	if attackcase "nothing can be made immutable from inside"; then
		create
		inside --user "$INSIDE" --ro-bind "$ATTACK:/attack" -- sh -c \
		    'cd /tmp && touch file && mkdir dir && chattr +i file dir
		    chattr +a file dir; touch dir/x file && rm -r file dir &&
		    echo fine'
		expect_out_has '^fine$'
		delete
		expect_clean
	fi

	if attackcase "what was taken apart halfway goes as well"; then
		create
		inside --user "$INSIDE" --time 60000 -- perl -e 'chdir "/tmp";
			for (1 .. 60) { mkdir "d"; chmod 0700, "d"; chdir "d";
			    for (1 .. 10) { open F, ">", "f$_" } }'
		expect_status 0
		# In the trash, and killed again and again.
		session delete "$id"
		for _ in 1 2 3 4 5 6; do
			t_as timeout -s KILL 0.01 "$MAYFLY" reap >/dev/null 2>&1
		done
		reap
		expect_status 0
		expect_clean
	fi
done
t_done
