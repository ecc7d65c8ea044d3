#!/bin/bash
# The manual pages, README.md and SPECIFICATION.md say what the program does:
# examples are run, and every option, limit, code and key stands in both.
# as: root user
# shellcheck disable=SC2016 # what is in single quotes is for other shells

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

PAGE=$T_TREE/man/mayfly.1
CONF=$T_TREE/man/mayfly.conf.5
API=$T_TREE/man/mayfly-api.7
PATH=$T_ROOT/bin:$PATH

# The lines of a section or subsection of a page: section PAGE .Sh|.Ss TITLE
section()
{
	awk -v start="$2 $3" '
		$0 == start { inside = 1; next }
		/^\.S[hs] / { inside = 0 }
		inside' "$1"
}

# Fails with the lines that only one of two lists has.
expect_same()
{
	local difference

	difference=$(diff <(echo "$2") <(echo "$3") | grep '^[<>]')
	[[ -n $difference ]] || return 0
	fail "$1 ('<' the page, '>' the program):"
	detail "$difference"
}

# The tags of the list items in a section, as "name" or "name VALUE".
page_options()
{
	section "$PAGE" .Ss "$1" | sed -n 's/^\.It Fl -//p' | sed 's/ Ar / /'
}

# The same of what stands below a heading of `mayfly run --help`.
help_options()
{
	awk -v start="$1" '
		/^[A-Z]/ { inside = index($0, start) == 1; next }
		inside && /^  --/ { sub(/^  --/, ""); sub(/  .*/, ""); print }
		' help
}

mayfly_help()
{
	mayfly run --help </dev/null >help 2>err
	status=$?
	expect_status 0
}

# The item of a list, until the next one.
item()
{
	awk -v start="$1" '
		index($0 " ", start " ") == 1 { inside = 1; next }
		/^\.(It|El|S[hs])/ { inside = 0 }
		inside'
}

# Words that are named as paths in an item.
paths()
{
	sed -n 's/^\.Pa //p' | grep -oE '[a-z][^ ,]*'
}

if testcase "the options in the page are those of --help, in order"; then
	mayfly_help
	expect_same "options differ" "$(page_options 'Options of run')" \
	    "$(help_options Options)"
	expect_same "limits differ" "$(page_options Limits)" \
	    "$(help_options Limits | sort)"
	check "options are not sorted" sort -c \
	    <(page_options 'Options of run' | cut -d ' ' -f 1 | tr -d -)
	section "$PAGE" .Sh SYNOPSIS >synopsis
	for option in $(help_options Options | cut -d ' ' -f 1); do
		[[ $option != help ]] || continue
		check "SYNOPSIS lacks --$option" \
		    grep -qE -e "Fl -$option( |\$)" synopsis
	done
fi

if testcase "default and range of each limit in the page are the program's"
then
	mayfly_help
	for limit in $(help_options Limits | cut -d ' ' -f 1); do
		standard=$(sed -n "s/^  --$limit .*(\(.*\))\$/\1/p" help)
		run "--$limit" x -- true
		range=$(sed -n 's/.*: \([0-9.]* to [0-9.]*\).*/\1/p' err)
		section "$PAGE" .Ss Limits | item ".It Fl -$limit" >text
		check "$limit: no 'Default $standard, range $range.'" \
		    grep -Fx "Default $standard, range $range." text
	done
fi

if testcase "EXIT STATUS has every code that --help names, and no other"; then
	mayfly_help
	expect_same "codes differ" "$(section "$PAGE" .Sh 'EXIT STATUS' |
	    sed -n 's/^\.It //p' | sort)" "$(sed -n '/^Exit code:/,/wrong/p' \
	    help | grep -oE "the command's|128\+n|\b(1[0-9]{2}|64) " |
	    sed 's/ $//' | sort)"
fi

# Sources of exec/ as one line, however they are broken.
flat()
{
	(cd "$T_TREE/exec" && cat "$@" | tr -s '\n\t ' ' ')
}

# The first strings of what matches the pattern, of which the last "@" stands
# for a string: rows of tables, and calls.
strings()
{
	grep -oE -e "${1/@/\"[^\"]+\"}" | sed 's/^[^"]*"\([^"]*\)".*/\1/'
}

# What failure_set() and the tables of steps are given as the step.
steps()
{
	flat box.c cgroup.c ids.c init.c init_files.c net.c state.c \
	    session_make.c watch.c >source
	strings 'failure_set\([^"]*@' <source
	strings 'CONTROL_FAILED, errno, @' <source
	flat inside.c | grep -o 'steps\[\] = {.*' | sed 's/};.*//' |
	    strings '\{ @,'
}

