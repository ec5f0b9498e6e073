"""inlookup: answers, rights by uid, the FIFO, and what happens when the database or a worker is gone."""
import os, signal, socket, sqlite3, stat, subprocess, unittest
from box import wait_for
from usersite import HASH, UserSite


def netstring(b):
    return b"%d:%s," % (len(b), b)


def message(*fields):
    return netstring(b"".join(netstring(f) for f in fields))


class Inlookup(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice", "-q", "1000,5")
        self.site.ok("valias", "-i", "&alice@example.com", "team@example.com")
        self.site.ok("valias", "-i", "&bob@other.example", "team@example.com")

    def connect(self, name="socket"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(self.site.path("run", "inlookup", name))
        self.addCleanup(s.close)
        return s

    def exchange(self, s, data):
        s.sendall(data)
        got = b""
        while True:
            b = s.recv(65536)
            if not b:
                return got
            got += b
            head, _, rest = got.partition(b":")
            if rest and len(rest) == int(head) + 1:
                return got

    def test_answers(self):
        s = self.site
        s.start_lookup()
        s.add_user("idle", "-i")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        self.assertEqual(s.query("user", "ALICE@EXAMPLE.COM"), (0, ["ok", "active"]))
        self.assertEqual(s.query("user", "idle@example.com"), (0, ["ok", "inactive"]))
        self.assertEqual(s.query("user", "team@example.com"), (0, ["ok", "alias"]))
        s.sql("UPDATE users SET bounce_mail = 1 WHERE name = 'idle'")
        self.assertEqual(s.query("user", "idle@example.com"), (0, ["ok", "overquota"]))
        for nobody in ("nobody@example.com", "alice@other.example", "alice", "@example.com", "alice@", "a@b@c", "'; --@x",
                       "x" * 1000 + "@example.com", "alice@" + "x" * 1000):
            for op in ("user", "account", "alias"):
                self.assertEqual(s.query(op, nobody), (1, ["none"]), (op, nobody))
        self.assertEqual(s.query("account", "alice@example.com"),
                         (0, ["ok", "alice", "example.com", "alice", s.home("alice@example.com"), "1000S,5C",
                              str(os.stat(s.db_path()).st_uid), str(os.stat(s.db_path()).st_gid), "0", "1"]))
        self.assertEqual(s.query("alias", "team@example.com"), (0, ["ok", "&alice@example.com", "&bob@other.example"]))
        self.assertEqual(s.query("domain", "Example.com"), (0, ["ok", "example.com"]))
        self.assertEqual(s.query("domain", "other.example"), (1, ["none"]))
        # an alias domain is the same for all
        s.sql("INSERT INTO aliasdomain VALUES ('alias.example', 'example.com')")
        self.assertEqual(s.query("domain", "alias.example"), (0, ["ok", "example.com"]))
        self.assertEqual(s.query("user", "alice@alias.example"), (0, ["ok", "active"]))
        self.assertEqual(s.query("alias", "team@alias.example")[0], 0)
        self.assertEqual(s.query("account", "alice@alias.example")[1][2], "example.com")

    def test_norelay(self):
        s = self.site
        s.start_lookup("-i", "1", "-p", "1", OPEN_SMTP="1", NORELAY="1")
        self.assertEqual(s.query("verify", "alice@example.com", "imap", "192.0.2.1", password="secret")[0], 0)
        self.assertEqual(s.sql("SELECT service FROM lastauth WHERE service = 'imap'"), [("imap",)])
        self.assertEqual(s.sql("SELECT * FROM relay"), [])

    def test_times(self):
        s = self.site
        s.start_lookup("-i", "1", "-p", "1")
        made, = s.sql("SELECT at FROM lastauth WHERE service = 'add' AND name = 'alice'")[0]
        self.assertEqual(s.query("times", "alice@example.com"), (0, ["ok", str(made), "0"]))
        s.ok("vpasswd", "alice@example.com", input=b"secret\n")
        changed, = s.sql("SELECT at FROM lastauth WHERE service = 'pass'")[0]
        self.assertEqual(s.query("times", "ALICE@Example.COM"), (0, ["ok", str(made), str(changed)]))
        self.assertEqual(s.query("times", "nobody@example.com"), (1, ["none"]))

    def test_login_waits_for_no_writer(self):
        """While somebody writes to the database logins succeed; what they leave is written when it can be."""
        s = self.site
        s.start_lookup("-i", "1", "-p", "1", OPEN_SMTP="1")
        rows = lambda: s.sql("SELECT name, service, remote_ip FROM lastauth WHERE service IN ('imap', 'pop3') ORDER BY name, service")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        s.add_user("bob")
        s.add_user("carol", "-i")
        begin = s.sql("SELECT strftime('%s', 'now')")[0][0]
        writer = sqlite3.connect(s.db_path(), isolation_level=None, check_same_thread=False)
        self.addCleanup(writer.close)
        writer.execute("BEGIN IMMEDIATE")
        for who, service, ip in (("alice", "imap", "192.0.2.1"), ("alice", "imap", "192.0.2.2"), ("alice", "pop3", "192.0.2.3"), ("bob", "imap", "2001:db8::1")):
            self.assertEqual(s.query("verify", f"{who}@example.com", service, ip, password="secret")[1][:2], ["ok", who])
        self.assertEqual(rows(), [])
        # who gets no mail until it is written that he gets some is told to come again
        self.assertEqual(s.query("verify", "carol@example.com", "imap", "192.0.2.9", password="secret")[1][0], "temporary")
        s.sql("SELECT 1")
        writer.execute("DELETE FROM users WHERE name = 'bob'")  # what he leaves has no place any more
        writer.execute("COMMIT")
        wait_for(lambda: len(rows()) == 2, what="what the logins leave")
        self.assertEqual(rows(), [("alice", "imap", "192.0.2.2"), ("alice", "pop3", "192.0.2.3")])
        self.assertEqual(s.sql("SELECT count(*) FROM lastauth WHERE service = 'imap' AND at BETWEEN ? AND strftime('%s', 'now')", int(begin)), [(1,)])
        wait_for(lambda: len(s.sql("SELECT * FROM relay WHERE email LIKE 'alice@%'")) == 3, what="addresses that may relay")
        # a worker that ends writes what it can
        writer.execute("BEGIN IMMEDIATE")
        self.assertEqual(s.query("verify", "postmaster@example.com", "pop3", "192.0.2.4", password="secret")[0], 0)
        writer.execute("COMMIT")
        s.lookup.terminate()
        s.lookup.wait(10)
        self.assertIn(("postmaster", "pop3", "192.0.2.4"), rows())

    def test_passwords(self):
        s = self.site
        s.start_lookup()
        verify = lambda who, password, *args: s.query("verify", who, *args, password=password)
        self.assertEqual(verify("alice@example.com", "secret", "imap", "192.0.2.1")[1][:3], ["ok", "alice", "example.com"])
        self.assertEqual(verify("Alice@Example.com", "secret")[0], 0)
        for password in ("Secret", "secret ", "", "x" * 300, HASH):
            self.assertEqual(verify("alice@example.com", password), (1, ["none"]), password)
        self.assertEqual(verify("nobody@example.com", "secret"), (1, ["none"]))
        self.assertEqual(verify("alice", "secret"), (1, ["none"]))
        self.assertEqual(verify("alice@example.com", "secret", "gopher")[1][0], "bad")
        # what is recorded: the service and the address, not the time of each
        self.assertEqual(s.sql("SELECT service, remote_ip FROM lastauth WHERE service = 'imap'"), [("imap", "192.0.2.1")])
        # a changed password is true at once
        s.ok("vpasswd", "-e", "alice@example.com", "-", input=HASH.replace("saltsalt", "saltsaltx").encode())
        self.assertEqual(verify("alice@example.com", "secret"), (1, ["none"]))
        s.ok("vpasswd", "-e", "alice@example.com", "-", input=HASH.encode())
        for flag, service in (("no_pop", "pop3"), ("no_imap", "imap"), ("no_smtp", "smtp"), ("no_webmail", "webmail")):
            s.sql(f"UPDATE users SET {flag} = 1")
            for other in ("imap", "pop3", "smtp", "webmail"):
                self.assertEqual(verify("alice@example.com", "secret", other)[0], int(other == service), (flag, other))
            s.sql(f"UPDATE users SET {flag} = 0")
        # an inactive user may not send, and is active again after reading mail
        s.sql("UPDATE users SET active = 0")
        self.assertEqual(verify("alice@example.com", "secret", "smtp"), (1, ["none", "the user is not active"]))
        self.assertEqual(verify("alice@example.com", "secret", "imap")[0], 0)
        self.assertEqual(s.sql("SELECT active FROM users WHERE name = 'alice'"), [(1,)])

    def test_default_domain(self):
        s = self.site
        s.start_lookup(DEFAULT_DOMAIN="example.com")
        self.assertEqual(s.query("verify", "alice", password="secret")[1][2], "example.com")

    def test_domain_of_our_address(self):
        """A login without a domain is of the domain the address of ours belongs to, else of the default."""
        s = self.site
        s.ok("vipmap", "-i", "192.0.2.1", "example.com")
        s.ok("vipmap", "-i", "2001:db8::1", "example.com")
        for env in ({}, {"DEFAULT_DOMAIN": "default.example"}):
            s.start_lookup(**env)
            for name, found in (("alice@[192.0.2.1]", 1), ("ALICE@[2001:DB8:0:0::1]", 1), ("alice@[192.0.2.2]", 0), ("alice@[]", 0), ("alice@[x]", 0),
                                ("alice@[192.0.2.1", 0), ("alice@192.0.2.1]", 0), ("@[192.0.2.1]", 0), ("alice@[192.0.2.1' OR '1'='1]", 0), ("alice", 0),
                                ("alice@example.com", 1), ("nobody@[192.0.2.1]", 0)):
                code, lines = s.query("verify", name, password="secret")
                self.assertEqual((code, lines[:3]), (0, ["ok", "alice", "example.com"]) if found else (1, lines[:3]), name)
            self.assertEqual(s.query("scram-first", "alice@[192.0.2.1]"), s.query("scram-first", "alice@example.com"))
            s.lookup.terminate()
            s.lookup.wait()
        s.start_lookup(DEFAULT_DOMAIN="example.com")
        self.assertEqual(s.query("verify", "alice@[192.0.2.9]", password="secret")[1][2], "example.com")
        s.ok("vatrn", "-i", "fetch.example", "alice@example.com")
        self.assertEqual(s.query("atrn", "alice@[192.0.2.1]"), (0, ["ok", "fetch.example"]))
        with open(s.db_path() + ".new", "w") as f:
            f.write("rubbish, not a database" * 100)
        os.rename(s.db_path() + ".new", s.db_path())  # of a file that is written over a worker may have pages still
        self.assertEqual(s.query("verify", "alice@[192.0.2.1]", password="secret")[0], 111)
        self.assertEqual(s.query("atrn", "alice@[192.0.2.1]")[0], 111)

    def test_no_hash_leaves(self):
        s = self.site
        s.start_lookup()
        for op in (b"user", b"account", b"alias", b"domain"):
            got = self.exchange(self.connect(), message(b"IL1", op, b"alice@example.com"))
            self.assertNotIn(b"$6$", got)
        got = self.exchange(self.connect("verify"), message(b"IL1", b"verify", b"alice@example.com", b"secret", b"imap", b""))
        self.assertIn(b"2:ok,", got)
        self.assertNotIn(b"$6$", got)

    def test_many_requests_on_one_connection(self):
        self.site.start_lookup()
        s = self.connect()
        one = message(b"IL1", b"user", b"alice@example.com")
        for _ in range(100):
            self.assertEqual(self.exchange(s, one), message(b"IL1", b"ok", b"active"))
        s.sendall(one * 500)  # and many at once
        want, got = message(b"IL1", b"ok", b"active") * 500, b""
        while len(got) < len(want):
            got += s.recv(65536)
        self.assertEqual(got, want)
        for i in range(len(one)):  # byte by byte
            s.sendall(one[i:i + 1])
        self.assertEqual(s.recv(1000), message(b"IL1", b"ok", b"active"))

    def test_malformed(self):
        s = self.site
        s.start_lookup()
        for data in (b"x", b"9999999:", b"4001:" + b"x" * 10, b"01:x,", b":,", b"3:abcd", b"-1:x,", b"99999999999999999999:"):
            c = self.connect()
            c.sendall(data)
            self.assertEqual(c.recv(100), b"", data)  # closed without a word
        bad = lambda *f: self.exchange(self.connect(), message(*f))
        for fields in ((), (b"IL2", b"user", b"a@b"), (b"IL1",), (b"IL1", b"steal", b"a@b"), (b"IL1", b"user"),
                       (b"IL1", b"user", b"a@b", b"more"), (b"IL1", b"user", b"a\0@b"), (b"IL1F", b"../x", b"user", b"a@b"),
                       (b"IL1F", b"", b"user", b"a@b"), (b"IL1F", b".x", b"user", b"a@b"), (b"IL1", b"", b"")):
            self.assertIn(b"3:bad,", bad(*fields), fields)
        self.assertIn(b"3:bad,", self.exchange(self.connect(), netstring(b"no fields")))
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))

    def test_no_database(self):
        """Missing, replaced, corrupt or locked: temporary, never "no such user"; then all goes on."""
        s = self.site
        s.start_lookup("-i", "1")
        temporary = lambda: [s.query(op, "nobody@example.com") for op in ("user", "account", "alias", "domain", "verify")]
        self.assertEqual(s.query("user", "alice@example.com")[0], 0)
        for p in ("", "-wal", "-shm"):
            if os.path.exists(s.db_path() + p):
                os.rename(s.db_path() + p, s.db_path() + p + ".away")
        for code, lines in temporary():
            self.assertEqual((code, lines[0]), (111, "temporary"))
        with open(s.db_path(), "wb") as f:
            f.write(b"rubbish" * 1000)
        os.chmod(s.db_path(), 0o666)
        for code, lines in temporary():
            self.assertEqual((code, lines[0]), (111, "temporary"))
        os.unlink(s.db_path())
        for p in ("-wal", "-shm", ""):
            if os.path.exists(s.db_path() + p + ".away"):
                os.rename(s.db_path() + p + ".away", s.db_path() + p)
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        self.assertEqual(s.query("user", "nobody@example.com"), (1, ["none"]))
        # a writer that holds the database does not disturb readers
        db = sqlite3.connect(s.db_path(), isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        self.assertEqual(s.query("verify", "alice@example.com", password="secret")[0], 0)
        db.execute("ROLLBACK")
        # nor does a table that cannot be read mean that nobody is there
        db.execute("ALTER TABLE users RENAME TO hidden")
        self.assertEqual(s.query("account", "alice@example.com")[0], 111)
        db.execute("ALTER TABLE hidden RENAME TO users")
        db.close()
        self.assertEqual(s.query("account", "alice@example.com")[0], 0)

    def test_newer_schema(self):
        s = self.site
        s.start_lookup()
        s.sql("INSERT INTO ischema VALUES (999, 'future', 0)")
        os.kill(s.lookup.pid, signal.SIGHUP)
        wait_for(lambda: s.query("user", "nobody@example.com")[0] == 111, what="a temporary error")
        self.assertIn("newer", s.query("user", "nobody@example.com")[1][1])

    def test_killed_worker(self):
        s = self.site
        s.start_lookup("-i", "1", "-p", "1")
        wait_for(lambda: len(s.workers()) == 2)
        c = self.connect()
        one = message(b"IL1", b"user", b"alice@example.com")
        self.assertIn(b"active", self.exchange(c, one))
        before = s.workers()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(s.workers()) == 2 and not set(before) & set(s.workers()), what="new workers")
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        self.assertEqual(s.query("verify", "alice@example.com", password="secret")[0], 0)

    def test_signals(self):
        s = self.site
        p = s.start_lookup("-i", "3", "-p", "2")
        wait_for(lambda: len(s.workers()) == 5)
        for _ in range(3):
            s.query("user", "alice@example.com")
        s.query("user", "nobody@example.com")
        os.kill(p.pid, signal.SIGUSR1)
        wait_for(lambda: "queries user 4 account 0 alias 0 domain 0 verify 0 scram 0 filters 0 none 1 temporary 0 bad 0 denied 0" in s.logged())
        os.kill(p.pid, signal.SIGHUP)
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))
        workers = s.workers()
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(10), 0)
        for pid in workers:
            self.assertFalse(os.path.exists(f"/proc/{pid}"))
        self.assertFalse(os.path.exists(s.path("run", "inlookup", "socket")))
        p = s.run(["inquerytest", "-q", "user", "alice@example.com"])
        self.assertEqual(p.returncode, 111)

    def test_dead_parent(self):
        s = self.site
        p = s.start_lookup()
        wait_for(lambda: len(s.workers()) == 4)
        workers = s.workers()
        p.kill()
        p.wait()
        wait_for(lambda: not any(os.path.exists(f"/proc/{w}") for w in workers), what="the workers to end")
        s.start_lookup()  # sockets left behind do not matter
        self.assertEqual(s.query("user", "alice@example.com"), (0, ["ok", "active"]))

    def test_only_one(self):
        s = self.site
        s.start_lookup()
        p = s.run(["inlookup"])
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"another inlookup", p.stderr)

    def test_fifo(self):
        s = self.site
        s.start_lookup("-i", "2")
        for k in ("1", "2"):
            fifo = "infifo." + k
            self.assertTrue(stat.S_ISFIFO(os.stat(s.path("run", "inlookup", fifo)).st_mode))
            run = lambda op, who: s.run(["inquerytest", "-i", fifo, "-q", op, who])
            self.assertEqual(run("user", "alice@example.com").stdout, b"ok\nactive\n")
            self.assertEqual(run("domain", "example.com").stdout, b"ok\nexample.com\n")
            self.assertEqual(run("user", "nobody@example.com").stdout, b"none\n")
            self.assertEqual(run("account", "alice@example.com").stdout, b"denied\n")
            self.assertEqual(os.listdir(s.path("run", "inlookup", "reply")), [])

    def test_fifo_is_safe(self):
        """A request cannot make the daemon touch anything outside the directory of reply FIFOs."""
        s = self.site
        s.start_lookup("-i", "1")
        victim = s.path("run", "victim")
        with open(victim, "w") as f:
            f.write("mine")
        reply = s.path("run", "inlookup", "reply")
        with open(os.path.join(reply, "file"), "w") as f:
            f.write("mine")
        os.symlink(victim, os.path.join(reply, "link"))
        fifo = os.open(s.path("run", "inlookup", "infifo.1"), os.O_WRONLY)
        for name in (b"../../victim", b"file", b"link", victim.encode(), b".."):
            os.write(fifo, message(b"IL1F", name, b"user", b"alice@example.com"))
        os.write(fifo, message(b"IL1", b"user", b"alice@example.com"))  # nowhere to answer to
        os.write(fifo, b"rubbish that is no message at all")
        os.close(fifo)
        wait_for(lambda: s.run(["inquerytest", "-t", "1", "-i", "infifo.1", "-q", "user", "alice@example.com"]).stdout
                 == b"ok\nactive\n", what="the FIFO to work again")
        self.assertEqual(open(victim).read(), "mine")
        self.assertEqual(open(os.path.join(reply, "file")).read(), "mine")
        os.unlink(os.path.join(reply, "link"))
        os.unlink(os.path.join(reply, "file"))

    def test_crowd(self):
        """More clients than places: each is served, the silent ones lose their place."""
        s = self.site
        s.start_lookup("-i", "1", files=200)
        one = message(b"IL1", b"user", b"alice@example.com")
        crowd = []
        try:
            for _ in range(300):
                c = socket.socket(socket.AF_UNIX)
                c.connect(s.path("run", "inlookup", "socket"))
                crowd.append(c)
            for _ in range(100):
                self.assertIn(b"active", self.exchange(self.connect(), one))
        finally:
            for c in crowd:
                c.close()


