# shellcheck shell=bash
#
# Sessions: mayfly-api(7).
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

NOBODY=aaaaaaaaaaaaaaaaaaaaaaaaaa

expect_session()
{
	expect_json 'keys == ["age_secs", "created_at", "cwd", "env_names",
	    "expires_at", "id", "idle_secs", "image", "last_used_at", "parent",
	    "session_id", "ttl"]'
	expect_json '.id == .session_id and (.id | test("^[a-z0-9]{26}$"))'
	expect_json '[.created_at, .last_used_at] |
	    all(test("^20[0-9-]{8}T[0-9:]{8}(\\.[0-9]+)?Z$"))'
	expect_json '(.age_secs >= 0) and (.idle_secs >= 0) and
	    .idle_secs <= .age_secs + 1'
}

if testcase "a session is made, shown and removed"; then
	http POST /sessions '{}'
	expect_code 201
	expect_session
	expect_json '.image == "host" and .parent == null and .ttl == 300 and
	    .env_names == [] and .expires_at == null and .age_secs < 5'
	expect_json '.cwd == "/"'
	id=$(jq -r .id out)
	jq -S 'del(.age_secs, .idle_secs)' out >made
	http GET "/sessions/$id"
	expect_code 200
	expect_session
	check "it is not what was made" \
	    cmp -s made <(jq -S 'del(.age_secs, .idle_secs)' out)
	http HEAD "/sessions/$id"
	expect_code 200
	http DELETE "/sessions/$id"
	expect_code 204
	check "there is a body" test ! -s out
	for method in GET DELETE; do
		http $method "/sessions/$id"
		expect_error 404 not_found
	done
fi

if testcase "all is made as the request says"; then
	expires=$(date -u -d '+1 hour' +%FT%TZ)
	http POST /sessions "{\"env\": {\"B\": \"2\", \"A\": \"secret\"},
	    \"cwd\": \"/tmp\", \"image\": \"host\", \"ttl\": 77,
	    \"expires\": \"$expires\", \"limits\": {\"nofile\": 31}}"
	expect_code 201
	expect_json '.cwd == "/tmp" and .ttl == 77 and
	    (.env_names | sort) == ["A", "B"]'
	check "expires_at is $(jq -r .expires_at out)" test \
	    "$(date -d "$(jq -r .expires_at out)" +%s)" = \
	    "$(date -d "$expires" +%s)"
	id=$(jq -r .id out)
	in_session 'pwd; ulimit -n; echo $A$B'
	expect_json '.stdout == "/tmp\n31\nsecret2\n"'
	in_session 'ulimit -n' '{nofile: 40}'
	expect_json '.stdout == "40\n"'
	forget
	http POST /sessions '{"ttl": null, "expires": null, "env": null}'
	[[ $code == 422 ]] || {
		expect_code 201
		expect_json '.ttl == null and .expires_at == null'
		forget "$(jq -r .id out)"
	}
fi

if testcase "what is written stays until the session goes"; then
	session
	in_session 'mkdir -p /root/a/b /var/x; echo text >/root/a/b/f
	    chmod 640 /root/a/b/f; ln -s a/b/f /root/link; echo new >/etc/motd
	    echo up >/tmp/f; rm -rf /var/x; touch -d 2001-01-01 /root/old'
	expect_json '.exit_code == 0 and .stderr == ""'
	in_session 'cat /root/link /etc/motd /tmp/f; stat -c %a /root/a/b/f
	    ls -d /var/x; stat -c %Y /root/old'
	expect_json '.stdout == "text\nnew\nup\n640\n978307200\n" and
	    .exit_code == 0'
	in_session 'rm /etc/motd /root/link; rm -r /root/a'
	in_session 'cat /etc/motd; ls /root'
	expect_json '.stdout | test("link|new|\\ba\\b") | not'
	# Another session, and a run without one, see nothing of it.
	first=$id
	session
	in_session 'ls /root /tmp'
	expect_json '.stdout | test("old|\\bf\\b") | not'
	http_run 'ls /root /tmp'
	expect_json '.stdout | test("old|\\bf\\b") | not'
	forget "$first" "$id"
fi

if testcase "nothing runs on between two runs of a session"; then
	session
	word=stays-$$
	in_session "(setsid perl -e 'sleep 600' $word >/dev/null 2>&1 &)
	    sleep 0.2; ls /proc | grep -c '^[0-9]'"
	expect_code 200
	check "it runs on" gone_inside "$word"
	forget
