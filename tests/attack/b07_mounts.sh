#!/bin/bash
# B7: removing a tree in which, by whatever mistake, something of the host's is
# mounted. What is mounted stays, and that is told.
# as: root

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=B7

# What the mount stands on, below the session's directory, and what it shows.
places()
{
	echo "upper/here canary"
	echo "upper/deep/er/here canary"
	echo "upper/file canary/file"
	echo "upper canary"
	echo "work canary"
	echo "lock canary/file"
	echo "meta canary/file"
	echo ". canary"
}

for INSIDE in $ATTACK_UIDS; do
	# Who removes is the same, whoever ran inside.
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "what is mounted in a session outlives its deletion"; then
		make_canary
		while read -r place what; do
			create
			inside -- sh -c 'mkdir -p /here /deep/er/here /other &&
			    echo x >/file'
			dir=$STATE/sessions/$id
			mount --bind "$PWD/$what" "$dir/$place"
			session delete "$id"
			if [[ $status != 0 && $place != . && $place != meta ]]
			then
				fail "$place: it was refused with $status"
			fi
			reap
			expect_canary
			if [[ $status == 125 ]]; then
				expect_err_has '^mayfly: reap: .* stays: .*mounted'
			elif [[ ! -e $dir ]]; then
				fail "$place: nobody complains"
			fi
			mounted=$(awk -v root="$STATE/" \
			    'index($5, root) == 1 { print $5 }' \
			    /proc/self/mountinfo)
			umount "$mounted"
			[[ ! -e $dir ]] || delete
			reap
			expect_status 0
			expect_canary
			expect_clean
		done < <(places)
	fi

	if attackcase "nor do those go that a mount is stacked on"; then
		make_canary
		create
		inside -- mkdir -p /one/two
		dir=$STATE/sessions/$id/upper/one
		mount -t tmpfs none "$dir"
		mkdir "$dir/below"
		echo alive >"$dir/below/file"
		mount --bind canary "$dir/below"
		mount --bind "$dir" "$dir"
		delete
		reap
		expect_status 125
		expect_canary
		dir=$(echo "$STATE"/trash/*/upper/one)
		umount "$dir" && umount "$dir/below"
		check "the file system was emptied" \
		    test "$(cat "$dir/below/file")" = alive
		umount "$dir"
		reap
		expect_status 0
		expect_clean
	fi
done
t_done