if testcase "DIAGNOSTICS names every step that can fail"; then
	section "$PAGE" .Sh DIAGNOSTICS | sed -n 's/^\.It //p' >text
	steps | grep -x '[a-z]*' | sort -u >all
	check "no step was found" test "$(wc -l <all)" -gt 15
	while read -r step; do
		check "$step is missing" grep -qw "$step" text
	done <all
fi

if testcase "/etc and /dev in the page are those of the tables"; then
	# The java and musl rows stand for many names.
	expect_same "/etc differs" \
	    "$(section "$PAGE" .Ss 'Inside the sandbox' | item '.It Pa /etc' |
	    paths | sort)" \
	    "$(flat etc.c | strings '\{ @( ARCH "[^"]+")?, (TEXT|HOST),' |
	    sed 's/^java-.*/java-*-openjdk/
	    s/^ld-musl-.*/ld-musl-*.path/' | sort -u)"
	expect_same "/dev differs" \
	    "$(section "$PAGE" .Ss 'Inside the sandbox' | item '.It Pa /dev' |
	    paths | sort)" \
	    "$({ flat dev.c | strings '\{ @, ' && echo pts; } | sort)"
fi

if testcase "the keys in mayfly.conf(5) are those of the table"; then
	expect_same "keys differ" "$(sed -n 's/^\.It Cm \([a-z_]*\)$/\1/p' \
	    "$CONF" | sort)" \
	    "$(flat config.c | strings '\{ @, KIND_' | sort)"
	mayfly_help
	for limit in $(help_options Limits | cut -d ' ' -f 1); do
		check "$limit is missing" grep -qE \
		    "^\.(Cm|Ns) (.* )?$limit( |\$)" "$CONF"
		for key in "MAYFLY_DEFAULT_${limit^^}" "MAYFLY_MAX_${limit^^}"
		do
			t_as env "$key=x" "$MAYFLY" run -- true \
			    </dev/null >out 2>err
			expect_err_has "^mayfly: config: environment: $key:"
		done
	done
fi

if testcase "the range of each key in mayfly.conf(5) is the program's"; then
	while read -r key; do
		item ".It Cm $key" <"$CONF" >text
		grep -q '^Default .*range' text || continue
		t_as env "MAYFLY_${key^^}=x" "$MAYFLY" run -- true \
		    </dev/null >out 2>err
		range=$(sed -n 's/.* from \([0-9]* to [0-9]*\)$/\1/p' err)
		check "$key: no 'range $range'" \
		    grep -E "^Default [0-9]+, range $range\.\$" text
	done < <(sed -n 's/^\.It Cm \([a-z_]*\)$/\1/p' "$CONF")
fi

