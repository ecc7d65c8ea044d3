#!/bin/bash
# B5: files that grow, shrink, are replaced or removed while they are
# collected: by processes that the command has left behind, or by a command
# that a limit ends in the middle.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=B5

CHANGE='$SIG{$_} = "IGNORE" for qw(HUP TERM INT);
    exit if fork; setsid(); exit if fork;
    open F, ">", "f"; syswrite F, "x" x 300000;
    if (open U, ">", "up") { close U }
    while (1) { truncate F, 0; seek F, 0, 0; syswrite F, "x" x 300000;
    if ($n++ % 5 == 0) { rename "f", "g"; rename "g", "f" } }'

for INSIDE in $ATTACK_UIDS; do
	if attackcase "what is collected changes no more"; then
		# By chance all of them are ended while the file is empty.
		for _ in {1..10}; do
			jq -nc --arg user "$INSIDE" --arg change "$CHANGE" '
			    range(6) | {body: {user: $user, cwd: "/tmp", env: {P: $change},
			    command: "perl -MPOSIX=setsid -e \"$P\" >/dev/null 2>&1
			    until test -e up; do :; done", wall: 20000,
			    collect: [range(30) | "f"]}}' | send_all 2
			expect_each '.code == 200 and .body.reason == "exit" and
			    ([.body.files[] | [.size, (.content | length)]] |
			    unique | length) <= 1'
			expect_each '[.body.files[]?] | all((.truncated | not) and
			    (.content | length) == .size)'
			! grep -q '"content": "x' answers || break
		done
		check "none was collected" grep -q '"content": "x' answers
	fi

	if attackcase "what a limit ends in the middle is whole in its answer"
	then
		jq -nc --arg user "$INSIDE" --arg change "$CHANGE" '
		    range(4) | {body: {user: $user, cwd: "/tmp", wall: 700,
		    env: {P: ($change | sub("exit if fork; setsid.*exit if fork;";
		    ""))}, command: "exec perl -e \"$P\"",
		    collect: ["f", "g", "up"]}}' | send_all 2
		expect_each '.code == 200 and .body.reason == "wall" and
		    ([.body.files[]?] | all((.content | length) == .size or
		    .truncated))'
	fi
done
http_look_back
t_done
