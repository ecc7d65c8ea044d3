#!/bin/bash
# Runs, by `mayfly serve`: mayfly-api(7).
# as: root user subuid

WAY=${WAY:-serve}
# shellcheck source=tests/http/run.sh
. "$(dirname "$0")/http/run.sh"

http_look_back
t_done
