#!/bin/bash
# B11: links, FIFOs and others' files where the store and the server expect
# their own. They are followed nowhere, nothing waits for them, and what they
# lead to stays as it is.
# as: root user

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=B11

# Something of the host's that whoever runs mayfly may change.
make_outside()
{
	mkdir outside
	echo outside >outside/file
	: >outside/empty
	mkfifo outside/fifo
	chown -R "$T_UID" outside 2>/dev/null
}

look_outside()
{
	find outside -printf '%P %y %m %s %i\n' | sort
	cat outside/file
}

# Puts something in the place of a part of the session: PART WHAT
plant()
{
	local path=$MAYFLY_STATE_DIR/sessions/$id/$1

	rm -rf "$path"
	case $2 in
	link) ln -s "$PWD/outside/file" "$path" ;;
	empty) ln -s "$PWD/outside/empty" "$path" ;;
	dirlink) ln -s "$PWD/outside" "$path" ;;
	self) ln -s "$1" "$path" ;;
	fifo) mkfifo "$path" ;;
	dir) mkdir "$path" ;;
	device) mknod "$path" c 1 5 2>/dev/null || mkfifo "$path" ;;
	file) echo file >"$path" ;;
	socket) "$PYTHON" -c 'import socket, sys, os
os.chdir(os.path.dirname(sys.argv[1]))
socket.socket(socket.AF_UNIX).bind(os.path.basename(sys.argv[1]))' "$path" ;;
	esac
	[[ $2 == *link ]] || chown "$T_UID" "$path" 2>/dev/null
}

# Whatever comes of it: each command ends soon, says why, and is no success
# that is none.
use_all()
{
	local words

	for words in show "run ID -- touch /planted" "env ID A=1" "ttl ID 100" \
	    "cwd ID /tmp"; do
		[[ $words == *ID* ]] || words="$words ID"
		began=$(now)
		# shellcheck disable=SC2086
		mayfly session ${words/ID/$id} </dev/null >out 2>err
		status=$?
		expect_took 8000
		# A device that can be read is a deletion under way.
		[[ $status == 0 || $status == 125 || $status == 137 ]] ||
		    fail "$1: session $words: status $status"
	done
	began=$(now)
	http GET "/sessions/$id"
	http POST "/sessions/$id/run" '{"command": "true"}'
	[[ $code =~ ^(200|404|409|500)$ ]] || fail "$1: run: $code"
	! grep -qaF "$T_ROOT" out || fail "$1: a path of the host is told"
	http GET /sessions
	expect_took 8000
}

