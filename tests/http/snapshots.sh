# shellcheck shell=bash
#
# Snapshots, forks and trees of sessions: mayfly-api(7).
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

NOBODY=aaaaaaaaaaaaaaaaaaaaaaaaaa

# snapshot [BODY]: of the session `id`; sets taken.
snapshot()
{
	http POST "/sessions/$id/snapshots" "${1:-{\}}"
	expect_code 201
	taken=$(jq -r .snapshot_id out)
}

# fork [BODY]: of the session `id`; sets forks.
fork()
{
	http POST "/sessions/$id/fork" "${1:-{\}}"
	expect_code 201
	mapfile -t forks < <(jq -r '.sessions[].id' out)
}

# Ends snapshots.
forget_snapshots()
{
	local one

	for one; do
		http DELETE "/snapshots/$one"
		expect_code 204
	done
}

# What runs in the session $1 say.
says()
{
	id=$1 in_session "$2"
	expect_json ".stdout == \"$3\""
}

expect_snapshot()
{
	expect_json 'keys == ["created_at", "name", "session_id", "size_kb",
	    "snapshot_id"]'
	expect_json '(.snapshot_id | test("^[a-z0-9]{26}$")) and
	    (.created_at | test("^20[0-9-]{8}T[0-9:]{8}Z$")) and
	    (.size_kb | type) == "number" and .size_kb >= 0'
}

if testcase "a snapshot is taken, shown, listed and removed"; then
	session
	in_session 'head -c 2000000 /dev/urandom >/root/f'
	http POST "/sessions/$id/snapshots" '{"name": "before <é>"}'
	expect_code 201
	expect_snapshot
	expect_json ".session_id == \"$id\" and .name == \"before <é>\" and
	    .size_kb >= 1900 and .size_kb < 4000"
	first=$(jq -r .snapshot_id out)
	jq -S . out >made
	http GET "/snapshots/$first"
	expect_code 200
	check "it is not what was made" cmp -s made <(jq -S . out)
	http HEAD "/snapshots/$first"
	expect_code 200
	snapshot
	expect_snapshot
	expect_json '.name == null'
	http GET /snapshots
	expect_code 200
	expect_json "map(.snapshot_id) == [\"$first\", \"$taken\"]"
	other=$id
	session
	snapshot '{"name": null}'
	http GET "/snapshots?session=$other"
	expect_json "map(.session_id) | unique == [\"$other\"]"
	http GET "/snapshots?session=$other&limit=1"
	expect_json "map(.snapshot_id) == [\"$first\"]"
	http GET "/snapshots?after=$first&limit=1000"
	expect_json 'length == 2'
	http GET "/snapshots?session=$NOBODY"
	expect_json '. == []'
	forget_snapshots "$first"
	check "there is a body" test ! -s out
	for method in GET DELETE; do
		http $method "/snapshots/$first"
		expect_error 404 not_found
	done
	http GET /snapshots
	mapfile -t all < <(jq -r '.[].snapshot_id' out)
	check "there are ${#all[@]}" test "${#all[@]}" = 2
	forget_snapshots "${all[@]}"
	forget "$id" "$other"
fi

if testcase "a session that is made from a snapshot begins as it was"; then
	session '{"env": {"A": "1", "B": "2"}, "cwd": "/tmp",
	    "limits": {"nofile": 33}}'
	top=$id
	in_session 'echo one >/root/f; mkdir /root/d; echo >/root/d/x'
	snapshot
	in_session 'echo two >/root/f; rm -r /root/d; mkdir /root/d'
	session "{\"snapshot\": \"$taken\"}"
	expect_json ".parent == \"$top\" and .image == \"host\" and
	    .cwd == \"/tmp\" and .env_names == [\"A\", \"B\"] and .ttl == 300"
	says "$id" 'cat /root/f; ls /root/d; echo $A$B; ulimit -n; pwd' \
	    'one\nx\n12\n33\n/tmp\n'
	first=$id
	says "$top" 'cat /root/f; ls /root/d' 'two\n'
	session "{\"snapshot\": \"$taken\", \"env\": {\"B\": \"3\"},
	    \"cwd\": \"/\", \"ttl\": 99, \"limits\": {\"nofile\": 35}}"
	expect_json '.ttl == 99'
	says "$id" 'echo $A$B; ulimit -n; pwd' '13\n35\n/\n'
	forget "$top"
	says "$first" 'cat /root/f' 'one\n'
	http GET "/sessions/$first"
	expect_json ".parent == \"$top\""
	forget_snapshots "$taken"
	says "$first" 'cat /root/f' 'one\n'
	forget "$first" "$id"
fi

if testcase "a fork is what the session is, and both go on by themselves"; then
	session '{"env": {"A": "1"}, "cwd": "/tmp", "ttl": 555}'
	top=$id
	in_session 'echo one >/root/f'
	fork
	check "there are ${#forks[@]}" test "${#forks[@]}" = 1
	expect_json 'keys == ["sessions"]'
	expect_json ".sessions[0] | .parent == \"$top\" and .ttl == 555 and
	    .cwd == \"/tmp\" and .env_names == [\"A\"]"
	in_session 'echo two >/root/f'
	says "${forks[0]}" 'cat /root/f; echo $A; echo three >/root/f' \
	    'one\n1\n'
	in_session 'cat /root/f'
	expect_json '.stdout == "two\n"'
	all=("$top" "${forks[@]}")
	fork '{"count": 16}'
	check "there are ${#forks[@]}" test "${#forks[@]}" = 16
	says "${forks[15]}" 'cat /root/f' 'two\n'
	forget "${all[@]}" "${forks[@]}"
