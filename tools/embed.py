#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files as C, for what an installed program must have with it.

    tools/embed.py OUT.c HEADER FUNCTION=FILE...     each function gives the bytes of its file
"""
import pathlib
import sys


def array(function, data):
    rows = [", ".join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
    body = ",\n    ".join(rows)
    return (f"static const uint8_t {function}_bytes[{len(data)}] = {{\n    {body}}};\n\n"
            f"struct fk_bytes {function}(void)\n{{\n"
            f"    return fk_bytes_of({function}_bytes, sizeof {function}_bytes);\n}}\n")


def main():
    out, header, *files = sys.argv[1:]
    parts = [f'// SPDX-License-Identifier: Apache-2.0\n/* Made by tools/embed.py. */\n#include "{header}"\n']
    for pair in files:
        function, _, file = pair.partition("=")
        parts.append(array(function, pathlib.Path(file).read_bytes()))
    pathlib.Path(out).write_text("\n".join(parts))


if __name__ == "__main__":
    main()
