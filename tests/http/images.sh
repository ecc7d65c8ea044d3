# shellcheck shell=bash
#
# Images: API.md section 3. They come from a registry of the topic's own, and
# from one that lets everybody wait.
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FIXTURES=$T_ROOT/fixtures
mkdir -m 0755 "$FIXTURES"
# shellcheck source=tests/images/registry.sh
. "$HTTP_DIR/../images/registry.sh"

# The broker is the same: only who has started it is another, and as whom.
[[ $WAY.$AS == serve.root || $WAY == systemd ]] ||
    CASE=${CASE:-$(printf '%s|' 'while nobody waits' 'as a stream' \
	'a password is' 'that goes away' 'whoever is killed')the log has}

for program in skopeo docker-registry; do
	[[ -n $(type -P "$program") ]] || t_give_up "there is no $program"
done

PASSWORD='s3cr3t-Pass:word'
KEYS='["command", "cwd", "digest", "env", "layers", "name", "size_kb", "state",
    "user"]'
CASE_TOKENS=$T_ROOT/etc/case
! by_units || CASE_TOKENS=/etc/mayfly/tokens

# An image of one layer, and one that only who has the password gets.
arrange()
{
	fixture_base
	layout "$FIXTURES/oci" small '{"Env": ["PATH=/bin", "A=b=c", "E="],
	    "Cmd": ["/bin/sh", "-c", "echo $A"], "WorkingDir": "/tmp",
	    "User": "1001"}' "$BASE"
	perl -e 'print "who:", crypt($ARGV[0], q($2y$05$abcdefghijklmnopqrstuu)),
	    "\n"' "$PASSWORD" >"$FIXTURES/htpasswd"
	start_registry "auth: {htpasswd: {realm: r, path: $FIXTURES/htpasswd}}"
	locked=$registry LOCKED=$REGISTRY
	push "$FIXTURES/oci:small" private --dest-creds "who:$PASSWORD"
	start_registry
	push "$FIXTURES/oci:small" some/small:1.0
	# It takes connections, and says nothing.
	"$PYTHON" -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(99)
print(s.getsockname()[1], flush=True); time.sleep(9999)' >"$FIXTURES/port" &
	waits=$!
	poll 200 test -s "$FIXTURES/port"
	WAITING=localhost:$(<"$FIXTURES/port")
	MAYFLY_TOKENS=$CASE_TOKENS mayfly token add admin --admin \
	    </dev/null >shown 2>err || fail "no token: $(cat err)"
	ADMIN=$(<shown)
	MAYFLY_TOKENS=$CASE_TOKENS mayfly token add plain </dev/null >shown
	PLAIN=$(<shown)
}

# The topic's server, with more of a configuration.
images_start()
{
	by_units || set -- "MAYFLY_TOKENS=$CASE_TOKENS" "$@"
	server_start "MAYFLY_REGISTRIES=docker.io, http://$REGISTRY$(
	    ) http://$LOCKED, http://$WAITING" "$@" || fail "no server starts"
}

# Ends it; what was configured before is so again.
images_stop()
{
	server_stop
	! by_units || cp "$T_ROOT/units.conf" "$UNITS_CONF"
}

# The processes that serve connections of any of the topic's servers.
serving()
{
	if by_units; then
		leaks_mayflies
	else
		leaks_mayflies | grep -vxF "$(printf '%s\n' "${SERVERS[@]}")"
	fi
}

# As http, of an administrator.
api()
{
	TOKEN=$ADMIN http "$@"
}

# pull SOURCE [FIELDS]: without waiting for it
pull()
{
	jq -cn --arg source "$1" '{source: $source} + '"${2:-{\}}" >request
	api POST /images @request
}

state_is()
{
	api GET "/images/$2"
	[[ $code == 200 && $(jq -r .state out) == "$1" ]]
}

