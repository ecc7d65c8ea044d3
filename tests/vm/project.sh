# shellcheck shell=bash
#
# Verbs for sessions whose disk is held by project quotas. What stands below
# $STATE is looked at; $id is the session, $number its project.
# shellcheck disable=SC2016,SC2034,SC2119,SC2120 # programs for inside; names for the topic

# shellcheck source=tests/store.sh
. "$T_TREE/tests/store.sh"

# quota NUMBER: KB allowed and held, inodes allowed and held by a project.
quota()
{
	"$PYTHON" "$T_TREE/tests/vm/quota.py" "$STATE" get "$1"
}

# set_limits KB: of the first 64 numbers, which are tried first.
set_limits()
{
	"$PYTHON" "$T_TREE/tests/vm/quota.py" "$STATE" limit "$1"
}

# The numbers that have something, or limits.
numbers_in_use()
{
	"$PYTHON" "$T_TREE/tests/vm/quota.py" "$STATE" used
}

project()
{
	lsattr -pd "$1" | awk '{ print $1 }'
}

create()
{
	session create --ttl none "$@"
	expect_made
	number=$(project "$STATE/sessions/$id/upper")
}

# Takes a snapshot of the session: sets taken, the layer that its files are now,
# and the number that what it writes has from now on.
take()
{
	local before

	before=$(ls "$STATE/layers/id" 2>/dev/null)
	session snapshot "$id"
	taken=$(<out)
	[[ $status == 0 && $taken =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no snapshot was taken: $status"
	layer=$(comm -13 <(echo "$before") <(ls "$STATE/layers/id"))
	number=$(project "$STATE/sessions/$id/upper")
}

# Nothing is left, of a number least of all.
expect_clean()
{
	reap
	expect_status 0
	check "there is trash" test -z "$(ls -A "$STATE/trash")"
	for one in "$@"; do
		check "project $one is left: $(quota "$one")" \
		    test "$(quota "$one")" = '0 0 0 0'
	done
}
# fill WHAT PROGRAM: until a call fails with the quota's errno, by how much it
# was too late, and whether it can be undone: at once, or where the file system
# frees what is removed in the background, within FREED_LATE tenths of a second.
fill()
{
	local kb inodes

	create
	inside --json --session_disk 8192 --time 600000 --wall 600000 \
	    --fsize 1000000 --nofile 60 -- perl -e "sub end { print 0 + \$! }
	    $2"
	expect_status 0
	expect_json '.reason == "exit" and .enforced.session_disk == "quota"'
	# EDQUOT, and of XFS ENOSPC
	expect_json '.stdout | IN("122", "28")'
	sync -f "$STATE"
	read -r _ kb _ inodes < <(quota "$number")
	((kb > 8100 || inodes > 1000)) || [[ $1 == *nameless* ]] ||
	    fail "$1: only $kb KB, $inodes files"
	((kb <= 8192 + 64 && inodes <= 1024)) ||
	    fail "$1: $kb KB of 8192 and $inodes files of 1024"
	# Again and again, from the first moment of a run on.
	for _ in 1 2 3; do
		inside --session_disk 8192 --fsize 1000000 -- perl -e '
		    for (1 .. 9) { open F, ">>", "/tmp/more$_";
			syswrite F, "x" x 65536 }'
	done
	sync -f "$STATE"
	read -r _ kb _ inodes < <(quota "$number")
	((kb <= 8192 + 512 && inodes <= 1028)) ||
	    fail "$1: later $kb KB of 8192 and $inodes files of 1024"
	[[ -z ${T_TIMES:-} ]] || echo "# $1: $kb KB of 8192, $inodes of 1024"
	inside --session_disk 8192 -- sh -c 'rm -rf /tmp/* /f
	    until echo x >/g || test $(($1 - (i += 1))) -lt 0; do sleep .1; done
	    cat /g' sh "${FREED_LATE:-0}"
	[[ $(<out) == x ]] || fail "$1: it cannot be emptied: $(<err)"
	delete
	expect_clean "$number"
}

# In all ways, or in a few of them.
fill_all()
{
	fill bytes 'open F, ">", "/f"; 1 while syswrite F, "x" x 65536; end'
	fill "empty files" '1 while open F, ">", "/tmp/" . $i++; end'
	# every other block, which takes blocks to find blocks
	fill holes 'open F, ">", "/f"; do { sysseek F, 8192 * $i++, 0 }
	    while syswrite F, "x"; end'
	[[ ${1:-} != few ]] || return 0
	fill "files of a byte" 'do { open F, ">", "/tmp/" . $i++ or end, exit }
	    while syswrite F, "x"; end'
	fill directories '1 while mkdir "/tmp/" . $i++; end'
	fill links '1 while symlink "x" x 1000, "/tmp/" . $i++; end'
	# fsetxattr(2), a block each
	fill attributes 'do { open F, ">", "/tmp/" . $i++ or end, exit;
	    $v = $i . "x" x 3000; $n = "user.x" } while
	    !syscall(190, fileno F, $n, $v, length $v, 0); end'
	# fallocate(2)
	fill reservations 'open F, ">", "/f"; 1 while
	    !syscall(285, fileno F, 0, 65536 * $i++, 65536); end'
	fill "nameless files" 'do { open $f[$i], ">", "/f" or end, exit;
	    unlink "/f" } while syswrite $f[$i++], "x" x 400000; end'
}

[[ $(mayfly doctor --json | jq -r '.findings[] |
    select(.name == "session_disk").level') == ok ]] ||
    t_give_up "there are no project quotas here: use guest.sh"
