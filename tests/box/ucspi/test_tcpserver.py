"""tcpserver: environment, rules, limits, log; tcprules and tcprulescheck."""
import os, re, signal, socket, unittest

from box import BIN, Root, wait_for
from tcpsite import TcpserverCase

HAVE_V6 = socket.has_ipv6 and os.path.exists("/proc/net/if_inet6") and "00000000000000000000000000000001" in \
    open("/proc/net/if_inet6").read()


class TcpserverTest(TcpserverCase):
    def test_environment(self):
        env = self.root.env(TCPREMOTEINFO="stale", TCPREMOTEHOST="stale", PROTO="stale", TCP6REMOTEIP="stale", OTHER="kept")
        self.serve(env=env)
        e = self.environment()
        self.assertEqual({k: v for k, v in e.items() if k.startswith(("TCP", "PROTO", "OTHER"))},
                         {"PROTO": "TCP", "TCPLOCALIP": "127.0.0.1", "TCPLOCALPORT": str(self.port),
                          "TCPLOCALHOST": "me.example", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": e["port"],
                          "OTHER": "kept"})

    def test_descriptors(self):
        """The program gets the connection as 0 and 1, our fd 2, and nothing else."""
        self.serve(program=["ls", "-l", "/proc/self/fd"])
        s = self.connect()
        text = b"".join(iter(lambda: s.recv(4096), b"")).decode()
        fds = {l.split()[8]: l.split()[10] for l in text.strip().split("\n") if "->" in l}
        self.assertEqual(fds["0"], fds["1"])
        self.assertTrue(fds["0"].startswith("socket:"))
        self.assertEqual(sorted(fds)[:4], ["0", "1", "2", "3"])  # 3 is ls reading the directory
        self.assertTrue(fds["3"].startswith("/proc"))
        self.assertEqual(len(fds), 4)

    def test_log(self):
        self.serve(program=["sh", "-c", "exit 3"])
        s = self.connect()
        port = s.getsockname()[1]
        wait_for(lambda: "end" in self.log() and self.log().count("status: 0/40") == 2, what="the end")
        pid = re.search(r"pid (\d+)", self.log()).group(1)
        self.assertEqual(self.log().split("\n"), [
            "tcpserver: status: 0/40", "tcpserver: status: 1/40", f"tcpserver: pid {pid} from 127.0.0.1",
            f"tcpserver: ok {pid} me.example:127.0.0.1:{self.port} :127.0.0.1::{port}",
            f"tcpserver: end {pid} status {3 << 8}", "tcpserver: status: 0/40", ""])

    def test_rules(self):
        self.serve("-x", self.rules('127.0.0.1:allow,RELAYCLIENT="",OTHER="rule"\n127.0.0.2:deny\n127.0.0.8/30:deny\n'
                                    '127.0.0.20-22:deny\n:allow,X="default"\n'), env=self.root.env(OTHER="mine"))
        e = self.environment()
        self.assertEqual((e["RELAYCLIENT"], e["OTHER"], e.get("X")), ("", "rule", None))
        e = self.environment(source="127.0.0.3")
        self.assertEqual((e.get("RELAYCLIENT"), e["OTHER"], e["X"]), (None, "mine", "default"))
        for denied in ("127.0.0.2", "127.0.0.8", "127.0.0.11", "127.0.0.21"):
            self.assertIsNone(self.environment(source=denied), denied)
        for allowed in ("127.0.0.7", "127.0.0.12", "127.0.0.23"):
            self.assertEqual(self.environment(source=allowed)["X"], "default", allowed)
        self.assertRegex(self.log(), r"(?m)^tcpserver: deny 0 me.example:127.0.0.1:\d+ :127.0.0.2::\d+$")
        self.rules(":deny\n")  # a new file counts at once
        self.assertIsNone(self.environment())

    def test_rules_missing(self):
        self.serve("-x", self.root.path("tcp/none.cdb"))
        self.assertIsNone(self.environment())
        self.assertIn("warning: unable to read", self.log())
        self.server.terminate()
        self.serve("-X", "-x", self.root.path("tcp/none.cdb"))
        self.assertIsNotNone(self.environment())

    def test_rules_damaged(self):
        path = self.rules(":allow\n")
        with open(path, "r+b") as f:
            f.truncate(100)
        self.serve("-x", path)
        self.assertIsNone(self.environment())

    def test_limit(self):
        limit = self.root.path("limit")
        with open(limit, "w") as f:
            f.write("2\n")
        self.serve("-c", limit, "-C", "0", program=["sh", "-c", "echo in; cat"])
        conns = [self.connect() for _ in range(4)]
        for s in conns[:2]:
            self.assertEqual(s.recv(10), b"in\n")
        conns[2].settimeout(0.2)
        self.assertRaises(TimeoutError, conns[2].recv, 10)  # it waits, and is not refused
        conns[0].close()
        conns[2].settimeout(10)
        self.assertEqual(conns[2].recv(10), b"in\n")
        with open(limit, "w") as f:
            f.write("3\n")
        self.server.send_signal(signal.SIGHUP)
        self.assertEqual(conns[3].recv(10), b"in\n")
        wait_for(lambda: "status: 3/3" in self.log(), what="three connections in the log")
        with open(limit, "w") as f:
            f.write("many\n")
        self.server.send_signal(signal.SIGHUP)
        wait_for(lambda: "not a number" in self.log(), what="the complaint")
        self.assertIsNone(self.server.poll())

    def test_limit_for_one_address(self):
        self.serve("-C", "1", "-x", self.rules('127.0.0.5:allow,MAXPERIP="2"\n:allow\n'), program=["sh", "-c", "echo in; cat"])
        first = self.connect()
        self.assertEqual(first.recv(10), b"in\n")
        self.assertEqual(self.connect().recv(10), b"")
        wait_for(lambda: "tcpserver: deny 0" in self.log(), what="its line in the log")
        for _ in range(2):
            self.assertEqual(self.connect(source="127.0.0.5").recv(10), b"in\n")
        self.assertEqual(self.connect(source="127.0.0.5").recv(10), b"")
        first.close()
        wait_for(lambda: "end" in self.log(), what="the end")
        self.assertEqual(self.connect().recv(10), b"in\n")

    def test_limit_everywhere(self):
        """Two servers count together; a connection that is over counts no more, nor does what a killed server had."""
        program = ["sh", "-c", "echo in; cat"]
        rules = self.rules('127.0.0.6:allow,MAXPERIP_ALL="1"\n127.0.0.7:allow,MAXPERIP_ALL="0"\n:allow\n')
        self.serve("-A", "3", "-x", rules, program=program)
        first, port = self.server, self.port
        self.serve("-A", "3", "-C", "10", "-x", rules, program=program)
        ports = (port, self.port)

        def connect(which, source=None):
            self.port = ports[which]
            s = self.connect(source=source)
            return s, s.recv(10) == b"in\n"

        held = [connect(which) for which in (0, 0, 1)]
        self.assertEqual([ok for _, ok in held], [True] * 3)
        self.assertEqual([connect(which)[1] for which in (0, 1)], [False, False])
        self.assertEqual([connect(which, "127.0.0.5")[1] for which in (0, 1, 0, 1)], [True, True, True, False])
        self.assertEqual([connect(which, "127.0.0.6")[1] for which in (0, 1)], [True, False])
        self.assertEqual([connect(which, "127.0.0.7")[1] for which in (0, 1, 0, 1)], [True] * 4)
        held[0][0].close()
        again = wait_for(lambda: next((s for s, ok in [connect(1)] if ok), None), what="room")
        self.assertFalse(connect(0)[1])
        first.kill()
        first.wait()
        self.assertTrue(connect(1)[1])
        again.close()

    def test_no_counting(self):
        """A table that cannot be used keeps nobody out."""
        os.mkdir(self.root.path("run", "connections"))
        self.serve("-A", "1", program=["sh", "-c", "echo in; cat"])
        for _ in range(3):
            self.assertEqual(self.connect().recv(10), b"in\n")
        self.assertIn("-A is without effect: unable to open ", self.log())

    def test_term_leaves_connections(self):
        self.serve(program=["cat"])
        s = self.connect()
        s.sendall(b"a")
        self.assertEqual(s.recv(1), b"a")
        self.server.terminate()
        self.assertEqual(self.server.wait(10), 0)
        s.sendall(b"b")
        self.assertEqual(s.recv(1), b"b")
        self.assertRaises(ConnectionRefusedError, self.connect)

    def test_table(self):
        self.serve(program=["cat"])
        s = self.connect()
        s.sendall(b"a")
        s.recv(1)
        self.server.send_signal(signal.SIGUSR1)
        wait_for(lambda: re.search(rf"(?m)^tcpserver: conn \d+ 127.0.0.1:{s.getsockname()[1]}$", self.log()), what="the table")

    def test_banner(self):
        for fast in (True, False):
            self.serve("-B", "220 hello\r\n", *([] if fast else ["-HR"]), program=["cat"], fast=fast)
            s = self.connect()
            self.assertEqual(s.recv(100), b"220 hello\r\n")
            self.server.terminate()

    def test_program_missing(self):
        self.serve(program=["no-such-program-here"])
        self.assertIsNone(self.environment())
        self.assertIn("no-such-program-here", self.log())
        self.assertIsNone(self.server.poll())

    @unittest.skipUnless(HAVE_V6, "no IPv6 on this host")
    def test_ipv6(self):
        self.serve("-x", self.rules('2001:db8::/32:deny\n::1:allow,SIX="yes"\n127.:allow,FOUR="yes"\n:deny\n'), host="0")
        e = self.environment(host="::1")
        self.assertEqual((e["PROTO"], e["TCPREMOTEIP"], e["TCP6REMOTEIP"], e["TCP6LOCALIP"], e["SIX"]),
                         ("TCP6", "::1", "::1", "::1", "yes"))
        self.assertEqual((e["TCP6LOCALPORT"], e["TCP6REMOTEPORT"], e["TCP6INTERFACE"]), (str(self.port), e["port"], ""))
        e = self.environment()  # IPv4 on the same socket
        self.assertEqual((e["PROTO"], e["TCPREMOTEIP"], e["FOUR"]), ("TCP", "127.0.0.1", "yes"))
        self.assertNotIn("TCP6REMOTEIP", e)
        self.server.terminate()
        self.serve("-6", host="::1")
        self.assertEqual(self.environment(host="::1")["PROTO"], "TCP6")
        self.server.terminate()
        self.serve("-4", host="0")
        self.assertRaises(ConnectionRefusedError, self.connect, "::1")

    def test_unix_socket(self):
        path, pidfile = self.root.path("run/sock"), self.root.path("run/pid")
        argv = ["tcpserver", "-e", pidfile, path, "sh", "-c", "echo $PROTO$TCPREMOTEIP; cat"]
        p = self.root.spawn(argv)
        s = wait_for(lambda: self.unix(path), what="the socket")
        self.assertEqual(s.recv(100), b"UNIX\n")
        with open(pidfile) as f:
            self.assertEqual(f.read(), f"{p.pid}\n")
        self.assertEqual(self.root.run(argv).returncode, 111)  # one at a time
        p.kill()
        p.wait()
        self.root.spawn(argv)  # takes the stale socket away
        s = wait_for(lambda: self.unix(path), what="the second server")
        self.assertEqual(s.recv(100), b"UNIX\n")

    def unix(self, path):
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.settimeout(10)
        return s if s.connect_ex(path) == 0 else None

    @unittest.skipIf(os.geteuid(), "only root changes users")
    def test_user(self):
        self.serve("-u", "nobody", "-g", "mail,7", program=["sh", "-c", "id -u; id -g; id -G; cat /proc/$PPID/status"])
        s = self.connect()
        text = b"".join(iter(lambda: s.recv(4096), b"")).decode().split("\n")
        self.assertEqual(text[:2], ["65534", "8"])
        self.assertEqual(sorted(map(int, text[2].split())), [7, 8, 65534])
        self.assertIn("Uid:\t65534\t65534\t65534\t65534", text)  # the listener too
        self.server.terminate()
        self.serve("-U", program=["sh", "-c", "id -u; id -g"], env=self.root.env(UID="12345", GID="54321"))
        s = self.connect()
        self.assertEqual(b"".join(iter(lambda: s.recv(4096), b"")), b"12345\n54321\n")

    def test_setup_errors(self):
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for argv in (["127.0.0.1", port], ["127.0.0.1", "no-such-service"], ["-u", "no-such-user-x", "127.0.0.1", "0"],
                     ["-g", "no-such-group-x", "127.0.0.1", "0"], ["-c", self.root.path("none"), "127.0.0.1", "0"],
                     ["/no/such/dir/sock"]):
            p = self.root.run(["tcpserver", *argv, "true"])
            self.assertEqual((p.returncode, p.stderr.count(b"\n")), (111, 1), argv)

    def test_usage(self):
        for argv in (["tcpserver"], ["tcpserver", "0", "0"], ["tcpserver", "-Z", "0", "0", "true"], ["tcpserver", "/sock"],
                     ["tcpserver", "-C", "x", "0", "0", "true"], ["tcprules", "x"], ["tcprulescheck"],
                     ["tcpserver-lookup"]):
            p = self.root.run(argv)
            self.assertEqual((p.returncode, p.stderr[:7], p.stderr.count(b"\n")), (100, b"usage: ", 1), argv)


