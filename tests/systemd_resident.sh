#!/bin/bash
# The same of the server that systemd starts when somebody comes: the topics of
# `mayfly serve` with mayfly-serve.socket, in a container.
# as: root
# takes: long

# shellcheck source=tests/vm/contained.sh
. "$(dirname "$0")/vm/contained.sh"

export WAY=resident
contained http
t_done
