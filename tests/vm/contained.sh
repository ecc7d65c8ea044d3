# shellcheck shell=bash
#
# For topics of tests/ whose cases are those of a topic here, in a container
# with systemd.

# systemd-nspawn makes the namespaces.
export T_ENTERED=1
# shellcheck source=tests/t.sh
. "$(dirname "${BASH_SOURCE[0]}")/../t.sh"

# The cases are not run here: contained TOPIC
contained()
{
	local results=$T_ROOT/results

	[[ -n $(type -P systemd-nspawn) ]] ||
	    t_give_up "there is no systemd-nspawn"
	[[ -n $(type -P mmdebstrap) ]] || t_give_up "there is no mmdebstrap"
	"$T_TREE/tests/vm/guest.sh" --container "$1" >"$results" 2>&1
	grep -q "^== $1" "$results" || t_give_up "no container boots here: $(
	    tail -n 2 "$results" | head -n 1)"
	sed '$d; /^== /d; /^[0-9]* passed,/d' "$results"
	if [[ $(tail -n 1 "$results") =~ \
	    ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		t_passed=${BASH_REMATCH[1]}
		t_failed=${BASH_REMATCH[2]}
		t_skipped=${BASH_REMATCH[3]}
	else
		echo "not ok - the container has no last line"
		t_failed=1
	fi
}
