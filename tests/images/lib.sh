# shellcheck shell=bash
#
# What the topics about images share: the verbs of `mayfly image`.
#
# shellcheck disable=SC2034,SC2154 # t.sh sets status

# shellcheck source=tests/t.sh
. "$(dirname "${BASH_SOURCE[0]}")/../t.sh"

STATE=$T_ROOT/state
[[ $AS == root ]] || STATE=$T_ROOT/state/mayfly
FIXTURES=$T_ROOT/fixtures
id=''
mkdir -m 0755 "$FIXTURES"

# shellcheck source=tests/images/registry.sh
. "$(dirname "${BASH_SOURCE[0]}")/registry.sh"

# What an image with nothing to say of itself has to say.
PLAIN='{"Env": ["PATH=/bin"]}'

# `mayfly image ...` with nothing to read; leaves out, err and status.
image()
{
	mayfly image "$@" </dev/null >out 2>err
	status=$?
}

# One that must be made, under this name: made NAME VERB ...
made()
{
	local name=$1

	shift
	image "$@"
	expect_status 0
	expect_out "$name"
}

# One that must not: exit code, a pattern for the sentence, and the words.
refused()
{
	local code=$1 pattern=$2

	shift 2
	image "$@"
	expect_status "$code"
	expect_err_has "$pattern"
	expect_no_out
	expect_no_trash
}

# A run in an image.
run_in()
{
	local name=$1

	shift
	run --image "$name" "$@"
}

session()
{
	mayfly session "$@" </dev/null >out 2>err
	status=$?
}

# Makes a session; sets id.
create()
{
	session create "$@"
	id=$(cat out)
	[[ $status == 0 && $id =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no session was made: $status"
}

inside()
{
	session run "$id" "$@"
}

expect_no_trash()
{
	[[ ! -d $STATE/trash || -z $(ls -A "$STATE/trash") ]] ||
	    fail "there is trash: $(ls -A "$STATE/trash" | head -n 3)"
}

# All images that there are.
names()
{
	[[ ! -d $STATE/images ]] || ls -A "$STATE/images"
}

layers()
{
	find "$STATE/layers" -mindepth 2 -maxdepth 2 2>/dev/null | wc -l
}

# Removes the layers of images that are gone.
collect()
{
	t_as "$MAYFLY" image prune >"$T_ROOT/pruned" 2>&1 ||
	    fail "prune: $(head -c 200 "$T_ROOT/pruned")"
	t_as "$MAYFLY" reap >"$T_ROOT/reaped" 2>&1 ||
	    fail "reap: $(head -c 200 "$T_ROOT/reaped")"
}

# Deletes all images. No layer outlives them by more than a reap.
forget()
{
	local name

	for name in $(names); do
		image delete "$name"
		expect_status 0
	done
	[[ -z $(names) ]] || fail "there are images still: $(names | xargs)"
	collect
	[[ $(layers) == 0 ]] || fail "there are layers still: $(layers)"
	expect_no_trash
}

# The program that lists a tree: TREE of the host's, /tree in `tree_in`.
fixture_tree()
{
	TREE=$FIXTURES/tree
	# In a virtual machine there is no compiler, and it stands there.
	[[ ! -x $T_TREE/build/tree ]] || TREE=$T_TREE/build/tree
	[[ -x $TREE ]] || "${CC:-cc}" -O2 -D_GNU_SOURCE -static -o "$TREE" \
	    "$T_TREE/tests/images/tree.c" || fail "tree.c does not compile"
}

# What the sandbox shows of an image, and mayfly does not put there itself.
tree_in()
{
	run_in "$1" --ro-bind "$TREE:/tree" --time 60000 --output 100000000 \
	    -- /tree / /dev /proc /tree /etc/hosts /etc/resolv.conf
	expect_status 0
	plain_list <out
}

# The same of a directory of the host's.
tree_of()
{
	"$TREE" "$1" /dev /proc /tree /etc/hosts /etc/resolv.conf | plain_list
}

# Directories that mayfly puts something into have another time. A caller with
# one id has but one owner.
plain_list()
{
	local owner='s/^/&/'

	[[ $AS != user ]] ||
	    owner='s/^([^ ]* [0-7]*) [0-9]*:[0-9]*/\1 0:0/'
	sed -E "s,^(/|/etc) (4[0-7]* [0-9:]*) .*,\1 \2,; $owner" | LC_ALL=C sort
}

# What the first image creates for all later ones is no leak.
tar -cf - -T /dev/null | t_as "$MAYFLY" image import - nothing >/dev/null 2>&1
t_as "$MAYFLY" image delete nothing >/dev/null 2>&1
collect
