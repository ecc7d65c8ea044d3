#!/bin/bash
# C14: jumps of the clock, by years and in both directions: no session goes in
# which something runs, none is given a time that nobody asked for, and no
# limit of a run depends on a clock that can be set.
# as: root user

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=C14
YEARS=$((10 * 365 * 86400))

# Writes the record as if the clock had stood elsewhere: shift SECONDS
shift_record()
{
	local meta=$MAYFLY_STATE_DIR/sessions/$id/meta name

	for name in created_at last_used_at; do
		perl -pi -e 's/\0'"$name"'=\K(\d+)/$1 + '"($1)"'/e' "$meta"
	done
}

for INSIDE in $ATTACK_UIDS; do
	# Nothing inside has a part in it.
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "what runs outlives a jump of the clock"; then
		for jump in -$YEARS $YEARS; do
			session '{"ttl": 60}'
			waiting "clock$jump-$$" "/sessions/$id/run"
			shift_record "$jump"
			mayfly reap </dev/null >out 2>err
			expect_no_out
			check "it has ended" runs_inside "clock$jump-$$"
			http GET "/sessions/$id"
			expect_code 200
			expect_json '.age_secs >= 0 and .idle_secs >= 0'
			inside "clock$jump-$$" | xargs kill
			finish
			mayfly reap </dev/null >out 2>err
			expect_no_out
			# The run's end is what counts, and it was now.
			in_session 'echo fine'
			expect_json '.stdout == "fine\n"'
			forget
		done
	fi

	if attackcase "a clock that was set back keeps a session, and forward ends it"
	then
		session '{"ttl": 60}'
		shift_record $YEARS
		mayfly reap </dev/null >out 2>err
		expect_no_out
		http GET "/sessions/$id"
		expect_code 200
		expect_json '.age_secs >= 0 and .idle_secs >= 0'
		in_session true
		expect_code 200
		forget
		session '{"ttl": 60}'
		shift_record -$YEARS
		http GET "/sessions/$id"
		expect_code 404
		mayfly reap </dev/null >out 2>err
		expect_out_has "^removed session $id$"
		session '{"ttl": null}'
		shift_record -$YEARS
		mayfly reap </dev/null >out 2>err
		expect_no_out
		forget
	fi

	# What is traced cannot become newuidmap's root.
	if [[ $AS != subuid ]] &&
	    attackcase "no timer of a run is on a clock that can be set" &&
	    require "strace cannot be used here" \
	    t_as strace -f -qq -o /dev/null true; then
		t_as strace -E "$UNCHECKED" -f -qq -o "$PWD/trace" \
		    "$MAYFLY" run --wall 5000 --time 5000 -- true </dev/null >out 2>err
		grep -E 'p?poll|timer|setitimer|sigtimedwait|nanosleep' trace \
		    >waits
		check "nobody was seen waiting" test -s waits
		check_not "somebody waits by it: $(grep -E REALTIME waits)" \
		    grep -qE 'CLOCK_REALTIME|TIMER_ABSTIME' waits
		# Limits of time begin with a clock that nobody sets.
		check_not "the date is asked for" grep -qE \
		    'clock_gettime\(CLOCK_REALTIME,|gettimeofday\(' trace
	fi
done
http_look_back
t_done
