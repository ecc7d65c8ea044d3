#!/bin/bash
# Under real systemd, in a container: tests/vm/activation.sh, without what this
# machine cannot give to a container.
# as: root
# takes: long

# shellcheck source=tests/vm/contained.sh
. "$(dirname "$0")/vm/contained.sh"

contained activation
t_done
