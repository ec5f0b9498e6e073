"""qmail-smtpd over a real TCP connection, with a queue program that records what it gets."""
import base64, os, socket, ssl, subprocess, time
from box import BIN, Root, wait_for

QUEUE = """#!/bin/sh
n=$(mktemp "$QQ_DIR/XXXXXXXX") || exit 53
cat > $n.mess || exit 54
cat <&1 > $n.env || exit 54
printenv > $n.vars
[ -z "$QQ_TEXT" ] || echo "$QQ_TEXT" >&$ERROR_FD
rm $n
[ "$(tail -c 2 $n.env | od -An -tx1 | tr -d ' ')" = 0000 ] || { rm $n.env $n.mess $n.vars; exit 54; }
exit ${QQ_EXIT:-0}
"""

# Knows joe/secret (may relay), guest/secret (may not), broken (111), slow; shows what it was given.
CHECKPASSWORD = """#!/usr/bin/env python3
import json, os, sys, time
data = b""
while True:
    b = os.read(3, 513)
    if not b: break
    data += b
f = data.split(b"\\0")
with open(sys.argv[2], "w") as out:
    json.dump({"data": data.hex(), "env": sorted(os.environ), "fds": sorted(os.listdir("/proc/self/fd")),
               "argv": sys.argv[1:], "stdout": os.readlink("/proc/self/fd/1")}, out)
if f[0] == b"broken": sys.exit(111)
if f[0] == b"odd": sys.exit(42)
if f[1] != b"secret": sys.exit(1)
sys.exit(3 if f[0] == b"guest" else 0)
"""


class SmtpRoot(Root):
    """A root with both programs, a certificate, and example.com as ours."""

    def __init__(self, resident=False, program="qmail-smtpd", **kw):
        super().__init__(**kw)
        self.resident = resident
        self.program = program
        self.servers = {}
        self.process_env = {}  # of a resident server, whose connections bring their own
        self.control("rcpthosts", "example.com\n.sub.example.com\n")
        self.queue = self.script("record-queue", QUEUE)
        self.checkpassword = self.script("checkpassword", CHECKPASSWORD)
        self.seen = self.path("seen.json")
        os.mkdir(self.path("qq"))
        os.chmod(self.path("qq"), 0o777)

    def script(self, name, text):
        path = self.path(name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o755)
        return path

    def certificate(self, name="servercert.pem", cn="mail.example.com"):
        key, cert = self.path("certs", name + ".key"), self.path("certs", name + ".crt")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", cert, "-subj", "/CN=" + cn, "-addext", "subjectAltName=DNS:" + cn,
                        "-days", "30"], check=True, stderr=subprocess.DEVNULL)
        with open(self.path("certs", name + ".new"), "w") as out:
            out.write(open(cert).read() + open(key).read())
        os.rename(self.path("certs", name + ".new"), self.path("certs", name))
        return cert

    def messages(self):
        """[(message, sender, [recipients], variables)] queued so far."""
        out = []
        for name in sorted(os.listdir(self.path("qq"))):
            if not name.endswith(".env"):
                continue
            stem = self.path("qq", name[:-4])
            with open(stem + ".env", "rb") as f:
                parts = f.read().split(b"\0")
            assert parts[0][:1] == b"F" and parts[-2:] == [b"", b""], parts
            with open(stem + ".vars") as f:
                vars = dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line)
            with open(stem + ".mess", "rb") as f:
                out.append((f.read(), parts[0][1:], [p[1:] for p in parts[1:-2]], vars))
        return out

    def smtp(self, args=(), **env):
        return Smtp(self, args, env)

    def server(self, args, log):
        """The resident server with these arguments."""
        key = tuple(args)
        if key not in self.servers:
            self.servers[key] = Resident(self, args, log)
        return self.servers[key]

    def close(self):
        for server in self.servers.values():
            server.close()
        super().close()


