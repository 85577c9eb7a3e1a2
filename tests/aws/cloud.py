#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The test cloud: emulators of AWS on the loopback interface, each on a free port, each ended by its process id.

    cloud.py start [--print-env] [--dir DIR] [EMULATOR...]   in the background; prints what to put into the environment
    cloud.py stop DIR                                        ends what `start --dir DIR` started (default DIR: a new one)
    cloud.py run [EMULATOR...] -- COMMAND...                 starts, runs the command with the environment, ends

EMULATOR: ministack (default: DynamoDB, SQS, S3, Lambda with our bootstrap, IAM, CloudFormation), moto (S3, DynamoDB).
`eval "$(tests/aws/cloud.py start --print-env)"` sets AWS_ENDPOINT_URL, keys, a region and FK_CLOUD_DIR.
With --auth MiniStack checks signatures and policies; it takes any otherwise.
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import install  # noqa: E402

START_SECONDS = 90  # a machine with more work than cores starts Python slowly
END_SECONDS = 10
REGION = "us-east-1"
# Not 12 digits: those MiniStack would take as the number of an account of its own.
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "secret+of/the+test+cloud"}


class CloudError(Exception):
    """An emulator that does not start; the text has the end of its log."""


PORTS = range(11000, 32000)  # below Linux' range for outgoing connections: one of those would take it before the emulator


def free_port():
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def descendants(pid):
    """The processes below this one."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def began(pid):
    """When the process began, in the kernel's ticks: with its id it names one process for ever. None: it is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def end(pid, since):
    """Ends the process that began then, and what it started: MiniStack's functions would outlive it."""
    if began(pid) != since:
        return
    below = {child: began(child) for child in descendants(pid)}
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + END_SECONDS
        while began(pid) == since and time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            time.sleep(0.02)
    for child, since_then in below.items():
        if since_then is not None and began(child) == since_then:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


class Emulator:
    """One server: its command, its health, its log."""

    def __init__(self, directory, own_session, variables=None):
        """variables: more of its environment, which MiniStack's functions get too."""
        self.variables = variables or {}
        self.directory = pathlib.Path(directory) / self.name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.own_session = own_session
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.directory / "log"
        self.pid = self.since = None

    def spawn(self):
        """Begins to start it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment.update(self.environment(), **self.variables, TMPDIR=str(self.directory), PYTHONUNBUFFERED="1", PYTHONDONTWRITEBYTECODE="1")
        with open(self.log, "ab") as log:
            process = subprocess.Popen([str(word) for word in self.command()], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, env=environment, cwd=self.directory,
                                       start_new_session=self.own_session)
        self.process, self.pid, self.since = process, process.pid, began(process.pid)

    def wait(self):
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                end(self.pid, self.since)
                raise CloudError(f"{self.name} does not start: {self.log.read_text(errors='replace')[-1500:]}")
            time.sleep(0.05)
        return self

    def answers(self):
        try:
            with urllib.request.urlopen(self.url + self.health, timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def start(self):
        self.spawn()
        return self.wait()

    def stop(self):
        if self.pid is not None:
            end(self.pid, self.since)


class MiniStack(Emulator):
    """DynamoDB, SQS, S3, Lambda and the rest, in memory."""

    name, health = "ministack", "/_ministack/health"
    auth = False

    def command(self):
        return [install.ministack(), "-m", "ministack"]

    def environment(self):
        # The functions that it runs inherit its keys, its region and AWS_ENDPOINT_URL.
        return {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "MINISTACK_HOST": "127.0.0.1",
                "MINISTACK_REGION": REGION, "AWS_ENDPOINT_URL": self.url, "LAMBDA_EXECUTOR": "local",
                "AUTH": str(self.auth).lower(), "LOG_LEVEL": os.environ.get("FK_CLOUD_LOG_LEVEL", "WARNING"), **KEYS}


class MiniStackAuth(MiniStack):
    """The same, checking signatures and policies."""

    auth = True


class Moto(Emulator):
    """S3's conditions as AWS documents them; DynamoDB behind a lock."""

    name, health = "moto", "/moto-api/"

    def command(self):
        return [install.moto(), HERE / "moto_locked.py", self.port]

    def environment(self):
        return dict(KEYS)