for INSIDE in $ATTACK_UIDS; do
	# Nothing runs inside.
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "what is planted in a session leads nowhere"; then
		make_outside
		look_outside >before
		export MAYFLY_SESSION_WAIT=300
		for part in meta meta.new lock cancel upper work; do
			for what in link empty dirlink self fifo dir device \
			    socket; do
				[[ $part == lock || $part == meta ||
				    $what =~ ^(link|fifo|dir|dirlink)$ ]] ||
				    continue
				session
				plant "$part" "$what"
				use_all "$part is a $what"
				look_outside | cmp -s - before ||
				    fail "$part, $what: outside has changed"
				mayfly session delete "$id" </dev/null \
				    >out 2>err
				rm -rf "$MAYFLY_STATE_DIR/sessions/$id"
				mayfly reap </dev/null >out 2>err
				look_outside | cmp -s - before ||
				    fail "$part, $what: outside was removed"
				[[ -z $(ls -A "$MAYFLY_STATE_DIR/trash") ]] ||
				    fail "$part, $what: it stays in the trash"
			done
		done
		unset MAYFLY_SESSION_WAIT

	fi

	if attackcase "a link is no session, and no directory of the state"; then
		make_outside
		session
		mv "$MAYFLY_STATE_DIR/sessions/$id" outside/moved
		ln -s "$PWD/outside/moved" "$MAYFLY_STATE_DIR/sessions/$id"
		look_outside >before
		for words in show "run ID -- true" "env ID A=1" delete; do
			[[ $words == *ID* ]] || words="$words ID"
			# shellcheck disable=SC2086
			mayfly session ${words/ID/$id} </dev/null >out 2>err
			status=$?
			expect_status 125
		done
		http POST "/sessions/$id/run" '{"command": "true"}'
		check_not "it is run in" test "$code" = 200
		mayfly reap </dev/null >out 2>err
		rm -f "$MAYFLY_STATE_DIR/sessions/$id"
		for dir in sessions trash; do
			mv "$MAYFLY_STATE_DIR/$dir" "outside/$dir"
			ln -s "$PWD/outside/$dir" "$MAYFLY_STATE_DIR/$dir"
			for words in create list reap; do
				# shellcheck disable=SC2086
				if [[ $words == reap ]]; then
					mayfly reap </dev/null >out 2>err
				else
					mayfly session "$words" </dev/null \
					    >out 2>err
				fi
				status=$?
				expect_status 125
			done
			http POST /sessions '{}'
			expect_code 500
			rm "$MAYFLY_STATE_DIR/$dir"
			mv "outside/$dir" "$MAYFLY_STATE_DIR/$dir"
		done
		look_outside | cmp -s - before || fail "outside has changed"
	fi

	if attackcase "a link in trash is removed and not followed"; then
		make_outside
		look_outside >before
		ln -s "$PWD/outside" "$MAYFLY_STATE_DIR/trash/link"
		ln -s "$PWD/outside" "$MAYFLY_STATE_DIR/trash/part-link"
		mkfifo "$MAYFLY_STATE_DIR/trash/fifo"
		mkdir -p "$MAYFLY_STATE_DIR/trash/dir"
		ln -s "$PWD/outside/fifo" "$MAYFLY_STATE_DIR/trash/dir/lock"
		chown -R "$T_UID" "$MAYFLY_STATE_DIR/trash" 2>/dev/null
		began=$(now)
		mayfly reap </dev/null >out 2>err
		status=$?
		expect_took 8000
		expect_status 0
		look_outside | cmp -s - before || fail "outside has changed"
		[[ -z $(ls -A "$MAYFLY_STATE_DIR/trash") ]] ||
		    fail "something stays in the trash"
	fi

	if attackcase "what is planted in the server's directory stops it"; then
		make_outside
		look_outside >before
		for name in ids runs; do
			[[ $name == runs || $AS == root ]] || continue
			rm -f "$MAYFLY_RUN_DIR/$name"
			ln -s "$PWD/outside/empty" "$MAYFLY_RUN_DIR/$name"
			http POST /run '{"command": "true"}'
			expect_error 500 sandbox_failed
			rm -f "$MAYFLY_RUN_DIR/$name"
		done
		rmdir "$MAYFLY_RUN_DIR/empty"
		for what in link open other; do
			[[ $what != other || $AS == root ]] || continue
			case $what in
			link) ln -s / "$MAYFLY_RUN_DIR/empty" ;;
			open) mkdir -m 0777 "$MAYFLY_RUN_DIR/empty" ;;
			other)
				mkdir -m 0755 "$MAYFLY_RUN_DIR/empty"
				chown 12345 "$MAYFLY_RUN_DIR/empty"
				;;
			esac
			[[ $what == link ]] || chmod 0777 "$MAYFLY_RUN_DIR/empty"
			http POST /run '{"command": "true"}'
			expect_error 500 sandbox_failed 'log says why'
			rm -f "$MAYFLY_RUN_DIR/empty" 2>/dev/null ||
			    rmdir "$MAYFLY_RUN_DIR/empty"
		done
		http POST /run '{"command": "true"}'
		expect_code 200
		look_outside | cmp -s - before || fail "outside has changed"
	fi
done
t_done
