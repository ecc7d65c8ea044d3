# shellcheck shell=bash
#
# How pulls of images end: each by itself, by a failure, or by somebody who goes
# away, and what is left of it.

# shellcheck source=tests/http/registries.sh
. "$(dirname "${BASH_SOURCE[0]}")/registries.sh"

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

# What is ready has taken the host's network from who has it ready.
has_pool()
{
	(($(pgrep -cP "$(pgrep -d, -P "${SERVERS[-1]}")") >= 4))
}

if [[ $WAY == serve ]] &&
    testcase "a pull reaches the registry where sandboxes are ready"; then
	images_start MAYFLY_POOL=2
	await "they are ready" has_pool
	pull "docker://$REGISTRY/some/small:1.0"
	expect_code 202
	await "it is ready" state_is ready small:1.0
	images_stop
	forget_images small:1.0
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