# Waits until the pull of an image has ended: comes_to STATE NAME
comes_to()
{
	await "$2 is $1" state_is "$1" "$2" || detail "$(head -c 300 out)"
	await "the end of who pulled" eval '[[ -z $(serving) ]]'
}

# A pull of what never comes, in the background: pull_waiting NAME
pull_waiting()
{
	pull "docker://$WAITING/x" "{name: \"$1\"}"
	expect_code 202
	await "skopeo" runs_inside "$WAITING/x"
}

# pull_stream SOURCE NAME [TYPE]; sets pid, and takes the events.
pull_stream()
{
	jq -cn --arg source "$1" --arg name "$2" \
	    '{source: $source, name: $name}' >request
	: >events
	curl -sS -N -D headers -H "Accept: ${3:-application/x-ndjson}" \
	    -H "Authorization: Bearer $ADMIN" \
	    -H 'Content-Type: application/json' --data-binary @request \
	    "http://$HTTP_TCP/images" >events 2>err &
	pid=$!
}

# Nothing of a pull is left but what the reaper removes.
expect_nothing_left()
{
	await "the end of who pulled" eval '[[ -z $(serving) ]]'
	check "skopeo runs on" gone_inside "$WAITING/x"
	MAYFLY_TOKENS=$CASE_TOKENS beside reap </dev/null >out 2>&1 ||
	    fail "reap: $(cat out)"
	check "there is trash: $(ls -A "$HTTP_STATE/trash")" \
	    test -z "$(ls -A "$HTTP_STATE/trash")"
}

forget_images()
{
	local one

	for one; do
		api DELETE "/images/$one"
		expect_code 204
	done
	beside reap </dev/null >reaped 2>&1 || fail "reap: $(cat reaped)"
}

cd "$T_ROOT" || exit
arrange
images_start
! by_units || cp "$UNITS_CONF" "$T_ROOT/units.conf"
cd / || exit
# What the first pull makes for all later ones is no leak.
(
	cd "$T_ROOT" && pull "docker://$REGISTRY/some/small:1.0"
	comes_to ready small:1.0
	forget_images small:1.0
)

images_end()
{
	kill "$registry" "$locked" "$waits"
	! by_units || rm -f "$CASE_TOKENS"*
	http_end
}
trap images_end EXIT

if testcase "an image is pulled while nobody waits, and then it is there"; then
	log_mark
	pull "docker://$REGISTRY/some/small:1.0"
	expect_code 202
	expect_json '.name == "small:1.0" and .state == "pulling" and
	    .digest == null and .layers == []'
	expect_json "keys == $KEYS"
	comes_to ready small:1.0
	expect_json "keys == $KEYS"
	expect_json '(.digest | test("^sha256:[0-9a-f]{64}$")) and
	    (.layers | length == 1 and all(test("^sha256:[0-9a-f]{64}$"))) and
	    .size_kb > 100 and .cwd == "/tmp" and .user == "1001" and
	    .env == {"PATH": "/bin", "A": "b=c", "E": ""} and
	    .command == ["/bin/sh", "-c", "echo $A"]'
	jq -S . out >shown
	api GET /images
	expect_code 200
	expect_json 'map(.name) == ["small:1.0"]'
	check "the list has another" cmp -s shown <(jq -S '.[0]' out)
	api GET /images/%73mall%3A1%2e0
	expect_code 200
	api HEAD /images/small:1.0
	expect_code 200
	jq -cn '{command: "cat /etc/group; pwd; id -u; echo $A",
	    image: "small:1.0"}' >request
	api POST /run @request
	expect_json '.stdout | test("staff(.*\n)+/tmp\n1001\nb=c\n$")'
	check "the log does not tell of its end" log_has \
	    "pull=small:1.0 .*source=\"docker://$REGISTRY/some/small:1.0\".*ready"
	check "the log has more than one line for the request" test \
	    "$(log_since | grep -c 'method="POST" path="/images"')" = 1
	# The same by its digest, which is no part of its name.
	digest=$(jq -r .digest shown)
	pull "docker://$REGISTRY/some/small@$digest"
	expect_code 202
	comes_to ready small
	expect_json ".digest == \"$digest\""
	api DELETE /images/small
	expect_code 204
	api DELETE /images/small:1.0
	expect_code 204
	check "there is a body" test ! -s out
	for method in GET DELETE; do
		api $method /images/small:1.0
		expect_error 404 not_found
	done
	api GET /images
	expect_json '. == []'
	forget_images
