# SPDX-License-Identifier: Apache-2.0
"""pytest plugin: records each result the moment it is known, and ends a test that hangs.

A suite that is killed or crashes still leaves an honest record: what is started and has no result did not
pass. One JSON object a line goes to the file named by FK_RECORD; FK_TEST_TIMEOUT is in seconds.
"""
import json
import os
import signal

import pytest

_TIMEOUT_SECONDS = int(os.environ.get("FK_TEST_TIMEOUT", "90"))


def _write(**fields):
    with open(os.environ["FK_RECORD"], "a", encoding="utf-8") as record:
        record.write(json.dumps(fields) + "\n")


def pytest_collection_modifyitems(items):
    _write(kind="collected", ids=[item.nodeid for item in items])


def pytest_runtest_logstart(nodeid, location):
    _write(kind="start", id=nodeid)


def pytest_runtest_logreport(report):
    text = ""
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        text = report.longrepr[2]
    elif report.outcome == "failed":
        text = report.longreprtext
    _write(kind="report", id=report.nodeid, when=report.when, outcome=report.outcome, text=text,
           seconds=report.duration)


def pytest_collectreport(report):
    if report.failed:
        _write(kind="broken", id=report.nodeid, text=report.longreprtext)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    def expired(signum, frame):
        pytest.fail(f"no end after {_TIMEOUT_SECONDS} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(_TIMEOUT_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
