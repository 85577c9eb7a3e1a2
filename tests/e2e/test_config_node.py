# SPDX-License-Identifier: Apache-2.0
"""/zookeeper/config and reconfig, as a standalone ZooKeeper 3.9.4 has them; skipACL."""
import pytest

import zkraw
from zkraw import MARSHALLING, NO_AUTH, OK, READ, RECONFIG_DISABLED, UNIMPLEMENTED

CONFIG = "/zookeeper/config"
RECONFIG_BODY = zkraw.ustring(None) + zkraw.ustring("1") + zkraw.ustring(None) + zkraw.int64(-1)


def test_the_configuration_is_empty(client):
    err, data, stat = client.get(CONFIG)
    assert (err, data) == (OK, b"")
    assert (stat.czxid, stat.version, stat.cversion, stat.aversion, stat.num_children) == (0, 0, 0, -1, 0)
    assert client.get_acl(CONFIG)[1] == [(READ, "world", "anyone")]


def test_only_reading_is_allowed(client):
    assert client.set(CONFIG, b"x")[0] == NO_AUTH
    assert client.create(CONFIG + "/x")[0] == NO_AUTH


def test_reconfig_is_disabled(client):
    before = client.call(zkraw.PING, xid=zkraw.XID_PING).zxid
    reply = client.call(zkraw.RECONFIG, RECONFIG_BODY)
    assert (reply.err, reply.body) == (RECONFIG_DISABLED, b"")
    assert reply.zxid == before + 1
    assert client.call(zkraw.RECONFIG, zkraw.int32(-1)).err == MARSHALLING
    assert client.ping().err == OK


@pytest.mark.only_ours("other configuration")
def test_one_server_has_no_members_to_change(start_server):
    client = start_server({"reconfigEnabled": "true"}).connect()
    assert client.call(zkraw.RECONFIG, RECONFIG_BODY).err == UNIMPLEMENTED
    assert client.call(zkraw.RECONFIG, b"").err == MARSHALLING
    assert client.ping().err == OK
    client.close_session()


@pytest.mark.only_ours("other configuration")
def test_permissions_can_be_skipped(start_server):
    client = start_server({"skipACL": "yes"}).connect()
    assert client.create("/secret", b"data", acl=[(zkraw.ALL, "digest", "u:h")])[0] == OK
    assert client.get("/secret", watch=True)[:2] == (OK, b"data")
    assert client.get_acl("/secret")[1] == [(zkraw.ALL, "digest", "u:h")]  # ADMIN sees the hash
    assert client.set("/secret", b"new")[0] == OK
    assert [event[0] for event in client.take_events()] == [zkraw.DATA_CHANGED]
    assert client.set_acl("/secret", [(READ, "world", "anyone")])[0] == OK
    assert client.create("/secret/child")[0] == OK
    assert client.delete("/secret/child") == OK
    assert client.set_acl("/secret", [(READ, "nobody", "x")])[0] == zkraw.INVALID_ACL
    client.close_session()