fi

if testcase "a pull is watched as a stream, which ends exactly once"; then
	for type in application/x-ndjson text/event-stream; do
		pull_stream "docker://$REGISTRY/some/small:1.0" streamed "$type"
		finish
		sed 's/^data: //; /^$/d' events >out
		expect_field Content-Type "$type"
		check "the events are $(head -c 600 out)" jq -es '
		    .[0].type == "start" and (.[0].id | length) == 26 and
		    (map(select(.type == "progress" and (.message | length) > 0
			)) | length) >= 2 and
		    (map(select(.type == "exit" or .type == "error")) |
			length) == 1 and
		    .[-1].type == "exit" and .[-1].state == "ready" and
		    .[-1].name == "streamed" and .[-1].env.A == "b=c"' out
	done
	pull_stream "docker://$REGISTRY/some/none" none
	finish
	check "the end is $(tail -n 1 events)" jq -es '.[-1].type == "error" and
	    .[-1].code == "pull_failed" and
	    (.[-1].message | test("skopeo.*manifest unknown")) and
	    (map(select(.type == "exit")) == [])' events
	comes_to failed none
	# What is refused has a status still.
	pull_stream "docker://evil.example/x" none
	finish
	expect_field Content-Type application/json
	await "its end" eval '[[ -z $(serving) ]]'
	forget_images streamed none
fi

