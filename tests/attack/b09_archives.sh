#!/bin/bash
# B9: archives and layouts of images that are made to reach what is not the
# image's. Each is refused with a sentence, or stays within its layer.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/images/lib.sh
. "$T_TREE/tests/images/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=B9
HOSTILE=$T_TREE/tests/images/hostile.py
# Of one byte, and of two in UTF-8.
CONTROL='[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]'

fixture_base

# What of the host's an archive could have reached: another image, a session,
# and a directory that everybody may change.
outside()
{
	find "$T_ROOT/canary" "$STATE/sessions" "$STATE/images/kept" "$kept" \
	    -printf '%p %y %i %m %U %G %s %l %T@\n' | LC_ALL=C sort
}

# What a layer may not have: devices, what an overlay or the kernel would act
# on, a way for somebody else to get there.
look_at_layers()
{
	find "$STATE/layers" -print0 >paths
	"$PYTHON" - <<-'END'
		import os, stat
		for path in open("paths", "rb").read().split(b"\0")[:-1]:
		    st = os.lstat(path)
		    kind = stat.S_IFMT(st.st_mode)
		    if kind == stat.S_IFBLK or (kind == stat.S_IFCHR and
		                                st.st_rdev != 0):
		        print("a device:", path)
		    for key in os.listxattr(path, follow_symlinks=False):
		        if key in ("trusted.overlay.opaque",
		                   "user.overlay.opaque") and \
		                os.path.isdir(path):
		            continue
		        if key in ("trusted.overlay.origin",
		                   "user.overlay.origin") and \
		                os.path.isdir(path) and \
		                os.getxattr(path, key) == b"":
		            continue
		        if not key.startswith("user.") or \
		                key.startswith("user.overlay."):
		            print("an attribute:", key, path)
	END
}

# One of them: attempt NAME WORD...; the image is to be called `hostile`.
attempt()
{
	local name=$1

	shift
	image "$@" hostile
	case $status in
	125)
		grep -qE '^mayfly: [a-z]+: .' err ||
		    fail "$name: the step is not named"
		grep -qE '^mayfly-rootfs: .{8}|^mayfly: (digest|manifest): |level=' \
		    err || fail "$name: no sentence says why"
		[[ ! -e $STATE/images/hostile ]] || fail "$name: it is there"
		refusals+=" $name"
		;;
	0)
		accepted+=" $name"
		grep -qE '^mayfly-rootfs: ' err &&
		    fail "$name: refused and made"
		run_in hostile --ro-bind "$TREE:/tree" --output 10000000 -- \
		    /tree /dev
		[[ $status == 0 ]] || fail "$name: it cannot be run: $(head \
		    -n 1 err)"
		grep -q '^/null 20666 ' out || fail "$name: its /dev is odd"
		image show hostile
		! LC_ALL=C grep -qaP "$CONTROL" out ||
		    fail "$name: a terminal would act on what is shown"
		image delete hostile
		;;
	*) fail "$name: status $status" ;;
	esac
	LC_ALL=C grep -qaP "$CONTROL" err &&
	    fail "$name: a terminal would act on what it says"
	expect_no_trash
	outside >after
	cmp -s before after || {
		fail "$name: something outside has changed"
		detail "$(diff before after | head -n 5)"
		cp after before
	}
}

prepare_host()
{
	mkdir -m 0777 "$T_ROOT/canary"
	echo alive >"$T_ROOT/canary/file"
	chmod 0666 "$T_ROOT/canary/file"
	fixture_tree
	made kept import "$BASE" kept
	create --image kept
	kept=$(echo "$STATE"/layers/id/*)
	refusals='' accepted=''
	outside >before
	export MAYFLY_MAX_IMAGE=5000
}

after_all()
{
	unset MAYFLY_MAX_IMAGE
	check "the canary is dead" test "$(cat "$T_ROOT/canary/file")" = alive
	inside -- cat /etc/group
	expect_out_has '^staff'
	delete
	check "layers of what was refused stay" \
	    test "$(layers)" -le $(($(wc -w <<<"$accepted") + 1))
	rm -r "$T_ROOT/canary"
	look_at_layers >found
	[[ ! -s found ]] || fail "in a layer is: $(head -n 3 found)"
	forget
}

# Nothing runs inside but to look.
INSIDE=${ATTACK_UIDS%% *}

if attackcase "an archive is refused, or stays within its layer"; then
	prepare_host
	mkdir all
	"$PYTHON" "$HOSTILE" archives all "$T_ROOT/canary" ||
	    fail "no archives were made"
	for file in all/*.tar; do
		attempt "$(basename "$file" .tar)" import "$file"
	done
	check "too few: $refusals" test "$(wc -w <<<"$refusals")" -ge 40
	# What honest archives have as well must be taken.
	for name in attributes devices duplicates hardlink-of-itself no-end \
	    owners-edge root-closed setuid whiteout-own whiteout-.wh.. \
	    whiteout-as-directory; do
		[[ " $accepted " == *" $name "* ]] || fail "$name is refused"
	done
	for name in dotdot hardlink-out hardlink-absolute symlink-then-file \
	    symlink-named-. symlink-named-slash pax-path bomb bomb-of-entries \
	    size-negative long-name-no-end; do
		[[ " $refusals " == *" $name "* ]] || fail "$name is taken"
	done
	[[ $AS == user || " $refusals " == *" owners "* ]] ||
	    fail "owners is taken"
	after_all
fi

if attackcase "a layout is refused, or what its image says holds" &&
    require "there is no skopeo" test -n "$(type -P skopeo)"; then
	prepare_host
	mkdir all
	"$PYTHON" "$HOSTILE" layouts all "$T_ROOT/canary" ||
	    fail "no layouts were made"
	for dir in all/*; do
		attempt "$(basename "$dir")" pull "oci:$dir:t"
	done
	for name in layer-changed config-changed layer-lost \
	    config-lost layer-is-a-link digest-path digest-short digest-other \
	    layer-no-archive no-layers layers-no-list manifest-large \
	    many-layers config-no-json config-deep config-name-twice \
	    index-of-none index-no-json index-of-itself user-long user-odd cwd-odd \
	    cwd-long whiteout-.wh.. whiteout-.wh...; do
		[[ " $refusals " == *" $name "* ]] || fail "$name is taken"
	done
	for name in good whiteout-own whiteout-aufs; do
		[[ " $accepted " == *" $name "* ]] || fail "$name is refused"
	done
	after_all
fi

t_done
