# shellcheck shell=bash
#
# Archives and layouts to make images of, in the directory FIXTURES, and a
# registry.
#
# shellcheck disable=SC2034 # the topics read them

MAKE_IMAGE=$T_TREE/tests/images/make.py
registry=0 # its process

# The archive of a root with busybox in it, in $BASE.
fixture_base()
{
	BASE=$FIXTURES/base.tar
	[[ -e $BASE ]] || "$PYTHON" "$MAKE_IMAGE" base "$BASE" ||
	    fail "no archive was made"
}

# layout DIR TAG CONFIG LAYER...
layout()
{
	"$PYTHON" "$MAKE_IMAGE" layout "$@" || fail "no layout was made"
}

# A registry on a port of its own: start_registry [LINES of its configuration]
start_registry()
{
	PORT=$("$PYTHON" -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	REGISTRY=localhost:$PORT
	mkdir -p "$FIXTURES/registry"
	cat >"$FIXTURES/registry.yml" <<-END
		version: 0.1
		log: {level: error}
		storage: {filesystem: {rootdirectory: $FIXTURES/registry}}
		http: {addr: "127.0.0.1:$PORT"}
		${1:-}
	END
	docker-registry serve "$FIXTURES/registry.yml" \
	    >"$FIXTURES/registry.log" 2>&1 &
	registry=$!
	poll 200 bash -c ": </dev/tcp/127.0.0.1/$PORT" ||
	    fail "the registry does not start: $(head -n 2 \
		"$FIXTURES/registry.log")"
}

stop_registry()
{
	kill "$registry" && wait "$registry"
	rm -rf "$FIXTURES/registry"
}

# push LAYOUT:TAG NAME [OPTION]...
push()
{
	skopeo --insecure-policy copy -q --all --dest-tls-verify=false \
	    "${@:3}" "oci:$1" "docker://$REGISTRY/$2" >pushed 2>&1 ||
	    fail "skopeo: $(tail -n 1 pushed)"
}
