"""What is kept of a password for SCRAM, and what inlookup tells and checks of it."""
import os, socket, unittest
from scram import Client, b64, column, keys
from usersite import UserSite

MECHANISMS = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def frame(*fields):
    content = b"".join(b"%d:%s," % (len(f), f) for f in (f.encode() for f in fields))
    return b"%d:%s," % (len(content), content)


def fields(message):
    out = []
    content = message.split(b":", 1)[1][:-1]
    while content:
        n, rest = content.split(b":", 1)
        out.append(rest[:int(n)].decode())
        content = rest[int(n) + 1:]
    return out


class Scram(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()

    def add(self, name, password):
        self.site.ok("vadduser", f"{name}@example.com", "-", input=password.encode() + b"\n")

    def stored(self, name):
        return column(self.site.sql("SELECT scram FROM users WHERE name = ?", name)[0][0])

    def ask(self, *arguments):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.site.path("run", "inlookup", "socket"))
            s.sendall(frame("IL1", *arguments))
            return fields(s.recv(65536))[1:]

    def login(self, name, password, mechanism="SCRAM-SHA-256", spoil=lambda p: p):
        c = Client(mechanism, name, password)
        status, salt, iterations = self.ask("scram-first", name, mechanism)
        self.assertEqual(status, "ok")
        c.final(f"r={c.nonce}{'x' * 30},s={salt},i={iterations}")
        answer = self.ask("scram-final", name, mechanism, "smtp", "192.0.2.1", c.signed, spoil(c.proof))
        if answer[0] == "ok":
            self.assertTrue(c.right("v=" + answer[1]))
            self.assertEqual(answer[2:4], ["joe", "example.com"])
        return answer[0]

    def test_in_step(self):
        self.add("joe", "secret")
        first = self.stored("joe")
        self.assertEqual(sorted(first), MECHANISMS)
        for mechanism, (iterations, salt, stored, server) in first.items():
            self.assertEqual((iterations, len(salt)), (10000, 16))
            self.assertEqual((stored, server), keys(mechanism, "secret", salt, iterations))
        self.assertEqual(len({salt for _, salt, _, _ in first.values()}), 3)
        self.site.control("scram_mechanisms", "SCRAM-SHA-256\n")
        self.site.control("scram_iterations", "4096\n")
        self.site.ok("vpasswd", "joe@example.com", "-", input=b"other\n")
        iterations, salt, stored, server = self.stored("joe")["SCRAM-SHA-256"]
        self.assertEqual((list(self.stored("joe")), iterations), (["SCRAM-SHA-256"], 4096))
        self.assertEqual((stored, server), keys("SCRAM-SHA-256", "other", salt, 4096))
        # of these nothing can be made
        self.site.ok("vpasswd", "joe@example.com", "-", input="geh\U0001f600m\n".encode())
        self.assertEqual(self.stored("joe"), {})
        self.site.ok("vpasswd", "joe@example.com", "-", input=b"other\n")
        self.site.ok("vpasswd", "-e", "joe@example.com", "-", input=b"$6$rounds=1000$saltsalt$x\n")
        self.assertEqual(self.stored("joe"), {})

    def test_settings(self):
        for file, text in (("scram_iterations", "4095\n"), ("scram_mechanisms", "SCRAM-MD5\n")):
            self.site.control(file, text)
            p = self.site.run(["vadduser", "joe@example.com", "-"], input=b"x\n")
            self.assertEqual(p.returncode, 100)
            self.assertIn(b"SCRAM", p.stderr)
            p = self.site.run(["inlookup"])
            self.assertEqual(p.returncode, 111)
            os.unlink(self.site.path("control", file))
        self.site.control("scram_mechanisms", "\n")
        self.add("joe", "secret")
        self.assertEqual(self.stored("joe"), {})

    def test_login(self):
        self.add("joe", "secret")
        self.site.start_lookup(DEFAULT_DOMAIN="example.com")
        for mechanism in MECHANISMS:
            for name in ("joe@example.com", "joe", "JOE@example.com"):
                self.assertEqual(self.login(name, "secret", mechanism), "ok")
            self.assertEqual(self.login("joe", "Secret", mechanism), "none")
            self.assertEqual(self.login("jim", "secret", mechanism), "none")
        for spoil in (lambda p: "", lambda p: p[:-4], lambda p: "A" + p[1:] if p[0] != "A" else "B" + p[1:], lambda p: p + "AAAA"):
            self.assertEqual(self.login("joe", "secret", spoil=spoil), "none")
        self.assertEqual(self.ask("scram-first", "joe", "SCRAM-SHA-256-PLUS")[0], "bad")
        self.site.sql("UPDATE users SET no_smtp = 1 WHERE name = 'joe'")
        self.assertEqual(self.login("joe", "secret"), "none")

    def test_strangers(self):
        """A name without credentials has a salt too: always the same, after a restart, and
        whatever way it is written."""
        self.add("joe", "secret")
        self.site.add_user("imported")
        self.site.sql("INSERT INTO aliasdomain VALUES ('alias.example', 'example.com')")
        self.site.start_lookup()
        names = ["joe@example.com", "imported@example.com", "nobody@example.com", "nobody@example.org", "nonsense"]
        ask = lambda name: self.ask("scram-first", name, "SCRAM-SHA-256")
        answers = [ask(n) for n in names]
        self.assertEqual({(a[0], len(a[1]), a[2]) for a in answers}, {("ok", 24, "10000")})
        self.assertEqual(len({a[1] for a in answers}), len(names))
        for name in ("joe", "imported", "nobody"):
            self.assertEqual(ask(f"{name}@example.com"), ask(f"{name.upper()}@Alias.example"))
        self.assertNotEqual(ask(names[2]), self.ask("scram-first", names[2], "SCRAM-SHA-1"))
        self.site.lookup.terminate()
        self.site.lookup.wait(10)
        self.site.start_lookup()
        self.assertEqual([ask(n) for n in names], answers)

    def test_learnt_at_a_login(self):
        self.site.add_user("joe")
        self.site.start_lookup()
        self.assertEqual(self.login("joe@example.com", "secret"), "none")
        self.assertEqual(self.site.query("verify", "joe@example.com", "smtp", password="wrong")[0], 1)
        self.assertEqual(self.stored("joe"), {})
        self.assertEqual(self.site.query("verify", "joe@example.com", "smtp", password="secret")[0], 0)
        self.assertEqual(sorted(self.stored("joe")), MECHANISMS)
        self.assertEqual(self.login("joe@example.com", "secret"), "ok")
        self.assertNotIn("secret", self.site.logged())

    def test_other_scripts(self):
        """However a password was typed it is the same, by SCRAM and by PLAIN, and for whom it was learnt at a login."""
        composed, decomposed, wide = "caf\u00e9", "cafe\u0301", "\uff43\uff41\uff46\u00e9"
        self.add("joe", decomposed)
        self.site.start_lookup()
        self.assertEqual(sorted(self.stored("joe")), MECHANISMS)
        self.assertEqual(self.login("joe@example.com", composed), "ok")
        self.assertEqual(self.login("joe@example.com", "cafe"), "none")
        for password, want in ((composed, 0), (decomposed, 0), (wide, 0), ("cafe", 1), ("CAF\u00c9", 1)):
            self.assertEqual(self.site.query("verify", "joe@example.com", "smtp", password=password)[0], want, password)
        self.site.sql("UPDATE users SET scram = '' WHERE name = 'joe'")
        self.assertEqual(self.site.query("verify", "joe@example.com", "smtp", password=wide)[0], 0)
        self.assertEqual(self.login("joe@example.com", composed), "ok")

    def test_who_may_ask(self):
        self.add("joe", "secret")
        self.site.start_lookup()
        p = self.site.run(["inquerytest", "-i", "infifo.1", "-q", "scram-first", "joe@example.com"])
        self.assertEqual(p.returncode, 100)
        p = self.site.run(["inquerytest", "-q", "scram-first", "joe@example.com", "SCRAM-SHA-1"])
        self.assertEqual(p.returncode, 0)
        self.assertEqual(p.stdout.decode().split()[1], b64(self.stored("joe")["SCRAM-SHA-1"][1]))


if __name__ == "__main__":
    unittest.main()