if testcase "a pull that fails says why until it is tried again or forgotten"
then
	images_start MAYFLY_MAX_IMAGE=100
	pull "docker://$REGISTRY/some/small:1.0" '{name: "large"}'
	comes_to failed large
	expect_json '.error | test("^layer: .*mayfly-rootfs: .*100")'
	images_stop
	forget_images large
	log_mark
	pull "docker://$REGISTRY/some/none"
	expect_code 202
	comes_to failed none
	expect_json "keys == ($KEYS + [\"error\"] | sort) and
	    (.error | test(\"skopeo.*manifest unknown\")) and .digest == null"
	check "the log does not say so" log_has \
	    'pull=none .*state=failed .*why="skopeo.*manifest unknown'
	api GET /images
	expect_json 'map([.name, .state]) == [["none", "failed"]]'
	http_run true '{image: "none"}'
	api POST /run @request
	expect_error 422 invalid_field 'no image .none.'
	pull "docker://$REGISTRY/some/small:1.0" '{name: "none"}'
	expect_code 202
	comes_to ready none
	# One that was there before stays.
	pull "docker://$REGISTRY/some/none"
	comes_to failed none
	expect_json '(.digest | length) > 60 and (.error | length) > 10'
	api POST /run '{"command": "true", "image": "none"}'
	expect_json '.exit_code == 0'
	api DELETE /images/none
	expect_code 204
	api GET /images/none
	expect_error 404 not_found
	forget_images
fi

if testcase "only from registries that are configured, to the letter"; then
	while read -r source; do
		pull "$source" '{name: "x"}'
		expect_error 422 invalid_field '^source: '
		[[ $code == 422 ]] || detail "$source"
	done <<-END
		docker://evil.example/x
		docker://$REGISTRY@evil.example/x
		docker://$REGISTRY:1/x
		docker://${REGISTRY}0/x
		docker://x$REGISTRY/x
		docker://LOCALHOST:${REGISTRY#*:}/x
		docker://localhost/x
		docker://127.0.0.1:${REGISTRY#*:}/x
		docker://who:secret@$REGISTRY/x
		docker://$REGISTRY/
		docker://$REGISTRY//x
		docker://$REGISTRY/x/
		docker://$REGISTRY/../x
		docker://$REGISTRY/./x
		docker://$REGISTRY/X
		docker://$REGISTRY/x:
		docker://$REGISTRY/x:-t
		docker://$REGISTRY/x:a:b
		docker://$REGISTRY/x@sha256:12
		docker://$REGISTRY/x@md5:$(printf 'a%.0s' {1..64})
		docker://$REGISTRY/x:t@sha256:$(printf 'a%.0s' {1..64})
		docker://$REGISTRY/x?y
		docker://$REGISTRY/x#y
		docker://$REGISTRY/x%2fy
		docker://$REGISTRY/x y
		docker://$REGISTRY/-x
		docker:///x
		docker://
		docker:$REGISTRY/x
		DOCKER://$REGISTRY/x
		http://$REGISTRY/x
		--help
		$REGISTRY/x
		alpine
		oci:/etc
		dir:/etc
		docker-archive:/etc/passwd
		docker-daemon:x
		containers-storage:x
		docker://$REGISTRY/$(printf 'x%.0s' {1..1030})
	END
	# With a list that does not have it neither is the hub.
	images_start "MAYFLY_REGISTRIES=docker.io.example http://$REGISTRY"
	for source in alpine docker.io/alpine index.docker.io/library/alpine \
	    registry-1.docker.io/x; do
		pull "docker://$source" '{name: "x"}'
		expect_error 422 invalid_field '^source: .*not one of'
	done
	images_stop
	# It may be asked, and that is tried where there is no way to it.
	if [[ -n ${HTTP_NET:-} ]] && ! by_units; then
		for source in alpine index.docker.io/alpine; do
			pull "docker://$source" '{name: "hub"}'
			expect_code 202
			comes_to failed hub
			expect_json '.error | test("registry-1.docker.io")'
		done
		forget_images hub
	fi
fi

if testcase "what is wrong with a pull is refused by name"; then
	source="docker://$REGISTRY/some/small:1.0"
	while IFS='|' read -r regex fields; do
		pull "$source" "$fields"
		expect_error 422 invalid_field "$regex"
	done <<-'END'
		^name: .*host|{name: "host"}
		^name: |{name: "A"}
		^name: |{name: "../x"}
		^name: |{name: ""}
		^name: |{name: 1}
		^name: |{name: "x:"}
		^name: .*longer|{name: ("x" * 200)}
		^source: |{source: null}
		^source: |{source: 5}
		^source: .*longer|{source: ("docker://" + "x" * 2000)}
		^auth: |{auth: "who:secret"}
		^auth: .*needs|{auth: {}}
		^auth: .*needs|{auth: {username: "x"}}
		^auth: .*needs|{auth: {password: "x"}}
		^auth.token: .*not a known|{auth: {username: "x", token: "y"}}
		^auth.username: |{auth: {username: "", password: "y"}}
		^auth.username: |{auth: {username: "a:b", password: "y"}}
		^auth: .*control|{auth: {username: "a\n", password: "y"}}
		^auth: .*control|{auth: {username: "a", password: "y\u007f"}}
		^auth.username: .*string|{auth: {username: 1, password: "y"}}
		^auth.password: .*longer|{auth: {username: "a", password: ("y" * 20000)}}
		^platform: .*not a known|{platform: "linux/arm64"}
	END
	api POST /images '{}'
	expect_error 422 invalid_field '^source: is missing'
	# Without a name of its own, and none to be had from the source.
	pull "docker://$REGISTRY/host"
	expect_error 422 invalid_field '^name: .*host'
	for path in /images/ /images/A /images/x:y:z /images/.x /images/x/y \
	    /images/..%00 "/images/$(printf 'x%.0s' {1..65})"; do
		api GET "$path"
		[[ $code == 404 || $code == 400 ]] || fail "$path: $code"
	done
	api GET '/images?limit=3'
	expect_error 422 invalid_field limit
	api PUT /images/x
	expect_error 405 method_not_allowed 'GET, HEAD, DELETE'
	api DELETE /images
	expect_error 405 method_not_allowed 'GET, HEAD, POST'
	api GET /images/host
	expect_error 404 not_found
	api GET /images
	expect_json '. == []'
fi

if testcase "images are written by admins alone, and seen by all"; then
	pull "docker://$REGISTRY/some/small:1.0" '{name: "mine"}'
	comes_to ready mine
	for token in "$PLAIN" ''; do
		want=403\ forbidden
		[[ -n $token ]] || want=401\ unauthorized
		TOKEN=$token http POST /images @request
		# shellcheck disable=SC2086 # two words
		expect_error $want
		TOKEN=$token http DELETE /images/mine
		# shellcheck disable=SC2086 # two words
		expect_error $want
	done
	TOKEN=$PLAIN http GET /images/mine
	expect_json '.state == "ready"'
	TOKEN=$PLAIN http GET /images
	expect_json 'map(.name) == ["mine"]'
	TOKEN=$PLAIN http POST /run '{"command": "true", "image": "mine"}'
	expect_json '.exit_code == 0'
	if ! by_units; then
		# While there is no token, who is local may call, and is no admin.
		server_start "MAYFLY_REGISTRIES=http://$REGISTRY"
		http POST /images @request
		expect_error 403 forbidden 'admin'
		http DELETE /images/mine
		expect_error 403 forbidden 'admin'
		if ((EUID == 0)); then
			CALLER=54001 http DELETE /images/mine
			expect_error 403 forbidden 'admin'
			CALLER=0 http GET /images/mine
			expect_json '.state == "ready"'
			CALLER=0 http DELETE /images/mine
			expect_code 204
			CALLER=0 http POST /images @request
			expect_code 202
			await "it is ready" eval 'CALLER=0 http GET /images/mine
			    [[ $(jq -r .state out) == ready ]]'
		fi
		images_stop
	fi
	forget_images mine
fi

if testcase "a password is the registry's alone, and stays nowhere"; then
	log_mark
	turns=0
	for pair in "who:$PASSWORD:ready" 'who:wrong-Password:failed'; do
		jq -cn --arg p "${pair#who:}" '{username: "who",
		    password: ($p | sub(":(ready|failed)$"; ""))}' >auth
		pull "docker://$LOCKED/private" \
		    "{name: \"private\", auth: $(cat auth)}"
		expect_code 202
		# Every word of every process, as long as it goes on.
		until state_is "${pair##*:}" private ||
		    ((turns++ > 100)); do
			cat /proc/[0-9]*/cmdline >>words 2>/dev/null
			sleep 0.02
		done
		comes_to "${pair##*:}" private
		check_not "it is shown" grep -qE 's3cr3t|wrong-Pass' out
	done
	check_not "it is in somebody's arguments" \
	    grep -qaE 's3cr3t|wrong-Pass' words
	pull "docker://$LOCKED/private" '{name: "none"}'
	comes_to failed none
	expect_json '.error | test("authentication required|unauthorized")'
	encoded=$(printf 'who:%s' "$PASSWORD" | base64 -w 0)
	check "the password stays: $(grep -rl -e s3cr3t -e "$encoded" \
	    "$HTTP_STATE")" test -z "$(grep -rl -e s3cr3t -e wrong-Pass \
	    -e "$encoded" "$HTTP_STATE")"
	check_not "the log has it" log_has "s3cr3t|wrong-Pass|$encoded"
	forget_images private none
fi

if testcase "a registry that tells the password back is not repeated"; then
	"$PYTHON" "$HTTP_DIR/../images/parrot.py" >"$FIXTURES/parrot" &
	parrot=$!
	poll 200 test -s "$FIXTURES/parrot"
	images_start "MAYFLY_REGISTRIES=http://localhost:$(<"$FIXTURES/parrot")"
	log_mark
	source=docker://localhost:$(<"$FIXTURES/parrot")
	for path in plain encoded; do
		pull "$source/$path" '{name: "parrot", auth: {username: "who",
		    password: "s3cr3t-Parrot"}}'
		expect_code 202
		comes_to failed parrot
		check_not "$path: it is told" \
		    grep -qE 's3cr3t|d2hvOnMzY3IzdC1QYXJyb3Q=' out
		check_not "$path: it is kept" grep -rqE \
		    's3cr3t|d2hvOnMzY3IzdC1QYXJyb3Q=' "$HTTP_STATE/pulls"
	done
	check_not "the log has it" log_has 's3cr3t|d2hvOnMzY3IzdC1QYXJyb3Q='
	images_stop
	kill "$parrot"
	forget_images parrot
