#!/usr/bin/python3
"""Makes what images are made of, for the topics about images:

    make.py base FILE.tar
    make.py content DIR             l0.tar to l3.tar there: see content()
    make.py implied DIR             below.tar, other.tar, implied.tar there
    make.py layout DIR TAG CONFIG LAYER...
    make.py index DIR TAG ARCH=CONFIG,LAYER...

CONFIG is the text of an image's configuration, LAYER a file whose name says
what it is. A layout that is there gets one image more.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

TYPES = {".tar": "tar", ".gz": "tar+gzip", ".zst": "tar+zstd"}
OCI = "application/vnd.oci.image."
BUSYBOX = "/usr/bin/busybox", "/bin/busybox"
APPLETS = """sh cat echo id ls ln stat touch mkdir rm mv cp pwd env true false
    sleep chmod chown readlink sha256sum tar gzip head test find seq wc sort
    rmdir mkfifo du printenv grep sed dd sync mknod mount""".split()
MOMENT = 1600000000.25


def entry(tar, name, data=b"", kind=tarfile.REGTYPE, **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mtime = MOMENT
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in more.items():
        setattr(info, key, value)
    if kind == tarfile.REGTYPE:
        info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def directory(tar, name, **more):
    entry(tar, name, kind=tarfile.DIRTYPE, **more)


def link(tar, name, target, kind=tarfile.SYMTYPE, **more):
    entry(tar, name, kind=kind, linkname=target, **more)


def archive(path):
    return tarfile.open(path, "w", format=tarfile.PAX_FORMAT)


def base(path):
    """What a command and a user need, and no more."""
    with archive(path) as tar:
        for name, mode in (".", 0o755), ("bin", 0o755), ("etc", 0o755), \
                ("root", 0o700), ("tmp", 0o1777), ("home", 0o755), \
                ("opt", 0o755), ("usr", 0o755):
            directory(tar, name, mode=mode)
        directory(tar, "home/app", uid=1000, gid=1001)
        with open(next(p for p in BUSYBOX if os.path.exists(p)), "rb") as f:
            entry(tar, "bin/busybox", f.read(), mode=0o755)
        for name in APPLETS:
            link(tar, "bin/" + name, "busybox")
        entry(tar, "etc/passwd", b"root:x:0:0::/root:/bin/sh\n"
              b"app:x:1000:1001::/home/app:/bin/sh\n"
              b"bare:x:77:78:::\n1234:x:55:56::/tmp:/bin/sh\n")
        entry(tar, "etc/group", b"root:x:0:\nstaff:x:50:app\n"
              b"app:x:1001:\n")


def implied(where):
    """A layer without the directories of its files, and two to lay it on."""
    with archive(where + "/below.tar") as tar:
        for name in "usr", "usr/lib", "usr/lib/sub", "gone", "over":
            directory(tar, name)
        directory(tar, "kept", mode=0o2750, uid=1000, gid=7, mtime=1234567890,
                  pax_headers={"SCHILY.xattr.user.one": "1"})
        directory(tar, "kept/deep", mode=0o1711, gid=65535, mtime=12345)
        entry(tar, "kept/old", b"old")
        entry(tar, "gone/old", b"old")
        entry(tar, "over/old", b"old")
        entry(tar, "file", b"file")
        link(tar, "lib", "usr/lib")
        link(tar, "absolute", "/usr/../lib")
        link(tar, "out", "../../../usr")
        link(tar, "far", "nowhere/else")
    with archive(where + "/other.tar") as tar:
        directory(tar, "kept", mode=0o700, mtime=1111111111)
        directory(tar, "lib", mode=0o711)
    with archive(where + "/implied.tar") as tar:
        for name in "kept/new", "kept/deep/er/new", "lib/new", \
                "absolute/sub/new", "out/lib/other", "far/new", \
                "none/at/all":
            entry(tar, name, name.encode())
        link(tar, "kept/deep/hard", "lib/new", tarfile.LNKTYPE)
        for name in "kept/.wh.old", "lib/sub/.wh.none", ".wh.gone":
            entry(tar, name)
        entry(tar, "gone/new", b"new")
        directory(tar, "over", mode=0o705)
        entry(tar, "over/.wh..wh..opq")
        entry(tar, "over/new", b"new")


def content(where):
    """Three layers with one of each of what an archive can say, upon one
    with many files."""
    with archive(where + "/l0.tar") as tar:
        directory(tar, "many")
        for i in range(10000):
            entry(tar, "many/%05d" % i, b"%d\n" % i)
    with archive(where + "/l1.tar") as tar:
        for name in "names", "bits", "hard", "times":
            directory(tar, name)
        for name in "closed", "opaque", "opaque-last", "gone", "gone/deep", \
                "to-file", "again", "kept":
            directory(tar, name, mode=0o750, uid=1000, gid=65535)
            entry(tar, name + "/a", b"a", mode=0o600, uid=1000, gid=7)
            entry(tar, name + "/b", b"b")
        entry(tar, "to-directory", b"x")
        link(tar, "link-to-directory", "kept")
        link(tar, "to-link", "nowhere")
        # What does not fit into a header, each in its own way.
        directory(tar, "long")
        name = "long/" + "n" * 150
        entry(tar, name, b"long")
        link(tar, "long/link", name, tarfile.LNKTYPE)
        link(tar, "long/symlink", "t" * 300)
        path = "long"
        for i in range(4):
            path += "/" + chr(ord("a") + i) * 200
            directory(tar, path, mode=0o711)
        entry(tar, path + "/end", b"deep", uid=65535, gid=65534)
        for name in "\u00e4\u00f6", "\u65e5\u672c\u8a9e", "raw \udcff\udcfe", \
                " ", "a\nb", "back\\slash", "*", "-rf", "'\"", "\x7f\x01":
            entry(tar, "names/" + name, name.encode("utf-8", "replace"))
        entry(tar, "bits/setuid", b"#!/bin/sh\n", mode=0o4755)
        entry(tar, "bits/setgid", b"#!/bin/sh\n", mode=0o2711, gid=50)
        entry(tar, "bits/none", b"none", mode=0)
        directory(tar, "bits/sticky", mode=0o3777)
        entry(tar, "bits/fifo", kind=tarfile.FIFOTYPE, mode=0o620)
        entry(tar, "hard/1", b"the same", uid=3, gid=4)
        for i in "2", "3":
            link(tar, "hard/" + i, "hard/1", tarfile.LNKTYPE)
        link(tar, "hard/symlink", "1")
        link(tar, "hard/to-symlink", "hard/symlink", tarfile.LNKTYPE)
        entry(tar, "times/zero", mtime=0)
        entry(tar, "times/late", mtime=5000000000)
        directory(tar, "times/directory", mtime=1234567890)
        entry(tar, "times/directory/file", mtime=1)
        entry(tar, "attributes", b"x", pax_headers={
            "SCHILY.xattr.user.one": "1", "SCHILY.xattr.user.two": "zwei"})
        entry(tar, "empty")
        entry(tar, "large", os.urandom(3 << 20))
    with archive(where + "/l2.tar") as tar:
        directory(tar, "many", mode=0o751)
        for name in "kept", "again":
            directory(tar, name, mode=0o750, uid=1000, gid=65535)
        for name in "many/.wh.00005", "many/.wh.09999", ".wh.gone", \
                "kept/.wh.a", ".wh.was-never-there", "again/.wh.a":
            entry(tar, name)
        directory(tar, "opaque", mode=0o700)
        entry(tar, "opaque/.wh..wh..opq")
        entry(tar, "opaque/new", b"new")
        directory(tar, "opaque-last")
        entry(tar, "opaque-last/new", b"new")
        entry(tar, "opaque-last/.wh..wh..opq")
        entry(tar, "to-file", b"file")
        directory(tar, "to-directory")
        entry(tar, "to-directory/file", b"file")
        directory(tar, "link-to-directory")
        entry(tar, "link-to-directory/file", b"file")
        link(tar, "to-link", "empty")
        directory(tar, "closed", mode=0o500, uid=9, gid=9)
        entry(tar, "many/00006", b"another")
    with archive(where + "/l3.tar") as tar:
        for name in "again", "opaque":
            directory(tar, name, mode=0o710, gid=12)
        directory(tar, "many", mtime=1700000000)
        entry(tar, "many/00005", b"back")
        directory(tar, "gone", mode=0o705)
        entry(tar, "gone/new", b"new")
        entry(tar, "again/a", b"again")
        entry(tar, ".wh.to-file")
        entry(tar, "opaque/.wh.new")
        # Twice: the last counts.
        entry(tar, "twice", b"one", mode=0o600)
        link(tar, "twice", "two")
        entry(tar, "twice", b"three", mode=0o640)


class Layout:
    def __init__(self, where):
        self.where = where
        os.makedirs(where + "/blobs/sha256", exist_ok=True)
        with open(where + "/oci-layout", "w") as f:
            f.write('{"imageLayoutVersion": "1.0.0"}')
        try:
            with open(where + "/index.json") as f:
                self.manifests = json.load(f)["manifests"]
        except FileNotFoundError:
            self.manifests = []

    def blob(self, data, kind, **more):
        digest = hashlib.sha256(data).hexdigest()
        with open("%s/blobs/sha256/%s" % (self.where, digest), "wb") as f:
            f.write(data)
        return {"mediaType": kind, "digest": "sha256:" + digest,
                "size": len(data), **more}

    def image(self, config, layers, arch="amd64", **more):
        """Of layers' files; the descriptor of its manifest."""
        blobs, ids = [], []
        for path in layers:
            with open(path, "rb") as f:
                data = f.read()
            suffix = os.path.splitext(path)[1]
            blobs.append(self.blob(data, OCI + "layer.v1." + TYPES[suffix]))
            if suffix == ".gz":
                data = gzip.decompress(data)
            ids.append("sha256:" + hashlib.sha256(data).hexdigest())
        config = json.dumps({
            "architecture": arch, "os": "linux", "config": json.loads(config),
            "rootfs": {"type": "layers", "diff_ids": ids}})
        manifest = {"schemaVersion": 2,
                    "mediaType": OCI + "manifest.v1+json",
                    "config": self.blob(config.encode(),
                                        OCI + "config.v1+json"),
                    "layers": blobs}
        return self.blob(json.dumps(manifest).encode(),
                         OCI + "manifest.v1+json", **more)

    def add(self, descriptor, tag):
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": tag}
        self.manifests.append(descriptor)
        self.write({"schemaVersion": 2, "manifests": self.manifests})

    def write(self, index):
        with open(self.where + "/index.json", "w") as f:
            json.dump(index, f)


def index(where, tag, images):
    layout = Layout(where)
    manifests = []
    for image in images:
        arch, rest = image.split("=", 1)
        config, *layers = rest.split(",")
        manifests.append(layout.image(config, layers, arch, platform={
            "architecture": arch, "os": "linux"}))
    data = json.dumps({"schemaVersion": 2, "mediaType":
                       OCI + "index.v1+json", "manifests": manifests})
    layout.add(layout.blob(data.encode(), OCI + "index.v1+json"), tag)


def main(verb, *words):
    if verb == "base":
        base(*words)
    elif verb == "implied":
        implied(*words)
    elif verb == "content":
        content(*words)
    elif verb == "index":
        index(words[0], words[1], words[2:])
    else:
        layout = Layout(words[0])
        layout.add(layout.image(words[2], words[3:]), words[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