class ResidentTest(TcpserverCase):
    """tcpserver -W with the one program that knows it."""

    def setUp(self):
        super().setUp()
        self.root.control("rcpthosts", "example.com\n")

    def hello(self, s):
        s.settimeout(10)
        f = s.makefile("rwb", 0)
        return f.readline(), f

    def resident(self, n=2, *options, **kw):
        return self.serve("-W", str(n), *options, program=[os.path.join(BIN, "qmail-smtpd")], **kw)

    def servers(self):
        with open(f"/proc/{self.server.pid}/task/{self.server.pid}/children") as f:
            return [int(p) for p in f.read().split()]

    def test_many_in_few_processes(self):
        self.resident(2, "-C", "0")
        open_ones = [self.connect() for _ in range(30)]
        for s in open_ones:
            greeting, f = self.hello(s)
            self.assertEqual(greeting, b"220 mail.example.com ESMTP\r\n")
            f.write(b"QUIT\r\n")
            self.assertEqual(f.readline()[:3], b"221")
        self.assertEqual(len(self.servers()), 2)
        wait_for(lambda: "status: 0/40" in self.log(), what="all to be over")
        wait_for(lambda: self.log().count(" status 0\n") == 30, what="the last one's line in the log")

    def test_rules_reach_the_session(self):
        rules = self.rules('127.0.0.1:allow,RELAYCLIENT=""\n127.0.0.2:deny\n127.:allow,DATABYTES="7"\n')
        self.resident(1, "-x", rules)
        for source, mail, rcpt in (("127.0.0.1", b"250", b"250"), ("127.0.0.3", b"552", b"503")):
            greeting, f = self.hello(self.connect(source=source))
            f.write(b"EHLO x\r\n")
            while f.readline()[3:4] == b"-":
                pass
            f.write(b"MAIL FROM:<a@b.example> SIZE=9\r\n")
            self.assertEqual(f.readline()[:3], mail)
            f.write(b"RCPT TO:<a@elsewhere.example>\r\n")
            self.assertEqual(f.readline()[:3], rcpt)
        self.assertEqual(self.hello(self.connect(source="127.0.0.2"))[0], b"")

    def test_limit_for_one_address(self):
        self.resident(1, "-C", "2")
        first, second = self.connect(), self.connect()
        self.assertTrue(self.hello(first)[0] and self.hello(second)[0])
        self.assertEqual(self.hello(self.connect())[0], b"")
        first.close()
        wait_for(lambda: " status 0\n" in self.log(), what="the first to be over")
        self.assertTrue(self.hello(self.connect())[0])

    def test_server_dies(self):
        self.resident(1)
        s = self.connect()
        self.hello(s)
        dead = self.servers()
        os.kill(dead[0], signal.SIGKILL)
        self.assertEqual(s.recv(1), b"")
        wait_for(lambda: [p for p in self.servers() if p not in dead], what="another server")
        wait_for(lambda: " status 9\n" in self.log(), what="its line in the log")
        self.assertTrue(self.hello(self.connect())[0])

    def test_term_leaves_connections(self):
        self.resident(1)
        s = self.connect()
        _, f = self.hello(s)
        pid = self.servers()[0]
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(10), 0)
        f.write(b"NOOP\r\n")
        self.assertEqual(f.readline()[:3], b"250")
        f.write(b"QUIT\r\n")
        self.assertEqual(f.readline()[:3], b"221")
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"), what="the server to end with its last connection")

    def test_lookups_are_refused(self):
        p = self.root.run(["tcpserver", "-W", "1", "127.0.0.1", "0", "true"])
        self.assertEqual(p.returncode, 100)

    def test_program_that_does_not_know(self):
        """It ends at once, again and again: connections are closed, nothing spins or crashes."""
        self.serve("-W", "1", program=["false"])
        wait_for(lambda: "resident server ended" in self.log(), what="the complaint")
        try:
            self.assertEqual(self.connect().recv(1), b"")
        except ConnectionResetError:
            pass
        self.assertLess(self.log().count("resident server ended"), 5)


