#!/bin/bash
# What people install in a session is there in its next run: packages of
# Debian, of Python and what git clones, as the sandbox's root.
# as: root subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/images/lib.sh
. "$(dirname "$0")/images/lib.sh"

# Programs of the machine's, with what they are linked to, in the directory
# root; what is a link there is a file here.
put_programs()
{
	local path

	for path; do
		path=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin type -P "$path")
		echo "$path"
		ldd "$path" 2>/dev/null | grep -o '/[^ ]*'
	done | sort -u | while read -r path; do
		mkdir -p "root/usr${path%/*}" "root${path%/*}"
		[[ -e root$path ]] || cp -L "$path" "root$path"
	done
}

# A package with a file of a user's own, and a script that runs at its end.
make_package()
{
	mkdir -p package/DEBIAN package/usr/bin package/var/lib/hello repo
	printf '#!/bin/sh\necho hello from a package\n' >package/usr/bin/hello
	chmod 0755 package/usr/bin/hello
	echo data >package/var/lib/hello/data
	printf '%s\n' 'Package: hello-mayfly' 'Version: 1.0' \
	    'Architecture: all' 'Maintainer: nobody <nobody@example.org>' \
	    'Description: says hello' >package/DEBIAN/control
	printf '#!/bin/sh\nset -e\nchown 7:8 /var/lib/hello/data
echo configured >/var/lib/hello/state\n' >package/DEBIAN/postinst
	chmod 0755 package/DEBIAN/postinst
	dpkg-deb --root-owner-group -b package repo/hello.deb >built 2>&1 ||
	    fail "dpkg-deb: $(tail -n 1 built)"
	{
		dpkg-deb -f repo/hello.deb
		echo "Filename: ./hello.deb"
		echo "Size: $(stat -c %s repo/hello.deb)"
		echo "SHA256: $(sha256sum repo/hello.deb | cut -d ' ' -f 1)"
	} >repo/Packages
}

if testcase "what apt-get installs in a session stays" &&
    require "this is no Debian" have apt-get && require "no dpkg" have dpkg
then
	mkdir root
	ln -s bash root/sh
	put_programs apt-get dpkg dpkg-deb dpkg-split dpkg-query bash rm tar \
	    diff ldconfig start-stop-daemon cat stat chown mkdir ls id
	for method in file copy store; do
		put_programs "/usr/lib/apt/methods/$method"
	done
	rm root/sh
	mkdir -p root/{bin,tmp,etc/apt/{apt.conf.d,preferences.d,trusted.gpg.d}} \
	    root/etc/dpkg root/var/lib/{apt/lists,dpkg/{info,updates,triggers}} \
	    root/var/{log/apt,cache/apt/archives/partial}
	ln root/usr/bin/bash root/bin/sh
	mkdir -p root/usr/share/dpkg
	cp /usr/share/dpkg/*table root/usr/share/dpkg
	: >root/var/lib/dpkg/status
	echo 'deb [trusted=yes] file:/repo ./' >root/etc/apt/sources.list
	make_package
	tar -C root --owner=0 --group=0 -cf root.tar .
	made debian import root.tar debian
	create --image debian --mem 4194304 --nofile 1024 --fsize 1000000
	inside --ro-bind "$PWD/repo:/repo" -- bash -ec '
	    apt-get -q -o APT::Sandbox::User=root update
	    apt-get -qq -y -o APT::Sandbox::User=root install hello-mayfly'
	expect_status 0
	inside -- bash -c 'hello; cat /var/lib/hello/state
	    stat -c %u:%g /var/lib/hello/data
	    dpkg-query -W hello-mayfly'
	expect_out $'hello from a package\nconfigured\n7:8\nhello-mayfly\t1.0'
	session delete "$id"
	forget
fi

# An index, as pip knows them, with one package in it.
make_index()
{
	mkdir -p index/hello-mayfly
	"$PYTHON" - <<-'END'
		import zipfile
		name = "hello_mayfly-1.0"
		info = name + ".dist-info/"
		files = {
		    "hello_mayfly.py": "def hello(): return 'hello from a wheel'\n",
		    info + "METADATA": "Metadata-Version: 2.1\n"
		        "Name: hello-mayfly\nVersion: 1.0\n",
		    info + "WHEEL": "Wheel-Version: 1.0\nGenerator: none\n"
		        "Root-Is-Purelib: true\nTag: py3-none-any\n"}
		files[info + "RECORD"] = "".join(
		    f + ",,\n" for f in list(files) + [info + "RECORD"])
		wheel = name + "-py3-none-any.whl"
		with zipfile.ZipFile("index/hello-mayfly/" + wheel, "w") as z:
		    for f, text in files.items():
		        z.writestr(f, text)
		with open("index/hello-mayfly/index.html", "w") as f:
		    f.write('<a href="%s">%s</a>' % (wheel, wheel))
	END
}

have_pip()
{
	"$PYTHON" -m pip --version >said 2>&1
}

if testcase "what pip installs in a session stays" &&
    require "there is no pip" have_pip; then
	make_index
	create --mem 4194304 --nofile 1024
	inside --time 60000 --wall 60000 --ro-bind "$PWD/index:/index" -- \
	    "$PYTHON" -m pip install -q --no-cache-dir \
	    --disable-pip-version-check --index-url file:///index \
	    --target /root/lib hello-mayfly
	expect_status 0
	inside --env PYTHONPATH=/root/lib -- "$PYTHON" -c \
	    'import hello_mayfly; print(hello_mayfly.hello())'
	expect_out 'hello from a wheel'
	session delete "$id"
fi

if testcase "what git clones in a session stays, and can be worked with" &&
    require "there is no git" have git; then
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org \
	    GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
	git init -q source
	echo first >source/file
	git -C source add file
	git -C source commit -qm first
	chmod -R a+rX source
	create --mem 4194304 --nofile 1024
	# To the sandbox it belongs to nobody, which git wants to be told of.
	inside --ro-bind "$PWD/source:/source" -- sh -ec '
	    git config --global safe.directory "*"
	    git config --global user.name b
	    git config --global user.email b@example.org
	    git clone -q /source /root/clone'
	expect_status 0
	inside --cwd /root/clone -- sh -ec 'cat file; echo second >file
	    git commit -qam second; git log --format=%s; git status -s'
	expect_out $'first\nsecond\nfirst'
	inside --cwd /root/clone -- git fsck --strict
	expect_status 0
	session delete "$id"
fi

t_done
