#!/bin/bash
#
# Builds each fuzzer with clang's libFuzzer and sanitizers and runs it for
# FUZZ_SECONDS (60), on all CPUs. Last line `N passed, N failed, N skipped`.

set -u
cd "$(dirname "$0")/../.." || exit 2

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
skipped=0

if ! command -v clang >/dev/null ||
    ! echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
    clang -x c -fsanitize=fuzzer - -o "$work/probe" 2>/dev/null; then
	echo "skip - fuzzing # clang has no libFuzzer here"
	skipped=1
	((${MUST_WORK:-0} == 0)) || { skipped=0; failed=1; }
	echo "0 passed, $failed failed, $skipped skipped"
	((failed == 0))
	exit
fi
mapfile -t sources < <(git ls-files 'exec/*.c' 'activator/*.c' 'rootfs/*.c' |
    grep -vE '/(main|genfilter|tool_)[^/]*\.c$')
make -s BUILD="$work/b" LINK=dynamic "$work/b/filter_bpf.h" || exit 2
# All that the fuzzers reach is built once.
options=(-std=gnu17 -D_GNU_SOURCE -g -O1 -iquote exec -iquote activator
    -iquote rootfs '-DROOTFS_TOOL="mayfly-rootfs"' -iquote tests/unit -iquote "$work/b" -fno-sanitize-recover=all)
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -I '{}' sh -c '
    source=$1; shift
    exec clang "$@" -fsanitize=fuzzer-no-link,address,undefined \
	-c -o "$0/$(echo "$source" | tr / _).o" "$source"' \
    "$work" '{}' "${options[@]}" || exit 2

# fuzz NAME: one line for how it went, and the end of what it said
fuzz()
{
	local seeds=() log=$work/$1.log

	[[ ! -d tests/fuzz/seeds/$1 ]] || seeds=("tests/fuzz/seeds/$1")
	mkdir "$work/$1.corpus"
	if clang "${options[@]}" -fsanitize=fuzzer,address,undefined \
	    -o "$work/$1" "tests/fuzz/$1.c" "$work"/*.o >"$log" 2>&1 &&
	    "$work/$1" -max_total_time="${FUZZ_SECONDS:-60}" \
	    -artifact_prefix="$work/" -rss_limit_mb=1024 -timeout=10 \
	    "$work/$1.corpus" "${seeds[@]}" >"$log" 2>&1; then
		echo "ok - fuzz $1: $(grep -oE '#[0-9]+' "$log" |
		    tail -1) inputs"
	else
		echo "not ok - fuzz $1"
		tail -30 "$log" | sed 's/^/\t/'
	fi
}

# As many at once as there are CPUs.
for fuzzer in tests/fuzz/*.c; do
	(($(jobs -rp | wc -l) < $(nproc))) || wait -n
	name=$(basename "$fuzzer" .c)
	fuzz "$name" >"$work/$name.result" &
done
wait
cat "$work"/*.result
passed=$(grep -c '^ok' <(cat "$work"/*.result))
failed=$(grep -c '^not ok' <(cat "$work"/*.result))
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