if testcase "mayfly-api(7) has each error, and each has a case"; then
	errors=$(sed -n 's/^\t\[ERROR_[A-Z_]*\] = { \([0-9]*\), "\([a-z_]*\)" },/\1 \2/p' \
	    "$T_TREE/activator/errors.c")
	check "no errors were found" test -n "$errors"
	expect_same "errors differ" "$(section "$API" .Ss Errors |
	    sed -n 's/^\.It \([0-9]*\) Cm /\1 /p' | sort)" "$(sort <<<"$errors")"
	while read -r _ code; do
		check "no case of tests/http has $code" \
		    grep -qw "$code" "$T_TREE"/tests/http/*.sh
	done <<<"$errors"
fi

if testcase "the example of mayfly.conf(5) is understood"; then
	section "$CONF" .Sh EXAMPLES | sed -n 's/^\([a-z_]* = .*\)/\1/p' >lines
	check "there is none" test -s lines
	while IFS=' =' read -r key value; do
		t_as env "MAYFLY_${key^^}=$value" "$MAYFLY" run -- true \
		    </dev/null >out 2>err
		check "$key = $value is refused: $(cat err)" test ! -s err
	done <lines
fi

# Writes the displays of EXAMPLES that begin with a prompt, each into a file of
# its own, below the sentence that stands before it.
extract_examples()
{
	section "$1" .Sh EXAMPLES | sed "s/\\\\(aq/'/g; s/\\\\e/\\\\/g" |
	    awk -v prefix="$2" '
		/^\.Bd / { shown = 1; first = 1; next }
		/^\.Ed/ { shown = 0; title = ""; next }
		shown && first {
			first = 0; wanted = /^[$#] [^\/]/
			if (wanted) {
				file = sprintf("%s%02d", prefix, ++n)
				print title >file
			}
		}
		shown && wanted { print >file }
		!shown && !/^\./ { title = title (title != "" ? " " : "") $0 }'
}

# Turns a transcript into a script that prints the same: each prompt as it is
# shown, then what the command prints. $? is that of the command before.
make_script()
{
	local line

	while IFS= read -r line; do
		[[ $line == [\$#]' '* ]] || continue
		printf 's=$?; printf "%%s\\n" %q; (exit $s)\n' "$line"
		printf '%s\n' "${line#??}"
	done
}

# What an example cannot do without.
can_run()
{
	local tool

	for tool in jq tar; do
		! grep -qw "$tool" "$1" || require "there is no $tool" \
		    test -n "$(type -P "$tool")" || return
	done
}

# The same of README.md, where a transcript is a block of indented lines. One
# that is cut short by "..." shows a form, and is not run.
extract_readme()
{
	awk -v prefix="$1" '
		/^    [$] / && !shown { shown = 1; n++; text = title }
		!/^    / {
			if (shown && text !~ /[.][.][.]/)
				print text >sprintf("%s%02d", prefix, n)
			shown = 0
		}
		shown { text = text "\n" substr($0, 5) }
		/^[^ ]/ { title = $0 }' "$T_TREE/README.md"
}

mkdir "$T_ROOT/examples"
extract_readme "$T_ROOT/examples/readme."
extract_examples "$PAGE" "$T_ROOT/examples/page."
extract_examples "$CONF" "$T_ROOT/examples/conf."

for example in "$T_ROOT"/examples/*; do
	title=$(head -n 1 "$example")
	! grep -q '^# ' "$example" || [[ $AS == root ]] || continue
	[[ $title != *"ordinary user"* || $AS != root ]] || continue
	# Where systemd does not run, tests/vm has what these show.
	! grep -qw systemd-run "$example" || [[ -d /run/systemd/system ]] ||
	    continue
	if testcase "the example runs as shown: ${title%:}" &&
	    can_run "$example"; then
		tail -n +2 "$example" >want
		make_script <want >script.bash
		# In a directory of its own: it makes files.
		mkdir -m 0777 work
		(cd work && t_as timeout -s KILL "$T_PATIENCE" \
		    bash ../script.bash) </dev/null >out 2>&1
		cmp -s want out || {
			fail "it differs ('<' the page, '>' the program):"
			detail "$(diff want out | grep '^[<>]')"
		}
	fi
done

if testcase "every example of the page was found"; then
	check "displays are missing" test \
	    "$(section "$PAGE" .Sh EXAMPLES | grep -c '^\.Bd ')" = \
	    "$(find "$T_ROOT/examples" -name 'page.*' | wc -l)"
fi

if testcase "mandoc has nothing to say about the pages" &&
    require "there is no mandoc" test -n "$(type -P mandoc)"; then
	# Other pages may not be installed, and it says so.
	mandoc -Tlint -Wstyle "$T_TREE"/man/*.[0-9] 2>&1 |
	    grep -vE 'referenced manual not found|outdated mandoc.db' >out
	expect_no_out
fi

SPEC=$T_TREE/SPECIFICATION.md

# Is there such a case, in a topic, a row of the attacks or a unit test?
has_sentence()
{
	[[ -f $T_TREE/$1 ]] && grep -qF -e "case \"$2\"" -e "{ \"$2\"," \
	    "$T_TREE/$1"
}

if testcase "every test that SPECIFICATION.md names exists"; then
	count=0
	while read -r _ path sentence; do
		sentence=${sentence#\"}
		sentence=${sentence%\"}
		has_sentence "$path" "$sentence" ||
		    fail "there is no \"$sentence\" in $path"
		count=$((count + 1))
	done < <(grep -E '^ *Test: ' "$SPEC")
	check "only $count tests are named" test "$count" -ge 50
	check "a line is not of the form Test: PATH \"SENTENCE\"" \
	    test -z "$(grep 'Test:' "$SPEC" |
		grep -vE '^    Test: tests/[a-z0-9_/.]+ ".+"$|`Test:`')"
fi

if testcase "every promise has a number of its own and a test"; then
	awk '/^### / { if (name && !tests) print name; name = $2; tests = 0 }
	    /^## / { if (name && !tests) print name; name = "" }
	    /^    Test: / { tests++ }' "$SPEC" >out
	expect_no_out
	check "numbers are not consecutive" awk '
	    /^## / { group = ""; n = 0 }
	    /^### / {
		    if (substr($2, 1, 1) != group && n > 0) bad = 1
		    group = substr($2, 1, 1)
		    if ($2 != group (++n) ".") bad = 1
	    }
	    END { exit bad }' "$SPEC"
	check "there are not five groups" test "$(sed -n \
	    's/^### \([A-Z]\)[0-9].*/\1/p' "$SPEC" | uniq | wc -l)" = 5
fi

t_done
