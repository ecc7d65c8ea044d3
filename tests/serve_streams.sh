#!/bin/bash
# Streamed runs, by `mayfly serve`: mayfly-api(7).
# as: root user

WAY=${WAY:-serve}
# shellcheck source=tests/http/stream.sh
. "$(dirname "$0")/http/stream.sh"

http_look_back
t_done
