"""vacation, ismaildup and postdel: replies, duplicates, and deliveries for Postfix."""
import email, glob, os, stat, subprocess, unittest
from usersite import UserSite

from smtpd import QUEUE

MAIL = b"From: Ann <ann@b.example>\nTo: alice@example.com\nSubject: caf\xc3\xa9\nMessage-ID: <1@b.example>\n\nhello\n"


class Base(unittest.TestCase):
    privileged = False

    def setUp(self):
        self.site = s = UserSite(privileged=self.privileged)
        self.addCleanup(s.close)
        s.add_domain()
        s.add_user("alice", "-q", "1M")
        self.home = s.home("alice@example.com")

    def fails(self, code, *argv, input=b"", **kw):
        p = self.site.run(list(argv), input=input, **kw)
        self.assertEqual(p.returncode, code, (argv, p.stderr))
        self.assertEqual(p.stderr.count(b"\n"), 1, p.stderr)
        return p.stderr.decode()

    def read(self, name):
        with open(self.home + "/" + name) as f:
            return f.read()

    def queue(self):
        """A queue that records; (sender, recipients, message) of what came."""
        path = self.site.path("record-queue")
        with open(path, "w") as f:
            f.write(QUEUE)
        os.chmod(path, 0o755)
        os.mkdir(self.site.path("qq"))
        os.chmod(self.site.path("qq"), 0o777)
        return {"QMAILQUEUE": path, "QQ_DIR": self.site.path("qq"), "RECIPIENT": "example.com-alice@example.com"}

    def queued(self):
        return [open(p, "rb").read() for p in sorted(glob.glob(self.site.path("qq") + "/*.mess"))]


