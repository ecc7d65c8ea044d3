# shellcheck shell=bash
#
# Packages of Debian's kind, made in the test out of the machine's own programs,
# and a mirror that has them.
#
# shellcheck disable=SC2034 # the topics read what is set

# Puts programs of the machine's, with what they are linked to, into a
# directory; what is a link there is a file here.
put_programs()
{
	local into=$1 path

	for path in "${@:2}"; do
		path=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin type -P "$path")
		echo "$path"
		ldd "$path" 2>/dev/null | grep -o '/[^ ]*'
	done | sort -u | while read -r path; do
		mkdir -p "$into/usr${path%/*}" "$into${path%/*}"
		[[ -e $into$path ]] || cp -L "$path" "$into$path"
	done
}

# What installs packages in a root, with what it wants to find there.
put_dpkg()
{
	local into=$1 method

	put_programs "$into" apt-get dpkg dpkg-deb dpkg-split dpkg-query bash \
	    rm tar diff ldconfig start-stop-daemon cat stat chown mkdir ls id
	for method in file copy store; do
		put_programs "$into" "/usr/lib/apt/methods/$method"
	done
	mkdir -p "$into"/{bin,tmp,etc/{dpkg,apt/{apt.conf.d,preferences.d,trusted.gpg.d}}} \
	    "$into"/var/{log/apt,cache/apt/archives/partial} \
	    "$into"/usr/share/dpkg
	ln "$into/usr/bin/bash" "$into/bin/sh"
	cp /usr/share/dpkg/*table "$into/usr/share/dpkg"
}

# Makes a package of the directory, puts it into the repository and notes it in
# that one's list: pack DIRECTORY REPOSITORY LIST NAME [LINE OF CONTROL]...
pack()
{
	local deb=$2/$4.deb

	mkdir -p "$1/DEBIAN"
	printf '%s\n' "Package: $4" 'Version: 1.0' 'Description: of a test' \
	    'Maintainer: nobody <nobody@example.org>' "${@:5}" \
	    >"$1/DEBIAN/control"
	dpkg-deb --root-owner-group -Znone -b "$1" "$deb" >"$2/built" 2>&1 ||
	    fail "dpkg-deb: $(tail -n 1 "$2/built")"
	{
		dpkg-deb -f "$deb"
		echo "Filename: ./$4.deb"
		echo "Size: $(stat -c %s "$deb")"
		echo "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)"
		echo
	} >>"$3"
}

# A package of a script that runs at its end: pack_script SCRIPT PACK'S WORDS...
pack_script()
{
	mkdir -p "$2/DEBIAN"
	printf '#!/bin/sh\nset -e\n%s\n' "$1" >"$2/DEBIAN/postinst"
	chmod 0755 "$2/DEBIAN/postinst"
	pack "${@:2}"
}

# The smallest system that both programs make: one package has all of it. The
# others are those that debootstrap asks for by name.
pack_system()
{
	local root=$FIXTURES/root name

	for name in bin sbin lib lib64; do
		mkdir -p "$root/usr/$name"
		ln -s "usr/$name" "$root/$name"
	done
	put_dpkg "$root"
	put_programs "$root" env true mount
	mkdir "$root"/{dev,proc,sys,run}
	pack "$root" "$1" "$2" base "Architecture: $ARCH" 'Essential: yes' \
	    'Priority: required'
	for name in base-passwd base-files dpkg libc6 perl-base mawk \
	    usr-is-merged apt; do
		pack "$FIXTURES/none" "$1" "$2" "$name" 'Architecture: all' \
		    'Priority: required'
	done
}

# What says which files of a release are whole.
write_release()
{
	local list=$1/main/binary-$ARCH/Packages

	# debootstrap does not read the last line.
	cat >"$1/Release" <<-END
		Suite: stable
		Codename: ${1##*/}
		Date: $(date -Ru)
		Architectures: $ARCH
		SHA256:
		 $(sha256sum "$list" | cut -d ' ' -f 1) $(stat -c %s "$list") ${list#"$1"/}
		Components: main
	END
}

# A mirror with a key of its own: bookworm is signed by it, and trixie, which is
# the same, by nobody. Sets MIRROR, its directory, and KEY, a keyring.
fixture_mirror()
{
	local list gpg

	ARCH=$(dpkg --print-architecture)
	MIRROR=$FIXTURES/mirror KEY=$FIXTURES/key.gpg
	list=$MIRROR/dists/bookworm/main/binary-$ARCH/Packages
	mkdir -p "${list%/*}"
	pack_system "$MIRROR" "$list"
	mkdir -p "$FIXTURES/hello/usr/share/hello"
	echo data >"$FIXTURES/hello/usr/share/hello/data"
	pack_script 'chown 7:8 /usr/share/hello/data
	    echo configured >/usr/share/hello/state' \
	    "$FIXTURES/hello" "$MIRROR" "$list" hello 'Architecture: all'
	pack_script 'echo I am broken >&2; exit 3' \
	    "$FIXTURES/broken" "$MIRROR" "$list" broken 'Architecture: all'
	pack "$FIXTURES/none" "$MIRROR" "$list" slow 'Architecture: all'
	cp -r "$MIRROR/dists/bookworm" "$MIRROR/dists/trixie"
	write_release "$MIRROR/dists/bookworm"
	write_release "$MIRROR/dists/trixie"
	gpg=(gpg --homedir "$FIXTURES/gpg" --batch --quiet)
	mkdir -m 0700 "$FIXTURES/gpg"
	{
		"${gpg[@]}" --passphrase '' --quick-gen-key test ed25519 sign \
		    never
		"${gpg[@]}" --export >"$KEY"
		"${gpg[@]}" --clearsign -o "$MIRROR/dists/bookworm/InRelease" \
		    "$MIRROR/dists/bookworm/Release"
		gpgconf --homedir "$FIXTURES/gpg" --kill all
	} >"$FIXTURES/signed" 2>&1 ||
	    fail "gpg: $(tail -n 1 "$FIXTURES/signed")"
	rm -rf "$FIXTURES"/{gpg,root}
	chmod -R a+rX "$MIRROR"
}

# Serves that directory at URL, and never ends an answer with the package slow:
# then there is a file asked, and when who asked has gone, a file gone.
serve_mirror()
{
	"$PYTHON" "$T_TREE/tests/images/mirror.py" "$MIRROR" "$FIXTURES" \
	    >"$FIXTURES/mirror.log" 2>&1 &
	mirror=$!
	poll 200 test -s "$FIXTURES/port" ||
	    fail "the mirror does not start: $(tail -n 1 "$FIXTURES/mirror.log")"
	URL=http://127.0.0.1:$(cat "$FIXTURES/port")
}
