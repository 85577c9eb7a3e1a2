#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an OCI image without Docker: packaging/oci/build.py BINARY OUT.tar

One layer: the program, the libraries that it loads on this machine, their licences, the list of what that is, and no
shell. The archive holds an OCI image layout, as `podman load`, `skopeo copy oci-archive:OUT.tar` and `docker load` (25 or
newer) take it. The same binary on the same machine gives the same bytes.
"""
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import sbom  # noqa: E402

USER = 65532  # nobody of the machine outside, as distroless images have it
PLUGINS = pathlib.Path(f"/usr/lib/{platform.machine()}-linux-gnu/sasl2")
ACCOUNTS = {
    "etc/passwd": f"root:x:0:0:root:/:/nologin\nfaaskeeper:x:{USER}:{USER}:faaskeeper:/data:/nologin\n",
    "etc/group": f"root:x:0:\nfaaskeeper:x:{USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def libraries_of(path):
    """{name in the image: file of this machine} of what the loader takes for a program or a library."""
    text = sbom.run("ldd", path)
    return {name: os.path.realpath(name) for name in re.findall(r"(/\S+) \(0x", text)}


def files_of(binary):
    """{name in the image: contents}; all of it belongs to root."""
    found = libraries_of(binary)
    for plugin in ("libdigestmd5.so", "libgssapiv2.so"):  # the mechanisms of SASL that the server has
        path = PLUGINS / plugin
        if path.exists():
            found[str(path)] = os.path.realpath(path)
            found.update(libraries_of(path))
    files = {name.lstrip("/"): (pathlib.Path(path).read_bytes(), 0o755) for name, path in found.items()}
    files["usr/bin/faaskeeper"] = (stripped(binary), 0o755)
    for package in sorted({known[0] for known in map(sbom.package_of, found) if known}):
        notice = pathlib.Path("/usr/share/doc") / package / "copyright"
        if notice.exists():
            files[str(notice).lstrip("/")] = (notice.read_bytes(), 0o644)
    files["usr/share/doc/faaskeeper/faaskeeper.spdx.json"] = (to_json(sbom.document(binary)), 0o644)
    files["usr/share/doc/faaskeeper/copyright"] = ((HERE.parents[1] / "LICENSE").read_bytes(), 0o644)
    files.update({name: (text.encode(), 0o644) for name, text in ACCOUNTS.items()})
    return files


def stripped(binary):
    with tempfile.TemporaryDirectory() as directory:
        sbom.run("strip", "-o", f"{directory}/faaskeeper", binary)
        return pathlib.Path(f"{directory}/faaskeeper").read_bytes()


def to_json(value):
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def member(name, mode, kind=tarfile.REGTYPE, size=0, user=0):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.uid, entry.gid = kind, mode, size, user, user
    return entry


def layer_of(files):
    """A tar: directories before what is in them, in order of names, all times 0."""
    out = io.BytesIO()
    directories = {str(parent) for name in files for parent in pathlib.PurePath(name).parents} - {"."}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(directories | {"data", "tmp"}):
            mode, user = {"data": (0o700, USER), "tmp": (0o1777, 0)}.get(name, (0o755, 0))
            tar.addfile(member(name, mode, tarfile.DIRTYPE, user=user))
        for name, (contents, mode) in sorted(files.items()):
            tar.addfile(member(name, mode, size=len(contents)), io.BytesIO(contents))
    return out.getvalue()


def image_of(binary):
    """{name in the image layout: contents}"""
    blobs = {}

    def put(contents, kind):
        digest = hashlib.sha256(contents).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = contents
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(contents)}

    document = sbom.document(binary)
    version, created = document["packages"][0]["versionInfo"], document["creationInfo"]["created"]
    tar = layer_of(files_of(binary))
    layer = put(gzip.compress(tar, mtime=0), "layer.v1.tar+gzip")
    config = put(to_json({
        "created": created, "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()], "os": "linux",
        "config": {
            "User": f"{USER}:{USER}", "WorkingDir": "/data", "Volumes": {"/data": {}}, "StopSignal": "SIGTERM",
            "Env": ["PATH=/usr/bin"], "ExposedPorts": {"2181/tcp": {}},
            "Entrypoint": ["/usr/bin/faaskeeper", "serve", "--data", "/data", "--listen", "0.0.0.0:2181"],
            "Labels": {"org.opencontainers.image.title": "faaskeeper", "org.opencontainers.image.version": version,
                       "org.opencontainers.image.licenses": "Apache-2.0"},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
        "history": [{"created": created, "created_by": "packaging/oci/build.py"}],
    }), "config.v1+json")
    manifest = put(to_json({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                            "config": config, "layers": [layer]}), "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": f"faaskeeper:{version}"}
    blobs["index.json"] = to_json({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                                   "manifests": [manifest]})
    blobs["oci-layout"] = to_json({"imageLayoutVersion": "1.0.0"})
    return blobs


def main(binary, out):
    pathlib.Path(out).parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(out, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("blobs", "blobs/sha256"):
            tar.addfile(member(name, 0o755, tarfile.DIRTYPE))
        for name, contents in sorted(image_of(binary).items()):
            tar.addfile(member(name, 0o644, size=len(contents)), io.BytesIO(contents))
    print(out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
