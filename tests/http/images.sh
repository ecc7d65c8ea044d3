# shellcheck shell=bash
#
# Images: mayfly-api(7). What is said of them, who may have them made, and
# of what.
#
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/http/registries.sh
. "$(dirname "${BASH_SOURCE[0]}")/registries.sh"

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
	# Too many with those of the image are the caller's fault.
	jq -cn '{command: "true", image: "small:1.0",
	    env: [range(4096) | {key: "V\(.)", value: ""}] | from_entries}' \
	    >request
	api POST /run @request
	expect_error 422 invalid_field 'env: more than 4096 variables'
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
	# As it is, as skopeo quotes it, and longer than a line that is looked at.
	for password in s3cr3t-Parrot 's3cr3t"Par\rot' \
	    "s3cr3t$(printf 'x%.0s' {1..900})"; do
		for path in plain encoded; do
			pull "$source/$path" "{name: \"parrot\", auth: {
			    username: \"who\", password: $(jq -cn --arg p \
				"$password" '$p')}}"
			expect_code 202
			comes_to failed parrot
			check_not "$path: $password is told" \
			    grep -qE 's3cr3t|d2hvOnMzY3IzdC' out
			check_not "$path: $password is kept" grep -rqE \
			    's3cr3t|d2hvOnMzY3IzdC' "$HTTP_STATE/pulls"
		done
	done
	check_not "the log has it" log_has 's3cr3t|d2hvOnMzY3IzdC'
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
