#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what a faaskeeper binary is made of, as SPDX 2.3 JSON: packaging/sbom.py BINARY OUT

Our version and commit, and the package, version and licence of each library that the binary loads on this machine, those
that it names itself (NEEDED). The same binary on the same machine gives the same file: the time is the commit's, or
SOURCE_DATE_EPOCH.
"""
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LICENSES = {  # SPDX names of what Debian's copyright files say, see NOTICE
    "libc6": "LGPL-2.1-or-later", "libjansson4": "MIT", "libkrb5-3": "MIT", "libsasl2-2": "BSD-4-Clause",
    "libsqlite3-0": "blessing", "libssl3": "Apache-2.0", "libuv1": "MIT",
}


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def needed(binary):
    """Names of the libraries that the binary asks for, to the files that the loader takes."""
    names = re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-d", binary))
    found = dict(re.findall(r"(?m)^\s+(\S+) => (\S+) \(", run("ldd", binary)))
    return {name: found[name] for name in names if name in found}


def package_of(path):
    """(package, version, source package) that a file belongs to; Debian merges /lib and /usr/lib."""
    for name in (path, os.path.realpath(path), "/usr" + path, os.path.realpath(path).removeprefix("/usr")):
        done = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            package = done.stdout.split(": ")[0]
            fields = "${Package}\t${Version}\t${source:Package}"
            return tuple(run("dpkg-query", "-W", "-f", fields, package).split("\t"))
    return None


def library_package(name, path):
    known = package_of(path)
    package, version, source = known or (name, "NOASSERTION", name)
    entry = {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", package), "name": package, "versionInfo": version,
        "supplier": "Organization: Debian" if known else "NOASSERTION", "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION",
        "licenseDeclared": LICENSES.get(package, "NOASSERTION"), "comment": f"loaded as {name}",
    }
    if known:
        entry["externalRefs"] = [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{package}@{version}?upstream={source}".replace("+", "%2B"),
        }]
    return entry


def git(*words):
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def document(binary):
    commit = git("describe", "--always", "--dirty", "--abbrev=40") or "unknown"
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct") or 0)
    version = run(binary, "version").split()[1]
    digest = hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest()
    ours = {
        "SPDXID": "SPDXRef-faaskeeper", "name": "faaskeeper", "versionInfo": version,
        "supplier": "NOASSERTION", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
        "copyrightText": "2026 the FaaSKeeper authors", "primaryPackagePurpose": "APPLICATION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "sourceInfo": f"git commit {commit}",
    }
    libraries = {}
    for name, path in needed(binary).items():  # libssl and libcrypto are of one package
        entry = library_package(name, path)
        known = libraries.setdefault(entry["SPDXID"], entry)
        if known is not entry:
            known["comment"] += f", {name}"
    entries = [libraries[key] for key in sorted(libraries)]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", ours["SPDXID"])]
    relations += [(ours["SPDXID"], "DYNAMIC_LINK", entry["SPDXID"]) for entry in entries]
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"faaskeeper-{version}", "documentNamespace": f"https://faaskeeper.example/spdx/{version}/{digest}",
        "creationInfo": {
            "created": datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: faaskeeper-packaging/sbom.py"],
        },
        "packages": [ours, *entries],
        "relationships": [{"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
                          for one, kind, other in relations],
    }


if __name__ == "__main__":
    text = json.dumps(document(sys.argv[1]), indent=2) + "\n"
    pathlib.Path(sys.argv[2]).write_text(text, encoding="utf-8")