class Resident:
    """qmail-smtpd -W, with us in tcpserver's place."""

    def __init__(self, root, args, log):
        self.control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(20)
        self.root = root
        self.rules = set()
        cdb = root.path(f"rules{len(root.servers)}.cdb")
        self.env = root.env(TCPRULES=cdb, **root.process_env)
        self.p = root.spawn([getattr(root, "program", "qmail-smtpd"), "-W", *args], env=self.env, stdin=other, stdout=other, stderr=log)
        other.close()
        self.last = 10000000
        self.over = set()

    def allow(self, variables):
        """What a connection brings with it is in rules of tcpserver, or it is not believed."""
        quote = lambda v: next(c for c in '"|/!' if c not in v)
        new = {f"{k}={quote(v)}{v}{quote(v)}".replace("\n", "") for k, v in variables.items() if self.env.get(k) != v and not k.startswith("TCP")} - self.rules
        if not new:
            return
        self.rules |= new
        text = "".join(f"=h{n}:allow,{var}\n" for n, var in enumerate(sorted(self.rules)))
        subprocess.run([os.path.join(BIN, "tcprules"), self.env["TCPRULES"], self.env["TCPRULES"] + ".tmp"], input=text.encode(), check=True)

    def hand(self, connection, variables):
        self.allow(variables)
        self.last += 1
        message = b"%d\0" % self.last + b"".join(f"{k}={v}\0".encode() for k, v in variables.items())
        socket.send_fds(self.control, [message], [connection.fileno()])
        return self.last

    def wait(self, number, timeout):
        self.control.settimeout(timeout)
        while number not in self.over:
            self.over |= {int(n) for n in self.control.recv(65536).split(b"\0") if n}

    def close(self):
        self.control.close()
        self.p.wait(20)


class Smtp:
    """One session. cmd() sends a line and gives (code, [texts])."""

    def __init__(self, root, args, env):
        with socket.socket() as l:
            l.bind(("127.0.0.1", 0))
            l.listen(1)
            self.sock = socket.create_connection(l.getsockname())
            served, _ = l.accept()
        self.sock.settimeout(20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = b""
        self.log = open(root.path("smtpd.log"), "a+b")
        self.log.seek(0, 2)
        self.mark = self.log.tell()
        vars = dict(TCPREMOTEIP="192.0.2.7", TCPREMOTEHOST="client.example.net", TCPLOCALIP="127.0.0.1",
                    TCPLOCALHOST="mail.example.com", TCPLOCALPORT="25", PENALTY="0", QMAILQUEUE=root.queue,
                    QQ_DIR=root.path("qq"))
        vars.update(env)
        self.server = None
        if root.resident:
            self.server = root.server(args, self.log)
            self.p = self.server.p
            self.number = self.server.hand(served, root.env(**vars))
        else:
            self.p = root.spawn([getattr(root, "program", "qmail-smtpd"), *args], env=root.env(**vars), stdin=served, stdout=served, stderr=self.log)
            self.number = self.p.pid
        served.close()

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        while b"\n" not in self.buf:
            got = self.sock.recv(65536)
            if not got:
                raise EOFError(self.buf)
            self.buf += got
        line, self.buf = self.buf.split(b"\n", 1)
        assert line.endswith(b"\r"), line
        return line[:-1].decode("latin-1")

    def reply(self):
        texts = []
        while True:
            line = self.line()
            texts.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), texts

    def cmd(self, text):
        self.send(text.encode("latin-1") + b"\r\n")
        return self.reply()

    def hello(self):
        assert self.reply()[0] == 220
        return self.cmd("EHLO tester.example")[1]

    def starttls(self, **kw):
        code, text = self.cmd("STARTTLS")
        assert code == 220, (code, text)
        self.secure(**kw)

    def secure(self, name="mail.example.com", context=None):
        if context is None:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=name)

    def ended(self):
        """The server hung up (and said no more)."""
        try:
            return not self.buf and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def logged(self):
        """When no more comes: a reply goes out before the line about it."""
        before, text = None, b""
        while before != text:
            before = text
            time.sleep(0.02)
            with open(self.log.name, "rb") as f:
                f.seek(self.mark)
                text = f.read()
        lines = text.decode().splitlines(True)
        return "".join(l for l in lines if "WARNING: ASan doesn't fully support makecontext" not in l)  # once, of a sanitizer

    def exits(self, code):
        """The session ends, and with this exit code if it has a process of its own."""
        if self.server:
            self.server.wait(self.number, 10)
            return True
        return self.p.wait(10) == code

    def close(self):
        self.sock.close()
        self.log.close()
        return self.server.wait(self.number, 20) if self.server else self.p.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def plain(user, password, authz=""):
    return base64.b64encode(f"{authz}\0{user}\0{password}".encode()).decode()


def b64(text):
    return base64.b64encode(text.encode()).decode()
