#!/bin/bash
# A1: overwriting the runtime through /proc/PID/exe (CVE-2019-5736).
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A1

# Whatever is executed as the program's own file, that file stays as it is.
try_overwrite()
{
	local before after

	before=$(sha256sum "$MAYFLY")
	printf '#!/proc/self/exe\n' >"$ATTACK/script"
	chmod 0755 "$ATTACK/script"
	program a01_preload
	attack a01_self_exe
	for command in /proc/self/exe /proc/1/exe /attack/script; do
		run --user "$INSIDE:$INSIDE" --ro-bind "$ATTACK:/attack" \
		    --env LD_PRELOAD=/attack/a01_preload --wall 5000 \
		    -- "$command" --version
		expect_out_lacks "loaded into the runtime"
		echo "$command $status" >>statuses
	done
	after=$(sha256sum "$MAYFLY")
	[[ $before == "$after" ]] || fail "the program was overwritten"
}

# A program of the caller's own, as after an installation in a home directory.
own_program()
{
	own=$T_ROOT/own.$INSIDE/mayfly
	[[ ! -e $own ]] || return 0
	mkdir "$T_ROOT/own.$INSIDE"
	install -m 0755 "$MAYFLY" "$own"
	((EUID != 0)) || chown -R "$T_UID" "$T_ROOT/own.$INSIDE"
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "PID 1's file cannot be found, executed or written"; then
		attack a01_self_exe
		expect_contained <<-END
			$(for path in /proc/1/exe /proc/1/task/1/exe; do
				for how in readlink write truncate chmod \
				    execute link O_PATH; do
					echo "$how $path: ENOENT"
				done
			done)
			open /proc/1/map_files: ENOENT
			open /proc/1/maps: ENOENT
			open /proc/1/root: ENOENT
		END
	fi

	if attackcase "executing /proc/self/exe does not change the file"; then
		try_overwrite
	fi

	if attackcase "nor when the file is the caller's own"; then
		own_program
		MAYFLY=$own try_overwrite
	fi

	if attackcase "a caller's own file is not what PID 1 executes"; then
		own_program
		MAYFLY=$own attack_held x01_pid1 none hold
		if [[ $AS == root ]]; then
			# Root inside is nobody outside, least of all its owner.
			check_not "the id of PID 1 owns the file" \
			    test "$(status_of "$init" Uid | cut -f 1)" = 0
		elif [[ /proc/$init/exe -ef $own ]]; then
			fail "PID 1 executes a file that its user may write"
		fi
		release
		expect_status 0
	fi
done
t_done
