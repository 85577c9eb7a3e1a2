# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by the openssl command when they are needed; nothing is kept in the tree."""
import itertools
import pathlib
import subprocess

_serials = itertools.count(1)
DAYS = "2"  # long enough for a night of tests


def openssl(*words, text=None, cwd=None):
    """Runs openssl; its output. A failure shows what it complained of."""
    done = subprocess.run(["openssl", *[str(word) for word in words]], input=text, text=True, cwd=cwd, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, f"openssl {words}: {done.stderr}"
    return done.stdout


def _new_key(path, kind):
    words = {"ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
             "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}[kind]
    openssl("genpkey", *words, "-out", path)


class Certificate:
    """A certificate with its key: `cert` and `key` are PEM files, `pem` is one file with both and the chain."""

    def __init__(self, directory, name, issuer):
        base = pathlib.Path(directory) / name
        self.name, self.issuer = name, issuer
        self.cert, self.key, self.pem = (base.with_name(base.name + end) for end in (".crt", ".key", ".pem"))

    def bundle(self):
        chain = self.issuer.cert.read_text() if self.issuer else ""
        self.pem.write_text(self.key.read_text() + self.cert.read_text() + chain)

    def pkcs12(self, password):
        """A PKCS12 file with key, certificate and chain."""
        path = self.pem.with_suffix(".p12")
        openssl("pkcs12", "-export", "-in", self.pem, "-out", path, "-name", self.name, "-passout", f"pass:{password}")
        return path

    def encrypted_pem(self, password):
        """As `pem`, with the key encrypted (PKCS8)."""
        path = self.pem.with_suffix(".enc.pem")
        key = openssl("pkcs8", "-topk8", "-in", self.key, "-passout", f"pass:{password}")
        path.write_text(key + self.cert.read_text() + self.issuer.cert.read_text())
        return path


class Authority(Certificate):
    """An authority that signs itself."""

    def __init__(self, directory, name="ca"):
        super().__init__(directory, name, None)
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        _new_key(self.key, "ec")
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.cert, "-days", DAYS, "-subj", f"/CN={name}")
        self.bundle()

    def issue(self, name, subject=None, san="IP:127.0.0.1,DNS:localhost", kind="ec", days=DAYS):
        """A certificate; subject as openssl's -subj ("/C=DE/O=Acme/CN=x", "+" joins names of one level)."""
        made = Certificate(self.directory, name, self)
        request, extensions = made.key.with_suffix(".csr"), made.key.with_suffix(".ext")
        _new_key(made.key, kind)
        openssl("req", "-new", "-utf8", "-key", made.key, "-out", request, "-subj", subject or f"/CN={name}",
                *(["-multivalue-rdn"] if "+" in (subject or "") else []))
        extensions.write_text(f"subjectAltName={san}\n" if san else "basicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-out", made.cert, "-days", days,
                "-set_serial", str(next(_serials)), "-extfile", extensions)
        made.bundle()
        return made

    def revocation_list(self, *revoked):
        """A PEM file with the authority's certificate and a list that revokes those certificates."""
        work = self.directory / "crl"
        work.mkdir(exist_ok=True)
        (work / "index.txt").write_text("")
        (work / "ca.cnf").write_text("[ca]\ndefault_ca=one\n[one]\ndatabase=index.txt\ndefault_md=sha256\n"
                                     "default_crl_days=2\n")
        common = ["ca", "-config", "ca.cnf", "-cert", self.cert.resolve(), "-keyfile", self.key.resolve()]
        for one in revoked:
            openssl(*common, "-revoke", one.cert.resolve(), cwd=work)
        openssl(*common, "-gencrl", "-out", "list.pem", cwd=work)
        path = self.directory / "trust-with-list.pem"
        path.write_text(self.cert.read_text() + (work / "list.pem").read_text())
        return path
