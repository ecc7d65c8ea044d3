#!/bin/bash
#
# Installs the Debian packages named that are missing:
#
#	tests/deps.sh PACKAGE...

set -u

missing=()
for package; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
	    grep -q 'install ok installed' || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0
if ((EUID != 0)); then
	echo "missing packages, install them as root: ${missing[*]}" >&2
	exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
if ! { apt-get -q update && apt-get -qy install --no-install-recommends \
    "${missing[@]}"; } >"$log" 2>&1; then
	tail -20 "$log" >&2
	echo "missing packages could not be installed," \
	    "which takes a network: ${missing[*]}" >&2
	exit 1
fi
