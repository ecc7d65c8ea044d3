#!/bin/bash
# Sessions, by `mayfly serve`: mayfly-api(7).
# as: root user subuid

WAY=${WAY:-serve}
# shellcheck source=tests/http/session.sh
. "$(dirname "$0")/http/session.sh"
# shellcheck source=tests/http/turns.sh
. "$HTTP_DIR/turns.sh"

http_look_back
t_done
