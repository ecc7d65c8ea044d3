#!/bin/bash
# A11: cgroups: mounting a hierarchy, release_agent (CVE-2022-0492), and what is
# told about the host's.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A11

for INSIDE in $ATTACK_UIDS; do
	if attackcase "no cgroup of the host can be seen, made or changed"; then
		attack a11_cgroup
		expect_contained <<-END
			mount cgroup2: EPERM
			mount cgroup rdma: EPERM
			mount a cgroup hierarchy of our own: EPERM
			open /sys/fs/cgroup: ENOENT
			mkdir in /sys/fs/cgroup: ENOENT
			write release_agent: ENOENT
			write cgroup.procs: ENOENT
		END
	fi
done
t_done
