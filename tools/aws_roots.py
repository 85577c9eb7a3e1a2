#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/driver/aws/roots_data.c: the roots that AWS's services need, from Debian's ca-certificates.

    tools/aws_roots.py > src/driver/aws/roots_data.c
"""
import base64
import hashlib
import pathlib
import re
import subprocess

DIRECTORY = pathlib.Path("/usr/share/ca-certificates/mozilla")
NAMES = ["Amazon_Root_CA_1", "Amazon_Root_CA_2", "Amazon_Root_CA_3", "Amazon_Root_CA_4",
         "Starfield_Services_Root_Certificate_Authority_-_G2"]


def der_of(name):
    text = (DIRECTORY / f"{name}.crt").read_text(encoding="ascii")
    return base64.b64decode(re.search(r"BEGIN CERTIFICATE-+(.*?)-+END", text, re.S).group(1))


def main():
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "ca-certificates"], capture_output=True, text=True,
                             check=True).stdout
    print("// SPDX-License-Identifier: Apache-2.0")
    print("/* Written by tools/aws_roots.py from Debian's package ca-certificates " + version + " (Mozilla's store).")
    print(" * https://www.amazontrust.com/repository/ names these roots as the ones to trust for AWS. */")
    print('#include "driver/aws/roots.h"\n')
    print("/* clang-format off */")
    rows = []
    for number, name in enumerate(NAMES):
        der = der_of(name)
        print(f"/* {name}, SHA-256 {hashlib.sha256(der).hexdigest()} */")
        print(f"static const uint8_t root_{number}[] = {{")
        for at in range(0, len(der), 20):
            print("    " + " ".join(f"0x{byte:02x}," for byte in der[at:at + 20]))
        print("};\n")
        rows.append(f"    {{root_{number}, sizeof root_{number}}},")
    print("const struct fk_bytes fk_aws_roots_der[FK_AWS_ROOT_COUNT] = {")
    print("\n".join(rows))
    print("};")
    print("/* clang-format on */")


main()
