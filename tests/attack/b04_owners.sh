#!/bin/bash
# B4: changes of owner or mode that follow a path of the sandbox's. There is
# nothing to attack where no such call is made, so the calls are looked at.
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=B4

CALLS=chmod,chown,lchown,fchmodat,fchownat,utimensat,setxattr,lsetxattr
CALLS+=,removexattr,lremovexattr,utime,utimes,futimesat,truncate

can_trace()
{
	t_as strace -f -qq -o /dev/null true
}

# Calls with a path that somebody else could have had a hand in: one of more
# than one part, unless it leads to a descriptor that is open already, or one
# that a link may stand at.
traced()
{
	sed -nE 's/^[0-9]+ +([a-z0-9]+\(.*)/\1/p' "$1" |
	    grep -vE '^[a-z]+\((AT_FDCWD, )?"/proc/self/fd/[0-9]+"' |
	    grep -E '"[^"]*/[^"]*"' | grep -vE '^f?(chmod|chown)[a-z]*\([0-9]+, "",'
}

for INSIDE in $ATTACK_UIDS; do
	# What is traced cannot become newuidmap's root.
	if [[ $AS != subuid ]] &&
	    attackcase "no owner or mode is changed by a path" &&
	    require "strace cannot be used here" can_trace; then
		session
		port=$((HTTP_PORT + 50))
		"${T_AS[@]}" env "$PYTHON" -c "$INETD" "127.0.0.1:$port" \
		    "$PWD/sock" "$(type -P strace)" -E "$UNCHECKED" -f -qq -A \
		    -o "$T_ROOT/trace$INSIDE" \
		    -e "trace=$CALLS" "$MAYFLY" activate >log 2>&1 &
		server=$!
		[[ $AS == root ]] || touch "$T_ROOT/trace$INSIDE"
		chown "$T_UID" "$T_ROOT/trace$INSIDE" 2>/dev/null
		await "the server" curl -sS -o health "127.0.0.1:$port/health"
		main=$HTTP_TCP
		HTTP_TCP=127.0.0.1:$port
		in_session 'mkdir d; ln -s /etc link; chmod 0 d; echo x >f' \
		    "{user: \"$INSIDE\", cwd: \"/tmp\", collect: [\"f\"],
		    files: [{path: \"/tmp/a/b/c\", content: \"x\",
		    mode: \"0755\"}]}"
		expect_json '.exit_code == 0'
		http POST "/sessions/$id/cwd" '{"cwd": "/tmp"}'
		expect_code 200
		forget
		HTTP_TCP=$main
		kill "$server"
		wait "$server" 2>/dev/null
		t_as strace -E "$UNCHECKED" -f -qq -A \
		    -o "$T_ROOT/trace$INSIDE" -e "trace=$CALLS" "$MAYFLY" reap >>log 2>&1
		# What the command itself does is its own affair.
		grep -vE '"(d|f|link)"' "$T_ROOT/trace$INSIDE" >all
		check "nothing was seen" test -s all
		traced all >out
		expect_no_out
	fi
done
http_look_back
t_done
