#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the tree that a compiler does not check: layers, purity, sizes, headers, leftovers.

    tests/tidy/tidy.py [--root DIR] [--build DIR]

Prints each finding on a line `FAILED rule: place: what` and each rule that could not be checked on a line `SKIPPED ...`.
Last line: N passed, N failed, N skipped (one per rule). Exit code 1 when a rule failed.
--build names a build of the tree, whose objects are looked into with nm (default: where FK_BINARY is, else ROOT/build);
without one that rule is skipped.
"""
import argparse
import ast
import concurrent.futures
import functools
import os
import pathlib
import re
import subprocess
import sys

FUNCTION_LINES_MAX = 120
FILE_LINES_MAX = 900

# What a layer may include from src/. Gateway's core is all of src/gateway but uv_*, which alone knows libuv,
# and tls*, which alone knows OpenSSL's TLS and reads the files of certificates. Of src/http, client* alone knows sockets. Of
# src/cost, units* is a table that needs nothing; the rest reads files of prices.
MODEL = {"base", "wire", "model"}
PORT = MODEL | {"port"}
FUNCTION = PORT | {"function"}
GATEWAY = FUNCTION | {"cost/units", "gateway"}
COST = PORT | {"cost/units", "cost"}
HOST = GATEWAY | COST | {"gateway/tls", "gateway/uv", "http", "http/client", "driver", "driver/aws", "host"}
LAYERS = {
    "base": {"base"},
    "wire": {"base", "wire"},
    "model": MODEL,
    "port": PORT,
    "function": FUNCTION,
    "gateway": GATEWAY,
    "gateway/tls": {"base", "gateway/tls"},
    "gateway/uv": GATEWAY | {"gateway/tls", "gateway/uv"},
    "http": {"base", "http"},
    "http/client": {"base", "http", "http/client"},
    "cost/units": PORT | {"cost/units"},
    "cost": COST,
    "driver": PORT | {"driver"},
    "driver/aws": PORT | {"http", "http/client", "driver/aws"},
    "host": HOST,
    "bootstrap": HOST,
    "deploy": FUNCTION | COST | {"http", "driver/aws", "deploy"},
    "cli": HOST | {"cli", "deploy"},
}
# Layers that know no world: no socket, clock, thread, random or file. They run in the simulator as they are.
PURE = ("base", "wire", "model", "port", "cost/units", "function", "gateway", "http")
# The local engine reaches the world through the file port, fk_threads and SQLite only, so that the simulator runs it as it
# is. These files of it are the system's side of that, and what reads a directory for people.
ENGINE = "src/driver/local/"
ENGINE_WORLD = ("posix_file.c", "threads.c", "snapshot.c", "backup.c")
ENGINE_INCLUDES = {"src/driver/local/stretch.c": ("sys/mman.h",)}  # memory, not files

BANNED_INCLUDES = re.compile(
    r"^(sys/(socket|un|epoll|poll|select|time|timerfd|stat|mman|random|file|uio|eventfd|wait|resource)|netinet/.*|arpa/.*|"
    r"netdb|poll|time|pthread|threads|semaphore|unistd|fcntl|dirent|signal|uv|sqlite3|openssl/(rand|ssl))(\.h)?$")
BANNED_CALLS = (
    "time gettimeofday clock_gettime clock timespec_get localtime localtime_r gmtime "
    "rand random srand srandom drand48 rand_r getrandom getentropy RAND_bytes arc4random "
    "open openat creat fopen fdopen freopen read write pread pwrite readv writev fsync fdatasync unlink rename mkdir "
    "opendir socket socketpair connect accept accept4 listen bind send recv sendto recvfrom sendmsg recvmsg poll ppoll "
    "select epoll_create1 epoll_wait epoll_ctl sleep usleep nanosleep fork vfork execv execve execvp system popen "
    "getenv setenv").split()
BANNED_PREFIXES = ("pthread_", "thrd_", "mtx_", "sem_", "uv_", "sqlite3_")
HEAP_CALLS = "malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf".split()

SOURCE_ENDS = (".c", ".h", ".py", ".sh", ".build", ".sql")
C_ENDS = (".c", ".h")
TEXT_SKIPS = (".frames", ".png", ".svg", ".patch")
# Inputs as they were found, and vectors as they were published: their bytes are what matters.
INPUTS = ("tests/fuzz/corpus/", "tests/fuzz/crashes/", "tests/unit/driver/aws/vectors/")
# A header of the world for what takes nothing of it: strftime.
PURE_INCLUDES = {"src/gateway/words_lists.c": ("time.h",)}
LEFTOVERS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MACHINE_PATHS = re.compile(
    r"(?<![\w.$}/~-])/(?:wo" + r"rk/(?:main|shared|\.)|ro" + r"ot/[\w.]|ho" + r"me/[a-z]|Us" + r"ers/\w)")


class Tree:
    """The files of a tree: what git knows or would add; all but builds where there is no git."""

    def __init__(self, root):
        self.root = root
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root,
                                capture_output=True, check=False)
        top = subprocess.run(["git", "rev-parse", "--show-toplevel"], cwd=root, capture_output=True, text=True,
                             check=False).stdout.strip()
        if listed.returncode == 0 and top and pathlib.Path(top).resolve() == root.resolve():
            names = listed.stdout.decode().split("\0")
        else:
            names = self._walk()
        self.names = sorted({name for name in names if name and (root / name).is_file()})

    def _walk(self):
        for directory, below, files in os.walk(self.root):
            below[:] = [name for name in below if not re.match(r"\.git$|build|faaskeeper-data|__pycache__|\.\w*cache", name)]
            for file in files:
                yield str((pathlib.Path(directory) / file).relative_to(self.root))

    @functools.lru_cache(maxsize=None)
    def text(self, name):
        """The file's text, or None where it is no text."""
        data = (self.root / name).read_bytes()
        try:
            return None if b"\0" in data else data.decode()
        except UnicodeDecodeError:
            return None

    @functools.lru_cache(maxsize=None)
    def code(self, name):
        """C text without comments and literals; the lines stay where they are."""
        pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

        def blank(match):
            text = match.group()
            return re.sub(r"[^\n]", " ", text) if text[0] == "/" else text[0] + " " * (len(text) - 2) + text[-1]
        return pattern.sub(blank, self.text(name))

    def c_files(self, *under):
        return [name for name in self.names if name.endswith(C_ENDS) and name.startswith(under or ("",))]

    def texts(self):
        for name in self.names:
            if not name.endswith(TEXT_SKIPS) and self.text(name) is not None:
                yield name, self.text(name)

    def is_shell(self, name):
        text = self.text(name)
        return text is not None and (name.endswith(".sh") or re.match(r"#!\s*(/usr)?/bin/(env )?(da|ba)?sh\b", text))


