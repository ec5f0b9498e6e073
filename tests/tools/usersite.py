"""A site with virtual users for box tests: domains, users, inlookup, deliveries, logins."""
import base64, glob, hashlib, hmac, imaplib, os, poplib, re, resource, signal, socket, sqlite3, ssl, struct, subprocess, threading, time
from box import Root, wait_for

# The hash of "secret", so that tests do not spend their time hashing.
HASH = "$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/"


class UserSite(Root):
    """privileged: run by root, our programs run as root and work as the account nobody; else
    (and for everybody else) as an ordinary user."""

    def __init__(self, privileged=False, domain="example.com"):
        super().__init__(unprivileged=not privileged)
        if self.ids:
            os.chown(self.dir, 65534, 65534)
        self.lookup = None
        self.domain = domain

    def env(self, **extra):
        return super().env(**{"INDIMAILUSER": "nobody", **extra})

    def ok(self, *argv, input=b"", **kw):
        """Run a program that must succeed; its standard output."""
        p = self.run(list(argv), input=input, **kw)
        if p.returncode != 0:
            raise AssertionError(f"{argv} ended with {p.returncode}: {p.stderr.decode()}")
        return p.stdout.decode()

    def add_domain(self, domain=None, *options):
        self.ok("vadddomain", "-e", *options, domain or self.domain, "-", input=HASH.encode() + b"\n")

    def add_user(self, name, *options):
        address = name if "@" in name else f"{name}@{self.domain}"
        self.ok("vadduser", "-e", *options, address, "-", input=HASH.encode() + b"\n")
        return address

    def start_lookup(self, *options, files=None, **env):
        self.log = open(self.path("inlookup.log"), "ab")
        before = self.logged().count("ready")
        self.lookup = self.spawn(["inlookup", "-v", *options], env=self.env(**env), stderr=self.log,
                                 preexec_fn=files and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))))
        wait_for(lambda: self.logged().count("ready") > before or self.lookup.poll() is not None, what="inlookup")
        if self.lookup.poll() is not None:
            raise AssertionError(open(self.path("inlookup.log")).read())
        return self.lookup

    def logged(self):
        return open(self.path("inlookup.log"), errors="replace").read()

    def workers(self):
        """Process ids of inlookup's workers."""
        found = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                fields = open(path).read().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == self.lookup.pid and fields[0] != "Z":
                found.append(int(path.split("/")[2]))
        return sorted(found)

    def query(self, op, address, *args, password=None, **kw):
        """(exit code, lines of the answer)"""
        p = self.run(["inquerytest", "-q", op, address, *args], input=(password or "").encode() + b"\n", **kw)
        return p.returncode, p.stdout.decode().splitlines()

    def checker(self, argv, data, ids=None, **env):
        """Run a program that reads descriptor 3, with these bytes there."""
        argv = [os.path.join(self.bin, argv[0]) if "/" not in argv[0] else argv[0], *argv[1:]]
        r, w = os.pipe()
        os.write(w, data)
        os.close(w)
        try:
            return subprocess.run(["sh", "-c", 'exec 3<&0 0</dev/null; exec "$@"', "sh", *argv], env=self.env(**env), stdin=r,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, **(self.ids if ids is None else ids))
        finally:
            os.close(r)

    def db_path(self):
        return self.path("userdb", "users.db")

    def sql(self, text, *values):
        with sqlite3.connect(self.db_path(), timeout=10) as db:
            rows = db.execute(text, values).fetchall()
        db.close()
        if self.ids:
            for p in glob.glob(self.db_path() + "*"):
                os.chown(p, 65534, 65534)
        return rows

    def home(self, address):
        for line in self.ok("vuserinfo", "-d", address).splitlines():
            if line.startswith("dir"):
                return line.split(": ", 1)[1].split(" (")[0]

    def deliver(self, ext, message=b"Subject: x\n\nhello\n", action="bounce-no-mailbox", host=None, **env):
        """Run vdelivermail as qmail-local does."""
        host = host or self.domain
        e = self.env(EXT=ext, HOST=host, SENDER="sender@example.net", LOCAL=f"{host}-{ext}",
                     RPLINE="Return-Path: <sender@example.net>\n", DTLINE=f"Delivered-To: {host}-{ext}@{host}\n", **env)
        with open(self.path("message"), "wb") as f:
            f.write(message)
        with open(self.path("message"), "rb") as f:
            return self.run(["vdelivermail", "", action], env=e, stdin=f)

    def mails(self, address):
        return [open(p, "rb").read() for p in sorted(glob.glob(self.home(address) + "/Maildir/new/*"))]

    def certificate(self):
        path = self.path("certs", "servercert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                        path + ".key", "-out", path + ".crt"], check=True, stderr=subprocess.DEVNULL)
        with open(path, "w") as f:
            f.write(open(path + ".crt").read() + open(path + ".key").read())
        os.chmod(path, 0o644)
        return path + ".crt"

    def listen(self, program, *server, **env):
        """A port where each connection gets a login program, as tcpserver would start it."""
        service = LoginService(self, [program, *server], env)
        self.services = getattr(self, "services", []) + [service]
        return service

    def close(self):
        for s in getattr(self, "services", []):
            s.close()
        self.end_file_monitors()
        super().close()
        if self.lookup:
            self.log.close()

    def end_file_monitors(self):
        """Courier's imapd starts gam_server, which outlives it: end those that are ours."""
        for path in glob.glob("/proc/[0-9]*/environ"):
            pid = int(path.split("/")[2])
            try:
                exe, environ = os.readlink(f"/proc/{pid}/exe"), open(path, "rb").read()
            except OSError:
                continue
            if exe.endswith("gam_server") and self.dir.encode() in environ:
                os.kill(pid, signal.SIGTERM)


class LoginService:
    def __init__(self, site, argv, env):
        self.site, self.argv, self.extra = site, argv, env
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.log = open(site.path("login.log"), "ab")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                c, peer = self.sock.accept()
            except OSError:
                return
            env = self.site.env(**{"TCPREMOTEIP": peer[0], "TCPREMOTEPORT": str(peer[1]), "TCPLOCALIP": "127.0.0.1",
                                   "TCPLOCALPORT": str(self.port), "PROTO": "TCP", "PENALTY": "0", **self.extra})
            self.site.spawn(self.argv, env=env, stdin=c, stdout=c, stderr=self.log)
            c.close()

    def logged(self):
        return open(self.site.path("login.log"), errors="replace").read()

    def imap(self, tls=None):
        if tls:
            return imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=tls, timeout=20)
        return imaplib.IMAP4("127.0.0.1", self.port, timeout=20)

    def pop3(self, tls=None):
        if tls:
            return poplib.POP3_SSL("127.0.0.1", self.port, context=tls, timeout=20)
        return poplib.POP3("127.0.0.1", self.port, timeout=20)

    def raw(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return Raw(s)

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join(5)
        self.log.close()


class Raw:
    """A connection driven byte by byte."""

    def __init__(self, s):
        self.s, self.f = s, s.makefile("rb")

    def send(self, data):
        self.s.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        return self.f.readline().decode(errors="replace").rstrip("\r\n")

    def until(self, tag):
        """Lines up to the one that begins with tag, which is the last."""
        lines = []
        while True:
            lines.append(self.line())
            if not lines[-1] or lines[-1].startswith(tag):
                return lines

    def close(self):
        self.f.close()
        self.s.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def totp_code(secret, later=0):
    """The code (RFC 6238) a phone shows so many half minutes from now."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30 + later), hashlib.sha1).digest()
    at = mac[19] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def totp_secret(site, address):
    """A secret for this user, set up as with a phone."""
    p = site.spawn(["vtotp", "-a", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    secret = re.search(rb"secret=([A-Z2-7]+)", p.stdout.readline())[1].decode()
    p.stdin.write(totp_code(secret).encode() + b"\n")
    p.stdin.close()
    if p.wait(20) != 0:
        raise AssertionError(f"vtotp ended with {p.returncode}")
    return secret


def client_context(ca):
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    return context
