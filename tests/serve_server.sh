#!/bin/bash
# The processes of a server, by `mayfly serve`.
# as: root user

WAY=${WAY:-serve}
# shellcheck source=tests/http/server.sh
. "$(dirname "$0")/http/server.sh"
# shellcheck source=tests/http/death.sh
. "$HTTP_DIR/death.sh"

http_look_back
t_done