def layer_of(path):
    """base, wire, ..., of a path below src/; what knows libuv, TLS, sockets or AWS are layers of their own."""
    parts = path.split("/")
    if parts[0] == "gateway" and parts[-1].startswith("uv_"):
        return "gateway/uv"
    if parts[0] == "gateway" and parts[-1].startswith("tls"):
        return "gateway/tls"
    if parts[0] == "http" and parts[-1].startswith("client"):
        return "http/client"
    if path.startswith("cost/units"):
        return "cost/units"
    if path.startswith("driver/aws/"):
        return "driver/aws"
    return parts[0] if len(parts) > 1 else ""


def is_pure(name):
    return layer_of(name[len("src/"):]) in PURE


def is_engine(name):
    return name.startswith(ENGINE) and name[len(ENGINE):] not in ENGINE_WORLD


def lines_of(text):
    return enumerate(text.split("\n"), 1)


# -- rules: each yields findings


def check_layers(tree, _):
    """include: base <- wire <- model <- port <- function <- gateway, host, cli; driver takes port and below"""
    pattern = re.compile(r'\s*#\s*include\s*"([^"]+)"')
    for name in tree.c_files("src/"):
        layer = layer_of(name[len("src/"):])
        if layer not in LAYERS:
            yield f"{name}: no layer (known: {', '.join(LAYERS)})"
            continue
        for number, line in lines_of(tree.text(name)):
            match = pattern.match(line)
            if not match or match.group(1).startswith("faaskeeper/"):
                continue
            used = layer_of(match.group(1))
            if used not in LAYERS[layer]:
                yield f"{name}:{number}: {layer} must not include {match.group(1)}"


def check_pure_includes(tree, _):
    """no header of sockets, clocks, threads, random or files in the pure layers"""
    pattern = re.compile(r"\s*#\s*include\s*[<\"]([^>\"]+)[>\"]")
    for name in filter(is_pure, tree.c_files("src/")):
        for number, line in lines_of(tree.text(name)):
            match = pattern.match(line)
            if match and BANNED_INCLUDES.match(match.group(1)) and match.group(1) not in PURE_INCLUDES.get(name, ()):
                yield f"{name}:{number}: includes {match.group(1)}"


