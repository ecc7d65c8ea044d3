#!/bin/bash
# A system of packages becomes an image, by mmdebstrap or debootstrap, or it is
# said why not and nothing stays. The packages are a mirror's of the test's own.
# as: root subuid user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/images/lib.sh
. "$(dirname "$0")/images/lib.sh"
# shellcheck source=tests/images/packages.sh
. "$(dirname "$0")/images/packages.sh"

for program in mmdebstrap dpkg-deb gpg; do
	[[ -n $(type -P "$program") ]] || t_give_up "there is no $program"
done
fixture_mirror
serve_mirror
# Where the programs work, and clean up.
mkdir -m 1777 "$T_ROOT/tmp"
export TMPDIR=$T_ROOT/tmp
# Without the machine's keys: what it is told to trust it does.
TRUSTED="deb [trusted=yes] $URL bookworm main"
LOOK='cat /usr/share/hello/state; stat -c %u:%g /usr/share/hello/data
    dpkg-query -W hello; test -x /usr/bin/apt-get && echo apt'
LOOKS=$'configured\n7:8\nhello\t1.0\napt'

# The machine is Debian's, in this mount namespace, and has the mirror's key; and
# there are sources of others.
arrange_apt()
{
	[[ -n ${T_ENTERED:-} ]] || return
	mkdir "$FIXTURES/apt" "$FIXTURES/apt/sources.list.d"
	printf 'ID=debian\nVERSION_CODENAME=bookworm\n' >"$FIXTURES/os-release"
	cat >"$FIXTURES/apt/sources.list.d/a.list" <<-'END'
		# deb http://127.0.0.1:1/off bookworm main
		deb-src http://127.0.0.1:1/source bookworm main
		deb [arch=all signed-by=/none] http://127.0.0.1:1/suite tools main
		deb http://127.0.0.1:1/component bookworm tools
	END
	cat >"$FIXTURES/apt/sources.list.d/b.sources" <<-END
		Types: deb
		URIs: http://127.0.0.1:1/disabled
		Suites: bookworm
		Components: main
		Enabled: no

		# Those of the distribution.
		Types: deb deb-src
		URIs: $URL
		Suites: bookworm-updates
		# and this as well:
		  bookworm
		Components: main
	END
	mount --bind "$FIXTURES/os-release" /etc/os-release &&
	    mount --bind "$FIXTURES/apt/sources.list.d" \
		/etc/apt/sources.list.d &&
	    mount --bind "$KEY" \
		/usr/share/keyrings/debian-archive-keyring.gpg || return
	[[ ! -e /etc/apt/sources.list ]] ||
	    mount --bind /dev/null /etc/apt/sources.list
}

# A program is not there: hide NAME
hide()
{
	[[ ! -e /usr/$1 ]] || mount --bind /dev/null "/usr/$1"
}

show()
{
	[[ ! -e /usr/$1 ]] || umount "/usr/$1"
}

# What a program that was ended may have left, anywhere.
expect_nothing_left()
{
	[[ -z $(ls -A "$TMPDIR") ]] || fail "there is $(ls -A "$TMPDIR")"
	! grep -E 'mmdebstrap\\.|/trash/' /proc/self/mountinfo >mounts ||
	    fail "something is mounted: $(head -n 1 mounts)"
	expect_no_trash
}

# A build that waits for the mirror, and gets one of these signals each time:
# stop_builds "SIGNAL..." [WORD]...
stop_builds()
{
	local signal

	for signal in $1; do
		rm -f "$FIXTURES"/{asked,gone}
		spawn image build one --distro debian:bookworm --include slow \
		    "${@:2}" </dev/null
		# On a loaded machine it takes its time.
		if ! poll 1200 test -e "$FIXTURES/asked"; then
			fail "it does not ask"
			break
		fi
		kill -s "$signal" "$pid"
		finish
		poll 600 test -e "$FIXTURES/gone" ||
		    fail "SIG$signal does not end what it has started"
		if [[ $signal == KILL ]]; then
			expect_status 137
			# Who cleans up has outlived it.
			poll 600 reaps
		else
			expect_status 125
			expect_err_has '^mayfly: (layer|build): .*(killed|stop)'
		fi
		expect_no_out
		expect_nothing_left
	done
	[[ -z $(names) ]] || fail "there is an image"
}

reaps()
{
	t_as "$MAYFLY" reap >reaped 2>&1
	[[ -z $(ls -A "$STATE/trash") && -z $(ls -A "$TMPDIR") ]]
}

arranged=''
! arrange_apt || arranged=1

if [[ $AS != user ]] && testcase "a distribution's packages become an image" &&
    require "there is no mount namespace" test -n "$arranged"; then
	made bookworm build bookworm --distro debian:bookworm --include hello
	run_in bookworm sh -c "$LOOK"
	expect_out "$LOOKS"
	image list
	expect_out_has '^bookworm +1 +[0-9]{4,} '
	expect_nothing_left
	forget
fi

if [[ $AS != user ]] && testcase "a mirror that is given is the one that is asked"
then
	# Longer than a line, and nothing of it is lost.
	printf -v many 'apt,%.0s' {1..700}
	made one build one --distro debian:bookworm --mirror "$TRUSTED" \
	    --include "${many}hello"
	run_in one sh -c "$LOOK"
	expect_out "$LOOKS"
	if [[ -n $arranged ]]; then
		# What is a directory here has the same signature.
		made two build two --distro=debian:bookworm \
		    --mirror="file://$MIRROR"
		run_in two cat /usr/share/hello/state
		expect_status 1
	fi
	forget
