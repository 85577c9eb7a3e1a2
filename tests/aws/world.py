# SPDX-License-Identifier: Apache-2.0
"""A test cloud with deployments in it, for the runs end to end: client, gateway, SQS, Lambda, DynamoDB and S3."""
import contextlib
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cloud as cloud_module  # noqa: E402
import deployment as deployment_module  # noqa: E402
from suite import BINARY, scratch  # noqa: E402

FULL = bool(os.environ.get("FK_AWS_FULL"))  # `make conformance-aws`
TOPOLOGIES = ("single-hop", "pipeline")
RULES = {"ExtendedTypes": "true", "EnforceQuota": "true"}  # parameters of the template: as the other suites configure a server


class World:
    """Everything is below one directory, which stays where a run failed: logs of emulators, functions and gateways."""

    def __init__(self, name, auth=True, variables=None):
        self.directory = scratch(f"aws-{name}")
        self.keep = False
        self.cloud = cloud_module.Cloud(directory=self.directory, auth=auth, variables=variables)
        self.deployments, self.gateways = {}, []

    def __enter__(self):
        self.cloud.start()
        return self

    def __exit__(self, kind, *_):
        for gateway in self.gateways:
            with contextlib.suppress(AssertionError):
                gateway.kill()
        self.cloud.stop()
        if kind is None and not self.keep:
            shutil.rmtree(self.directory)

    def deploy(self, name, topology="single-hop", rules=RULES):
        made = deployment_module.Deployment(self.cloud.url(), name, topology, rules).create()
        self.deployments[name] = made
        return made

    def gateway(self, deployment, config=None, **options):
        """One that is not started yet."""
        made = deployment_module.Gateway(self.directory / f"gateway-{len(self.gateways)}", deployment, config, **options)
        self.gateways.append(made)
        return made

    def environment(self):
        return {**os.environ, **self.cloud.environment(), "FK_BINARY": str(BINARY)}
