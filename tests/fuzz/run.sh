#!/bin/bash
#
# Builds each fuzzer with clang's libFuzzer and sanitizers and runs it for
# FUZZ_SECONDS (30). Last line `N passed, N failed, N skipped`.

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
mapfile -t sources < <(git ls-files 'exec/*.c' 'activator/*.c' |
    grep -vE '/(main|genfilter)[^/]*\.c$')
make -s BUILD="$work/b" LINK=dynamic "$work/b/filter_bpf.h" || exit 2
# All that the fuzzers reach is built once.
options=(-std=gnu17 -D_GNU_SOURCE -g -O1 -iquote exec -iquote activator
    -iquote tests/unit -iquote "$work/b" -fno-sanitize-recover=all)
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -I '{}' sh -c '
    source=$1; shift
    exec clang "$@" -fsanitize=fuzzer-no-link,address,undefined \
	-c -o "$0/$(echo "$source" | tr / _).o" "$source"' \
    "$work" '{}' "${options[@]}" || exit 2
for fuzzer in tests/fuzz/*.c; do
	name=$(basename "$fuzzer" .c)
	seeds=()
	[[ ! -d tests/fuzz/seeds/$name ]] || seeds=("tests/fuzz/seeds/$name")
	mkdir "$work/$name.corpus"
	if clang "${options[@]}" -fsanitize=fuzzer,address,undefined \
	    -o "$work/$name" "$fuzzer" "$work"/*.o >"$work/log" 2>&1 &&
	    "$work/$name" -max_total_time="${FUZZ_SECONDS:-30}" \
	    -artifact_prefix="$work/" -rss_limit_mb=1024 -timeout=10 \
	    "$work/$name.corpus" "${seeds[@]}" >"$work/log" 2>&1; then
		echo "ok - fuzz $name: $(grep -oE '#[0-9]+' "$work/log" |
		    tail -1) inputs"
		((passed += 1))
	else
		echo "not ok - fuzz $name"
		tail -30 "$work/log" | sed 's/^/\t/'
		((failed += 1))
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
