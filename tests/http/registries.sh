# shellcheck shell=bash
#
# What the cases about images share: a registry of the topic's own, one that
# wants a password and one that lets everybody wait; a server that may ask them,
# and the verbs of a pull.
#
# shellcheck disable=SC2034 # the files of cases read what is set

# Topics may be made of several files of cases.
[[ -z ${ADMIN:-} ]] || return 0

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
