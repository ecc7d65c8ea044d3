# shellcheck shell=bash
#
# What a run sees around it, and how the answer of mayfly is judged. Part of
# lib.sh.
# shellcheck disable=SC2154 # what lib.sh sets

# What a sandbox is like, in words that are the same for each. A run that
# succeeds in spite of an error has no less than this around it.
# shellcheck disable=SC2016,SC2034 # for inside; for the topics
LOOK='grep -E "^(Uid|Gid|Groups|Cap|NoNew|Seccomp:|Sig[BIC]|CoreD)" /proc/self/status
sed "s/^[0-9]* [0-9]* [0-9:]* //; s/ \(shared\|master\):[0-9]*//g
    s/=[12][0-9]\{9\}\>/=leased/g" /proc/self/mountinfo
cat /proc/self/limits /proc/self/oom_score_adj \
    /proc/sys/net/ipv4/ip_unprivileged_port_start
ls -l /proc/self/fd | sed "s/.*[0-9]:[0-9][0-9] //; s/\[.*//"
stat -c "%A %u %g %N" / /* /dev/* /etc/* /tmp; ls -A /b 2>/dev/null
for n in cgroup ipc mnt net pid user uts; do
	test "$(readlink /proc/self/ns/$n)" = "$(printenv HOST_$n)" &&
	    echo "$n is the host"; done
cut -d : -f 1 /proc/self/net/dev; cat /proc/self/net/if_inet6 | wc -l
cat /proc/self/net/route | wc -l
hostname; umask; env | grep -vE "^(HOST_|MARK)" | sort; pwd; id
test -z "$MARK" || echo "$MARK" >/root/mark; cat; echo done; exit 7'

# Options for it.
look_options()
{
	local n

	options=(--env A=1 --cwd /tmp)
	for n in cgroup ipc mnt net pid user uts; do
		options+=(--env "HOST_$n=$(readlink "/proc/self/ns/$n")")
	done
}

# 7 and all of its output, in the usual sandbox: nothing else is a success.
judge_look()
{
	if [[ $status == 7 ]]; then
		cmp -s out usual.out || wrong "another sandbox: $(diff \
		    usual.out out | head -n 4 | tr '\n' '|')"
		judge_states
	elif [[ $at == -k* && $who != 0 && $status == 137 ]]; then
		# The sandbox was killed, or the command: 0.1.1 in it.
		[[ $who == 0.?.? ]] || grep -q '^mayfly: killed: ' err ||
		    wrong "nothing is said of its being killed"
	elif [[ $status == 126 && $met == execve ]]; then
		grep -q '^mayfly: ' err || wrong "nothing is said"
	else
		expect_own_failure
		is_own_kill || [[ ! -s out ]] ||
		    grep -qE '^mayfly: (std(in|out|err)|process): ' err ||
		    wrong "the command ran and the answer is 125"
	fi
}
