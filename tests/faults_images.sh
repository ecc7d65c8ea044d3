#!/bin/bash
# Wherever an import or a pull breaks off: the image is there, whole, and that
# is said, or the one of this name that was there before is; and one reap leaves
# nothing.
# as: root user

# shellcheck source=tests/faults/lib.sh
. "$(dirname "$0")/faults/lib.sh"

FIXTURES=$T_ROOT/fixtures
mkdir -m 0755 "$FIXTURES"
# shellcheck source=tests/images/registry.sh
. "$T_TREE/tests/images/registry.sh"
fixture_base
mkdir -m 0755 "$FIXTURES/"{old,new}
for age in old new; do
	echo "$age" >"$FIXTURES/$age/age"
	cp "$BASE" "$FIXTURES/$age.tar"
	tar -rf "$FIXTURES/$age.tar" -C "$FIXTURES/$age" age
	layout "$FIXTURES/oci" "$age" '{"Env": ["PATH=/bin"]}' \
	    "$FIXTURES/$age.tar"
done

# The image `one` is what this archive was made of: expect_age WORD
expect_age()
{
	t_as "$MAYFLY" run --image one -- sh -c 'cat /age; cat /etc/group' \
	    </dev/null >seen 2>&1
	[[ $(head -n 1 seen) == "$1" && $(grep -c : seen) == 3 ]] ||
	    wrong "the image is not the $1 one: $(head -c 200 seen)"
}

# Each time it takes the place of another.
replace()
{
	prepare()
	{
		t_as "$MAYFLY" image import "$FIXTURES/old.tar" one \
		    </dev/null >seen 2>&1 || wrong "nothing to replace"
	}
	judge()
	{
		[[ $status == 0 && $(cat out) == one ]] || expect_own_failure
	}
	after()
	{
		# What was not said may have been done still, at the very end.
		if [[ $status == 0 ]]; then
			expect_age new
		elif grep -q "^new" <(t_as "$MAYFLY" run --image one -- \
		    cat /age </dev/null 2>&1); then
			expect_age new
		else
			expect_age old
		fi
		t_as "$MAYFLY" image delete one </dev/null >seen 2>&1 ||
		    wrong "it cannot be deleted: $(head -c 200 seen)"
		t_as "$MAYFLY" reap </dev/null >reaped 2>&1 ||
		    complain_of "the last reap: $(head -c 200 reaped)"
	}
}

# sweep_image VERB CALLS SOURCE: of all calls, or so many.
sweep_image()
{
	begin
	replace
	[[ $FAULTS == all ]] || FAULTS=$2
	words=(image "$1" "$3" one)
	sweep "$1"
	finish_sweeps
}

# The directories that the first of them makes for all later ones.
(
	cd "$T_ROOT" || exit
	t_as "$MAYFLY" image import "$FIXTURES/old.tar" one
	t_as "$MAYFLY" image delete one
	t_as "$MAYFLY" reap
) </dev/null >/dev/null 2>&1

if faultcase "an image is imported, or the one before is there"; then
	sweep_image import 8 "$FIXTURES/new.tar"
fi

if faultcase "an image is pulled, or the one before is there" &&
    require "there is no skopeo" test -n "$(type -P skopeo)"; then
	# Each takes half a second.
	sweep_image pull 3 "oci:$FIXTURES/oci:new"
fi

figures
t_done
