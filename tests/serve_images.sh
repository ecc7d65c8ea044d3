#!/bin/bash
# Images, by `mayfly serve`: mayfly-api(7).
# as: root user

WAY=${WAY:-serve}
# shellcheck source=tests/http/images.sh
. "$(dirname "$0")/http/images.sh"
# shellcheck source=tests/http/pulls.sh
. "$(dirname "$0")/http/pulls.sh"

http_look_back
t_done