def check_engine_includes(tree, _):
    """no header of sockets, clocks, threads, random or files in the local engine, SQLite's excepted"""
    pattern = re.compile(r"\s*#\s*include\s*[<\"]([^>\"]+)[>\"]")
    for name in filter(is_engine, tree.c_files(ENGINE)):
        for number, line in lines_of(tree.text(name)):
            match = pattern.match(line)
            used = match.group(1) if match else ""
            if BANNED_INCLUDES.match(used) and used != "sqlite3.h" and used not in ENGINE_INCLUDES.get(name, ()):
                yield f"{name}:{number}: includes {used}"


def calls_of(tree, name, pattern):
    """Calls in a file of what pattern names; not members, not declarations of our own."""
    call = re.compile(r"(?<![\w.>])(?:" + pattern + r")\s*\(")
    for number, line in lines_of(tree.code(name)):
        match = call.search(line)
        if match:
            yield f"{name}:{number}: calls {match.group().rstrip('( ')}"


def check_pure_calls(tree, _):
    """no call to sockets, clocks, threads, random or files in the pure layers"""
    pattern = "|".join(BANNED_CALLS) + "|(?:" + "|".join(BANNED_PREFIXES) + r")\w+"
    for name in filter(is_pure, tree.c_files("src/")):
        yield from calls_of(tree, name, pattern)


def check_engine_calls(tree, _):
    """no call to sockets, clocks, threads, random or files in the local engine, SQLite's excepted"""
    prefixes = [prefix for prefix in BANNED_PREFIXES if prefix != "sqlite3_"]
    pattern = "|".join(BANNED_CALLS) + "|(?:" + "|".join(prefixes) + r")\w+"
    for name in filter(is_engine, tree.c_files(ENGINE)):
        yield from calls_of(tree, name, pattern)


def check_heap(tree, _):
    """the heap is used through base/alloc.h only"""
    for name in tree.c_files("src/"):
        if name != "src/base/alloc.c":
            yield from calls_of(tree, name, "|".join(HEAP_CALLS))


def undefined_symbols(path):
    done = subprocess.run(["nm", "-u", "--", str(path)], capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        symbol = line.split()[-1].split("@")[0]
        yield re.sub(r"^__(\w+)_chk$", r"\1", re.sub(r"^__(open|openat)(64)?_2$", r"\1", symbol))


def check_objects(tree, build):
    """nm: the objects of the pure layers and the engine take nothing of the world from the C library, none its heap"""
    objects = sorted(build.glob("src/**/*.c.o"))
    if not objects:
        return f"no objects under {build}: build first"
    return list(object_findings(tree, build, objects))


def object_findings(tree, build, objects):
    for path in objects:
        # build/src/gateway/libfk_gateway.a.p/uv_loop.c.o; a source of another directory has its path in the name
        name = f"{path.parent.parent.relative_to(build)}/{path.name[:-len('.o')]}"
        if name not in tree.names:
            continue
        symbols = set(undefined_symbols(path))
        if name != "src/base/alloc.c":
            for symbol in sorted(symbols & set(HEAP_CALLS)):
                yield f"{name}: its object uses {symbol}"
        if is_pure(name) or is_engine(name):
            for symbol in sorted(symbols):
                banned = symbol.removesuffix("64") in BANNED_CALLS or symbol.startswith(BANNED_PREFIXES)
                if banned and not (is_engine(name) and symbol.startswith("sqlite3_")):
                    yield f"{name}: its object uses {symbol}"


def check_spdx(tree, _):
    """each source file has its SPDX line at the top"""
    for name, text in tree.texts():
        if name.endswith(SOURCE_ENDS) or text.startswith("#!"):
            if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.split("\n")[:2]):
                yield f"{name}:1: no `SPDX-License-Identifier: Apache-2.0` in the first two lines"


def compile_header(root, name):
    command = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Iinclude", "-Isrc", "-Wall", "-Wextra",
               "-Werror", "-fsyntax-only", "-x", "c", name]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"{name}: does not compile alone: {next(iter(done.stderr.splitlines()[-4:]), '')}"
    return None


def check_headers(tree, _):
    """each header compiles alone"""
    names = [name for name in tree.c_files("src/", "include/") if name.endswith(".h")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(functools.partial(compile_header, tree.root), names))


