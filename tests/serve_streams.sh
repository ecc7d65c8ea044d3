#!/bin/bash
# Streamed runs, by `mayfly serve`: API.md section 3.
# as: root user

WAY=${WAY:-serve}
# shellcheck source=tests/http/stream.sh
. "$(dirname "$0")/http/stream.sh"

t_done
