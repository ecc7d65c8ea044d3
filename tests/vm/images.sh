#!/bin/bash
# Images and snapshots where cgroups hold the limits, of root and of ordinary
# users; and what is left where somebody dies while one is made.
# in: asked

set -u

tree=$(cd "$(dirname "$0")/../.." && pwd)
# An emulated processor takes long over ten thousand files.
export JOBS=2 FAULTS=${FAULTS:-3} T_PATIENCE=600
export MAYFLY_DEFAULT_TIME=100000 MAYFLY_DEFAULT_WALL=300000
unset MUST_WORK
exec "$tree/tests/run.sh" T=images_export T=images_import T=images_pull \
    T=images_run T=images_skopeo T=snapshots T=faults_images T=faults_snapshots
