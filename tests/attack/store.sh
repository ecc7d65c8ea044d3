# shellcheck shell=bash
#
# For rows about the store of sessions, by the command `mayfly session`.

# shellcheck source=tests/store.sh
. "$T_TREE/tests/store.sh"

# A directory of the host's that everybody may change, if he gets there.
make_canary()
{
	mkdir -p canary/below
	echo alive >canary/file
	echo alive >canary/below/file
	chmod 0777 canary canary/below
	chmod 0666 canary/file canary/below/file
}

expect_canary()
{
	[[ $(find canary -printf '%P %m %l\n' | sort | xargs) == \
	    "777 below 777 below/file 666 file 666" &&
	    $(cat canary/file canary/below/file | xargs) == "alive alive" ]] ||
	    fail "the host's directory has changed: $(find canary -ls)"
}
