#!/bin/bash
# What a request costs through systemd, beside a unit that only echoes: prints
# tests/bench/http.sh's tables, of the container or the virtual machine.
# in: container
# shellcheck disable=SC2154 # of guest.sh

set -u

tree=$(cd "$(dirname "$0")/../.." && pwd)
export HTTP_CLIENT=$tree/build/http

give_up()
{
	echo "not ok - $1"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

make -s --no-print-directory -C "$tree" -o all install ||
    give_up "it cannot be installed"
# As plain as a unit for connections can be.
cat >/run/systemd/system/echo.socket <<'END'
[Socket]
Accept=yes
ListenStream=127.0.0.1:8081
TriggerLimitIntervalSec=0
END
cat >/run/systemd/system/echo@.service <<END
[Service]
ExecStart=$HTTP_CLIENT --echo
StandardInput=socket
StandardOutput=inherit
END
systemctl daemon-reload
systemctl start mayfly.socket echo.socket || give_up "a socket is missing"
export BENCH_ROWS=/run/bench.rows
MAYFLY=/usr/local/bin/mayfly UNITS=8080 ECHO=8081 bash "$tree/tests/bench/http.sh"
# For who made the container: what is in it goes with it.
sed 's/^/row: /' "$BENCH_ROWS"
echo "0 passed, 0 failed, 0 skipped"