fi

if testcase "files are placed and collected in a session, and stay"; then
	session '{"cwd": "/tmp"}'
	http POST "/sessions/$id/run" '{"command": "tr a b <in >out",
	    "files": [{"path": "in", "content": "aa"}], "collect": ["out"]}'
	expect_json '.files[0].content == "bb"'
	http POST "/sessions/$id/run" '{"command": "cat in", "collect":
	    ["out"], "cwd": null}'
	expect_json '.stdout == "aa" and .files[0].content == "bb"'
	forget
fi

if testcase "a stream in a session is as any other"; then
	session
	stream "/sessions/$id/run" '{"command": "echo a >/root/f; exit 4"}'
	stream_end
	check "the end" grep -q '"exit_code":4' out
	in_session 'cat /root/f'
	expect_json '.stdout == "a\n"'
	forget
fi

if testcase "env is merged, null removes, and values are never shown"; then
	session '{"env": {"A": "1", "B": "2"}}'
	http POST "/sessions/$id/env" '{"env": {"A": "hidden-1", "C": "é=",
	    "B": null, "NONE": null}}'
	expect_code 200
	expect_session
	expect_json '(.env_names | sort) == ["A", "C"]'
	expect_out_lacks 'hidden|é='
	in_session 'echo "$A,$B,$C"'
	expect_json '.stdout == "hidden-1,,é=\n"'
	in_session 'echo "$A,$D"' '{env: {A: "over", D: "4"}}'
	expect_json '.stdout == "over,4\n"'
	in_session 'echo "$A,$D"'
	expect_json '.stdout == "hidden-1,\n"'
	for path in "/sessions/$id" /sessions; do
		http GET "$path"
		expect_out_lacks 'hidden|é='
	done
	http POST "/sessions/$id/env" '{}'
	expect_error 422 invalid_field env
	http POST "/sessions/$id/env" '{"env": {"A=": "1"}}'
	expect_error 422 invalid_field env
	http POST "/sessions/$id/env" '{"env": {}}'
	expect_code 200
	forget
fi

if testcase "cwd is kept, when it is a directory of the session's"; then
	session
	in_session 'mkdir /root/job; echo >/root/file; ln -s job /root/link'
	http POST "/sessions/$id/cwd" '{"cwd": "/root/job"}'
	expect_code 200
	expect_session
	expect_json '.cwd == "/root/job"'
	in_session 'pwd'
	expect_json '.stdout == "/root/job\n"'
	in_session 'pwd' '{cwd: "/usr"}'
	expect_json '.stdout == "/usr\n"'
	in_session 'cd /usr; pwd'
	in_session 'pwd'
	expect_json '.stdout == "/root/job\n"'
	for wrong in /root/none /root/file relative '' /root/file/x; do
		http POST "/sessions/$id/cwd" "{\"cwd\": \"$wrong\"}"
		expect_error 422 invalid_field cwd
	done
	http POST "/sessions/$id/cwd" '{"cwd": null}'
	expect_code 422
	http GET "/sessions/$id"
	expect_json '.cwd == "/root/job"'
	in_session 'rm -r /root/job' '{cwd: "/"}'
	in_session 'pwd'
	expect_error 422 invalid_field cwd
	forget
	http POST /sessions '{"cwd": "relative"}'
	expect_error 422 invalid_field cwd
fi