def check_guards(tree, _):
    """each header has an include guard that no other has"""
    owners = {}
    for name in tree.c_files("src/", "include/"):
        if not name.endswith(".h"):
            continue
        match = re.search(r"^#ifndef (FK_\w+|FAASKEEPER_\w+)\n#define (\w+)$", tree.text(name), re.M)
        if not match or match.group(1) != match.group(2):
            yield f"{name}: no include guard FK_..."
        elif owners.setdefault(match.group(1), name) != name:
            yield f"{name}: its guard {match.group(1)} is that of {owners[match.group(1)]}"


def c_functions(text):
    """(name, first line, lines) of each function: from its signature to the brace that closes it, both at column 0."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
            while start > 0 and lines[start - 1].strip() and not re.match(r"[#}]|.*;$", lines[start - 1]):
                start -= 1
        elif line.startswith("}") and start is not None:
            signature = " ".join(lines[start:number])
            name = re.search(r"(\w+)\s*\(", signature)
            yield name.group(1) if name else "?", start + 1, number - start + 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def check_functions(tree, _):
    """functions have at most 120 lines"""
    for name, text in tree.texts():
        if name.endswith(C_ENDS):
            functions = c_functions(tree.code(name))
        elif name.endswith(".py"):
            functions = python_functions(text)
        else:
            continue
        for function, line, lines in functions:
            if lines > FUNCTION_LINES_MAX:
                yield f"{name}:{line}: {function} has {lines} lines (at most {FUNCTION_LINES_MAX})"


def check_files(tree, _):
    """source files have at most 900 lines"""
    for name, text in tree.texts():
        lines = text.count("\n")
        if name.endswith(SOURCE_ENDS) and lines > FILE_LINES_MAX:
            yield f"{name}: {lines} lines (at most {FILE_LINES_MAX})"


def check_leftovers(tree, _):
    """nothing is left to be done later"""
    for name, text in tree.texts():
        for number, line in lines_of(text):
            if LEFTOVERS.search(line):
                yield f"{name}:{number}: {line.strip()[:100]}"


def check_blanks(tree, _):
    """no tabs, no blanks at the end of a line, one newline at the end of a file"""
    for name, text in tree.texts():
        if name.startswith(INPUTS):
            continue
        tabs_allowed = pathlib.PurePath(name).name in ("Makefile", "rules", ".gitmodules") or name.endswith((".mk", ".go"))  # gofmt
        for number, line in lines_of(text):
            if "\t" in line and not tabs_allowed:
                yield f"{name}:{number}: a tab"
            if line != line.rstrip():
                yield f"{name}:{number}: blanks at the end"
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield f"{name}: does not end with one newline"


def check_shell(tree, _):
    """shell scripts parse"""
    for name in filter(tree.is_shell, tree.names):
        done = subprocess.run(["sh", "-n", str(tree.root / name)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield f"{name}: {done.stderr.strip()}"


def check_paths(tree, _):
    """no path of somebody's machine"""
    here = str(tree.root.resolve())
    for name, text in tree.texts():
        for number, line in lines_of(text):
            if MACHINE_PATHS.search(line) or (len(here) > 5 and here in line):
                yield f"{name}:{number}: {line.strip()[:100]}"


RULES = {
    "layers": check_layers,
    "pure-includes": check_pure_includes,
    "pure-calls": check_pure_calls,
    "engine-includes": check_engine_includes,
    "engine-calls": check_engine_calls,
    "heap": check_heap,
    "objects": check_objects,
    "spdx": check_spdx,
    "headers": check_headers,
    "guards": check_guards,
    "functions": check_functions,
    "files": check_files,
    "leftovers": check_leftovers,
    "blanks": check_blanks,
    "shell": check_shell,
    "paths": check_paths,
}


def check(root, build):
    """Findings per rule: a list, or the text that says why it could not be checked."""
    tree = Tree(root)
    results = {}
    for rule, function in RULES.items():
        found = function(tree, build)
        results[rule] = found if isinstance(found, str) else list(found)
    return results


def main():
    parser = argparse.ArgumentParser(description="Checks the rules of the tree.")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=pathlib.Path)
    options = parser.parse_args()
    binary = os.environ.get("FK_BINARY")
    build = options.build or (pathlib.Path(binary).parent if binary else options.root / "build")
    results = check(options.root, build.resolve())
    failed = skipped = 0
    for rule, found in results.items():
        if isinstance(found, str):
            skipped += 1
            print(f"SKIPPED {rule}: {found}")
            continue
        failed += bool(found)
        for finding in found:
            print(f"FAILED {rule}: {finding}")
    print(f"{len(results) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
