"""vdelivermail: mailboxes, quotas, aliases, default actions, and failures that must stay temporary."""
import glob, os, shutil, subprocess, unittest
from usersite import UserSite

BODY = b"Subject: x\n\n" + b"y" * 488


class Vdelivermail(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain()
        self.site.add_user("alice")
        self.site.start_lookup("-i", "1", "-p", "1")

    def folder(self, name, user="alice"):
        return [open(f, "rb").read() for f in sorted(glob.glob(f"{self.site.home(user + '@example.com')}/Maildir/{name}/new/*"))]

    def test_detail(self):
        """user+detail is the user's, into the folder of that name where there is one."""
        s = self.site
        self.assertEqual(s.query("user", "alice+lists@example.com"), (0, ["ok", "active"]))
        self.assertEqual(s.query("user", "nobody+lists@example.com"), (1, ["none"]))
        self.assertEqual(s.query("user", "+lists@example.com"), (1, ["none"]))
        self.assertEqual(s.deliver("alice+lists").returncode, 0)
        self.assertEqual(len(s.mails("alice@example.com")), 1)
        home = s.home("alice@example.com")
        for name in ("lists", "a.b"):
            s.ok("maildirmake", f"{home}/Maildir/.{name}")
        self.assertEqual(s.deliver("alice+Lists").returncode, 0)
        self.assertEqual(s.deliver("alice+a.b").returncode, 0)
        self.assertEqual((len(self.folder(".lists")), len(self.folder(".a.b")), len(s.mails("alice@example.com"))), (1, 0, 2))
        for odd in ("alice+", "alice+..", "alice+../x", "alice+.lists", "alice+lists/new", "alice+a+b", "alice+" + "x" * 50):
            self.assertIn(s.deliver(odd).returncode, (0, 100), odd)
        self.assertEqual(sorted(n for n in os.listdir(home) + os.listdir(home + "/Maildir") if n.startswith(".")), [".a.b", ".lists"])
        # as it is written, if there is such a folder
        s.ok("maildirmake", f"{home}/Maildir/.Work")
        for written in ("alice+Work", '"Alice+Work"', "alice+work", "alice+WORK"):
            self.assertEqual(s.deliver(written).returncode, 0)
        self.assertEqual((len(self.folder(".Work")), self.folder(".work")), (2, []))
        # a name of its own, and an alias, go first
        s.add_user("alice+work")
        s.ok("valias", "-i", "&sales@elsewhere.example", "alice+shop@example.com")
        self.assertEqual(s.deliver("alice+work").returncode, 0)
        self.assertEqual(len(s.mails("alice+work@example.com")), 1)
        self.assertEqual(s.query("user", "alice+shop@example.com"), (0, ["ok", "alias"]))
        env = self.program("forward", f'echo "$@" > {self.seen()}/forwarded\n')
        self.assertEqual(s.deliver("alice+shop", **env).returncode, 0)
        self.assertEqual(open(self.seen() + "/forwarded").read(), "-- sales@elsewhere.example\n")

    def test_folder(self):
        """MAILDIRFOLDER: made where it is missing, within the quota of the whole."""
        s = self.site
        s.ok("vsetuserquota", "alice@example.com", "2000")
        home = s.home("alice@example.com")
        for name in ("Spam", ".Spam"):
            self.assertEqual(s.deliver("alice", BODY, MAILDIRFOLDER=name).returncode, 0)
        self.assertEqual((len(self.folder(".Spam")), s.mails("alice@example.com")), (2, []))
        self.assertTrue(os.path.exists(home + "/Maildir/.Spam/maildirfolder"))
        self.assertEqual(s.deliver("alice", BODY, MAILDIRFOLDER="Spam").returncode, 0)
        self.assertEqual(s.deliver("alice", BODY, MAILDIRFOLDER="Spam").returncode, 100)  # full
        s.ok("vsetuserquota", "alice@example.com", "NOQUOTA")
        for odd in ("../../x", "a/b", "a..b", ".", "..", "a\nb", "a."):
            self.assertEqual(s.deliver("alice", b"Subject: x\n\n", MAILDIRFOLDER=odd).returncode, 0, odd)
        self.assertEqual(len(s.mails("alice@example.com")), 7)
        self.assertEqual(sorted(n for n in os.listdir(home + "/Maildir") if n.startswith(".")), [".Spam"])

    def program(self, name, text):
        """Programs are looked for where QMAILBIN says: a directory with ours and these."""
        d = self.site.path("programs")
        if not os.path.isdir(d):
            os.mkdir(d)
        path = os.path.join(d, name)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return {"QMAILBIN": d}

    def seen(self):
        """Where test programs leave what they saw; the site's user may write there."""
        return self.site.path("run")

    def test_mailbox(self):
        s = self.site
        p = s.deliver("alice", b"Subject: x\n\nFrom here\n", QQEH="X-Extra: yes\n")
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        self.assertEqual(s.mails("alice@example.com"),
                         [b"Return-Path: <sender@example.net>\nDelivered-To: example.com-alice@example.com\nX-Extra: yes\n"
                          b"Subject: x\n\nFrom here\n"])
        path = glob.glob(s.home("alice@example.com") + "/Maildir/new/*")[0]
        self.assertRegex(os.path.basename(path), r"^\d+\.M\d+P\d+Q\d+\.[^/:]+,S=%d$" % os.path.getsize(path))
        self.assertEqual(os.listdir(s.home("alice@example.com") + "/Maildir/tmp"), [])
        self.assertEqual(s.deliver("ALICE").returncode, 0)  # case does not matter
        self.assertEqual(s.deliver('"alice"').returncode, 0)
        self.assertEqual(s.deliver("").returncode, 0)  # postmaster
        self.assertEqual(len(s.mails("postmaster@example.com")), 1)
        self.assertEqual(len(s.mails("alice@example.com")), 3)
        self.assertEqual(s.deliver("alice", b"").returncode, 0)  # nothing is no message
        self.assertEqual(len(s.mails("alice@example.com")), 3)

    def test_pipe(self):
        s = self.site
        e = s.env(EXT="alice", HOST="example.com", SENDER="", RPLINE="Return-Path: <>\n", DTLINE="Delivered-To: x\n")
        p = s.run(["vdelivermail", "", "delete"], env=e, input=b"S: x\n\n" + b"z" * 100000)
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertTrue(s.mails("alice@example.com")[0].endswith(b"z" * 100000))

    def test_misuse(self):
        s = self.site
        for missing in ("EXT", "HOST", "SENDER"):
            e = s.env(EXT="alice", HOST="example.com", SENDER="a@b")
            del e[missing]
            self.assertEqual(s.run(["vdelivermail", "", "delete"], env=e, input=b"x").returncode, 100)

    def test_unknown_user(self):
        s = self.site
        for user in ("nobody", "a" * 100, "x'; DROP TABLE users; --", "../alice", "a/b", "a b", "\\", "$(id)"):
            p = s.deliver(user)
            self.assertEqual(p.returncode, 100, user)
            self.assertIn(b"no mailbox", p.stderr)
        p = s.deliver("alice", host="other.example")
        self.assertEqual(p.returncode, 100)
        self.assertEqual(s.deliver("nobody", DISCARD_BOUNCE="1").returncode, 0)
        self.assertEqual(s.deliver("nobody", action="delete").returncode, 0)

    def test_default_actions(self):
        s = self.site
        catchall = s.path("run", "catchall")
        self.assertEqual(s.deliver("nobody", action=catchall + "/").returncode, 0)
        self.assertEqual(len(os.listdir(catchall + "/new")), 1)
        env = self.program("forward", 'echo "$@" "$SENDER" > "%s/forwarded"; cat > "%s/message"; exit ${FORWARD_EXIT:-0}\n'
                           % (self.seen(), self.seen()))
        self.assertEqual(s.deliver("nobody", BODY, action="all@other.example", **env).returncode, 0)
        self.assertEqual(open(self.seen() + "/forwarded").read(), "-- all@other.example sender@example.net\n")
        self.assertEqual(open(self.seen() + "/message", "rb").read(), BODY)
        self.assertEqual(s.deliver("nobody", action="all@other.example", FORWARD_EXIT="100", **env).returncode, 100)
        for code in ("1", "111", "120"):
            self.assertEqual(s.deliver("nobody", action="all@other.example", FORWARD_EXIT=code, **env).returncode, 111)
        self.assertEqual(s.deliver("nobody", action="all@other.example", QMAILBIN="/nonexistent").returncode, 111)
        reports = {"rok\\0KAccepted\\0": 0, "hno\\0Dgiving up\\0": 100, "slater\\0Zgiving up\\0": 111, "Zno connection\\0": 111,
                   "Dno such host\\0": 100, "": 111, "rok\\0Zlost\\0": 111}
        for report, code in reports.items():
            env = self.program("qmail-remote", "echo $SMTPROUTE \"$@\" > '%s/remote'; printf '%s'\n" % (self.seen(), report))
            p = s.deliver("nobody", action="relay.example:127.0.0.9:2525", **env)
            self.assertEqual(p.returncode, code, report)
        self.assertEqual(open(self.seen() + "/remote").read(),
                         "127.0.0.9:2525 example.com sender@example.net nobody@example.com\n")

    def test_inactive(self):
        s = self.site
        s.add_user("idle", "-i")
        p = s.deliver("idle")
        self.assertEqual(p.returncode, 100)
        self.assertIn(b"inactive", p.stderr)
        self.assertEqual(s.deliver("idle", ALLOW_INACTIVE="1").returncode, 0)
        self.assertEqual(len(s.mails("idle@example.com")), 1)

    def test_quota_bytes(self):
        s = self.site
        s.add_user("small", "-q", "2000")
        maildir = s.home("small@example.com") + "/Maildir"
        for n in range(1, 4):  # 500 bytes and the head of 82
            self.assertEqual(s.deliver("small", BODY).returncode, 0, n)
        p = s.deliver("small", BODY)
        self.assertEqual(p.returncode, 100)
        self.assertIn(b"mailbox is full", p.stderr)
        self.assertEqual(len(s.mails("small@example.com")), 3)
        lines = open(maildir + "/maildirsize").read().split("\n")
        size = sum(map(len, s.mails("small@example.com")))
        self.assertEqual(lines[0], "2000S")
        self.assertEqual([sum(x) for x in zip(*(map(int, l.split()) for l in lines[1:-1]))], [size, 3])
        # the user makes room: mail comes in again, the file is counted anew
        os.unlink(glob.glob(maildir + "/new/*")[0])
        os.unlink(maildir + "/maildirsize")
        self.assertEqual(s.deliver("small", BODY).returncode, 0)
        # a smaller message still fits
        self.assertEqual(s.deliver("small", BODY).returncode, 100)
        self.assertEqual(s.deliver("small", b"x: y\n\nz\n").returncode, 0)
        # the site may hold mail instead
        open(maildir + "/holdoverquota", "w").close()
        self.assertEqual(s.deliver("small", BODY).returncode, 111)

    def test_quota_count(self):
        s = self.site
        s.add_user("few", "-q", "0S,2C")
        self.assertEqual([s.deliver("few").returncode for _ in range(3)], [0, 0, 100])
        # trash does not count, nor messages marked as trashed
        maildir = s.home("few@example.com") + "/Maildir"
        a, b = sorted(glob.glob(maildir + "/new/*"))
        os.rename(a, maildir + "/cur/" + os.path.basename(a) + ":2,ST")
        os.utime(maildir + "/maildirsize", (0, 0))
        self.assertEqual([s.deliver("few").returncode for _ in range(2)], [0, 100])

    def test_quota_changed(self):
        s = self.site
        s.add_user("u", "-q", "1000")
        self.assertEqual([s.deliver("u", BODY).returncode for _ in range(2)], [0, 100])
        s.sql("UPDATE users SET quota_bytes = 5000 WHERE name = 'u'")
        self.assertEqual(s.deliver("u", BODY).returncode, 0)
        self.assertEqual(open(s.home("u@example.com") + "/Maildir/maildirsize").readline(), "5000S\n")

    def test_hostile_maildirsize(self):
        """What a user may put in place of the file: counted anew, never believed, never followed."""
        s = self.site
        s.add_user("u", "-q", "5000")
        maildir = s.home("u@example.com") + "/Maildir"
        self.assertEqual(s.deliver("u").returncode, 0)
        secret = s.path("run", "secret")
        for text in (b"", b"5000S", b"5000S\n", b"5000S\n9999999999999999999999 1\n", b"5000S\n-1 -1\n", b"5000S\n1\n",
                     b"5000S\nx y\n", b"\0\0\0", b"NOQUOTA\n0 0\n", b"5000S\n" + b"1 1\n" * 5000,
                     b"5000S\n9223372036854775807 1\n1 1\n"):
            with open(maildir + "/maildirsize", "wb") as f:
                f.write(text)
            before = len(s.mails("u@example.com"))
            self.assertEqual(s.deliver("u").returncode, 0, text[:40])
            self.assertEqual(len(s.mails("u@example.com")), before + 1)
        with open(secret, "w") as f:
            f.write("keep\n")
        for make in (lambda p: os.symlink(secret, p), os.mkfifo):
            os.unlink(maildir + "/maildirsize")
            make(maildir + "/maildirsize")
            self.assertIn(s.deliver("u").returncode, (0, 111))
        self.assertEqual(open(secret).read(), "keep\n")

    def test_folders_count(self):
        s = self.site
        s.add_user("u", "-q", "2000")
        self.assertEqual(s.deliver("u").returncode, 0)
        maildir = s.home("u@example.com") + "/Maildir"
        for folder in (".Work", ".Trash"):
            os.makedirs(f"{maildir}/{folder}/cur")
            with open(f"{maildir}/{folder}/cur/1.2.h,S=1500:2,S", "w") as f:
                f.write("x")
            with open(f"{maildir}/{folder}/cur/1.3.h:2,S", "w") as f:
                f.write("x" * 100)
        os.symlink("/usr", maildir + "/.Link")
        os.utime(maildir + "/maildirsize", (0, 0))
        self.assertEqual(s.deliver("u", BODY).returncode, 100)  # 1600 of Work, nothing of Trash
        self.assertRegex(open(maildir + "/maildirsize").read(), r"^2000S\n1\d\d\d 3\n$")

    def test_include_trash(self):
        """Where Trash counts, it does for deliveries, for programs that count, and for the administrator."""
        s = self.site
        s.add_user("u", "-q", "2000")  # three of these messages
        maildir = s.home("u@example.com") + "/Maildir"
        self.assertEqual(s.deliver("u", BODY, MAILDIRFOLDER="Trash").returncode, 0)
        self.assertEqual(self.usage(maildir), [0, 0])
        self.assertEqual(s.deliver("u", BODY, MAILDIRFOLDER="Trash", INCLUDE_TRASH="1").returncode, 0)
        self.assertEqual(self.usage(maildir)[1], 1)
        os.utime(maildir + "/maildirsize", (0, 0))
        self.assertEqual([s.deliver("u", BODY, INCLUDE_TRASH="1").returncode for _ in range(2)], [0, 100])
        self.assertEqual(self.usage(maildir)[1], 3)
        # without: Trash may be as full as it is, though what goes there must fit
        os.utime(maildir + "/maildirsize", (0, 0))
        self.assertEqual([s.deliver("u", BODY, MAILDIRFOLDER=f).returncode for f in ("", "Trash", "Trash", "", "Trash")], [0, 0, 0, 0, 100])
        self.assertEqual(self.usage(maildir)[1], 3)
        with open(s.path("control", "include_trash"), "w") as f:
            f.write("1\n")
        s.ok("resetquota", "u@example.com")
        self.assertEqual(self.usage(maildir)[1], 7)
        self.assertIn("7C", s.ok("vuserinfo", "u@example.com"))
        self.assertEqual(s.deliver("u", BODY).returncode, 100)

    def usage(self, maildir):
        lines = open(maildir + "/maildirsize").read().split("\n")
        return [sum(x) for x in zip(*(map(int, l.split()) for l in lines[1:-1]))]

    def test_fast_quota(self):
        """The file's sum is believed, old or not, until somebody counts."""
        s = self.site
        s.add_user("u", "-q", "5000")
        maildir = s.home("u@example.com") + "/Maildir"
        self.assertEqual(s.deliver("u", BODY, FAST_QUOTA="1").returncode, 0)
        with open(maildir + "/maildirsize", "a") as f:
            f.write("4300 1\n")
        os.utime(maildir + "/maildirsize", (0, 0))
        self.assertEqual(s.deliver("u", BODY, FAST_QUOTA="1").returncode, 100)
        self.assertEqual(s.deliver("u", b"x: y\n\nz\n", FAST_QUOTA="1").returncode, 0)
        self.assertEqual(self.usage(maildir)[1], 3)
        s.ok("resetquota", "u@example.com", env=s.env(FAST_QUOTA="1"))
        self.assertEqual(self.usage(maildir)[1], 2)
        self.assertEqual(s.deliver("u", BODY, FAST_QUOTA="1").returncode, 0)

    @unittest.skipUnless(shutil.which("deliverquota"), "deliverquota is not installed")
    def test_courier_agrees(self):
        """Courier's own delivery agent counts what we count, and goes on with our file; we with its."""
        s = self.site
        s.add_user("u", "-q", "100000S")
        self.assertEqual(s.deliver("u").returncode, 0)
        maildir = s.home("u@example.com") + "/Maildir"
        for k, folder in enumerate(("", ".Work", ".Trash", ".Trash.old", ".Trashy")):
            os.makedirs(f"{maildir}/{folder}/cur", exist_ok=True)
            os.makedirs(f"{maildir}/{folder}/new", exist_ok=True)
            os.makedirs(f"{maildir}/{folder}/tmp", exist_ok=True)
            for name in (f"1.{k}.h,S={10 + k}:2,S", f"2.{k}.h:2,", f"3.{k}.h,S=7:2,ST"):
                with open(f"{maildir}/{folder}/cur/{name}", "w") as f:
                    f.write("x" * 20)
            if folder:
                open(f"{maildir}/{folder}/maildirfolder", "w").close()
        s.ok("resetquota", "u@example.com")
        ours = self.usage(maildir)
        os.unlink(maildir + "/maildirsize")
        message = b"Subject: x\n\nhi\n"
        subprocess.run(["deliverquota", maildir, "100000S"], input=message, check=True, **s.ids)
        theirs = self.usage(maildir)
        self.assertEqual(theirs, [ours[0] + len(message), ours[1] + 1])
        self.assertEqual(s.deliver("u").returncode, 0)
        ours = self.usage(maildir)
        self.assertEqual(ours[1], theirs[1] + 1)
        subprocess.run(["deliverquota", maildir], input=message, check=True, **s.ids)
        self.assertEqual(self.usage(maildir), [ours[0] + len(message), ours[1] + 1])
        s.ok("resetquota", "u@example.com")
        self.assertEqual(self.usage(maildir), [ours[0] + len(message), ours[1] + 1])
        # at the edge both say no
        s.ok("vsetuserquota", "u@example.com", f"{self.usage(maildir)[0] + 10}S")
        p = subprocess.run(["deliverquota", maildir], input=message, stdout=subprocess.PIPE, **s.ids)
        self.assertNotEqual(p.returncode, 0)
        self.assertIn(b"quota exceeded", p.stdout)
        self.assertEqual(s.deliver("u").returncode, 100)

    def test_aliases(self):
        s = self.site
        s.add_user("bob")
        env = self.program("forward", 'echo "$@" >> "%s/forwarded"; cat > /dev/null\n' % self.seen())
        s.ok("valias", "-i", "&bob@example.com", "team@example.com")
        s.ok("valias", "-i", "ann@other.example", "team@example.com")
        s.ok("valias", "-i", s.path("run", "archive") + "/", "team@example.com")
        s.ok("valias", "-i", '| cat > "%s/piped"; echo "$SENDER" >> "%s/piped"' % (self.seen(), self.seen()), "team@example.com")
        self.assertEqual(s.deliver("team", BODY, **env).returncode, 0)
        self.assertEqual(sorted(open(self.seen() + "/forwarded").read().split()),
                         ["--", "ann@other.example", "bob@example.com"])  # one message for both
        self.assertEqual(len(os.listdir(s.path("run", "archive", "new"))), 1)
        self.assertEqual(open(self.seen() + "/piped", "rb").read(), BODY + b"sender@example.net\n")
        # aliases of an existing user stand before its mailbox, unless NOALIAS is set
        s.ok("valias", "-i", "&ann@other.example", "alice@example.com")
        self.assertEqual(s.deliver("alice", **env).returncode, 0)
        self.assertEqual(len(s.mails("alice@example.com")), 0)
        self.assertEqual(s.deliver("alice", NOALIAS="1", **env).returncode, 0)
        self.assertEqual(len(s.mails("alice@example.com")), 1)

    def qmail(self, *lines, home=None):
        """Of alice, in this order."""
        home = home or self.site.home("alice@example.com")
        self.site.ok("/bin/mkdir", "-p", home)
        with open(home + "/.qmail", "w") as f:
            f.write("".join(line + "\n" for line in lines))

    def test_program_exit_codes(self):
        s = self.site
        self.qmail("| exit $CODE", "&after@other.example")
        env = self.program("forward", 'echo forwarded > "%s/forwarded"\n' % self.seen())
        for code, want in ((0, 0), (99, 0), (100, 100), (64, 100), (65, 100), (70, 100), (76, 100), (77, 100), (78, 100),
                           (112, 100), (1, 111), (111, 111), (75, 111), (126, 111)):
            if os.path.exists(self.seen() + "/forwarded"):
                os.unlink(self.seen() + "/forwarded")
            p = s.deliver("alice", CODE=str(code), **env)
            self.assertEqual(p.returncode, want, code)
            self.assertEqual(os.path.exists(self.seen() + "/forwarded"), code == 0, code)

    def test_stop(self):
        """Exit code 99: what stands before the line is done, what comes after is not."""
        s = self.site
        env = self.program("forward", 'echo "$@" > "%s/forwarded"\n' % self.seen())
        self.qmail("&friend@elsewhere.example", "| exit 99", "&never@elsewhere.example", "alice@example.com")
        self.assertEqual(s.deliver("alice", **env).returncode, 0)
        self.assertEqual(open(self.seen() + "/forwarded").read(), "-- friend@elsewhere.example\n")

    def test_moved_meanwhile(self):
        """A home that goes away during a delivery is not made again: the message waits, and finds the new one."""
        s = self.site
        for program, later in ((f"vmoveuserdir alice@example.com {s.path('elsewhere')}", 0), ("vrenameuser alice@example.com eve@example.com", 100),
                               ("vdeluser eve@example.com", 100)):
            address = program.split()[1]
            home, user, done = s.home(address), address.split("@")[0], f"{self.seen()}/{program.split()[0]}"
            self.qmail(address, f"| test -e {done} || {{ touch {done}; {s.env()['QMAILBIN']}/{program}; }}", home=home)
            self.assertEqual(s.deliver(user).returncode, 111, program)
            self.assertFalse(os.path.exists(home), program)
            for folder in ("", "Folder"):
                self.assertEqual(s.deliver(user, MAILDIRFOLDER=folder).returncode, later, program)

    def test_own_address(self):
        """In a line of his alias the user's own address is his mailbox: forward, and keep.  Once."""
        s = self.site
        s.ok("vaddaliasdomain", "also.example", "example.com")
        env = self.program("forward", 'echo "$@" > "%s/forwarded"\n' % self.seen())
        for line in ("&alice@example.com", "&friend@elsewhere.example", s.home("alice@example.com") + "/Maildir/"):
            s.ok("valias", "-i", line, "alice@example.com")
        for n, host in enumerate(("example.com", "also.example"), 1):
            self.assertEqual(s.deliver("alice", host=host, **env).returncode, 0)
            self.assertEqual(open(self.seen() + "/forwarded").read(), "-- friend@elsewhere.example\n")
            self.assertEqual(len(s.mails("alice@example.com")), n)
        self.assertEqual(s.deliver("alice+detail", **env).returncode, 0)
        self.assertEqual(len(s.mails("alice@example.com")), 3)
        s.add_user("group", "-c", "MailGroup friends")
        s.ok("valias", "-i", "&group@example.com", "group@example.com")
        self.assertEqual(s.deliver("group", **env).returncode, 0)
        self.assertFalse(os.path.exists(s.home("group@example.com")))

    def test_nothing_twice(self):
        """What fails for now is tried again: Maildirs come last, and are not filled with copies."""
        s = self.site
        archive = s.path("run", "archive")
        self.qmail(archive + "/", "alice@example.com", "&friend@elsewhere.example", "| exit $CODE")
        env = self.program("forward", 'exit $FORWARD_EXIT\n')
        for code, forward in (("111", "0"), ("0", "111")) * 2:
            self.assertEqual(s.deliver("alice", CODE=code, FORWARD_EXIT=forward, **env).returncode, 111)
        self.assertEqual((os.path.exists(archive), s.mails("alice@example.com")), (False, []))
        self.assertEqual(s.deliver("alice", CODE="0", FORWARD_EXIT="0", **env).returncode, 0)
        self.assertEqual((len(os.listdir(archive + "/new")), len(s.mails("alice@example.com"))), (1, 1))

    def test_one_refused(self):
        """A full mailbox, or an address that cannot be written to, keeps the mail from nobody else."""
        s = self.site
        env = self.program("forward", 'echo "$@" > "%s/forwarded"; exit $FORWARD_EXIT\n' % self.seen())
        for name in ("full", "last"):
            s.ok("/bin/mkdir", "-p", s.path("run", name))
            s.ok("maildirmake", s.path("run", name, "Maildir"))
            s.ok("resetquota", "-q", "10" if name == "full" else "1M", s.path("run", name, "Maildir"))
        self.qmail(s.path("run", "full", "Maildir") + "/", "&friend@elsewhere.example", s.path("run", "last", "Maildir") + "/")
        p = s.deliver("alice", BODY, FORWARD_EXIT="0", **env)
        self.assertEqual((p.returncode, b"full" in p.stderr), (100, True), p.stderr)
        self.assertEqual(open(self.seen() + "/forwarded").read(), "-- friend@elsewhere.example\n")
        self.assertEqual(len(os.listdir(s.path("run", "last", "Maildir", "new"))), 1)
        self.assertEqual(os.listdir(s.path("run", "full", "Maildir", "new")), [])
        self.assertEqual(s.deliver("alice", BODY, FORWARD_EXIT="100", **env).returncode, 100)
        self.assertEqual(len(os.listdir(s.path("run", "last", "Maildir", "new"))), 2)

    def test_dot_qmail(self):
        s = self.site
        self.assertEqual(s.deliver("alice").returncode, 0)
        env = self.program("forward", 'echo "$@" > "%s/forwarded"\n' % self.seen())
        home = s.home("alice@example.com")
        with open(home + "/.qmail", "w") as f:
            f.write("# comment\n&bob@other.example\nalice@example.com\n")
        self.assertEqual(s.deliver("alice", **env).returncode, 0)
        self.assertEqual(open(self.seen() + "/forwarded").read(), "-- bob@other.example\n")
        self.assertEqual(len(s.mails("alice@example.com")), 2)  # its own line: the mailbox too
        self.qmail("./Maildir/", home + "/Maildir/", home=home)
        self.assertEqual(s.deliver("alice", **env).returncode, 0)
        self.assertEqual(len(s.mails("alice@example.com")), 3)  # once
        with open(home + "/.qmail", "w") as f:
            f.write("")
        self.assertEqual(s.deliver("alice").returncode, 0)  # empty: thrown away
        self.assertEqual(len(s.mails("alice@example.com")), 3)

    def test_group(self):
        s = self.site
        s.add_user("group", "-c", "MailGroup friends")
        self.assertEqual(s.deliver("group").returncode, 0)
        self.assertFalse(os.path.exists(s.home("group@example.com")))

    def test_nothing_is_lost(self):
        """Lookup dead, database gone, Maildir in the way: 111."""
        s = self.site
        self.assertEqual(s.deliver("alice").returncode, 0)
        home = s.home("alice@example.com")
        os.chmod(home, 0o1700)
        self.assertEqual(s.deliver("alice").returncode, 111)
        os.chmod(home, 0o700)
        os.rename(home + "/Maildir", home + "/away")
        with open(home + "/Maildir", "w"):
            pass
        self.assertEqual(s.deliver("alice").returncode, 111)
        os.unlink(home + "/Maildir")
        os.rename(home + "/away", home + "/Maildir")
        s.add_user("bob")
        os.rename(s.db_path(), s.db_path() + ".away")
        self.assertEqual(s.deliver("alice").returncode, 0)  # inlookup has known her before
        for user in ("bob", "nobody"):
            p = s.deliver(user)
            self.assertEqual(p.returncode, 111)
            self.assertEqual(p.stderr.count(b"\n"), 1)
        os.rename(s.db_path() + ".away", s.db_path())
        s.lookup.terminate()
        s.lookup.wait(10)
        for user in ("alice", "nobody"):
            self.assertEqual(s.deliver(user).returncode, 111)

    def test_many_at_once(self):
        s = self.site
        e = s.env(EXT="alice", HOST="example.com", SENDER="a@b", RPLINE="Return-Path: <a@b>\n", DTLINE="Delivered-To: x\n")
        children = [subprocess.Popen([e["QMAILBIN"] + "/vdelivermail", "", "delete"], env=e, stdin=subprocess.PIPE,
                                     **s.ids) for _ in range(40)]
        for c in children:
            c.stdin.write(BODY)
            c.stdin.close()
        self.assertEqual([c.wait(20) for c in children], [0] * 40)
        self.assertEqual(len(s.mails("alice@example.com")), 40)
        self.assertEqual(set(map(len, s.mails("alice@example.com"))), {len(BODY) + len(e["RPLINE"] + e["DTLINE"])})


if __name__ == "__main__":
    unittest.main()
