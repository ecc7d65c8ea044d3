#!/bin/bash
# Runs, by a connection on descriptor 0: mayfly-api(7).
# as: root user

WAY=${WAY:-fd0}
# shellcheck source=tests/http/run.sh
. "$(dirname "$0")/http/run.sh"

http_look_back
t_done