if testcase "ttl and expires are set, and null is for none"; then
	session
	expires=2099-12-31T23:59:59Z
	http POST "/sessions/$id/ttl" "{\"ttl\": 5, \"expires\": \"$expires\"}"
	expect_code 200
	expect_session
	expect_json '.ttl == 5 and (.expires_at | startswith("2099-12-31T23"))'
	http POST "/sessions/$id/ttl" '{"ttl": null}'
	expect_json '.ttl == null and .expires_at != null'
	http POST "/sessions/$id/ttl" '{"expires": null}'
	expect_json '.ttl == null and .expires_at == null'
	expect_table -j "/sessions/$id/ttl" <<-'END'
		422 invalid_field /ttl/ | nothing | {}
		422 invalid_field /ttl/ | 0 | {"ttl":0}
		422 invalid_field /ttl/ | negative | {"ttl":-1}
		422 invalid_field /ttl/ | text | {"ttl":"5"}
		422 invalid_field /ttl/ | a part | {"ttl":1.5}
		422 invalid_field /ttl/ | very long | {"ttl":99999999999999}
		422 invalid_field /expires/ | no date | {"expires":"soon"}
		422 invalid_field /expires/ | no time | {"expires":"2099-12-31"}
		422 invalid_field /expires/ | no zone | {"expires":"2099-12-31T00:00:00"}
		422 invalid_field /expires/ | a day there is not | {"expires":"2099-02-30T00:00:00Z"}
		422 invalid_field /expires/ | a number | {"expires":4102444799}
		422 invalid_field /expires: is in the past/ | past | {"expires":"2001-01-01T00:00:00Z"}
		422 invalid_field /expires: is in the past/ | past, and more | {"ttl":77,"expires":"2001-01-01T00:00:00Z"}
		422 invalid_field /until/ | unknown | {"ttl":1,"until":1}
		200 - | with a zone | {"expires":"2099-12-31T23:59:59+01:00"}
	END
	http GET "/sessions/$id"
	expect_json '.ttl == null and (.expires_at | startswith("2099"))'
	forget
	http POST /sessions '{"expires": "2001-01-01T00:00:00Z"}'
	expect_error 422 invalid_field 'expires: is in the past'
fi

if testcase "sessions are listed oldest first, by pages"; then
	ids=()
	for _ in {1..7}; do
		session
		ids+=("$id")
	done
	http GET /sessions
	expect_code 200
	expect_json "map(.id) == $(jq -cn '$ARGS.positional' --args "${ids[@]}")"
	http GET '/sessions?limit=3'
	check "the first page" test "$(jq -r '.[].id' out | xargs)" = \
	    "${ids[*]:0:3}"
	http GET "/sessions?limit=3&after=${ids[2]}"
	check "the second page" test "$(jq -r '.[].id' out | xargs)" = \
	    "${ids[*]:3:3}"
	http GET "/sessions?after=${ids[5]}&limit=3"
	check "the last page" test "$(jq -r '.[].id' out)" = "${ids[6]}"
	http GET "/sessions?after=${ids[6]}"
	expect_json '. == []'
	# The place in the list stays when the session is gone.
	forget "${ids[3]}"
	for query in limit=0 limit=-1 limit=x limit= limit=1001 after=x after= \
	    'limit=1&limit=2' page=2 "after=$NOBODY%00" 'after=../x'; do
		http GET "/sessions?$query"
		[[ $code == 422 || $code == 400 ]] ||
		    fail "$query: status $code"
	done
	unset 'ids[3]'
	forget "${ids[@]}"
fi

if testcase "nothing is a session but what was made"; then
	session
	for wrong in "$NOBODY" "${id^^}" "${id:1}" "${id}a" "$id/" "$id%20" \
	    x .. '%2e%2e' '%2e%2e%2f' "..%2fsessions%2f$id" "./$id" \
	    "$NOBODY/../$id" '' ' ' "$id%00" "$id;a" "*" "%F0%9F%98%80" \
	    'aaaaaaaaaaaaaaaaaaaaaaaaa-' 'AAAAAAAAAAAAAAAAAAAAAAAAAA'; do
		for method in GET DELETE; do
			http $method "/sessions/${wrong// /%20}"
			[[ $code == 404 || $code == 400 ||
			    ($wrong == '' && $code == 405) ||
			    ($wrong == '' && $code == 200) ]] ||
			    fail "$method '$wrong': status $code"
		done
	done
	for verb in run env cwd ttl; do
		http POST "/sessions/$NOBODY/$verb" \
		    '{"command": "true"}'
		[[ $code == 404 || $code == 422 ]] ||
		    fail "$verb: status $code"
	done
	http POST "/sessions/$NOBODY/run" '{"command": "true"}'
	expect_error 404 not_found
	http GET "/sessions/$id"
	expect_code 200
	forget
fi

if testcase "in a session the image is what it is"; then
	session
	http POST "/sessions/$id/run" '{"command": "true", "image": "host"}'
	expect_error 422 invalid_field image
	forget
	http POST /sessions '{"image": "none-such"}'
	expect_error 422 invalid_field image
	http POST /sessions '{"limits": {"time": 0}}'
	expect_error 422 invalid_field time
	http POST /sessions '{"limits": {"none": 1}}'
	expect_error 422 invalid_field none
	http POST /sessions '{"name": "x"}'
	expect_error 422 invalid_field name
	http POST /sessions '{"env": {"A": null}}'
	[[ $code == 201 ]] && forget "$(jq -r .id out)"
