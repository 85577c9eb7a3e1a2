#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of tidy.py: a small tree that keeps all rules, and one change to it per rule that breaks this rule alone.

Prints a line `FAILED ...` for what is wrong; exit code 1 then. Nothing is printed when all is well.
"""
import contextlib
import pathlib
import subprocess
import sys
import tempfile

import tidy

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def header(guard, body=""):
    return f"{SPDX}#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"


CLEAN = {
    "README.md": "# A tree\n\nSee src/base and https://example.org/home/page, /etc/zoo.cfg and data/root/x.\n",
    "Makefile": "all:\n\techo\n",
    "src/base/alloc.h": header("FK_BASE_ALLOC_H", "void *fk_alloc(unsigned long size);\n"),
    "src/base/alloc.c": SPDX + '#include "base/alloc.h"\n\n#include <stdlib.h>\n\n'
                               "void *fk_alloc(unsigned long size)\n{\n    return malloc(size);\n}\n",
    "src/wire/jute.h": header("FK_WIRE_JUTE_H", '#include "base/alloc.h"\n\nvoid fk_read(int fd);\n'),
    "src/model/plan.c": SPDX + '#include "wire/jute.h"\n\n/* read() and malloc(1) in words */\n'
                               'const char *fk_text = "open(x) time(NULL)";\nint fk_lifetime(int a);\n'
                               "struct store { int (*read)(int); };\n"
                               "int fk_plan(struct store *store)\n{\n    return store->read(fk_lifetime(1));\n}\n",
    "src/port/store.h": header("FK_PORT_STORE_H", '#include "wire/jute.h"\n'),
    "src/function/writer.c": SPDX + '#include "port/store.h"\n\nint fk_writer;\n',
    "src/gateway/core.h": header("FK_GATEWAY_CORE_H", '#include "port/store.h"\n'),
    "src/gateway/uv_loop.c": SPDX + '#include "gateway/core.h"\n\n#include <time.h>\n\nlong fk_now(void)\n{\n'
                                    "    return time(NULL);\n}\n",
    "src/driver/local/posix_file.c": SPDX + '#include "port/store.h"\n\n#include <unistd.h>\n\n'
                                            "int fk_sync(int fd)\n{\n    return fsync(fd);\n}\n",
    "src/driver/local/checkpoint.c": SPDX + "#include <sqlite3.h>\n\nint fk_step(void *statement)\n{\n"
                                            "    return sqlite3_step(statement);\n}\n",
    "src/driver/local/stretch.c": SPDX + "#include <sys/mman.h>\n\nint fk_stretch;\n",
    "src/host/local.c": SPDX + '#include "gateway/core.h"\n#include "port/store.h"\n\nint fk_host;\n',
    "src/cli/serve.c": SPDX + '#include "gateway/core.h"\n\nint fk_serve;\n',
    "tools/run": "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nmktemp /tmp/run.XXXXXX\n",
    "tools/run.py": "#!/usr/bin/python3\n# SPDX-License-Identifier: Apache-2.0\n",
}


def long_function(lines):
    return SPDX + "int fk_long(\n    int a)\n{\n" + "    a++;\n" * (lines - 5) + "    return a;\n}\n"


# rule, file, its contents
BREAKS = (
    ("layers", "src/base/up.h", header("FK_BASE_UP_H", '#include "wire/jute.h"\n')),
    ("layers", "src/wire/up.h", header("FK_WIRE_UP_H", '#include "port/store.h"\n')),
    ("layers", "src/function/up.h", header("FK_FUNCTION_UP_H", '#include "gateway/core.h"\n')),
    ("layers", "src/function/down.c", SPDX + '#include "driver/local/log.h"\n'),
    ("layers", "src/gateway/down.c", SPDX + '#include "host/local.h"\n'),
    ("layers", "src/gateway/side.c", SPDX + '#include "gateway/uv_loop.h"\n'),
    ("layers", "src/driver/local/up.h", header("FK_DRIVER_LOCAL_UP_H", '#include "gateway/core.h"\n')),
    ("layers", "src/other/new.c", SPDX),
    ("pure-includes", "src/model/clock.c", SPDX + "#include <sys/socket.h>\n"),
    ("pure-includes", "src/gateway/poll.c", SPDX + "# include <time.h>\n"),
    ("pure-calls", "src/function/now.c", SPDX + "long fk_now(void)\n{\n    return time(0);\n}\n"),
    ("pure-calls", "src/gateway/thread.c", SPDX + "int fk_start(void)\n{\n    return pthread_create();\n}\n"),
    ("engine-includes", "src/driver/local/wait.c", SPDX + "#include <pthread.h>\n"),
    ("engine-includes", "src/driver/local/map.c", SPDX + "#include <sys/mman.h>\n"),
    ("engine-calls", "src/driver/local/write.c", SPDX + "int fk_put(int fd)\n{\n    return fsync(fd);\n}\n"),
    ("heap", "src/driver/local/heap.c", SPDX + "void fk_drop(void *block)\n{\n    free(block);\n}\n"),
    ("spdx", "src/cli/bare.c", "int fk_bare;\n"),
    ("spdx", "tools/bare", "#!/bin/sh\necho\n"),
    ("headers", "src/cli/lame.h", header("FK_CLI_LAME_H", "size_t fk_size(void);\n")),
    ("guards", "src/cli/guard.h", SPDX + "int fk_guard;\n"),
    ("guards", "src/cli/guard.h", header("FK_BASE_ALLOC_H")),
    ("functions", "src/cli/long.c", long_function(121)),
    ("functions", "tools/long.py", "# SPDX-License-Identifier: Apache-2.0\ndef long():\n" + "    print()\n" * 120),
    ("files", "src/cli/file.c", SPDX + "int fk_a;\n" * 900),
    ("leftovers", "src/cli/later.c", SPDX + "/* FIX" + "ME: later */\n"),
    ("blanks", "src/cli/tab.c", SPDX + "int\tfk_tab;\n"),
    ("blanks", "notes.md", "trailing \n"),
    ("blanks", "open.md", "no newline"),
    ("shell", "tools/broken.sh", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nif true; then\n"),
    ("paths", "notes.md", "Run it in /ho" + "me/somebody/src.\n"),
    ("paths", "notes.md", "See /wo" + "rk/shared/design.md.\n"),
)
# Within a limit, though near it.
HARMLESS = (
    ("src/cli/long.c", long_function(120)),
    ("src/cli/file.c", SPDX + "int fk_a;\n" * 899),
)
# rule `objects`: a source whose object gives it away although its text does not
OBJECT = ("src/model/hidden.c",
          SPDX + "#define JOIN(a, b) a##b\nlong JOIN(ti, me)(long *at);\nlong fk_now(void)\n{\n"
                 "    return JOIN(ti, me)(0);\n}\n")


@contextlib.contextmanager
def tree_with(changes):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in {**CLEAN, **changes}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        yield root


def compile_all(root):
    for source in (root / "src").rglob("*.c"):
        folder = root / "build" / source.relative_to(root).parent / "libfk_x.a.p"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-c", "-w", f"-I{root}/src", str(source), "-o", str(folder / (source.name + ".o"))], check=True)


def broken_rules(root):
    results = tidy.check(root, root / "build")
    return {rule: found for rule, found in results.items() if found and not isinstance(found, str)}


def problems():
    with tree_with({}) as root:
        if not isinstance(tidy.check(root, root / "build")["objects"], str):
            yield "objects: not skipped without a build"
        compile_all(root)
        if broken_rules(root):
            yield f"the clean tree: {broken_rules(root)}"
    for name, text in HARMLESS:
        with tree_with({name: text}) as root:
            if broken_rules(root):
                yield f"{name}: {broken_rules(root)}"
    for rule, name, text in BREAKS:
        with tree_with({name: text}) as root:
            # A header that includes what is not there does not compile either.
            found = broken_rules(root)
            if set(found) - {"headers"} != {rule} - {"headers"} or rule not in found:
                yield f"{rule}: {name} gives {found}"
    with tree_with(dict([OBJECT])) as root:
        compile_all(root)
        if set(broken_rules(root)) != {"objects"}:
            yield f"objects: {broken_rules(root)}"


def main():
    found = list(problems())
    for problem in found:
        print(f"FAILED tidy_test: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
