#!/bin/bash
# Everything over HTTP, of connections that systemd accepts: the topics of
# `mayfly serve` with mayfly.socket, in a container.
# as: root
# takes: long

# shellcheck source=tests/vm/contained.sh
. "$(dirname "$0")/vm/contained.sh"

export WAY=systemd
contained http
t_done
