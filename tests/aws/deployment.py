# SPDX-License-Identifier: Apache-2.0
"""A deployment in the test cloud, and gateways over it.

`faaskeeper deploy aws` makes it; where the program cannot (yet), or with FK_DEPLOY=template, the same template is
given to the emulator's CloudFormation by AWS's SDK.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "chaos"), str(HERE.parent / "e2e")]
import cloud as cloud_module  # noqa: E402
import server as server_module  # noqa: E402
import zkraw  # noqa: E402
from life import BINARY, Failure, wait_until  # noqa: E402, F401

TEMPLATE = ROOT / "deploy" / "aws" / "template.yaml"
DEPLOY_SECONDS = 120
STAMP = 1  # of the item that says what there is; any positive number


def code():
    """The zip of the functions: FK_LAMBDA names one, of `make lambda` for instance; else the bootstrap of the build is packed."""
    if os.environ.get("FK_LAMBDA"):
        return pathlib.Path(os.environ["FK_LAMBDA"])
    program, packed = BINARY.parent / "bootstrap", BINARY.parent / "bootstrap.zip"
    if not program.exists():
        raise Failure(f"{program} is missing: build with -Dtests=true")
    if not packed.exists() or packed.stat().st_mtime < program.stat().st_mtime:
        version = subprocess.run([str(BINARY), "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        entry = zipfile.ZipInfo("bootstrap")
        entry.create_system, entry.external_attr = 3, 0o100755 << 16  # Unix, executable
        entry.compress_type = zipfile.ZIP_DEFLATED
        part = packed.with_suffix(f".{os.getpid()}")
        with zipfile.ZipFile(part, "w") as archive:
            archive.writestr(entry, program.read_bytes())
            archive.comment = f"faaskeeper {version} x86_64".encode()
        part.replace(packed)
    return packed


class Deployment:
    """NAME in the cloud at `url`. `rules` are parameters of the template, and options of `faaskeeper deploy`."""

    def __init__(self, url, name="test", topology="single-hop", rules=None):
        self.url, self.name, self.topology, self.rules = url, name, topology, rules or {}
        self.outputs = {}

    def client(self, service):
        return cloud_module.client(service, self.url)

    def create(self):
        if os.environ.get("FK_DEPLOY") == "template":
            return self.create_from_template()
        environment = {**os.environ, **cloud_module.environment_for(self.url)}
        rules = [word for name, value in self.rules.items() for word in (re.sub("([A-Z])", r"-\1", f"-{name}").lower(), value)]
        done = subprocess.run([str(BINARY), "deploy", "aws", "--name", self.name, "--topology", self.topology, "--arch", "x86_64",
                               "--code", str(code()), *rules], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=DEPLOY_SECONDS, check=False)
        if done.returncode:
            raise Failure(f"faaskeeper deploy aws: exit code {done.returncode}: {done.stdout[-2000:]}")
        self.read_outputs()
        return self

    def create_from_template(self):
        store, stacks = self.client("s3"), self.client("cloudformation")
        bucket = f"code-of-{self.name}"
        store.create_bucket(Bucket=bucket)
        store.put_object(Bucket=bucket, Key="code/functions.zip", Body=code().read_bytes())
        parameters = {"Name": self.name, "Topology": self.topology, "Architecture": "x86_64", "CodeBucket": bucket,
                      "CodeKey": "code/functions.zip", **self.rules}
        stacks.create_stack(StackName=f"faaskeeper-{self.name}", TemplateBody=TEMPLATE.read_text(),
                            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_IAM"],
                            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()])
        stack = wait_until(self.finished_stack, DEPLOY_SECONDS, "the stack is complete")
        if stack["StackStatus"] != "CREATE_COMPLETE":
            events = stacks.describe_stack_events(StackName=f"faaskeeper-{self.name}")["StackEvents"]
            raise Failure("the stack: " + "; ".join(event.get("ResourceStatusReason", "") for event in events
                                                    if "FAILED" in event["ResourceStatus"]))
        self.read_outputs()
        self.write_item()
        return self

    def finished_stack(self):
        stack = self.client("cloudformation").describe_stacks(StackName=f"faaskeeper-{self.name}")["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    def read_outputs(self):
        stack = self.client("cloudformation").describe_stacks(StackName=f"faaskeeper-{self.name}")["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        # It refuses calls without TLS, which the emulators do not speak here.
        self.client("s3").delete_bucket_policy(Bucket=self.outputs["BucketName"])

    def write_item(self):
        """What gateways read, as `faaskeeper deploy` writes it."""
        value = {"format": 1, "topology": self.topology, "bucket": self.outputs["BucketName"],
                 "requests": self.outputs["RequestQueueUrl"], "distributor": self.outputs.get("DistributorQueueUrl", ""),
                 "heartbeat_schedule": self.outputs["ScheduleName"]}
        item = {"p": {"B": b"deployment"}, "n": {"B": b"deployment"}, "s": {"N": str(STAMP)}, "v": {"B": json.dumps(value).encode()}}
        self.client("dynamodb").put_item(TableName=f"faaskeeper-{self.name}", Item=item)

    # -- looking at it

    def queue_lengths(self):
        """{queue: messages that wait or are in work}."""
        queues, lengths = self.client("sqs"), {}
        for url in queues.list_queues(QueueNamePrefix=f"faaskeeper-{self.name}-").get("QueueUrls", []):
            found = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            lengths[url.rsplit("-", 1)[1]] = sum(int(found[name]) for name in (
                "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"))
        return lengths

    def items(self):
        return self.client("dynamodb").scan(TableName=f"faaskeeper-{self.name}", Select="COUNT")["Count"]


class Gateway(server_module.Server):
    """One `faaskeeper gateway`, driven as tests/e2e drive a server."""

    def __init__(self, directory, deployment, config=None, url=None, arguments=(), environment=None):
        super().__init__(directory, config, arguments=arguments)
        self.deployment = deployment
        self.environment = {**cloud_module.environment_for(url or deployment.url), **(environment or {})}

    def _ours(self, config):
        listen = f"{self.address[0]}:{self.address[1]}"
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return ["/usr/bin/env", *variables, str(BINARY), "gateway", "--deployment", self.deployment.name, "--listen", listen,
                "--config", str(config), *self.arguments]


def wait_for_gateway(gateway, seconds=30):
    """Until it answers a session: its first write has gone through queue, function and table."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = gateway.connect(timeout=30000)
            connection.close_session()
            return
        except (OSError, AssertionError, TimeoutError, zkraw.Closed):
            if time.monotonic() > deadline:
                raise Failure(f"the gateway serves no session within {seconds} s: {gateway.stderr()[-1500:]}") from None
            time.sleep(0.1)
