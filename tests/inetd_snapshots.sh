#!/bin/bash
# Snapshots and forks, by a connection on descriptor 0: mayfly-api(7).
# as: root user

WAY=${WAY:-fd0}
# shellcheck source=tests/http/snapshots.sh
. "$(dirname "$0")/http/snapshots.sh"

http_look_back
t_done
