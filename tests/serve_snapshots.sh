#!/bin/bash
# Snapshots and forks, by `mayfly serve`: mayfly-api(7).
# as: root user subuid

WAY=${WAY:-serve}
# shellcheck source=tests/http/snapshots.sh
. "$(dirname "$0")/http/snapshots.sh"

http_look_back
t_done
