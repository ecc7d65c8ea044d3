#!/bin/bash
# What people install in a session is there in its next run: packages of
# Debian, of Python and what git clones, as the sandbox's root.
# as: root subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/images/lib.sh
. "$(dirname "$0")/images/lib.sh"
# shellcheck source=tests/images/packages.sh
. "$(dirname "$0")/images/packages.sh"

# A package with a file of a user's own, and a script that runs at its end.
make_package()
{
	mkdir -p package/usr/bin package/var/lib/hello repo
	printf '#!/bin/sh\necho hello from a package\n' >package/usr/bin/hello
	chmod 0755 package/usr/bin/hello
	echo data >package/var/lib/hello/data
	pack_script 'chown 7:8 /var/lib/hello/data
	    echo configured >/var/lib/hello/state' \
	    package repo repo/Packages hello-mayfly 'Architecture: all'
}

if testcase "what apt-get installs in a session stays" &&
    require "this is no Debian" have apt-get && require "no dpkg" have dpkg
then
	mkdir root
	put_dpkg root
	mkdir -p root/var/lib/{apt/lists,dpkg/{info,updates,triggers}}
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
