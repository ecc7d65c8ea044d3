#!/bin/bash
# What is a request, by a connection on descriptor 0: mayfly-api(7).
# as: user

WAY=${WAY:-fd0}
# shellcheck source=tests/http/protocol.sh
. "$(dirname "$0")/http/protocol.sh"
# shellcheck source=tests/http/routes.sh
. "$HTTP_DIR/routes.sh"
# shellcheck source=tests/http/json.sh
. "$HTTP_DIR/json.sh"

http_look_back
t_done
