#!/bin/bash
# A run whose system calls fail, or whose processes are killed, is one that
# went to its end in the usual sandbox, or says what went wrong.
# as: root user subuid

# shellcheck source=tests/faults/lib.sh
. "$(dirname "$0")/faults/lib.sh"

if faultcase "a run in which any call fails or any process dies is no wrong success"; then
	begin
	echo input >in
	mkdir bound
	touch bound/file
	look_options
	words=(run "${options[@]}" --ro-bind "$PWD/bound:/b" -- sh -c "$LOOK")
	judge()
	{
		judge_look
	}
	sweep run 0:mmap 0:capget 0:sendmsg 0:sendto 0:recvmsg 0:read 0:write \
	    0.1:readlink 0.1:mknodat 0.1:prlimit64 0.1:close_range 0.1:capset
	finish_sweeps
fi

figures
t_done