fi

if testcase "the tree has all who came from one, and says who has gone"; then
	session
	top=$id
	in_session 'echo >/root/f'
	fork '{"count": 2}'
	# The order of their names: both may be of one millisecond.
	mapfile -t two < <(printf '%s\n' "${forks[@]}" | LC_ALL=C sort)
	id=${two[0]}
	fork
	low=${forks[0]}
	for one in "$top" "${two[@]}" "$low"; do
		http GET "/sessions/$one/tree"
		expect_code 200
		expect_json "[.. | .id? // empty] ==
		    [\"$top\", \"${two[0]}\", \"$low\", \"${two[1]}\"]"
	done
	expect_json '[.. | .deleted? | select(. != null)] ==
	    [false, false, false, false] and .children[1].children == [] and
	    keys == ["children", "created_at", "deleted", "id"]'
	forget "$top" "${two[0]}"
	http GET "/sessions/$low/tree"
	expect_json "[.. | select(.deleted?).id] == [\"$top\", \"${two[0]}\"]"
	http GET "/sessions/$top/tree"
	expect_error 404 not_found
	forget "$low" "${two[1]}"
fi

if testcase "what makes no snapshot or fork is refused by name"; then
	session
	expect_table -j "/sessions/$id/snapshots" <<-'END'
		422 invalid_field /name/ | a number | {"name":1}
		422 invalid_field /name/ | a line end | {"name":"a\\nb"}
		422 invalid_field /name/ | an escape | {"name":"\\u001b[2J"}
		422 invalid_field /nothing/ | unknown | {"nothing":1}
		422 invalid_field /count/ | a fork's | {"count":1}
		422 - | a list | []
	END
	long=$(printf 'x%.0s' {1..129})
	http POST "/sessions/$id/snapshots" "{\"name\": \"$long\"}"
	expect_error 422 invalid_field name
	expect_table -j "/sessions/$id/fork" <<-'END'
		422 invalid_field /count/ | none | {"count":0}
		422 invalid_field /count/ | too many | {"count":17}
		422 invalid_field /count/ | text | {"count":"1"}
		422 invalid_field /count/ | a part | {"count":1.5}
		422 invalid_field /name/ | a snapshot's | {"name":"x"}
	END
	http GET /sessions
	expect_json "map(.id) == [\"$id\"]"
	http GET /snapshots
	expect_json '. == []'
	for one in "$NOBODY" "$id" x '' '../x'; do
		http POST /sessions "{\"snapshot\": \"$one\"}"
		expect_error 422 invalid_field snapshot
	done
	snapshot
	http POST /sessions "{\"snapshot\": \"$taken\", \"image\": \"host\"}"
	expect_error 422 invalid_field image
	for path in snapshots fork; do
		http POST "/sessions/$NOBODY/$path" '{}'
		expect_error 404 not_found
		http GET "/sessions/$id/$path"
		expect_error 405 method_not_allowed
	done
	http GET "/sessions/$NOBODY/tree"
	expect_error 404 not_found
	http POST "/sessions/$id/tree" '{}'
	expect_error 405 method_not_allowed
	http POST "/snapshots/$taken" '{}'
	expect_error 405 method_not_allowed
	for path in "/snapshots/$NOBODY" "/snapshots/$id" /snapshots/x \
	    "/snapshots/$taken/x" "/snapshots/${taken^^}"; do
		http GET "$path"
		expect_error 404 not_found
	done
	for query in session=x session= limit=0 limit=1001 after=x page=1 \
	    "session=$id&session=$id"; do
		http GET "/snapshots?$query"
		[[ $code == 422 || $code == 400 ]] || fail "$query: $code"
	done
	forget_snapshots "$taken"
	forget
fi

if testcase "a busy session is not snapshot or forked, and says so"; then
	server_start MAYFLY_SESSION_WAIT=300
	session
	waiting "busy-$$" "/sessions/$id/run"
	for path in snapshots fork; do
		http POST "/sessions/$id/$path" '{}'
		expect_error 409 session_busy
	done
	kill "$pid"
	await "it has ended" gone_inside "busy-$$"
	fork
	forget "$id" "${forks[@]}"
	server_stop
fi

if testcase "max_snapshots and max_sessions are told as such"; then
	server_start MAYFLY_MAX_SNAPSHOTS=1 MAYFLY_MAX_SESSIONS=3
	session
	snapshot
	http POST "/sessions/$id/snapshots" '{}'
	expect_error 503 too_many_snapshots max_snapshots
	http POST "/sessions/$id/fork" '{"count": 3}'
	expect_error 503 too_many_sessions max_sessions
	http GET /sessions
	expect_json "map(.id) == [\"$id\"]"
	fork '{"count": 2}'
	forget_snapshots "$taken"
	forget "$id" "${forks[@]}"
	server_stop
fi

if testcase "of removed snapshots and forks nothing is left on disk"; then
	http GET /snapshots
	expect_json '. == []'
	mayfly reap </dev/null >out 2>err
	find "$HTTP_STATE"/{layers/*,snapshots,tree,trash} -mindepth 1 \
	    >left 2>/dev/null
	check "there is $(head -n 3 left | xargs)" test ! -s left
fi
