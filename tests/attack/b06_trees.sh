#!/bin/bash
# B6: trees of a size, depth and with names that whoever lists, collects or
# removes them might not bear: in bounded memory, time and descriptors.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=B6

# Removes the session and what is left of it, with as little as this.
remove_bounded()
{
	local least=(prlimit --as=33554432 --nofile=64 --)

	# AddressSanitizer has terabytes to itself.
	! grep -qaF __asan_init "$MAYFLY" || least=()
	began=$(now)
	http DELETE "/sessions/$id"
	expect_code 204
	expect_took 3000
	began=$(now)
	t_as timeout -s KILL 120 "${least[@]}" "$MAYFLY" reap \
	    </dev/null >out 2>err
	status=$?
	expect_status 0
	expect_no_err
	expect_took 90000
	# What the broker of the request is still at is not the reaper's.
	poll 600 eval '[[ -z $(ls -A "$MAYFLY_STATE_DIR/trash") ]]' ||
	    fail "something is left in the trash"
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a file of a terabyte without content is no burden"; then
		session
		in_session 'truncate -s 1T f || truncate -s 1G f; stat -c %s f' \
		    "{user: \"$INSIDE\", cwd: \"/tmp\", fsize: 1073741824,
		    collect: [\"f\", \"f\", \"f\"]}"
		expect_code 200
		expect_json '.files | length == 3 and all(.truncated and
		    .size >= 1073741824)'
		check "the answer has $(stat -c %s out) bytes" \
		    test "$(stat -c %s out)" -lt 60000000
		remove_bounded
	fi

	# It takes its time, and who made them does not matter.
	if [[ $INSIDE == "${ATTACK_UIDS%% *}" ]] &&
	    attackcase "a hundred thousand names go"; then
		session
		in_session 'perl -e "mkdir qq(/tmp/m) or die; chdir q(/tmp/m);
		    for (1 .. 100000) { open F, q(>), qq(\$_) or die \$! }"' \
		    "{user: \"$INSIDE\", time: 120000, wall: 240000}"
		expect_json '.exit_code == 0'
		in_session true '{cwd: "/tmp/m", collect: ["1", "100000"]}'
		expect_json '[.files[].size] == [0, 0]'
		remove_bounded
	fi

	if attackcase "four thousand directories deep go"; then
		session
		in_session 'perl -e "chdir q(/tmp); for (1 .. 4000) {
		    mkdir(q(d)) && chdir(q(d)) or die \$!;
		    if (\$_ % 50 == 0) { open F, q(>), q(f) } }"' \
		    "{user: \"$INSIDE\", time: 60000, wall: 120000}"
		expect_json '.exit_code == 0'
		in_session 'cd /tmp; ls | head -3' "$(jq -nc '{cwd: "/tmp",
		    collect: [[range(50) | "d/"] | add + "f",
		    ([range(2000) | "d/"] | add + "f")]}')"
		expect_json '[.files[].size] == [0, 0]'
		http POST "/sessions/$id/run" "$(jq -nc '{command: "true",
		    cwd: ("/tmp" + ([range(2040) | "/d"] | add))}')"
		[[ $code == 200 || $code == 422 ]] ||
		    fail "a deep directory to start in: $code"
		remove_bounded
	fi

	if attackcase "names of any bytes are kept, told and removed"; then
		session
		in_session 'perl -e "mkdir q(/tmp/n); chdir q(/tmp/n);
		    for (map({ chr } 1 .. 46, 48 .. 255), qq(\n\n), q(-rf),
		    qq(\x1b[2J), qq(\xed\xa0\x80), qq(\xc0\xaf..), q(...),
		    q(x) x 255, q(.wh.a), qq(\r\nX-Evil: 1)) {
		    next if \$_ eq q(.); open F, q(>), \$_ or die \$!;
		    print F q(own); mkdir qq(\$_/) }
		    opendir D, q(.); print scalar(grep { 1 } readdir D)"' \
		    "{user: \"$INSIDE\", cwd: \"/tmp\"}"
		expect_json '.exit_code == 0 and (.stdout | tonumber) > 255'
		jq -nc '[range(1; 128) | select(. != 46 and . != 47) | [.] |
		    implode] + ["\n\n", "-rf", "\u001b[2J",
		    "\r\nX-Evil: 1"] | {command: "true", cwd: "/tmp/n",
		    collect: .}' >request
		http POST "/sessions/$id/run" @request
		expect_code 200
		expect_json '(.files | length) == 129 and
		    (.files | all(.content == "own"))'
		check_not "a name became a field" grep -qi '^x-evil' headers
		remove_bounded
	fi
done
http_look_back
t_done
