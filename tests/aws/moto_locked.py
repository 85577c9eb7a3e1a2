# SPDX-License-Identifier: Apache-2.0
"""moto's server with one lock around DynamoDB: moto loses updates of threads that write at the same time.

    moto_locked.py PORT
"""
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

_moto = DomainDispatcherApplication(create_backend_app)
_one_at_a_time = threading.Lock()


class Handler(WSGIRequestHandler):
    """Keeps connections open, as AWS does."""

    protocol_version = "HTTP/1.1"


def application(environ, start_response):
    if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
        with _one_at_a_time:
            return list(_moto(environ, start_response))
    return _moto(environ, start_response)


run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True, request_handler=Handler)