fi

if testcase "the file with the password is its reader's alone"; then
	pull "docker://$WAITING/x" '{name: "slow",
	    auth: {username: "who", password: "s3cr3t-again"}}'
	expect_code 202
	await "skopeo" runs_inside "$WAITING/x"
	find "$HTTP_STATE/trash" -name auth.json -printf '%m %s %h\n' >files
	check "there is not one: $(cat files)" test "$(wc -l <files)" = 1
	check "its mode is $(cat files)" grep -q '^600 ' files
	check "others can get there" test \
	    "$(stat -c %a "$HTTP_STATE/trash")" = 700
	api DELETE /images/slow
	expect_code 204
	expect_nothing_left
fi

if testcase "a name that is being pulled is busy, and there are max_pulls"; then
	images_start MAYFLY_MAX_PULLS=2
	pull_waiting slow
	state_is pulling slow || fail "it is $(cat out)"
	pull "docker://$REGISTRY/some/small:1.0" '{name: "slow"}'
	expect_error 409 image_busy
	pull "docker://$REGISTRY/some/small:1.0" '{name: "free"}'
	expect_code 202
	await "free is ready" state_is ready free
	pull "docker://$WAITING/x" '{name: "slow2"}'
	expect_code 202
	pull "docker://$REGISTRY/some/small:1.0" '{name: "third"}'
	expect_error 503 too_many_pulls
	api GET /images
	expect_json 'map([.name, .state]) == [["free", "ready"],
	    ["slow", "pulling"], ["slow2", "pulling"]]'
	for one in slow slow2; do
		api DELETE "/images/$one"
		expect_code 204
		api GET "/images/$one"
		expect_error 404 not_found
	done
	expect_nothing_left
	forget_images free
	images_stop
