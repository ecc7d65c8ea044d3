#!/bin/bash
# Callers and the log, by a connection on descriptor 0: mayfly-api(7).
# as: root

WAY=${WAY:-fd0}
# shellcheck source=tests/http/who.sh
. "$(dirname "$0")/http/who.sh"
# shellcheck source=tests/http/log.sh
. "$HTTP_DIR/log.sh"

http_look_back
t_done
