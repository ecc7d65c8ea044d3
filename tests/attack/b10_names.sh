#!/bin/bash
# B10: ids and names that are paths, in every spelling: of sessions, images,
# users, directories, in targets, queries and bodies.
# as: root user

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=B10

# A directory that has all of a session, with a record that names the id
# that leads there, beside the store: DIRECTORY ID
forge()
{
	cp -a "$MAYFLY_STATE_DIR/sessions/$id" "$1"
	sed -i "s/$id/$2/" "$1/meta"
}

# Ids that lead somewhere, as a path would; \\1 stands for a line's end.
paths()
{
	printf '%s\n' . .. / ./ ../ "../sessions/$id" "./$id" "$id/" "$id/." \
	    "$id/../$id" "../trash/$forged" "../elsewhere/abcdefghijklm" \
	    "$MAYFLY_STATE_DIR/sessions/$id" "//$id" '*' "${id%?}?" "${id%?}" \
	    "${id}x" "${id^^}" "${id%?} " " $id" "$id " '~' '$HOME' '-' '--' \
	    "-$id" '--json' "$id"$'\1' "$id"$'\t' $'\1'"$id" meta lock cancel \
	    upper "$id/upper" "$id/meta" new "new-$id" "$id-x" '[a-z]*' \
	    '{a,b}' "\\$id" "..\\..\\$id" '..%2f' '%00' "$id%00" é \
	    $'\xff\xfe' "$(printf 'a%.0s' {1..300})" "$(printf 'a/%.0s' {1..99})" \
	    "$(printf '../%.0s' {1..50})etc/passwd" AAAAAAAAAAAAAAAAAAAAAAAAAA \
	    aaaaaaaaaaaaaaaaaaaaaaaaa. 0x0000000000000000000000001 \
	    'aaaaaaaaaaaaaaaaaaaaaaaaa/' '/aaaaaaaaaaaaaaaaaaaaaaaaa' \
	    'aaaaaaaaaaaa..aaaaaaaaaaaa' null undefined 0 1 -1 NaN true
}

# Each of them as a client might write it into a target: as it is, escaped
# wholly, escaped twice, with its slashes as %2f and as overlong UTF-8.
spellings()
{
	paths | "$PYTHON" -c 'import sys, urllib.parse as u
for line in sys.stdin.buffer.read().split(b"\n"):
    line = line.replace(b"\1", b"\n")
    text = line.decode("utf-8", "surrogateescape")
    whole = "".join("%%%02x" % b for b in line)
    print(u.quote(line, safe="/.$*~[]{},\\-")
          .replace("%5B", "[").replace("%7B", "{"))
    print(whole)
    print(whole.replace("%", "%25"))
    print(u.quote(line, safe=".").replace("%2F", "%2f"))
    print(u.quote(line, safe="").replace("%2F", "%c0%af")
          .replace("%2E", "%c0%ae").replace(".", "%2e"))'  |
	    sort -u
}

# As every name of the JSON: a string, also where it needs no escape.
bodies()
{
	paths | tr -d '\377\376' | jq -Rc --arg id "$id" '. as $p |
	    {path: "/sessions", body: {image: $p}},
	    {path: "/sessions", body: {snapshot: $p}},
	    {path: "/run", body: {command: "true", image: $p}},
	    {path: "/run", body: {command: "true", user: $p}},
	    {path: "/run", body: {command: "true", network: $p}}'
}

for INSIDE in $ATTACK_UIDS; do
	# Nothing runs inside.
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "no id of another form leads anywhere, as a target"; then
		session
		forged=${id/#?????????????/aaaaaaaaaaaaa}
		spellings >all
		check "there are only $(wc -l <all) spellings" \
		    test "$(wc -l <all)" -ge 200
		jq -Rc '{method: "GET", path: ("/sessions/" + .)},
		    {method: "DELETE", path: ("/sessions/" + .)},
		    {path: ("/sessions/" + . + "/run"),
			body: {command: "echo breach"}},
		    {method: "GET", path: ("/sessions?after=" + .)}' <all |
		    send_all
		# What a client's library takes off, such as "/./", is no id.
		expect_each '.code == 0 or (.code >= 400 and .code < 500) or
		    (.code == 200 and (.body | type) == "array")'
		expect_each '(.body | tostring | contains("breach") |
		    not) or .code != 200'
		http GET "/sessions/$id"
		expect_code 200
		forget
	fi

	if attackcase "no name in a body leads anywhere"; then
		session
		forged=$id
		bodies | send_all
		expect_each '.code == 422 or .code == 400 or (.code < 300 and
		    .code >= 200)'
		# User 0, 1 and -1 ...: those that are numbers are users.
		jq -c 'select(.code == 200) | .body.reason' answers | sort -u \
		    >reasons
		check "somebody got further: $(cat reasons)" \
		    test "$(cat reasons)" = '"exit"'
		jq -r 'select(.code == 201) | .body.id' answers >made
		check "a session was made of a name" test ! -s made
		forget
	fi

	if attackcase "no id of another form leads anywhere, as a word"; then
		# Of the same length as an id, and all of a session there.
		session
		forged=../../case/f/aaaaaaaaaaaaa
		mkdir f
		forge "$PWD/f/${forged##*/}" "$(sed 's/[.\/&]/\\&/g' \
		    <<<"$forged")"
		chown -R "$T_UID" f 2>/dev/null
		inner=$MAYFLY_STATE_DIR/trash/abc
		# Who is at that still would take this as well.
		await "an empty trash" \
		    eval '[[ -z $(ls -A "$MAYFLY_STATE_DIR/trash") ]]'
		forge "$inner" "$id"
		{
			echo "$forged"
			paths | head -n 60
		} >words
		find f "$MAYFLY_STATE_DIR" -printf '%p %i %s %m\n' | sort >before
		while IFS= read -r word; do
			for verb in show "run " delete env cwd ttl; do
				arguments=()
				[[ $verb != run* ]] || arguments=(-- true)
				[[ $verb != cwd ]] || arguments=(/tmp)
				[[ $verb != ttl ]] || arguments=(none)
				mayfly session "${verb% }" "$word" \
				    "${arguments[@]}" </dev/null >out 2>err
				status=$?
				[[ $status == 125 || $status == 64 ]] ||
				    fail "session $verb $word: status $status"
			done
		done < <(head -n 12 words; tail -n 3 words)
		while IFS= read -r word; do
			mayfly session show "$word" </dev/null >out 2>err
			status=$?
			expect_status 64 125
		done <words
		find f "$MAYFLY_STATE_DIR" -printf '%p %i %s %m\n' | sort |
		    diff before - >differs || fail "something has changed:
$(head -n 5 differs)"
		forget
		t_as "$MAYFLY" reap >/dev/null 2>&1
	fi
done
http_look_back
t_done
