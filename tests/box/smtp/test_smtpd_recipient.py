"""RCPT and the user database: what inlookup says, and what it cannot say."""
import os, socket, threading, unittest
from box import wait_for
from smtpd import SmtpRoot

M = "MAIL FROM:<s@example.net>"


def netstring(b):
    return b"%d:%s," % (len(b), b)


def fields(b):
    out = []
    while b:
        n, rest = b.split(b":", 1)
        out.append(rest[:int(n)])
        b = rest[int(n) + 1:]
    return out


class FakeInlookup:
    """Answers from a dictionary {(op, argument): [status, field...]}; other addresses are none."""

    def __init__(self, root, answers):
        self.answers, self.asked, self.open = answers, [], 0
        os.makedirs(root.path("run", "inlookup"), exist_ok=True)
        self.path = root.path("run", "inlookup", "socket")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        self.sock.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        self.open += 1
        with c:
            data = b""
            while True:
                got = c.recv(4096)
                if not got:
                    break
                data += got
                n, rest = data.split(b":", 1) if b":" in data else (b"99999", b"")
                if len(rest) <= int(n):
                    continue
                _, op, *args = fields(rest[:int(n)])
                data = rest[int(n) + 1:]
                key = (op.decode(), args[0].decode())
                self.asked.append(key)
                a = self.answers.get(key, ["none"])
                if a == "HANG UP":
                    break
                if a == "SILENCE":
                    continue
                c.sendall(netstring(b"".join(netstring(x.encode()) for x in ["IL1", *a])))
        self.open -= 1

    def close(self):
        self.sock.close()
        os.unlink(self.path)


ANSWERS = {
    ("user", "joe@virt.example"): ["ok", "active"], ("user", "list@virt.example"): ["ok", "alias"],
    ("user", "gone@virt.example"): ["ok", "inactive"], ("user", "full@virt.example"): ["ok", "overquota"],
    ("user", "sick@virt.example"): ["temporary", "database is down"], ("user", "cut@virt.example"): "HANG UP",
    ("user", "mute@virt.example"): "SILENCE", ("user", "odd@virt.example"): ["ok", "purple"],
    ("domain", "virt.example"): ["ok", "virt.example"], ("domain", "sub.virt.example"): ["none"],
}


