#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Manual pages and the completion of bash, made from what the program itself says.

    tools/man.py BINARY DIRECTORY           writes faaskeeper.1, faaskeeper.cfg.5 and completion/faaskeeper
    tools/man.py BINARY DIRECTORY --check   exit code 1 where these files say something else

The help texts are the one source for faaskeeper(1), `faaskeeper config document` is that for faaskeeper.cfg(5).
"""
import email.utils
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SERVE_MORE = r"""
.SS Signals
.TP
SIGTERM, SIGINT
stop; what was acknowledged stays.
.TP
SIGHUP
reads the certificates of TLS again.
.SS Under systemd
The server tells its manager when it is ready, reloading and stopping, and answers its watchdog (NOTIFY_SOCKET,
WATCHDOG_USEC).
It takes listening sockets (LISTEN_FDS): one whose FileDescriptorName= is
.B secure
stands for secureClientPort, any other for clientPort.
.PP
With
.B \-\-exit\-when\-idle
it ends, with exit code 0, after so long without a connection and without a session; ephemeral nodes end with their
sessions, before.
Containers and TTL nodes do not hold it: those that are due are removed by the first sweep after the next start.
Behind faaskeeper.socket the next connection starts it again.
"""
FILES = r"""
.SH FILES
.TP
.I /etc/faaskeeper/zoo.cfg
the configuration of the service.
.TP
.I /etc/default/faaskeeper
more options of the service: FAASKEEPER_OPTIONS.
.TP
.I /var/lib/faaskeeper
the data of the service: log and checkpoint.
.SH SEE ALSO
.BR {other} ,
.BR systemd.socket (5)
"""


def run(binary, *words):
    return subprocess.run([binary, *words], capture_output=True, text=True, check=True).stdout


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "").replace("'", "\\(aq")
    return "\\&" + text if text.startswith(".") else text


def title(name, section, version):
    stamp = re.search(r"(?m)^ -- .*>  (.*)$", (ROOT / "packaging/debian/changelog").read_text()).group(1)
    date = email.utils.parsedate_to_datetime(stamp).date().isoformat()
    note = '.\\" SPDX-License-Identifier: Apache-2.0\n.\\" Made by tools/man.py: change the texts of the program.\n'
    return f'{note}.TH {name} {section} {date} "FaaSKeeper {version}" "FaaSKeeper Manual"\n'


def blocks_of(text):
    return [block.split("\n") for block in re.split(r"\n\s*\n", text.strip("\n"))]


def items_of(lines):
    """[(term, text)] of lines `  term   text`, or None where a block is something else."""
    items = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if indent == 2:
            term, _, text = re.match(r"  (\S.*?)(  +(.*))?$", line).groups()
            items.append([term, text or ""])
        elif indent > 2 and items:
            items[-1][1] = (items[-1][1] + " " + line.strip()).strip()
        else:
            return None
    return items


def paragraph(text):
    """A sentence on each line, as troff likes it."""
    return "\n".join(escape(part) for part in re.split(r"(?<=[.:]) (?=[A-Z])", text)) + "\n"


def body(text):
    """A help text without its usage lines as troff; the usage lines."""
    usage, out = [], ""
    for lines in blocks_of(text):
        while lines and re.match(r"Usage:| {7}faaskeeper", lines[0]):
            usage.append(lines.pop(0).replace("Usage:", "").strip())
        if not lines:
            continue
        items = items_of(lines)
        if items is None:
            for part in re.split(r"\n(?=Exit codes:|Example:)", "\n".join(line.strip() for line in lines)):
                out += ".PP\n" + paragraph(part.replace("\n", " "))
            continue
        for term, meaning in items:
            out += f".TP\n.B {escape(term)}\n{paragraph(meaning)}"
    return usage, out


def synopsis(usage):
    lines = [re.split(r" {3,}", line)[0] for line in usage]
    return ".nf\n" + "".join(f".B {escape(line)}\n" for line in lines) + ".fi\n"


def commands_of(binary):
    return [name for name, _ in items_of(next(lines[1:] for lines in blocks_of(run(binary, "--help"))
                                              if lines[0].startswith("Usage:")))]


def program_page(binary, version):
    first, _, rest = run(binary, "--help").partition("\n")
    usage, text = body(rest)
    about = escape(first.split(": ", 1)[1].rstrip("."))
    page = title("FAASKEEPER", 1, version) + f".SH NAME\nfaaskeeper \\- {about}\n"
    page += ".SH SYNOPSIS\n" + synopsis(usage) + ".SH DESCRIPTION\n" + text.removeprefix(".PP\n")
    for command in commands_of(binary):
        if command != "version":
            usage, text = body(run(binary, command, "--help"))
            page += f".SH FAASKEEPER {command.upper()}\n" + synopsis(usage) + text
            page += SERVE_MORE.lstrip("\n") if command == "serve" else ""
    return page + FILES.lstrip("\n").replace("{other}", "faaskeeper.cfg (5)")


def table_rows(lines):
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("|")]
    return [row for row in rows[2:]]


def key_item(row):
    key, meaning = row[0], row[-1].replace("\\|", "|")
    standard = row[1] if len(row) == 3 else ""
    text = meaning + (f" (default: {standard})" if standard else "")
    return f".TP\n.B {escape(key)}\n{escape(text) or 'see ZooKeeper'}\n"


def config_page(binary, version):
    page = title("FAASKEEPER.CFG", 5, version)
    page += ".SH NAME\nfaaskeeper.cfg \\- configuration of FaaSKeeper: the keys of a zoo.cfg\n.SH DESCRIPTION\n"
    for number, part in enumerate(re.split(r"(?m)^#+ ", run(binary, "config", "document"))[1:]):
        heading, _, rest = part.partition("\n")
        page += f".SH {heading.upper()}\n" if number else ""
        for count, lines in enumerate(blocks_of(rest)):
            if lines[0].startswith("|"):
                page += "".join(key_item(row) for row in table_rows(lines))
            elif lines[0]:
                page += (".PP\n" if count else "") + paragraph(" ".join(lines))
    return page + FILES.lstrip("\n").replace("{other}", "faaskeeper (1)")


def completion(binary):
    """Commands, and the long options that the help text of each names."""
    commands = commands_of(binary)
    text = ("# SPDX-License-Identifier: Apache-2.0\n# bash completion of faaskeeper; made by tools/man.py\n"
            "_faaskeeper() {\n    local word=${COMP_WORDS[COMP_CWORD]} words\n"
            "    case ${COMP_CWORD}:${COMP_WORDS[1]} in\n"
            f"    1:*) words='{' '.join(commands)}' ;;\n")
    for command in commands:
        options = set() if command == "version" else set(re.findall(r"--[a-z][a-z-]+", run(binary, command, "--help")))
        verbs = sorted(set(re.findall(rf"faaskeeper {command} ([a-z]+)", run(binary, command, "--help")))) \
            if command in ("config", "cost", "data", "deploy", "status", "destroy") else []
        if options or verbs:
            text += f"    *:{command}) words='{' '.join(verbs + sorted(options))}' ;;\n"
    return text + ("    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n"
                   "complete -o default -F _faaskeeper faaskeeper\n")


def main():
    binary, directory = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    version = run(binary, "version").split()[1]
    files = {"faaskeeper.1": program_page(binary, version), "faaskeeper.cfg.5": config_page(binary, version),
             "completion/faaskeeper": completion(binary)}
    stale = []
    for name, text in files.items():
        path = directory / name
        if "--check" in sys.argv[3:]:
            stale += [] if path.exists() and path.read_text() == text else [name]
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in stale:
        print(f"{directory / name} says something else than the program: run `make man`")
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