fi

if testcase "of ten who ask at once for one name one gets it"; then
	jq -cn --arg source "docker://$REGISTRY/some/small:1.0" \
	    '{source: $source, name: "ten"}' >request
	for i in 0 1 2 3 4 5 6 7 8 9; do
		curl -sS -o "out$i" -w '%{http_code}\n' \
		    -H "Authorization: Bearer $ADMIN" \
		    -H 'Content-Type: application/json' --data-binary @request \
		    "http://$HTTP_TCP/images" >"code$i" 2>err &
		pids[i]=$!
	done
	wait "${pids[@]}"
	check "the codes are $(cat code? | xargs)" \
	    test -z "$(cat code? | grep -vxE '202|409|503')"
	check "nobody got it" grep -qx 202 code?
	comes_to ready ten
	api GET /images
	expect_json 'map(.name) == ["ten"]'
	expect_nothing_left
	forget_images ten
fi

if testcase "an image that is deleted while it is pulled does not come"; then
	pull_waiting slow
	log_mark
	api DELETE /images/slow
	expect_code 204
	expect_nothing_left
	check "the log does not say so" log_has \
	    'pull=slow .*state=failed .*why="the image was deleted'
	api GET /images/slow
	expect_error 404 not_found
	# At any moment of one that would come.
	for when in 0 0.1 0.2 0.3; do
		pull "docker://$REGISTRY/some/small:1.0" '{name: "gone"}'
		sleep "$when"
		api DELETE /images/gone
		expect_code 204
		await "its end" eval '[[ -z $(serving) ]]'
		api GET /images/gone
		expect_error 404 not_found
	done
	expect_nothing_left
	forget_images
