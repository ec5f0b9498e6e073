"""A SCRAM client (RFC 5802), and what a server would have to know, made with Python's own hashes."""
import base64, hashlib, hmac, os

DIGESTS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


def b64(data):
    return base64.b64encode(data).decode()


class Client:
    """One exchange: first(), final(challenge), right(server's last message)."""

    def __init__(self, mechanism, user, password, gs2="n,,", binding=b"", nonce=None):
        self.digest = DIGESTS[mechanism.removesuffix("-PLUS")]
        self.password, self.gs2, self.binding = password, gs2, binding
        self.nonce = nonce or b64(os.urandom(18)).replace("=", "").replace(",", "")
        self.bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self.nonce}"

    def mac(self, key, text):
        return hmac.new(key, text.encode(), self.digest).digest()

    def first(self):
        return self.gs2 + self.bare

    def final(self, challenge):
        self.challenge = dict(part.split("=", 1) for part in challenge.split(","))
        assert self.challenge["r"].startswith(self.nonce) and len(self.challenge["r"]) > len(self.nonce) + 20
        salt, iterations = base64.b64decode(self.challenge["s"]), int(self.challenge["i"])
        salted = hashlib.pbkdf2_hmac(self.digest, self.password.encode(), salt, iterations)
        key = self.mac(salted, "Client Key")
        stored = hashlib.new(self.digest, key).digest()
        unproven = f"c={b64(self.gs2.encode() + self.binding)},r={self.challenge['r']}"
        self.signed = f"{self.bare},{challenge},{unproven}"
        self.signature = b64(self.mac(self.mac(salted, "Server Key"), self.signed))
        self.proof = b64(bytes(a ^ b for a, b in zip(key, self.mac(stored, self.signed))))
        return f"{unproven},p={self.proof}"

    def right(self, last):
        return last == "v=" + self.signature


def column(text):
    """{mechanism: (iterations, salt, StoredKey, ServerKey)} of the database's column."""
    out = {}
    for word in text.split(" ") if text else []:
        name, rest = word[1:].split("}")
        iterations, *keys = rest.split(",")
        out[name] = (int(iterations), *(base64.b64decode(k) for k in keys))
    return out


def keys(mechanism, password, salt, iterations):
    digest = DIGESTS[mechanism]
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, iterations)
    client, server = (hmac.new(salted, k, digest).digest() for k in (b"Client Key", b"Server Key"))
    return hashlib.new(digest, client).digest(), server


def tls_exporter(sock):
    """The tls-exporter binding of a connection of Python's ssl, which does not give it: asked
    of OpenSSL itself, whose object is behind the socket's."""
    import _ssl, ctypes
    openssl = ctypes.CDLL(_ssl.__file__)
    connection = ctypes.c_void_p.from_address(id(sock._sslobj) + object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p))
    label, out = b"EXPORTER-Channel-Binding", ctypes.create_string_buffer(32)
    assert openssl.SSL_export_keying_material(connection, out, ctypes.c_size_t(32), label, ctypes.c_size_t(len(label)), b"", ctypes.c_size_t(0), 1) == 1
    return out.raw


def tls_server_end_point(sock):
    """Of a certificate signed with SHA-256."""
    return hashlib.sha256(sock.getpeercert(True)).digest()
