#!/bin/bash
# Sessions, by a connection on descriptor 0: mayfly-api(7).
# as: root user

WAY=${WAY:-fd0}
# shellcheck source=tests/http/session.sh
. "$(dirname "$0")/http/session.sh"
# shellcheck source=tests/http/turns.sh
. "$HTTP_DIR/turns.sh"

http_look_back
t_done