@unittest.skipUnless(os.geteuid() == 0, "needs root: asks as several users")
class Rights(unittest.TestCase):
    OPS = ("user", "account", "alias", "domain", "times", "verify")

    def may(self, site, uid):
        out = {}
        for op in self.OPS:
            p = subprocess.run([os.path.join(site.env()["QMAILBIN"], "inquerytest"), "-q", op,
                                {"domain": "example.com", "alias": "abuse@example.com"}.get(op, "postmaster@example.com")],
                               env=site.env(), input=b"secret\n", stdout=subprocess.PIPE, user=uid, group=uid, extra_groups=[],
                               cwd="/", timeout=20)
            out[op] = p.stdout.split(b"\n")[0].decode()
        return out

    def test_rights(self):
        with UserSite(privileged=True) as s:
            s.ok("vadddomain", "-e", "-i", "4321", "-g", "4321", "example.com", "-", input=HASH.encode())
            s.start_lookup()
            everything = dict.fromkeys(self.OPS, "ok")
            self.assertEqual(self.may(s, 0), everything)
            self.assertEqual(self.may(s, 65534), everything)  # the mail user
            self.assertEqual(self.may(s, 4321), dict(everything, verify="denied"))  # the domain's owner
            self.assertEqual(self.may(s, 4322), {"user": "ok", "account": "denied", "alias": "denied", "domain": "ok",
                                                 "times": "denied", "verify": "denied"})
            self.assertNotEqual(os.stat(f"/proc/{s.lookup.pid}").st_uid, 0)


if __name__ == "__main__":
    unittest.main()
