#!/usr/bin/python3
"""Makes archives and layouts as an attacker would, in a directory:

    hostile.py archives DIR CANARY      one a file NAME.tar
    hostile.py layouts DIR CANARY       one a directory NAME, with the image t

CANARY is a directory of the host's, with a file `file` in it. Whoever unpacks them must be able to say of each what came of it; see
attack/b09_archives.sh.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

from make import OCI, Layout, archive, directory, entry, link

CANARY = sys.argv[3] if len(sys.argv) > 3 else "/canary"
OUT = "../../../../../../../../../.."


def header(name, size=b"00000000005", kind=b"0", target=b"", mode=b"0000644",
           uid=b"0000000", magic=b"ustar\x0000"):
    """A block that nobody would write."""
    block = bytearray(512)

    def put(at, data):
        block[at:at + len(data)] = data
    put(0, name)
    put(100, mode)
    put(108, uid)
    put(116, b"0000000")
    put(124, size)
    put(136, b"00000000000")
    put(156, kind)
    put(157, target)
    put(257, magic)
    block[148:156] = b" " * 8
    put(148, b"%06o\0 " % sum(block))
    return bytes(block)


def body(data):
    return data + bytes(-len(data) % 512)


END = bytes(1024)


def pax(records, kind=b"x"):
    data = b""
    for key, value in records:
        line = b" %s=%s\n" % (key, value)
        n = len(line)
        while len(b"%d" % n) + len(line) != n:
            n = len(b"%d" % n) + len(line)
        data += b"%d" % n + line
    return header(b"pax", b"%011o" % len(data), kind) + body(data)


GOOD = header(b"good") + body(b"good\n")


def raw_archives():
    yield "size-negative", header(b"f", b"\xff" * 12) + body(b"hello") + END
    yield "size-octal-overflow", header(b"f", b"7" * 12) + END
    yield "size-not-octal", header(b"f", b"99999999999") + END
    yield "size-base256-huge", header(b"f", b"\x80" + b"\x7f" * 11) + END
    yield "size-beyond-the-end", header(b"f", b"00007777777") + \
        body(b"x" * 100)
    yield "long-name-no-end", header(b"././@LongLink", b"00000000400", b"L",
                                     magic=b"ustar  \0") + \
        b"n" * 512 + header(b"f") + body(b"hello") + END
    yield "long-name-huge", header(b"././@LongLink", b"00200000000", b"L",
                                   magic=b"ustar  \0") + \
        b"n" * 4096 + END
    yield "long-link-only", header(b"././@LongLink", b"00000000400", b"K",
                                   magic=b"ustar  \0") + \
        b"/" * 512 + END
    yield "checksum", GOOD[:148] + b"000000\0 " + GOOD[156:] + END
    yield "pax-path", pax([(b"path", (OUT + CANARY + "/new").encode())]) + \
        GOOD + END
    yield "pax-path-absolute", pax([(b"path", (CANARY + "/new").encode())]) + GOOD + END
    yield "pax-linkpath", pax([(b"linkpath", (CANARY + "/file").encode())]) + \
        header(b"good", b"00000000000", b"1", b"x") + END
    yield "pax-size", pax([(b"size", b"99999999999999999999")]) + GOOD + END
    yield "pax-size-negative", pax([(b"size", b"-5")]) + GOOD + END
    yield "pax-length", header(b"pax", b"00000000012", b"x") + \
        body(b"999 path=x") + GOOD + END
    yield "pax-global-path", pax([(b"path", (OUT + CANARY + "/new").encode())], b"g") + \
        GOOD + END
    yield "pax-uid", pax([(b"uid", b"4294967295")]) + GOOD + END
    yield "pax-uid-negative", pax([(b"uid", b"-1")]) + GOOD + END
    yield "pax-many", pax([(b"mayfly.%d" % i, b"x" * 99)
                           for i in range(9000)]) + GOOD + END
    yield "pax-sparse", pax([(b"GNU.sparse.major", b"1"),
                             (b"GNU.sparse.minor", b"0"),
                             (b"GNU.sparse.name", b"../../new"),
                             (b"GNU.sparse.realsize", b"9" * 18)]) + \
        header(b"f", b"00000001000") + body(b"1\n9\n9\n") + END
    yield "name-empty", header(b"") + body(b"hello") + END
    yield "name-slashes", header(b"////") + body(b"hello") + END
    yield "name-bytes", header(b"a\x1b[2Jb\x07\xff") + body(b"hello") + END
    yield "kind-unknown", header(b"f", kind=b"Z") + body(b"hello") + END
    yield "kind-volume", header(b"f", b"00000000000", b"V") + GOOD + END
    yield "kind-multivolume", header(b"f", kind=b"M") + body(b"hello") + END
    yield "uid-overflow", header(b"f", uid=b"7777777") + body(b"hello") + END
    yield "no-end", GOOD
    yield "garbage-behind", GOOD + END + os.urandom(5000)
    yield "gzip-behind", gzip.compress(GOOD + END) + b"garbage"
    # Packed by a program of the archive's choice, or a thousand times.
    yield "packed-often", again(GOOD + END, 40)


def again(data, times):
    for _ in range(times):
        data = gzip.compress(data, 1)
    return data


def whiteouts(add):
    """In a layer such names say what is removed of those below."""
    with add("hardlink-of-a-whiteout") as t:
        entry(t, ".wh.w")
        link(t, "h", "w", tarfile.LNKTYPE)
    for name in ".wh.", ".wh..", ".wh...", "a/.wh..", "a/.wh...":
        with add("whiteout-%s" % name.replace("/", "slash")) as t:
            directory(t, "a")
            entry(t, name)
    with add("whiteout-own") as t:
        entry(t, "f", b"x")
        entry(t, ".wh.f")
        directory(t, "d")
        entry(t, "d/f", b"x")
        entry(t, ".wh.d")
    with add("whiteout-as-directory") as t:
        directory(t, ".wh.d")
        entry(t, ".wh.d/f", b"x")
        entry(t, ".wh..wh..opq/f", b"x")
    with add("whiteout-symlink") as t:
        link(t, ".wh.s", CANARY)
        link(t, "out", CANARY)
        entry(t, "out/.wh.file")
        entry(t, "out/.wh..wh..opq")
    with add("whiteout-aufs") as t:
        entry(t, ".wh..wh.plnk/1.2", b"x")
        entry(t, ".wh..wh.aufs")
        entry(t, ".wh..wh.orph/x", b"x")


def tree_archives(add):
    """add(name) gives a tar file that is then closed by who calls."""
    with add("absolute") as t:
        entry(t, CANARY + "/new", b"x")
        entry(t, "//etc/passwd", b"mine\n")
    with add("dotdot") as t:
        entry(t, OUT + CANARY + "/new", b"x")
    with add("dotdot-inside") as t:
        entry(t, "a/b/../../.." + CANARY + "/new", b"x")
    with add("symlink-then-file") as t:
        link(t, "out", CANARY)
        entry(t, "out/new", b"x")
        entry(t, "out/file", b"dead")
    with add("symlink-up-then-file") as t:
        link(t, "out", OUT + CANARY)
        entry(t, "out/new", b"x")
    with add("symlink-is-the-file") as t:
        link(t, "out", CANARY + "/file")
        entry(t, "out", b"dead")
    with add("symlink-chain") as t:
        link(t, "a", "b")
        link(t, "b", OUT)
        link(t, "c", "a" + CANARY)
        entry(t, "c/new", b"x")
    with add("symlink-loop") as t:
        link(t, "a", "b")
        link(t, "b", "a")
        entry(t, "a/new", b"x")
    with add("symlink-proc") as t:
        for i in range(20):
            link(t, "fd%d" % i, "/proc/self/fd/%d" % i)
            entry(t, "fd%d/new" % i, b"x")
    with add("symlink-proc-root") as t:
        link(t, "root", "/proc/1/root")
        entry(t, "root" + CANARY + "/new", b"x")
    for name in ".", "/", "./", "":
        with add("symlink-named-%s" % name.replace("/", "slash")) as t:
            link(t, name, CANARY)
            entry(t, "new", b"x")
    with add("directory-over-symlink") as t:
        link(t, "out", CANARY)
        directory(t, "out", mode=0o777)
        entry(t, "out/new", b"x")
    with add("mode-through-symlink") as t:
        link(t, "out", CANARY + "/file")
        link(t, "hard", "out", tarfile.LNKTYPE)
        link(t, "out", CANARY + "/file", mode=0o777)
    with add("hardlink-out") as t:
        link(t, "h", OUT + CANARY + "/file", tarfile.LNKTYPE)
        entry(t, "h", b"dead")
    with add("hardlink-absolute") as t:
        link(t, "h", CANARY + "/file", tarfile.LNKTYPE)
    with add("hardlink-through-symlink") as t:
        link(t, "out", CANARY)
        link(t, "h", "out/file", tarfile.LNKTYPE)
    with add("hardlink-to-symlink-then-write") as t:
        link(t, "out", CANARY + "/file")
        link(t, "h", "out", tarfile.LNKTYPE)
        entry(t, "h", b"dead")
    with add("hardlink-of-itself") as t:
        entry(t, "h", b"x")
        link(t, "h", "h", tarfile.LNKTYPE)
        link(t, "h", "./h", tarfile.LNKTYPE)
    with add("hardlink-of-a-directory") as t:
        directory(t, "d")
        link(t, "h", "d", tarfile.LNKTYPE)
    with add("hardlink-of-nothing") as t:
        link(t, "h", "none", tarfile.LNKTYPE)
    with add("duplicates") as t:
        for _ in range(3):
            directory(t, "x")
            entry(t, "x/in", b"x")
            entry(t, "x", b"file")
            link(t, "x", CANARY)
            entry(t, "x", kind=tarfile.FIFOTYPE)
            directory(t, "x")
            link(t, "x/out", CANARY)
            entry(t, "x/out", b"x")
    with add("devices") as t:
        for i, kind in enumerate((tarfile.CHRTYPE, tarfile.BLKTYPE)):
            entry(t, "dev%d" % i, kind=kind, devmajor=1, devminor=i,
                  mode=0o666)
        entry(t, "whiteout", kind=tarfile.CHRTYPE, devmajor=0, devminor=0)
        entry(t, "fifo", kind=tarfile.FIFOTYPE)
        directory(t, "dev")
        entry(t, "dev/null", b"not null")
        directory(t, "proc")
        entry(t, "proc/cpuinfo", b"mine")
    with add("setuid") as t:
        entry(t, "suid", b"x", mode=0o6755)
        entry(t, "suid-other", b"x", mode=0o6755, uid=1000, gid=1000)
    with add("attributes") as t:
        entry(t, "f", b"x", pax_headers={
            "SCHILY.xattr." + name: "x" for name in (
                "security.capability", "security.selinux",
                "trusted.overlay.opaque", "trusted.overlay.redirect",
                "user.overlay.redirect", "user.overlay.opaque",
                "user.overlay.origin", "system.posix_acl_access",
                "user.mine", "no-dot", "")})
        directory(t, "d", pax_headers={
            "SCHILY.xattr.user.overlay.redirect": CANARY,
            "SCHILY.xattr.trusted.overlay.redirect": CANARY,
            "SCHILY.xattr.user.overlay.metacopy": "",
            "SCHILY.xattr.user.mine": "y"})
    with add("attributes-large") as t:
        entry(t, "f", b"x", pax_headers={
            "SCHILY.xattr.user.%d" % i: "x" * 3000 for i in range(40)})
    with add("owners") as t:
        entry(t, "f", b"x", uid=65536, gid=65536)
    with add("owners-edge") as t:
        entry(t, "f", b"x", uid=65535, gid=65535)
    with add("deep") as t:
        entry(t, "d/" * 1500 + "f", b"x")
    with add("deep-slowly") as t:
        for i in range(1, 1100, 200):
            entry(t, "d/" * i + "f", b"x")
    with add("path-long") as t:
        entry(t, ("n" * 200 + "/") * 30 + "f", b"x")
    with add("name-long") as t:
        entry(t, "n" * 256, b"x")
    with add("root-is-a-file") as t:
        entry(t, ".", b"x")
    with add("root-closed") as t:
        directory(t, ".", mode=0)
        entry(t, "f", b"x")
    # CVE-2025-45582: a link, and in another archive what goes through it.
    with add("two-archives") as t:
        link(t, "out", CANARY)
        t.fileobj.write(END)
        t.offset += 1024
        entry(t, "out/new", b"x")
    with add("etc-out") as t:
        link(t, "etc", CANARY)
        link(t, "dev", CANARY)
        link(t, "proc", CANARY)
        link(t, "run", CANARY)
        entry(t, "etc/new", b"x")
    with add("bomb", gzip=True) as t:
        info = tarfile.TarInfo("zeros")
        info.size = 64 << 20
        t.addfile(info, Zeros(info.size))
    with add("bomb-of-entries", gzip=True) as t:
        for i in range(12000):
            entry(t, "%d" % i)
    with add("bomb-sparse", gzip=True) as t:
        for i in range(100):
            entry(t, "f%d" % i, pax_headers={
                "GNU.sparse.major": "0", "GNU.sparse.minor": "1",
                "GNU.sparse.name": "s%d" % i, "GNU.sparse.map":
                "%d,0" % (1 << 40), "GNU.sparse.size": "%d" % (1 << 40)})


class Zeros:
    def __init__(self, size):
        self.left = size

    def read(self, n=-1):
        n = min(n, self.left)
        self.left -= n
        return bytes(n)


def archives(where):
    for name, data in raw_archives():
        with open("%s/%s.tar" % (where, name), "wb") as f:
            f.write(data)

    def add(name, gzip=False):
        return tarfile.open("%s/%s.tar" % (where, name), "w:gz" if gzip
                            else "w", format=tarfile.PAX_FORMAT,
                            errorlevel=0)
    tree_archives(add)
    whiteouts(add)


def layouts(where):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry(tar, "f", b"hello")
    layer_path = where + "/layer.tar"
    with open(layer_path, "wb") as f:
        f.write(data.getvalue())
    config, kind = "{}", OCI + "manifest.v1+json"

    def new(name):
        return Layout(where + "/" + name)

    def path_of(layout, descriptor):
        return "%s/blobs/sha256/%s" % (layout.where,
                                       descriptor["digest"][7:])

    def manifest_of(layout, change):
        """Puts another manifest into the place of a good one."""
        good = layout.image(config, [layer_path])
        with open(path_of(layout, good)) as f:
            manifest = json.load(f)
        os.unlink(path_of(layout, good))
        change(layout, manifest)
        layout.add(layout.blob(json.dumps(manifest).encode(), kind), "t")

    good = new("good")
    good.add(good.image(config, [layer_path]), "t")

    wrong = new("manifest-changed")
    descriptor = wrong.image(config, [layer_path])
    with open(path_of(wrong, descriptor), "a") as f:
        f.write(" ")
    wrong.add(descriptor, "t")

    def change_blob(key):
        def change(layout, manifest):
            one = manifest[key]
            one = one[0] if isinstance(one, list) else one
            with open(path_of(layout, one), "r+b") as f:
                f.write(b"X")
        return change
    manifest_of(new("layer-changed"), change_blob("layers"))
    manifest_of(new("config-changed"), change_blob("config"))

    def lose_blob(key):
        def change(layout, manifest):
            one = manifest[key]
            one = one[0] if isinstance(one, list) else one
            os.unlink(path_of(layout, one))
        return change
    manifest_of(new("layer-lost"), lose_blob("layers"))
    manifest_of(new("config-lost"), lose_blob("config"))

    def link_blob(layout, manifest):
        path = path_of(layout, manifest["layers"][0])
        os.unlink(path)
        os.symlink("/etc/shadow", path)
    manifest_of(new("layer-is-a-link"), link_blob)

    def put(key, value):
        def change(layout, manifest):
            manifest[key] = value
        return change

    def put_layer(key, value):
        def change(layout, manifest):
            manifest["layers"][0][key] = value
        return change
    manifest_of(new("digest-path"), put_layer(
        "digest", "sha256:" + OUT + CANARY + "/file"))
    manifest_of(new("digest-short"), put_layer("digest", "sha256:abc"))
    manifest_of(new("digest-other"), put_layer(
        "digest", "md5:" + "a" * 32))
    manifest_of(new("digest-upper"), lambda layout, m: m["layers"][0].update(
        digest="sha256:" + m["layers"][0]["digest"][7:].upper()))
    manifest_of(new("layer-no-archive"), put_layer(
        "mediaType", "application/octet-stream"))
    manifest_of(new("size-wrong"), put_layer("size", 1))
    manifest_of(new("size-negative"), put_layer("size", -1))
    manifest_of(new("no-layers"), put("layers", []))
    manifest_of(new("layers-no-list"), put("layers", {"a": 1}))
    manifest_of(new("foreign-layer"), put_layer(
        "urls", ["http://localhost:1/layer", "file://" + CANARY + "/file"]))
    manifest_of(new("manifest-large"), put("annotations",
                                           {"x": "y" * (5 << 20)}))

    def many(layout, manifest):
        manifest["layers"] = manifest["layers"] * 200
    manifest_of(new("many-layers"), many)

    def new_config(data):
        def change(layout, manifest):
            manifest["config"] = layout.blob(data, OCI + "config.v1+json")
        return change

    def words(**config):
        with open(layer_path, "rb") as f:
            layer = hashlib.sha256(f.read()).hexdigest()
        return new_config(json.dumps({
            "architecture": "amd64", "os": "linux", "config": config,
            "rootfs": {"type": "layers", "diff_ids":
                       ["sha256:" + layer]}}).encode())
    manifest_of(new("config-no-json"), new_config(b"\0\1\2{"))
    manifest_of(new("config-deep"), new_config(
        b'{"config": ' + b"[" * 100000 + b"]" * 100000 + b"}"))
    manifest_of(new("config-list"), new_config(b"[]"))
    manifest_of(new("config-name-twice"), new_config(
        b'{"\\u001b[2J": 1, "\\u001b[2J": 2}'))
    manifest_of(new("env-no-name"), words(Env=["=x", "x", "A=1"]))
    manifest_of(new("env-fields"), words(Env=["A=1\0layer=id/x"]))
    manifest_of(new("env-many"), words(Env=["A%d=1" % i
                                            for i in range(50000)]))
    manifest_of(new("cwd-odd"), words(WorkingDir="/\x1b]0;x\a"))
    manifest_of(new("cwd-long"), words(WorkingDir="/" + "d" * 4096))
    manifest_of(new("cwd-up"), words(WorkingDir="/../../.."))
    manifest_of(new("user-long"), words(User="u" * 100000))
    manifest_of(new("user-odd"), words(User="\x1b[2J\n:"))
    manifest_of(new("words-odd"), words(
        Cmd=["/x\x1b[2J", "\a"], Env=["A=\x1b[2J\r", "B=\x9b2J"]))
    manifest_of(new("command-type"), words(Cmd="sh"))

    names = []

    def add(name):
        names.append(name)
        return tarfile.open("%s/%s.tar" % (where, name), "w",
                            format=tarfile.PAX_FORMAT)
    whiteouts(add)
    for name in names:
        path = "%s/%s.tar" % (where, name)
        over = new(name)
        over.add(over.image(config, [layer_path, path]), "t")
        os.unlink(path)

    two = new("index-of-two")
    two.add(two.image(config, [layer_path]), "t")
    two.add(two.image('{"User": "x"}', [layer_path]), "t")
    empty = new("index-of-none")
    empty.write({"schemaVersion": 2, "manifests": []})
    odd = new("index-no-json")
    with open(odd.where + "/index.json", "w") as f:
        f.write("{" * 1000)
    loop = new("index-of-itself")
    with open(loop.where + "/index.json", "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [
            {"mediaType": OCI + "index.v1+json", "size": 3,
             "digest": "sha256:" + "0" * 64, "annotations":
             {"org.opencontainers.image.ref.name": "t"}}]}, f)
    os.symlink("../../index.json", loop.where + "/blobs/sha256/" + "0" * 64)
    os.unlink(layer_path)


if __name__ == "__main__":
    {"archives": archives, "layouts": layouts}[sys.argv[1]](sys.argv[2])
