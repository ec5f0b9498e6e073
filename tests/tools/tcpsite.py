"""A tcpserver on a port of its own, for tests."""
import socket, subprocess, unittest

from box import Root

SHOW = ["sh", "-c", "env -0; echo; cat"]


class TcpserverCase(unittest.TestCase):
    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)

    def rules(self, text):
        path = self.root.path("tcp/rules")
        p = self.root.run(["tcprules", path + ".cdb", path + ".tmp"], input=text.encode())
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        return path + ".cdb"

    def serve(self, *options, host="127.0.0.1", program=SHOW, env=None, fast=True):
        """A server at a port of the system's choice; its log is in self.log()."""
        self.errors = open(self.root.path("log.txt"), "wb")
        self.addCleanup(self.errors.close)
        quick = ("-H", "-R", "-l", "me.example") if fast else ()
        self.server = self.root.spawn(["tcpserver", "-1v", *quick, *options, host, "0", *program], env=env,
                                      stdout=subprocess.PIPE, stderr=self.errors)
        line = self.server.stdout.readline()
        self.assertRegex(line, rb"^\d+\n$", self.log())
        self.port = int(line)
        return self.server

    def log(self):
        with open(self.root.path("log.txt")) as f:
            return f.read()

    def connect(self, host="127.0.0.1", source=None):
        s = socket.create_connection((host, self.port), 10, (source, 0) if source else None)
        self.addCleanup(s.close)
        return s

    def environment(self, **kw):
        """What the program sees; None when the connection was closed at once."""
        s = self.connect(**kw)
        try:
            s.shutdown(socket.SHUT_WR)
            text = b""
            while True:
                part = s.recv(65536)
                if not part:
                    break
                text += part
        except ConnectionResetError:
            return None
        if not text:
            return None
        e = dict(v.split("=", 1) for v in text.decode().strip("\n").split("\0") if v)
        e["port"] = str(s.getsockname()[1])
        return e
