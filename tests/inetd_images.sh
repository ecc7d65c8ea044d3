#!/bin/bash
# Images, by a connection on descriptor 0: mayfly-api(7).
# as: root

WAY=${WAY:-fd0}
# shellcheck source=tests/http/images.sh
. "$(dirname "$0")/http/images.sh"
# shellcheck source=tests/http/pulls.sh
. "$(dirname "$0")/http/pulls.sh"

http_look_back
t_done