fi

if testcase "the command has the sessions of the server"; then
	CALLER=$T_UID session '{"env": {"A": "1"}}'
	mayfly session list --json </dev/null >list 2>err
	expect_json "map(.id) == [\"$id\"]" list
	mayfly session run "$id" -- sh -c 'echo $A >/root/f' </dev/null
	CALLER=$T_UID in_session 'cat /root/f'
	expect_json '.stdout == "1\n"'
	mayfly session delete "$id" </dev/null >out 2>err
	CALLER=$T_UID http GET "/sessions/$id"
	expect_error 404 not_found
fi

# Of a quota the command is told itself; where there is none the run ends.
if testcase "a session holds no more than session_disk, and that is said"; then
	session '{"limits": {"session_disk": 8192, "fsize": 100000}}'
	in_session 'head -c 30000000 /dev/zero >/root/f; echo $? >&2'
	expect_code 200
	expect_json 'if .enforced.session_disk == "quota" then
	    .reason == "exit" and (.stderr | test("(quota|space)")) else
	    .enforced.session_disk == "sampled" and .reason == "disk" and
	    .exit_code == null and .signal == 9 end'
	if [[ $(jq -r .reason out) == disk ]]; then
		in_session true
		expect_error 422 invalid_field 'session_disk: the session holds'
		http POST "/sessions/$id/cwd" '{"cwd": "/tmp"}'
		expect_error 422 invalid_field 'session_disk: the session holds'
	fi
	http POST "/sessions/$id/run" \
	    '{"command": "rm /root/f", "session_disk": 65536}'
	expect_json '.exit_code == 0'
	in_session true
	expect_json '.reason == "exit"'
	forget
fi

if testcase "a disk that is nearly full is an error that says so"; then
	session
	server_start MAYFLY_MIN_FREE=1000000000000
	http POST /sessions '{}'
	expect_error 500 sandbox_failed 'step state: No space left on device'
	in_session true
	expect_error 500 sandbox_failed 'step state: No space left on device'
	http GET "/sessions/$id"
	expect_code 200
	http DELETE "/sessions/$id"
	expect_code 204
	server_stop
fi

# A disk of its own for the server that stays mounted until it has ended.
with_disk()
{
	truncate -s 80M image
	mke2fs -q -F -t ext4 -m 0 -O ^has_journal -b 1024 image >/dev/null 2>&1
	mkdir disk
	mount -o loop image disk 2>/dev/null || return
	mkdir disk/state
	chown "$T_UID" disk/state
	server_start "MAYFLY_STATE_DIR=$PWD/disk/state" MAYFLY_MIN_FREE=0
}

if ((EUID == 0)) && ! by_units &&
    testcase "a full disk, and one that cannot be written, are told as such" &&
    require "no disk can be mounted here" with_disk; then
	session
	in_session 'echo kept >/root/f'
	kept=$id
	session
	dd if=/dev/zero of=disk/filler bs=64k 2>/dev/null
	dd if=/dev/zero of=disk/filler2 bs=512 2>/dev/null
	http POST /sessions '{}'
	expect_error 500 sandbox_failed 'step state: No space left on device'
	http POST "/sessions/$id/env" '{"env": {"A": "1"}}'
	expect_error 500 sandbox_failed 'step state: No space left on device'
	http DELETE "/sessions/$id"
	expect_code 204
	rm disk/filler*
	id=$kept
	in_session 'cat /root/f'
	expect_json '.stdout == "kept\n"'
	poll 100 eval "mount -o remount,ro disk 2>/dev/null" ||
	    fail "it cannot be made read-only"
	http POST /sessions '{}'
	expect_error 500 sandbox_failed 'step state: Read-only file system'
	in_session true
	expect_error 500 sandbox_failed 'step state: Read-only file system'
	http DELETE "/sessions/$id"
	expect_error 500 sandbox_failed 'step state: Read-only file system'
	http GET "/sessions/$id"
	expect_code 200
	mount -o remount,rw disk
	http DELETE "/sessions/$id"
	expect_code 204
	server_stop
	umount disk
fi
