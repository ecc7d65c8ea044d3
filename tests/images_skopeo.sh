#!/bin/bash
# What skopeo has of the machine and of its configuration when it fetches an
# image, and what it cannot do to that.
# as: root user subuid

# shellcheck source=tests/images/lib.sh
. "$(dirname "$0")/images/lib.sh"

for program in skopeo docker-registry; do
	[[ -n $(type -P "$program") ]] || t_give_up "there is no $program"
done
fixture_base
OCI=$FIXTURES/oci
layout "$OCI" small "$PLAIN" "$BASE"

if [[ $EUID == 0 ]] && testcase "without skopeo it is said what to install" &&
    require "/usr/bin cannot be hidden" test -n "${T_ENTERED:-}"; then
	mkdir none upper work
	mknod upper/skopeo c 0 0
	mount -t overlay -o lowerdir=/usr/bin,upperdir=upper,workdir=work \
	    overlay /usr/bin
	refused 125 '^mayfly: skopeo: .*apt-get install skopeo$' \
	    pull "oci:$OCI:small" x
	umount -l /usr/bin
fi

if testcase "limits that are configured for runs bind nobody who makes images"
then
	mkdir tree
	tar -C tree -xf "$BASE"
	chown -R "$T_UID" tree 2>/dev/null
	export MAYFLY_DEFAULT_NPROC=1 MAYFLY_DEFAULT_MEM=1024 \
	    MAYFLY_DEFAULT_STACK=128 MAYFLY_DEFAULT_DISK=64
	made pulled pull "oci:$OCI:small" pulled
	made dir import-dir tree dir
	image export pulled oci:exported
	expect_status 0
	unset MAYFLY_DEFAULT_NPROC MAYFLY_DEFAULT_MEM MAYFLY_DEFAULT_STACK \
	    MAYFLY_DEFAULT_DISK
	# Nor does what nobody may ask for.
	export MAYFLY_MAX_NPROC=1
	made again pull oci:exported again
	unset MAYFLY_MAX_NPROC
	run_in again -- true
	expect_status 0
	forget
fi

if [[ $EUID == 0 ]] &&
    testcase "what a policy rejects is no image, nor where it cannot be read" &&
    require "no policy can be put there" \
	test -n "${T_ENTERED:-}" -a -e /etc/containers/policy.json; then
	echo '{"default": [{"type": "reject"}]}' >policy.json
	for mode in 0644 0600; do
		chmod "$mode" policy.json
		mount --bind policy.json /etc/containers/policy.json
		refused 125 '^mayfly: skopeo: ' pull "oci:$OCI:small" x
		umount /etc/containers/policy.json
	done
	made x pull "oci:$OCI:small" x
	forget
fi

if [[ $AS == root ]] &&
    testcase "a machine without names of its own asks a registry all the same" &&
    require "/etc cannot be changed" test -n "${T_ENTERED:-}"; then
	start_registry
	push "$OCI:small" img
	mkdir upper work
	mknod upper/hosts c 0 0
	mknod upper/resolv.conf c 0 0
	mount -t overlay -o lowerdir=/etc,upperdir=upper,workdir=work \
	    overlay /etc
	made img pull --plain-http "docker://$REGISTRY/img"
	umount -l /etc
	stop_registry
	forget
fi

if [[ $EUID == 0 ]] &&
    testcase "who fetches a layer cannot put something into it" &&
    require "/usr/bin cannot be changed" test -n "${T_ENTERED:-}"; then
	mkdir upper work
	cp "$(type -P skopeo)" upper/skopeo-itself
	cat >upper/skopeo <<-'END'
		#!/bin/sh
		skopeo-itself "$@" || exit
		for blob in /mnt/oci/blobs/sha256/*; do
			mkdir -p "/mnt/${blob##*/}/opt" || exit
			echo mine >"/mnt/${blob##*/}/opt/put"
		done
	END
	chmod 0755 upper/skopeo
	mount -t overlay -o lowerdir=/usr/bin,upperdir=upper,workdir=work \
	    overlay /usr/bin
	made img pull "oci:$OCI:small" img
	umount -l /usr/bin
	run_in img -- ls /opt
	expect_status 0
	expect_no_out
	forget
fi

t_done