fi

if [[ $AS != user ]] && testcase "a build that fails says why, and nothing stays"
then
	tar -cf old.tar --files-from /dev/null
	made one import old.tar one
	while read -r where include pattern; do
		[[ $where != TRUSTED ]] || where=$TRUSTED
		image build one --distro debian:bookworm --mirror "$where" \
		    --include "$include"
		expect_status 125
		expect_no_out
		expect_err_has '^mayfly: build: mmdebstrap failed with [0-9]+$'
		expect_err_has "$pattern"
		expect_nothing_left
	done <<-END
		$URL/none hello /none bookworm Release
		nonsense hello invalid mirror: nonsense
		TRUSTED no-such-package Unable to locate package no-such-package
		TRUSTED broken I am broken
	END
	# What nobody has signed, and what the mirror of the machine lacks.
	image build one --distro debian:trixie --mirror "$URL"
	expect_status 125
	expect_err_has 'trixie.* is not signed'
	if [[ -n $arranged ]]; then
		image build one --distro debian:bullseye
		expect_status 125
		expect_err_has "$URL bullseye Release"
	fi
	# The one of that name is what it was.
	image show one
	expect_out_has '^size_kb +0$'
	forget
fi

if testcase "no other distribution can be built, and no other words are"; then
	for distro in '' debian debian: :bookworm fedora:40 debianx:bookworm \
	    debian:bookworm:main debian:--help debian:../x 'debian:a b'; do
		refused 64 "'$distro' is not debian:SUITE or ubuntu:SUITE" \
		    build one --distro "$distro"
	done
	refused 64 'needs --distro' build one
	refused 64 "can be no image's name" build One --distro debian:bookworm
	refused 64 "no image's name can be .host." build host --distro debian:bookworm
	refused 64 'a value is missing behind' build one --distro
	refused 64 "unknown option '--platform'" build one --platform x
	[[ -z $(names) ]] || fail "there is an image"
fi

# mmdebstrap sends SIGHUP to all of its group when it cannot go on.
if [[ $AS != user ]] && testcase "no image is built that is larger than max_image"
then
	MAYFLY_MAX_IMAGE=1000 t_as setsid --wait bash -c \
	    "$MAYFLY"' image build one --distro debian:bookworm --mirror "$0"
		echo "$?" >&3' "$TRUSTED" 3>code >out 2>err </dev/null
	check "its caller has ended: $(cat code)" test "$(cat code)" = 125
	expect_err_has 'it holds more than max_image allows: 1000 KB'
	expect_err_has '^mayfly: layer: '
	expect_no_out
	expect_nothing_left
	[[ -z $(names) ]] || fail "there is an image"
fi

if [[ $AS != user ]] && testcase "a build that is told to stop stops, and all of it"
then
	signals='TERM INT HUP KILL'
	[[ $AS == root ]] || signals='INT KILL'
	stop_builds "$signals" --mirror "$TRUSTED"
fi

if [[ $AS == user ]] && testcase "who has one id is told that there is no way" &&
    require "there is another way" test -z "$(type -P fakechroot)"; then
	refused 125 '^mayfly: build: mmdebstrap failed with ' \
	    build one --distro debian:bookworm --mirror "$TRUSTED"
	expect_err_has 'unable to pick chroot mode'
	expect_nothing_left
fi

if [[ $AS == root ]] && testcase "debootstrap makes it where mmdebstrap is not" &&
    require "there is no mount namespace" test -n "$arranged" &&
    require "there is no debootstrap" test -n "$(type -P debootstrap)"; then
	hide bin/mmdebstrap
	made bookworm build bookworm --distro debian:bookworm --include hello
	run_in bookworm sh -c "$LOOK"
	expect_out "$LOOKS"
	expect_nothing_left
	image build one --distro debian:trixie --mirror "$URL"
	expect_status 125
	expect_no_out
	expect_err_has '^mayfly: build: debootstrap failed with [0-9]+$'
	expect_nothing_left
	image build one --distro debian:bookworm --include none
	expect_status 125
	expect_err_has "Couldn't find these debs: none"
	expect_nothing_left
	forget
	stop_builds 'TERM KILL'
	show bin/mmdebstrap
fi

if [[ $AS != root ]] && testcase "debootstrap needs root, and that is said" &&
    require "there is no mount namespace" test -n "$arranged" &&
    require "there is no debootstrap" test -n "$(type -P debootstrap)"; then
	hide bin/mmdebstrap
	refused 125 '^mayfly: build: debootstrap needs root' \
	    build one --distro debian:bookworm
	show bin/mmdebstrap
fi

if testcase "with neither program it is said what to install" &&
    require "there is no mount namespace" test -n "$arranged"; then
	hide bin/mmdebstrap
	hide sbin/debootstrap
	refused 125 '^mayfly: build: .*: apt-get install mmdebstrap$' \
	    build one --distro debian:bookworm
	show bin/mmdebstrap
	show sbin/debootstrap
fi

kill "$mirror"
t_done