class Vacation(Base):
    def test_by_vmoduser(self):
        s = self.site
        s.ok("vmoduser", "-l", "+", "alice@example.com", input=b"I am away.\n")
        self.assertEqual(self.read(".vacation.msg"), "I am away.\n")
        self.assertIn("autoresponder", self.read(".qmail"))
        s.ok("vmoduser", "-l", "-", "alice@example.com")
        self.assertFalse(os.path.exists(self.home + "/.vacation.msg"))
        self.assertIn("there is no such file", self.fails(100, "vmoduser", "-l", "/nonexistent", "alice@example.com"))

    def test_on_and_off(self):
        s = self.site
        s.ok("vacation", "alice@example.com", "+", input="I am away, %S must wait: é.\n".encode())
        self.assertEqual(self.read(".vacation.msg"), "I am away, %S must wait: é.\n")
        first, second = self.read(".qmail").splitlines()
        self.assertEqual(first, f"| {s.env()['QMAILBIN']}/autoresponder -q '{self.home}/.vacation.msg' '{self.home}/.vacation.dir'")
        self.assertEqual(second, self.home + "/Maildir/")
        for name in (".qmail", ".vacation.msg"):
            st = os.stat(f"{self.home}/{name}")
            self.assertEqual(stat.S_IMODE(st.st_mode), 0o600)
        s.start_lookup("-i", "1", "-p", "1")
        env = self.queue()
        # answered once, delivered each time, within the quota
        for i in range(2):
            self.assertEqual(s.deliver("alice", MAIL, **env).returncode, 0)
        self.assertEqual(len(s.mails("alice@example.com")), 2)
        answer, = self.queued()
        m = email.message_from_bytes(answer)
        self.assertEqual((m["From"], m["To"], m["Auto-Submitted"]), ("alice@example.com", "sender@example.net", "auto-replied"))
        self.assertIn("must wait: é", m.get_payload(decode=True).decode())
        self.assertEqual(open(self.home + "/Maildir/maildirsize").readline(), "1048576S\n")
        # a new text is new to everybody; there is one line
        with open(s.path("text"), "w") as f:
            f.write("another\n")
        s.ok("vacation", "-v", "alice@example.com", s.path("text"))
        self.assertEqual(len(self.read(".qmail").splitlines()), 2)
        self.assertEqual(s.deliver("alice", MAIL, **env).returncode, 0)
        self.assertEqual(len(self.queued()), 2)
        s.ok("vacation", "alice@example.com", "-")
        self.assertEqual(os.listdir(self.home), ["Maildir"])
        self.assertEqual(s.deliver("alice", MAIL, **env).returncode, 0)
        self.assertEqual((len(self.queued()), len(s.mails("alice@example.com"))), (2, 4))
        s.ok("vacation", "alice@example.com", "-")

    def test_full_mailbox(self):
        """The user's own Maildir in .qmail is his mailbox, with its quota, even where that has no maildirsize yet."""
        s = self.site
        s.add_user("small", "-q", "100")
        s.ok("vacation", "small@example.com", "+", input=b"away\n")
        s.start_lookup("-i", "1", "-p", "1")
        env = {**self.queue(), "RECIPIENT": "example.com-small@example.com"}
        self.assertEqual(s.deliver("small", MAIL + b"x" * 200, **env).returncode, 100)
        self.assertEqual(s.mails("small@example.com"), [])

    def test_other_lines_stay(self):
        s = self.site
        s.ok("vacation", "alice@example.com", "+", input=b"away\n")  # makes the home
        s.ok("vacation", "alice@example.com", "-")
        with open(self.home + "/.qmail", "w") as f:
            f.write("# mine\n&bob@other.example")
        if s.ids:
            os.chown(self.home + "/.qmail", 65534, 65534)
        s.ok("vacation", "alice@example.com", "+", input=b"away\n")
        self.assertEqual(self.read(".qmail").splitlines()[1:], ["# mine", "&bob@other.example"])
        s.ok("vacation", "alice@example.com", "-")
        self.assertEqual(self.read(".qmail"), "# mine\n&bob@other.example\n")

    def test_odd_names(self):
        s = self.site
        for name in ("o'brien", "a`touch$x`", "x&y|z"):
            s.add_user(name)
            s.ok("vacation", name + "@example.com", "+", input=b"away\n")
            home = s.home(name + "@example.com")
            with open(home + "/.qmail") as f:
                line = f.readline().removeprefix("| ")
            said = subprocess.run(["/bin/sh", "-c", "printf '%s\\n' " + line], stdout=subprocess.PIPE, check=True).stdout.decode()
            self.assertEqual(said.splitlines()[2:], [home + "/.vacation.msg", home + "/.vacation.dir"])

    def test_charset(self):
        s = self.site
        self.assertIn("UTF-8", self.fails(100, "vacation", "alice@example.com", "+", input=b"caf\xe9\n"))
        s.ok("vacation", "alice@example.com", "+", input=b"caf\xe9\n", env=s.env(CHARSET="iso-8859-1"))
        self.assertIn(" -T 'text/plain; charset=iso-8859-1' ", self.read(".qmail"))
        for charset in ("x'; rm", "a b", "a" * 65, "é"):
            self.fails(100, "vacation", "alice@example.com", "+", input=b"x\n", env=s.env(CHARSET=charset))

    def test_wrong(self):
        s = self.site
        self.fails(100, "vacation", "nobody@example.com", "+", input=b"x\n")
        self.fails(100, "vacation", "nobody@example.com", "-")
        self.fails(100, "vacation", "alice@example.com", "/no/such/file")
        self.fails(100, "vacation", "alice@example.com", "+", input=b"")
        self.fails(100, "vacation", "alice@example.com", "+", input=b"a\0b")
        self.fails(111, "vacation", "alice@example.com", "+", input=b"a" * 1100000)
        for address in ("", "alice", "Alice@example.com", "a/../b@example.com", "x' OR 'a'='a@example.com", "é@example.com"):
            self.fails(100, "vacation", address, "+", input=b"x\n")
        for argv in (["alice@example.com"], ["-v"], ["a@b", "-", "x"], ["-Z"]):
            self.assertIn("usage:", self.fails(100, "vacation", *argv))
        s.ok("valias", "-i", "&bob@other.example", "alice@example.com")
        self.assertIn("alias", self.fails(100, "vacation", "alice@example.com", "+", input=b"x\n"))
        s.add_user("group", "-c", "MailGroup x")
        self.assertIn("group", self.fails(100, "vacation", "group@example.com", "+", input=b"x\n"))
        self.assertFalse(os.path.exists(self.home))
        with open(s.db_path(), "w") as f:
            f.write("rubbish, not a database" * 100)
        self.fails(111, "vacation", "alice@example.com", "+", input=b"x\n")

    def filter(self, code=0, **env):
        with open(self.site.path("message"), "wb") as f:
            f.write(MAIL)
        e = {"EXT": "alice", "HOST": "example.com", "SENDER": "ann@b.example", **env}
        with open(self.site.path("message"), "rb") as f:
            p = self.site.run(["vacation"], env=self.site.env(**e), stdin=f)
        self.assertEqual(p.returncode, code, p.stderr)

    def test_as_a_filter(self):
        s = self.site
        env = self.queue()
        self.filter(111, **env)  # inlookup is not there
        s.start_lookup("-i", "1", "-p", "1")
        self.filter(**env)  # nothing is set up
        self.assertEqual(self.queued(), [])
        s.ok("vacation", "alice@example.com", "+", input=b"away\n")
        self.filter(**env)
        self.filter(**env)
        self.assertEqual(len(self.queued()), 1)
        self.filter(100, **{**env, "EXT": "nobody"})
        p = s.run(["vacation"], env=s.env(EXT="alice", HOST="example.com"), input=MAIL)
        self.assertEqual(p.returncode, 100)


