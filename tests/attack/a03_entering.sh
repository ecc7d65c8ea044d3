#!/bin/bash
# A3: waiting for whoever enters: a process that a command has left behind
# reaches for those that collect its files, place others', or run next in the
# same session (CVE-2016-9962).
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=A3

# Brings the program into the session, where everybody may execute it.
bring_program()
{
	program a03_entering
	base64 -w 0 "$ATTACK/a03_entering" | jq -Rc '{command: "true",
	    files: [{path: "/attack/a03_entering", base64: .,
	    mode: "0755"}]}' >request
	http POST "/sessions/$id/run" @request
	expect_code 200
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "who collects is alone"; then
		session
		bring_program
		jq -nc --arg path "/sessions/$id/run" --arg user "$INSIDE" '
		    range(20) | {path: $path, body: {user: $user, cwd: "/tmp",
		    command: ["/attack/a03_entering", "/tmp/got"],
		    files: [{path: "placed", content: "x"}],
		    collect: [range(50) | "/tmp/got", "placed"]}}' |
		    send_all 1
		expect_each '.code == 200 and .body.exit_code == 0'
		in_session 'cat /tmp/got; echo end'
		expect_json '.stdout == "end\n"'
		forget
	fi

	if attackcase "who runs next in a session is alone"; then
		session
		bring_program
		for _ in {1..10}; do
			script '/attack/a03_entering /tmp/got
			    echo /proc/[0-9]* >/tmp/all' \
			    "{user: \"$INSIDE\"}" >request
			http POST "/sessions/$id/run" @request
			expect_json '.exit_code == 0'
			in_session 'cat /tmp/got
			    for p in /proc/[0-9]*; do
			    tr "\0" " " <$p/cmdline 2>/dev/null; done'
			expect_json '.stdout | contains("a03_entering") | not'
			expect_json '.stdout | contains("got mem") | not'
		done
		forget
	fi
done
http_look_back
t_done
