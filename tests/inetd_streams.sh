#!/bin/bash
# Streamed runs, by a connection on descriptor 0: mayfly-api(7).
# as: root user

WAY=${WAY:-fd0}
# shellcheck source=tests/http/stream.sh
. "$(dirname "$0")/http/stream.sh"

http_look_back
t_done
