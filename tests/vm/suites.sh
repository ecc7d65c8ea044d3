#!/bin/bash
# The system and session suites and the unit tests, of root, where cgroups hold
# the limits.
# in: asked

set -u

tree=$(cd "$(dirname "$0")/../.." && pwd)
UNIT=$(find "$tree/build/unit" -type f -perm -1 2>/dev/null | sort | xargs)
export UNIT AS=root JOBS=2 T_PATIENCE=600
unset MUST_WORK
exec "$tree/tests/run.sh" T=unit T=binds T=cleanup T=doctor T=doctor_lacks \
    T=exitcodes T=ids T=image T=limits T=network T=options T=output T=sessions \
    T=sessions_end T=sessions_refusals T=snapshots T=snapshots_end \
    T=snapshots_refusals T=disk T=streams T=tty T=usage T=users
