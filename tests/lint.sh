#!/bin/bash
#
# Static analysis of everything. One line for each tool, what it says where it
# complains, and a last line `N passed, N failed, N skipped`.

set -u
cd "$(dirname "$0")/.." || exit 2

passed=0
failed=0
cpus=$(nproc)
log=$(mktemp) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$log" "$work"' EXIT

# step NAME COMMAND...
step()
{
	local name=$1

	shift
	if "$@" >"$log" 2>&1; then
		echo "ok - $name"
		((passed += 1))
	else
		echo "not ok - $name"
		tail -40 "$log" | sed 's/^/\t/'
		((failed += 1))
	fi
}

mapfile -t c_files < <(git ls-files '*.c' '*.h')
mapfile -t own_c < <(git ls-files 'exec/*.c' 'activator/*.c' \
    'rootfs/*.c')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
mapfile -t pages < <(git ls-files 'man/*')
flags=(-std=gnu17 -D_GNU_SOURCE -iquote exec -iquote activator
    -iquote rootfs -iquote "$work/b" '-DROOTFS_TOOL="mayfly-rootfs"')

# The whole program, with warnings as errors.
build()
{
	make -s -j "$cpus" BUILD="$work/$1" LINK="$2" CC="$3" CFLAGS="$4" \
	    WERROR=-Werror "$work/$1/mayfly" "$work/$1/mayfly-rootfs"
}

# Each of the program's files by itself, on all CPUs: analyze COMMAND...
analyze()
{
	printf '%s\n' "${own_c[@]}" |
	    xargs -P "$cpus" -I '{}' "$@" "${flags[@]}" '{}'
}

tidy()
{
	printf '%s\n' "${own_c[@]}" | xargs -P "$cpus" -n 8 sh -c \
	    'set -f; tidy=$1 flags=$2; shift 2; exec $tidy "$@" -- $flags' sh \
	    "$*" "${flags[*]}"
}

pages_clean()
{
	# Which other pages a machine has is not the matter.
	[[ -z $(mandoc -Tlint -Wstyle "${pages[@]}" 2>&1 |
	    grep -vE 'mandoc.db lacks|referenced manual not found' |
	    tee /dev/stderr) ]]
}

step 'gcc, no warnings, static with musl' build musl musl gcc -O2
step 'gcc, no warnings, dynamic' build b dynamic gcc -O2
step 'clang, no warnings, dynamic' build clang dynamic clang -O2
step 'gcc, no warnings, static' build static static gcc -O2
step 'clang-format' clang-format --dry-run -Werror "${c_files[@]}"
step 'gcc -fanalyzer' analyze gcc -O1 -fanalyzer -Werror \
    -Wno-analyzer-fd-leak -Wno-analyzer-malloc-leak -c -o /dev/null
# A process lives for one run: what it asks for once is not given back.
step 'clang --analyze' analyze clang --analyze \
    --analyzer-output text -Xclang -analyzer-werror \
    -Xclang -analyzer-disable-checker=unix.Malloc -o /dev/null
step 'clang-tidy' tidy clang-tidy --quiet --warnings-as-errors='*' \
    --checks=-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition,-bugprone-reserved-identifier,-bugprone-narrowing-conversions,-bugprone-implicit-widening-of-multiplication-result
step 'cppcheck' cppcheck -j "$cpus" --quiet --error-exitcode=1 \
    --enable=warning,portability --inline-suppr --std=c11 \
    -D_GNU_SOURCE -D__x86_64__ -Iexec -Iactivator -Irootfs \
    -I"$work/b" "${own_c[@]}"
step 'shellcheck' shellcheck -x -S warning "${scripts[@]}"
step 'mandoc -Tlint' pages_clean
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
