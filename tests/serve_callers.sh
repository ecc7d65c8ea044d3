#!/bin/bash
# Callers and the log, by `mayfly serve`: mayfly-api(7).
# as: root user

WAY=${WAY:-serve}
# shellcheck source=tests/http/who.sh
. "$(dirname "$0")/http/who.sh"
# shellcheck source=tests/http/log.sh
. "$HTTP_DIR/log.sh"

http_look_back
t_done