EMULATORS = {"ministack": MiniStack, "moto": Moto}


def environment_for(url):
    """What a client of the emulator has in its environment; no proxy of the machine comes between."""
    return {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1", **KEYS}


class Cloud:
    """The emulators that were asked for, started side by side."""

    def __init__(self, names=("ministack",), directory=None, own_session=False, auth=False, variables=None):
        self.scratch = None if directory else tempfile.TemporaryDirectory(prefix="fk-cloud-")
        self.directory = pathlib.Path(directory or self.scratch.name)
        kinds = {**EMULATORS, **({"ministack": MiniStackAuth} if auth else {})}
        self.emulators = {name: kinds[name](self.directory, own_session, variables) for name in names}

    def start(self):
        try:
            for one in self.emulators.values():
                one.spawn()
            for one in self.emulators.values():
                one.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def url(self, name="ministack"):
        return self.emulators[name].url

    def environment(self):
        """For a client of all of them: the first one has AWS_ENDPOINT_URL."""
        urls = {f"FK_CLOUD_{name.upper()}": one.url for name, one in self.emulators.items()}
        return {**environment_for(next(iter(urls.values()))), **urls, "FK_CLOUD_DIR": str(self.directory)}

    def stop(self):
        for one in self.emulators.values():
            one.stop()
        if self.scratch is not None:
            self.scratch.cleanup()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def client(service, url, region=REGION):
    """A boto3 client of an emulator; runs where install.ministack() is the Python."""
    import boto3  # the tests' virtual environment has it
    from botocore.config import Config
    config = Config(retries={"mode": "standard", "max_attempts": 4}, s3={"addressing_style": "path"}, read_timeout=60)
    return boto3.client(service, endpoint_url=url, region_name=region, config=config,
                        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"])


def in_our_python(arguments=None):
    """Runs the calling script again by the Python that has boto3, unless it is that one already."""
    python = install.ministack()
    if pathlib.Path(sys.prefix) != python.parents[1]:
        os.execv(python, [str(python), *(arguments or sys.argv)])


# ---- the command line

def start(options):
    directory = options.dir or tempfile.mkdtemp(prefix="fk-cloud-")
    if (pathlib.Path(directory) / "cloud.json").exists():
        raise CloudError(f"{directory} has a test cloud: stop it first")
    cloud = Cloud(options.names or ["ministack"], directory, own_session=True, auth=options.auth).start()
    processes = [(one.pid, one.since) for one in cloud.emulators.values()]
    (pathlib.Path(directory) / "cloud.json").write_text(json.dumps(processes))
    for name, value in cloud.environment().items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def stop(options):
    file = pathlib.Path(options.dir) / "cloud.json"
    if not file.exists():
        print(f"cloud.py: no test cloud in {options.dir}", file=sys.stderr)
        return 2
    for pid, since in json.loads(file.read_text()):
        end(pid, since)
    file.unlink()
    return 0


def run(options, command):
    with Cloud(options.names or ["ministack"], auth=options.auth) as cloud:
        return subprocess.run(command, env={**os.environ, **cloud.environment()}, check=False).returncode


def main():
    words, command = sys.argv[1:], []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("start", "run"):
        action = actions.add_parser(name)
        action.add_argument("names", nargs="*", metavar="EMULATOR", help=" ".join(EMULATORS))
        action.add_argument("--auth", action="store_true", help="MiniStack checks signatures and policies")
        if name == "start":
            action.add_argument("--dir", help="logs and process ids (default: a new directory)")
            action.add_argument("--print-env", action="store_true", help="(it always does)")
    actions.add_parser("stop").add_argument("dir")
    options = parser.parse_args(words)
    for name in getattr(options, "names", []):
        if name not in EMULATORS:
            parser.error(f"no emulator '{name}'; one of: {' '.join(EMULATORS)}")
    if options.action == "run" and not command:
        parser.error("no command after --")
    try:
        return {"start": start, "stop": stop}[options.action](options) if options.action != "run" else run(options, command)
    except (CloudError, install.Missing) as error:
        print(f"cloud.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