class RulesTest(unittest.TestCase):
    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)
        self.cdb = self.root.path("r.cdb")

    def compile(self, text):
        return self.root.run(["tcprules", self.cdb, self.cdb + ".tmp"], input=text)

    def check(self, **who):
        return self.root.run(["tcprulescheck", self.cdb], env=self.root.env(**who)).stdout.decode()

    def test_check(self):
        p = self.compile(b'# rules\n\n1.2.3.4:allow,A="1",B=\'x y\'\n1.2.:deny\n=.example.com:allow,H="1"\n')
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        self.assertEqual(self.check(TCPREMOTEIP="1.2.3.4"),
                         "rule 1.2.3.4:\nset environment variable A=1\nset environment variable B=x y\nallow connection\n")
        self.assertEqual(self.check(TCPREMOTEIP="1.2.9.9"), "rule 1.2.:\ndeny connection\n")
        self.assertEqual(self.check(TCPREMOTEIP="3.3.3.3"), "default:\nallow connection\n")
        self.assertEqual(self.check(TCPREMOTEIP="3.3.3.3", TCPREMOTEHOST="a.example.com"),
                         "rule =.example.com:\nset environment variable H=1\nallow connection\n")
        self.assertEqual(self.root.run(["tcprulescheck", self.root.path("none")]).returncode, 111)

    def test_bad_line_leaves_the_old_file(self):
        self.compile(b":deny\n")
        p = self.compile(b":allow\n1.2.3.4:alow\n")
        self.assertEqual((p.returncode, p.stderr.count(b"\n")), (100, 1))
        self.assertIn(b"line 2: ", p.stderr)
        self.assertEqual(self.check(TCPREMOTEIP="1.1.1.1"), "rule :\ndeny connection\n")

    def test_last_line_without_end(self):
        self.compile(b":deny")
        self.assertEqual(self.check(), "rule :\ndeny connection\n")


if __name__ == "__main__":
    unittest.main()
