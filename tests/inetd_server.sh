#!/bin/bash
# The processes of a server, by a connection on descriptor 0.
# as: root user

WAY=${WAY:-fd0}
# shellcheck source=tests/http/server.sh
. "$(dirname "$0")/http/server.sh"
# shellcheck source=tests/http/death.sh
. "$HTTP_DIR/death.sh"

http_look_back
t_done
