# SPDX-License-Identifier: Apache-2.0
"""Secrets stay where they are: whatever clients and operators do wrong, no log, answer, process list or core has one."""
import os
import pathlib
import pty
import resource
import signal
import subprocess
import termios

import pytest

import saslraw
import server as server_module
import zkraw
from zkraw import AUTH_FAILED, OK

pytestmark = pytest.mark.only_ours("other configuration")

CANARY = "kanarienvogel"
LOGIN = f"""Server {{
    org.apache.zookeeper.server.auth.DigestLoginModule required
        user_super="{CANARY}-file-super"
        user_bob="{CANARY}-file-bob";
}};
"""
WORDS = "srvr stat mntr envi conf cons dump wchs wchc wchp dirs ruok isro crst srst gtmk hash".split()


@pytest.fixture
def login(tmp_path):
    path = tmp_path / "login.conf"
    path.write_text(LOGIN)
    return {"java.security.auth.login.config": str(path),
            "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"}


def run(*arguments, **options):
    return subprocess.run([server_module.BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=30,
                          check=False, **options)


def do_everything_wrong(server):
    """Clients whose passwords, ids, paths and tokens go where they don't belong."""
    def client():
        return server.connect()
    assert client().auth("digest", f"super:{CANARY}-super") == OK
    assert client().auth("digest", f"{CANARY}-no-colon") == OK
    assert client().auth("sasl", f"bob:{CANARY}-scheme") == AUTH_FAILED
    assert client().auth(f"{CANARY}-as-scheme"[:3], CANARY) == AUTH_FAILED
    for user, password in (("bob", f"{CANARY}-wrong"), (f"{CANARY}-as-name", "x"), ("super", f"{CANARY}-wrong")):
        assert saslraw.authenticate(client(), user, password)[0] == AUTH_FAILED
    one = client()
    saslraw.step(one, b"")
    assert saslraw.step(one, f'username="{CANARY}",realm="{CANARY}'.encode())[0] == AUTH_FAILED
    for op in (zkraw.AUTH, zkraw.SASL, zkraw.CREATE):
        one = client()
        one.post(op, zkraw.int32(0) + zkraw.int32(1000) + CANARY.encode())
        one.is_closed(1)
    one = zkraw.Connection(server.address, connect=False)
    one.send(zkraw.frame(CANARY.encode() * 3))
    one.is_closed(1)
    assert client().set_acl("/", [(zkraw.ALL, "digest", f"{CANARY}-no-hash")]) != OK


def test_nothing_tells_a_secret(start_server, login):
    keys = {"DigestAuthenticationProvider.superDigest": f"super:{CANARY}+hash=",
            "SASLAuthenticationProvider.superPassword": f"{CANARY}-property", "ssl.keyStore.password": f"{CANARY}-key",
            "ssl.trustStore.password": f"{CANARY}-trust", **login}
    server = start_server(keys, arguments=["--log-level", "debug"])
    good = server.connect()
    assert saslraw.authenticate(good, "super", f"{CANARY}-property")[0] == OK
    assert good.auth("digest", f"carol:{CANARY}-addauth") == OK
    do_everything_wrong(server)
    process = pathlib.Path(f"/proc/{server.pid()}")
    told = {word: zkraw.four_letters(server.address, word) for word in WORDS}
    told |= {name: (process / name).read_bytes().decode(errors="replace") for name in ("cmdline", "environ")}
    told |= {f"/proc comm of {task.name}": (task / "comm").read_text() for task in (process / "task").iterdir()}
    good.close_session()
    server.stop()
    told |= {"log": server.stderr(), "first line": server.first_line}
    for place, text in told.items():
        assert CANARY not in text, f"{place}: {text[max(0, text.index(CANARY) - 200):][:400]}"
    assert "authentication failed" in told["log"] and "user=super" in told["log"]


@pytest.mark.parametrize("line", [
    "DigestAuthenticationProvider.superDigest={}", "DigestAuthenticationProvider.superDigest=:{}",
    "ssl.keyStore.password={}\nsecureClientPort=0\nssl.keyStore.location=/nowhere.p12",
    "SASLAuthenticationProvider.superPassword={}\ntickTime=never",
    "ssl.keyStore.pasword={}\ntickTime=never", "java.security.auth.login.config=/nowhere\nssl.keyStore.password={}",
])
def test_a_bad_configuration_tells_no_secret(tmp_path, line):
    path = tmp_path / "zoo.cfg"
    path.write_text(line.format(CANARY) + "\n")
    for arguments in (("serve", "--memory", "--listen", "127.0.0.1:0", "--config", path), ("config", "check", path)):
        done = run(*arguments)
        assert done.returncode in ((1, 2) if arguments[0] == "serve" else (0, 1, 2)), done.stderr
        assert CANARY not in done.stdout + done.stderr


@pytest.mark.parametrize("text", [
    'Server {{ {m} required user_a="{c}"', 'Server {{ {m} required user_a="{c}; }};', 'Server {{ {m} required "{c}"; }};',
    'Server {{ {m} required user_a={c} user_a={c}; }};', 'Server {{ {m} {c}; }};', 'Server {{ {c} required; }};',
    '{c}', 'Server {{ {m} required user_a="${{{c}}}"; }};', 'Server {{ {m} required user_a="{c}"; }}; }}',
])
def test_a_bad_login_file_tells_no_secret(tmp_path, text):
    path = tmp_path / "login.conf"
    path.write_text(text.format(m="org.apache.zookeeper.server.auth.DigestLoginModule", c=CANARY))
    done = run("serve", "--memory", "--listen", "127.0.0.1:0", "-D", f"java.security.auth.login.config={path}")
    assert done.returncode == 2 and "login.conf:1" in done.stderr
    assert CANARY not in done.stdout + done.stderr


def test_a_secret_on_the_command_line_is_refused():
    for key in ("DigestAuthenticationProvider.superDigest", "zookeeper.ssl.keyStore.password",
                "SASLAuthenticationProvider.superPassword"):
        done = run("serve", "--memory", "--listen", "127.0.0.1:0", "-D", f"{key}=super:{CANARY}")
        assert done.returncode == 2 and key in done.stderr and "command line" in done.stderr
        assert CANARY not in done.stdout + done.stderr


def test_a_password_that_is_typed_is_not_shown():
    ours, theirs = pty.openpty()
    process = subprocess.Popen([server_module.BINARY, "digest", "super"], stdin=theirs, stdout=subprocess.PIPE,
                               stderr=theirs, close_fds=True)
    server_module.wait_until(lambda: not termios.tcgetattr(theirs)[3] & termios.ECHO, what="the echo is off")
    os.write(ours, b"test\n")
    told = process.communicate(timeout=20)[0].decode()
    assert (process.returncode, told) == (0, server_module.SUPER_DIGEST + "\n")
    assert termios.tcgetattr(theirs)[3] & termios.ECHO
    shown = os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
    assert shown.startswith(b"Password: ") and b"test" not in shown


def dumps_core(tmp_path, config):
    """Whether a server that aborts leaves a core."""
    path = tmp_path / "zoo.cfg"
    path.write_text("".join(f"{key}={value}\n" for key, value in config.items()))

    def allow_cores():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.chdir(tmp_path)

    process = subprocess.Popen([server_module.BINARY, "serve", "--memory", "--listen", "127.0.0.1:0", "--config", path],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=allow_cores)
    assert process.stdout.readline().startswith(b"serving on")
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    process.stdout.close()
    assert os.WIFSIGNALED(status)
    return os.WCOREDUMP(status)


@pytest.mark.skipif(server_module.SANITIZED, reason="AddressSanitizer turns cores off")
def test_who_has_secrets_leaves_no_core(tmp_path, login):
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY or not dumps_core(tmp_path, {}):
        pytest.skip("this machine writes no cores")
    for secrets in (login, {"DigestAuthenticationProvider.superDigest": f"super:{CANARY}"},
                    {"SASLAuthenticationProvider.superPassword": CANARY}, {"ssl.trustStore.password": CANARY}):
        assert not dumps_core(tmp_path, secrets), secrets