class Recipient(unittest.TestCase):
    resident = False

    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)
        self.root.control("rcpthosts", "virt.example\n.virt.example\nhost.example\nbackup.example\n")
        self.root.control("locals", "host.example\n")
        self.root.control("virtualdomains", "virt.example:virt.example\n.virt.example:x\nhost.example:x\npass@virt.example:alias\n")
        self.root.control("timeoutread", "1\n")

    def fake(self, answers=ANSWERS):
        f = FakeInlookup(self.root, answers)
        self.addCleanup(f.close)
        return f

    def rcpt(self, s, addr):
        code, text = s.cmd(f"RCPT TO:<{addr}>")
        return f"{code} {text[0]}"[:9]

    def test_answers(self):
        f = self.fake()
        with self.root.smtp(CHECKRECIPIENT="1") as s:
            s.hello()
            s.cmd(M)
            for addr, want in (("joe@virt.example", "250 2.1.5"), ("list@virt.example", "250 2.1.5"), ("gone@virt.example", "550 5.2.1"),
                               ("full@virt.example", "552 5.2.2"), ("nobody@virt.example", "550 5.1.1"),
                               ("sick@virt.example", "451 4.3.0"), ("cut@virt.example", "451 4.3.0"), ("mute@virt.example", "451 4.3.0"),
                               ("odd@virt.example", "451 4.3.0"),
                               ("joe@virt.example", "250 2.1.5")):  # one refusal leaves nothing behind
                self.assertEqual(self.rcpt(s, addr), want, addr)
            self.assertIn("lookup recipient failed: inlookup: database is down", s.logged())
            # not asked about: an account of this host, a domain we pass on, one with a line of its own
            asked = len(f.asked)
            for addr in ("joe@host.example", "joe@backup.example", "pass@virt.example", "postmaster"):
                self.assertEqual(self.rcpt(s, addr), "250 2.1.5", addr)
            self.assertEqual(len(f.asked), asked)
            # virtual, and unknown to the database: not its business
            self.assertEqual(self.rcpt(s, "joe@sub.virt.example"), "250 2.1.5")
            self.assertEqual(s.cmd("RSET")[0], 250)
            # a resident server keeps one, for all its sessions
            wait_for(lambda: f.open <= self.resident, what="its connections to be given back")

    def test_domains(self):
        """chkrcptdomains says whose recipients are looked up."""
        f = self.fake()
        self.root.control("chkrcptdomains", "other.example\n")
        with self.root.smtp(CHECKRECIPIENT="1") as s:
            s.hello()
            s.cmd(M)
            self.assertEqual(self.rcpt(s, "nobody@virt.example"), "250 2.1.5")
        self.root.control("chkrcptdomains", "virt.example\n")
        with self.root.smtp(CHECKRECIPIENT="1") as s:
            s.hello()
            s.cmd(M)
            self.assertEqual(self.rcpt(s, "nobody@virt.example"), "550 5.1.1")
        self.assertEqual(f.asked, [("user", "nobody@virt.example"), ("domain", "virt.example")])

    def test_not_asked(self):
        """Without CHECKRECIPIENT there is no need of inlookup at all."""
        with self.root.smtp() as s:
            s.hello()
            s.cmd(M)
            self.assertEqual(self.rcpt(s, "nobody@virt.example"), "250 2.1.5")

    def test_down(self):
        """No daemon is no answer; the rest of the session goes on."""
        with self.root.smtp(CHECKRECIPIENT="1") as s:
            s.hello()
            s.cmd(M)
            self.assertEqual(self.rcpt(s, "joe@virt.example"), "451 4.3.0")
            self.assertEqual(self.rcpt(s, "joe@host.example"), "250 2.1.5")
            self.assertEqual(s.cmd("DATA")[0], 354)
            s.send(b".\r\n")
            self.assertEqual(s.reply()[0], 250)
        self.assertEqual(self.root.messages()[0][2], [b"joe@host.example"])


    def compile(self, name, lines):
        with open(self.root.path("users", name), "w") as f:
            f.write(lines)
        p = self.root.run(["recipient-cdb", name])
        self.assertEqual(p.returncode, 0, p.stderr)

    def verdicts(self, how, wants):
        with self.root.smtp(CHECKRECIPIENT=how) as s:
            s.hello()
            s.cmd(M)
            for addr, want in wants:
                self.assertEqual(self.rcpt(s, addr)[:len(want)], want, (how, addr))
            return s.logged()

    def test_recipients_file(self):
        """3: control/recipients, in all its forms; without it users/recipients.cdb."""
        self.root.control("rcpthosts", "a.example\n.a.example\nb.example\nc.example\nd.example\n")
        self.verdicts("3", [("joe@a.example", "451"), ("postmaster", "250")])  # there is no such database
        self.compile("recipients", "# all\nJoe@a.example\nx@b.example\n")
        self.verdicts("3", [("JOE@a.example", "250"), ("jim@a.example", "550 5.1.1"), ("joe-list@a.example", "250"), ("joe+x=y@a.example", "250"),
                            ("-joe@a.example", "550"), ("joexx@a.example", "550"), ("x@b.example", "250"), ("joe@sub.a.example", "550"),
                            ("joe@other.example", "553 5.7.1")])
        script = self.root.script("knows", "#!/bin/sh\na=$(tr '\\0' '!' <&3)\ncase $a in\nyes@c.example!!!) exit 0 ;;\nsick@*) exit 111 ;;\n"
                                           "dead@*) kill -9 $$ ;;\nesac\nexit 1\n")
        self.root.control("recipients", f"@a.example:users/recipients.cdb\nc.example|{script} one two\n!d.example\n@b.example:/nonexistent.cdb\n")
        self.verdicts("3", [("joe@a.example", "250"), ("jim@a.example", "550"), ("joe@sub.a.example", "550"), ("yes@c.example", "250"),
                            ("no@c.example", "550"), ("sick@c.example", "451"), ("dead@c.example", "451"), ("any@d.example", "250"), ("x@b.example", "451")])
        self.root.control("recipients", "a.example:users/recipients.cdb\n!*\n")
        self.compile("recipients", "joe@sub.a.example\n")
        self.verdicts("3", [("joe@sub.a.example", "250"), ("x@a.example", "250"), ("any@b.example", "250")])
        self.root.control("recipients", "users/recipients.cdb\n")
        self.root.control("chkrcptdomains", ".a.example\n")
        self.verdicts("3", [("jim@sub.a.example", "550"), ("any@a.example", "250"), ("any@b.example", "250")])

    def test_recipients_both(self):
        """2: the file, and whoever it does not know is asked for."""
        f = self.fake()
        self.compile("recipients", "listed@virt.example\njim@host.example\n")
        self.verdicts("2", [("listed@virt.example", "250"), ("joe@virt.example", "250"), ("nobody@virt.example", "550 5.1.1"), ("sick@virt.example", "451"),
                            ("gone@virt.example", "550 5.2.1"), ("jim@host.example", "250"), ("jan@host.example", "550 5.1.1")])
        self.assertNotIn(("user", "listed@virt.example"), f.asked)
        self.root.control("recipients", "@virt.example:users/recipients.cdb\n")
        self.verdicts("2", [("jan@host.example", "250"), ("any@backup.example", "250")])


class ResidentRecipient(Recipient):
    """All of it once more with a server that stays."""
    resident = True


if __name__ == "__main__":
    unittest.main()