fi

if testcase "a client that goes away ends the pull that it watches"; then
	pull_stream "docker://$WAITING/x" watched
	await "skopeo" runs_inside "$WAITING/x"
	state_is pulling watched || fail "it is $(cat out)"
	kill "$pid"
	wait "$pid" 2>/dev/null
	await "the end of skopeo" gone_inside "$WAITING/x"
	expect_nothing_left
	api GET /images/watched
	expect_error 404 not_found
	# Who does not watch may go.
	pull "docker://$REGISTRY/some/small:1.0" '{name: "own"}'
	comes_to ready own
	forget_images own
fi

if testcase "whoever is killed, no pull goes on for ever and nothing stays"
then
	for signal in KILL TERM; do
		pull_waiting slow
		# The broker, and who works for it, has the oldest first.
		victim=$(serving | sort -n | head -n 1)
		check "there is nobody" test -n "$victim"
		kill -"$signal" "$victim"
		await "the end of skopeo" gone_inside "$WAITING/x"
		await "an end" state_is failed slow
		expect_json '.error | test("broken off|told to stop")'
		expect_nothing_left
		api DELETE /images/slow
		expect_code 204
	done
	pull_waiting slow
	serving | xargs kill -KILL
	await "the end of skopeo" gone_inside "$WAITING/x"
	await "an end" state_is failed slow
	expect_json '.error | test("broken off")'
	expect_nothing_left
	# Again, over what the other has left.
	pull "docker://$REGISTRY/some/small:1.0" '{name: "slow"}'
	expect_code 202
	comes_to ready slow
	forget_images slow
fi

if [[ $WAY == serve ]] && testcase "a server that stops takes its pulls along"
then
	images_start
	pull_waiting slow
	images_stop
	state_is failed slow || fail "it is $(cat out)"
	expect_json '.error | test("told to stop")'
	expect_nothing_left
	forget_images slow
fi

if testcase "what is said of a pull that failed is forgotten after an hour"
then
	pull "docker://$REGISTRY/some/none"
	comes_to failed none
	beside reap </dev/null >reaped
	state_is failed none || fail "it is $(cat out)"
	touch -d '61 minutes ago' "$HTTP_STATE/pulls/none"
	beside reap </dev/null >reaped
	check "the reaper does not say so" grep -qx 'removed pull none' reaped
	api GET /images/none
	expect_error 404 not_found
	# One that goes on is not touched.
	pull_waiting slow
	touch -d '61 minutes ago' "$HTTP_STATE/pulls/slow"
	beside reap </dev/null >reaped
	state_is pulling slow || fail "it is $(cat out)"
	api DELETE /images/slow
	expect_nothing_left
fi

if [[ $EUID == 0 && $WAY == serve ]] && ! by_units &&
    testcase "without skopeo the step is named, and nothing is begun" &&
    require "/usr/bin cannot be hidden" test -n "${T_ENTERED:-}"; then
	mkdir none upper work
	mknod upper/skopeo c 0 0
	mount -t overlay -o lowerdir=/usr/bin,upperdir=upper,workdir=work \
	    overlay /usr/bin
	images_start
	pull "docker://$REGISTRY/some/small:1.0" '{name: "x"}'
	expect_error 500 sandbox_failed 'step skopeo'
	api GET /images
	expect_json '. == []'
	images_stop
	umount -l /usr/bin
fi