@unittest.skipUnless(os.geteuid() == 0, "root only")
class VacationAsRoot(Vacation):
    privileged = True
    test_on_and_off = test_full_mailbox = test_as_a_filter = None

    def test_owner(self):
        s = self.site
        s.ok("vacation", "alice@example.com", "+", input=b"away\n")
        for name in ("", ".qmail", ".vacation.msg", "Maildir"):
            st = os.stat(f"{self.home}/{name}")
            self.assertEqual((st.st_uid, st.st_gid), (65534, 65534))
        s.ok("vacation", "alice@example.com", "-")
        self.assertEqual(os.listdir(self.home), ["Maildir"])

    def test_other_lines_stay(self):
        """A link of the user's is not followed as root."""
        s = self.site
        s.ok("vacation", "alice@example.com", "+", input=b"away\n")
        secret = s.path("secret")
        with open(secret, "w") as f:
            f.write("only root reads this\n")
        os.chmod(secret, 0o600)
        os.remove(self.home + "/.qmail")
        os.symlink(secret, self.home + "/.qmail")
        self.fails(111, "vacation", "alice@example.com", "+", input=b"away\n")
        self.assertEqual(open(secret).read(), "only root reads this\n")


class Duplicates(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.dir = self.site.path("box")
        os.mkdir(self.dir)
        if self.site.ids:
            os.chown(self.dir, 65534, 65534)
        self.out = self.dir + "/out"

    def give(self, message=MAIL, code=0, program=None, pipe=False, **env):
        """How many have come through."""
        argv = ["ismaildup", self.dir, *(program or ["/bin/sh", "-c", f"cat >> {self.out}"])]
        if pipe:
            p = self.site.run(argv, input=message, env=self.site.env(**env))
        else:
            with open(self.site.path("message"), "wb") as f:
                f.write(message)
            with open(self.site.path("message"), "rb") as f:
                p = self.site.run(argv, stdin=f, env=self.site.env(**env))
        self.assertEqual(p.returncode, code, p.stderr)
        return open(self.out, "rb").read().count(b"hello") if os.path.exists(self.out) else 0

    def test_duplicates(self):
        self.assertEqual(self.give(), 1)
        self.assertEqual(self.give(), 1)
        self.assertEqual(self.give(b"Received: by another way\nDelivered-To: x\n" + MAIL, pipe=True), 1)
        self.assertEqual(self.give(MAIL + b"more\n", pipe=True), 2)
        self.assertEqual(self.give(MAIL.replace(b"<1@", b"<2@")), 3)
        self.assertEqual(self.give(b""), 3)
        self.assertEqual(os.stat(self.dir + "/dupmd5").st_mode & 0o777, 0o600)

    def test_failed_deliveries_are_no_duplicates(self):
        for code in (1, 100, 111):
            self.give(code=code, program=["/bin/sh", "-c", f"exit {code}"])
        self.give(code=111, program=["/bin/sh", "-c", "kill -9 $$"])
        self.give(code=111, program=["/no/such/program"])
        self.assertEqual(self.give(), 1)
        self.assertEqual(self.give(MAIL + b"stop\n", code=99, program=["/bin/sh", "-c", "exit 99"]), 1)
        self.assertEqual(self.give(MAIL + b"stop\n"), 1)

    def test_they_age(self):
        self.give()
        path = self.dir + "/dupmd5"
        when, digest = open(path).read().split()
        with open(path, "w") as f:
            f.write(f"rubbish\n{int(when) - 901} {digest}\n")
        self.assertEqual(self.give(ELIMINATE_DUPS_INT="2000"), 1)
        self.assertEqual(self.give(), 2)
        self.assertEqual(self.give(), 2)

    def test_at_the_same_time(self):
        """The second copy waits for the first, and is none then."""
        s = self.site
        fifo = s.path("fifo")
        os.mkfifo(fifo)
        os.chmod(fifo, 0o666)
        with open(s.path("message"), "wb") as f:
            f.write(MAIL)
        argv = ["ismaildup", self.dir, "/bin/sh", "-c", f"echo x > {fifo}; read line < {fifo}; cat >> {self.out}"]
        children = []
        for i in range(2):
            with open(s.path("message"), "rb") as f:
                children.append(s.spawn(argv, env=s.env(), stdin=f))
        with open(fifo) as f:
            self.assertEqual(f.readline(), "x\n")  # one has begun
        self.assertEqual([c.poll() for c in children], [None, None])
        with open(fifo, "w") as f:
            f.write("go\n")
        for c in children:
            self.assertEqual(c.wait(20), 0)
        self.assertEqual(open(self.out, "rb").read().count(b"hello"), 1)

    def test_wrong(self):
        os.rename(self.dir, self.dir + ".away")
        self.assertEqual(self.give(code=111), 0)
        p = self.site.run(["ismaildup", self.dir], input=b"")
        self.assertEqual(p.returncode, 100)


class Postfix(Base):
    def postdel(self, *argv, code=0, message=MAIL, **env):
        p = self.site.run(["postdel", *argv], input=message, env=self.site.env(**env))
        self.assertEqual(p.returncode, code, p.stderr)
        return p.stderr.decode()

    def test_deliveries(self):
        s = self.site
        self.postdel("-u", "alice@example.com", "-r", "ann@b.example", code=75)  # inlookup is not there
        s.start_lookup("-i", "1", "-p", "1")
        self.postdel("-u", "Alice@EXAMPLE.com", "-r", "ann@b.example", EXT="bob", HOST="other.example")
        mail, = s.mails("alice@example.com")
        self.assertTrue(mail.startswith(b"Return-Path: <ann@b.example>\nDelivered-To: Alice@EXAMPLE.com\n"))
        self.assertTrue(mail.endswith(MAIL))
        self.postdel("-u", "alice@example.com", "-r", "")
        self.assertIn(b"Return-Path: <>\n", b"".join(s.mails("alice@example.com")))
        self.assertIn("5.1.1", self.postdel("-u", "nobody@example.com", "-r", "ann@b.example", code=67))
        s.ok("vcfilter", "-i", "-h", "Subject", "-c", "contains", "-k", "caf", "-f", "/NoDeliver", "alice@example.com")
        self.postdel("-f", "-u", "alice@example.com", "-r", "ann@b.example")
        self.assertEqual(len(s.mails("alice@example.com")), 2)
        self.postdel("-u", "alice@example.com", "-r", "ann@b.example")
        self.assertEqual(len(s.mails("alice@example.com")), 3)

    def test_wrong(self):
        for argv in ([], ["-u", "a@b"], ["-r", "a@b"], ["-u", "a@b", "-r", "c@d", "e"], ["-u", "alice", "-r", "a@b"], ["-u", "@", "-r", "a@b"],
                     ["-u", "alice@example.com", "-r", "a@b\nX-Spam: no"], ["-u", "a\nb@example.com", "-r", "a@b"], ["-u", "a" * 400 + "@b", "-r", ""]):
            self.postdel(*argv, code=64)


del Base
