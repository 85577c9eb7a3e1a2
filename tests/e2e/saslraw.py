# SPDX-License-Identifier: Apache-2.0
"""The client's side of SASL DIGEST-MD5 (RFC 2831) as ZooKeeper's clients speak it, with every field in the caller's hand."""
import hashlib
import re

import zkraw

SASL = 102
REALM = "zk-sasl-md5"
URI = "zookeeper/zk-sasl-md5"


def fields_of(challenge):
    """name -> value of a digest-challenge."""
    return {name: quoted or plain for name, quoted, plain in
            re.findall(r'([a-z-]+)=(?:"([^"]*)"|([^,]*))', challenge.decode())}


def digest(text):
    return hashlib.md5(text).digest()


def proof(user, password, nonce, cnonce, verb=b"AUTHENTICATE", realm=REALM, uri=URI, nc="00000001",
          authzid=None, encoding="utf-8"):
    """The response value; verb b"" makes the server's answer to it."""
    secret = digest(f"{user}:{realm}:{password}".encode(encoding))
    named = f":{authzid}" if authzid else ""
    first = digest(secret + f":{nonce}:{cnonce}{named}".encode()).hex()
    second = digest(verb + f":{uri}".encode()).hex()
    return digest(f"{first}:{nonce}:{nc}:{cnonce}:auth:{second}".encode()).hex()


def response(user, password, challenge, **changes):
    """A digest-response; `changes` replace fields, None leaves one out."""
    nonce = fields_of(challenge)["nonce"]
    authzid = changes.get("authzid", "").strip('"')
    fields = {"charset": "utf-8", "username": f'"{user}"', "realm": f'"{REALM}"', "nonce": f'"{nonce}"',
              "nc": "00000001", "cnonce": '"c0ffee"', "digest-uri": f'"{URI}"', "maxbuf": "65536",
              "response": proof(user, password, nonce, "c0ffee", authzid=authzid), "qop": "auth"}
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    return ",".join(f"{name}={value}" for name, value in fields.items() if value is not None).encode()


def step(client, token):
    """(code, token of the server, or None) of one request."""
    reply = client.call(SASL, zkraw.buffer(token))
    return reply.err, zkraw.Reader(reply.body).buffer() if reply.body else None


def authenticate(client, user, password, **changes):
    """Both steps; (code, last token)."""
    code, challenge = step(client, b"")
    assert code == 0 and challenge, (code, challenge)
    return step(client, response(user, password, challenge, **changes))
