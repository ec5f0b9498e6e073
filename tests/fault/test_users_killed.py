"""The administrator's programs killed before each call that changes the disk: what is left accepts no
mail it could not deliver, and running the program again, or removing, mends it."""
import glob, os, shutil, subprocess, unittest
from killed import KilledPrograms
from usersite import HASH, UserSite


class Killed(KilledPrograms):
    def nothing_left(self, domain):
        s = self.site
        self.assertNotIn(domain, self.lines("control", "rcpthosts"))
        self.assertFalse(any(domain in l for l in self.lines("users", "assign") + self.lines("control", "virtualdomains")))
        self.assertEqual(glob.glob(s.path("mail", "*", domain)) + glob.glob(s.path("domains", domain)), [])
        self.assertEqual(s.sql("SELECT domain FROM domains WHERE domain = ?", domain), [])

    def test_vadddomain(self):
        s = self.site
        add = ["vadddomain", "-e", "new.example", "-"]

        def again(n):
            if n % 2:
                p = s.run(add, input=HASH.encode())
                self.assertIn(p.returncode, (0, 100), p.stderr)
                self.assertIn("new.example", self.lines("control", "rcpthosts"))
                self.check()
                self.assertIn("mailer-daemon", s.ok("valias", "-s", "@new.example"))
            self.assertIn(s.run(["vdeldomain", "new.example"]).returncode, (0, 100))
            self.nothing_left("new.example")
            self.check()

        self.every_step(add, again)

    def test_mail_that_is_fetched(self):
        """vadddomain -t: the second time it ends what was begun; no mail is let in, or is any more, that nobody may ask for."""
        s = self.site
        has = lambda name: "fetch.example" in self.lines("control", name)

        def added(n):
            self.assertTrue(has("etrnhosts") or not has("rcpthosts"))
            self.assertIn(s.run(["vadddomain", "-t", "fetch.example"]).returncode, (0, 100))
            self.assertTrue(has("etrnhosts") and has("rcpthosts"))
            s.ok("vdeldomain", "-T", "fetch.example")
            self.assertFalse(has("etrnhosts") or has("rcpthosts"))
            self.assertEqual([f for f in os.listdir(s.path("control")) if f.endswith(".tmp")], [])

        def removed(n):
            self.assertTrue(has("etrnhosts") or not has("rcpthosts"))
            self.assertIn(s.run(["vdeldomain", "-T", "fetch.example"]).returncode, (0, 100))
            self.assertFalse(has("etrnhosts") or has("rcpthosts"))
            s.ok("vadddomain", "-t", "fetch.example")

        self.check = lambda: None  # of domains with mailboxes
        self.every_step(["vadddomain", "-t", "fetch.example"], added)
        s.ok("vadddomain", "-t", "fetch.example")
        self.every_step(["vdeldomain", "-T", "fetch.example"], removed)

    def test_aliases_as_files_and_back(self):
        """Whatever has been done, each alias is there whole, as a file or in the database; the second run ends the first."""
        s = self.site
        want = {"sales": "|true\n&a@b.example\n", "j.smith": "&c@d.example\n"}

        def file(alias):
            return s.path("domains", "other.example", ".qmail-" + alias.replace(".", ":"))

        def rows(alias):
            return "".join(l + "\n" for l, in s.sql("SELECT valias_line FROM valias WHERE alias = ? AND domain = 'other.example' ORDER BY created", alias))

        def prepare(to_files):
            for alias in want:
                if to_files:
                    s.ok("vcalias", "-r", "other.example")
                else:
                    s.ok("vcaliasrev.sh", "-r", "other.example")

        for alias, text in want.items():
            with open(file(alias), "w") as f:
                f.write(text)
            if s.ids:
                os.chown(file(alias), 65534, 65534)
        for to_files, program in ((False, "vcalias"), (True, "vcaliasrev.sh")):
            def again(n):
                for alias, text in want.items():
                    there = open(file(alias)).read() if os.path.exists(file(alias)) else rows(alias)
                    self.assertEqual(there, text, (program, n))
                s.ok(program, "-r", "other.example")
                for alias, text in want.items():
                    self.assertEqual(os.path.exists(file(alias)), to_files)
                    self.assertEqual(rows(alias), "" if to_files else text)
                prepare(to_files)

            prepare(to_files)
            self.every_step([program, "-r", "other.example"], again)

    def test_vacation(self):
        """Mail is always delivered, with or without an answer; there is no line without a text."""
        s = self.site
        s.ok("vacation", "joe@other.example", "+", input=b"away\n")
        home = s.home("joe@other.example")
        with open(s.path("text"), "w") as f:
            f.write("away\n")
        os.chmod(s.path("text"), 0o644)
        for before, after in (("-", s.path("text")), (s.path("text"), "-")):
            def again(n):
                lines = open(home + "/.qmail").read().splitlines() if os.path.exists(home + "/.qmail") else []
                self.assertIn(lines[-1:], ([], [home + "/Maildir/"]))
                if len(lines) > 1:
                    self.assertEqual(open(home + "/.vacation.msg").read(), "away\n")
                s.ok("vacation", "joe@other.example", after)
                self.assertEqual(os.path.exists(home + "/.qmail"), after != "-")
                self.assertEqual(os.path.exists(home + "/.vacation.msg"), after != "-")
                s.ok("vacation", "joe@other.example", before)

            s.ok("vacation", "joe@other.example", before)
            n = 0
            while True:
                n += 1
                went_wrong = self.killed(n, "vacation", "joe@other.example", after)
                again(n)
                if not went_wrong:
                    break
            self.assertGreater(n, 2)

    def test_vdeldomain(self):
        s = self.site

        def again(n):
            self.assertIn(s.run(["vdeldomain", "new.example"]).returncode, (0, 100))
            self.nothing_left("new.example")
            s.add_domain("new.example")

        s.add_domain("new.example")
        self.every_step(["vdeldomain", "new.example"], again)

    def test_vadduser_and_vdeluser(self):
        s = self.site
        add = ["vadduser", "-e", "-d", "ann@other.example", "-"]

        def added(n):
            self.assertIn(s.run(add, input=HASH.encode()).returncode, (0, 100))
            self.assertIn("ann@other.example", s.ok("vuserinfo", "-n", "ann@other.example"))
            s.ok("vdeluser", "ann@other.example")
            self.assertEqual(glob.glob(s.path("mail", "A2E", "other.example", "*")), [])

        self.every_step(add, added)

        def removed(n):
            self.assertIn(s.run(["vdeluser", "ann@other.example"]).returncode, (0, 100))
            self.assertEqual(glob.glob(s.path("mail", "A2E", "other.example", "*")), [])
            s.add_user("ann@other.example", "-d")

        s.add_user("ann@other.example", "-d")
        self.every_step(["vdeluser", "ann@other.example"], removed)

    def test_reorganized(self):
        """Every user is whole wherever vreorg ends, and the next one goes on: users are spread and closed up in turn."""
        s = self.site
        s.add_domain("a.example")
        names = [f"bob{i}" for i in range(3)]
        for name in names:
            s.add_user(name + "@a.example", "-d")
            with open(s.home(name + "@a.example") + "/Maildir/new/" + name, "w") as f:
                f.write("hello\n")
        spread = ["vreorg", "-d", "a.example", "-l", "1"]

        def where():
            return sorted(h.split("/a.example/")[1] for h, in s.sql("SELECT dir FROM users WHERE domain = 'a.example' AND name LIKE 'bob%'"))

        def again(n):
            note = os.path.exists(s.path("users", ".unfinished"))
            for name in names:  # in one of both places whole, before anybody mends
                if not note:
                    self.assertTrue(os.path.exists(s.home(name + "@a.example") + "/Maildir/new/" + name))
                self.assertEqual(len(glob.glob(s.path("mail", "**", "new", name), recursive=True)), 1)
            s.ok(*spread)
            self.assertFalse(os.path.exists(s.path("users", ".unfinished")))
            self.assertEqual(where(), ["0/bob0", "1/bob1", "2/bob2"])
            self.assertEqual(s.sql("SELECT cur_users FROM dir_control WHERE domain = 'a.example' AND bucket = 'A2E'"), [(3,)])
            self.check()
            s.ok("vreorg", "-d", "a.example", "-l", "100")
            self.assertEqual(where(), names)
            self.assertEqual(glob.glob(s.path("mail", "A2E", "a.example", "?")), [])  # nor is an empty directory left

        self.every_step(spread, again)


    def test_taken_over(self):
        """A domain of vpopmail's is there whole or not at all, and mail for it is let in last; the second run ends the first."""
        s = self.site
        dir = s.path("domains", "new.example")
        ids = "65534:65534" if s.ids else f"{os.geteuid()}:{os.getegid()}"

        def tree():
            os.makedirs(dir + "/postmaster/Maildir/new")
            for name, text in (("vpasswd", f"postmaster:{HASH}:1:0::{dir}/postmaster:NOQUOTA\n"), (".qmail-team", "&a@b.example\n"),
                               (".qmail-default", "| /home/vpopmail/bin/vdelivermail '' delete\n"), ("postmaster/Maildir/new/one", "hello\n")):
                with open(f"{dir}/{name}", "w") as f:
                    f.write(text)
            if s.ids:
                subprocess.run(["chown", "-R", "nobody:nogroup", dir], check=True)

        with open(s.path("run", "assign"), "w") as f:
            f.write(f"+new.example-:new.example:{ids}:{dir}:-::\n.\n")
        take = ["install_tables", "-t", s.path("run", "assign")]

        def again(n):
            rows = [s.sql(f"SELECT COUNT(*) FROM {t} WHERE domain = 'new.example'")[0][0] for t in ("domains", "users", "valias")]
            self.assertIn(rows, ([0, 0, 0], [1, 1, 1]))
            s.ok(*take)
            self.assertIn("new.example", self.lines("control", "rcpthosts"))
            self.assertEqual(self.lines("domains", "new.example", ".qmail-default"), [f"| {s.bin}/vdelivermail '' delete"])
            self.assertEqual(self.lines("domains", "new.example", "postmaster", "Maildir", "new", "one"), ["hello"])
            self.check()
            s.ok("vdeldomain", "new.example")
            tree()

        tree()
        self.every_step(take, again)

    def test_bulletin(self):
        """Everybody gets it, whenever vbulletin was killed; at most one user twice."""
        s = self.site
        with open(s.path("run", "text"), "w") as f:
            f.write("Subject: x\n\nhello\n")
        os.chmod(s.path("run", "text"), 0o644)
        send = ["vbulletin", "-f", s.path("run", "text"), "other.example"]

        def again(n):
            s.ok(*send)
            got = [len(glob.glob(s.path("mail", b, "other.example", u, "Maildir", "new", "*"))) for b, u in (("F2K", "joe"), ("L2P", "postmaster"))]
            self.assertIn(sorted(got), ([1, 1], [1, 2]))
            for home in glob.glob(s.path("mail", "*", "other.example", "*")):
                shutil.rmtree(home)

        self.every_step(send, again)

    def test_repaired(self):
        """A repair that is killed lets no mail in that could not be delivered, and the next one goes on."""
        s = self.site

        def lose():
            for names in (("control", "rcpthosts"), ("control", "virtualdomains"), ("users", "assign"), ("users", "cdb")):
                os.unlink(s.path(*names))
            shutil.rmtree(s.path("domains", "other.example"))
            shutil.rmtree(s.path("mail", "Q2S"))

        def again(n):
            s.ok("vdominfo", "--repair")
            self.assertEqual(s.ok("vdominfo", "--check"), "")
            self.check()
            lose()

        lose()
        n = 0
        while True:
            n += 1
            went_wrong = self.killed(n, "vdominfo", "--repair")
            for domain in self.lines("control", "rcpthosts"):
                self.assertIn(f"{domain}:{domain}", self.lines("control", "virtualdomains"))
                self.assertTrue(any(l.startswith(f"+{domain}-:") for l in self.lines("users", "assign")))
                self.assertTrue(os.path.exists(s.path("domains", domain, ".qmail-default")))
            again(n)
            if not went_wrong:
                break
        self.assertGreater(n, 10)


class Crowd(unittest.TestCase):
    def test_eight_at_once(self):
        """Eight processes add users, and some remove them again: none is lost, no directory too full."""
        with UserSite() as s:
            s.add_domain()
            script = ('for i in 1 2 3 4 5 6 7 8 9 10; do echo "$HASH" | vadduser -e -l 5 bob$1x$i@example.com - || exit 1; '
                      '[ $i -gt 3 ] || vdeluser bob$1x$i@example.com || exit 1; done')
            children = [subprocess.Popen(["sh", "-c", script, "sh", str(k)], env=s.env(HASH=HASH), stderr=subprocess.PIPE, **s.ids)
                        for k in range(8)]
            for c in children:
                out = c.communicate(timeout=60)[1]
                self.assertEqual((c.returncode, out), (0, b""))
            rows = s.sql("SELECT name, dir FROM users WHERE name LIKE 'bob%'")
            self.assertEqual(len(rows), 8 * 7)
            self.assertEqual(s.sql("SELECT cur_users FROM dir_control WHERE bucket = 'A2E'"), [(80,)])
            per_dir = {}
            for _, home in rows:
                per_dir[os.path.dirname(home)] = per_dir.get(os.path.dirname(home), 0) + 1
            self.assertLessEqual(max(per_dir.values()), 5)

    def test_domains_at_once(self):
        """Several vadddomain at once: no line of a control file is lost."""
        with UserSite() as s:
            children = [subprocess.Popen([os.path.join(s.env()["QMAILBIN"], "vadddomain"), "-e", f"d{k}.example", HASH],
                                         env=s.env(), stderr=subprocess.PIPE, **s.ids) for k in range(8)]
            for c in children:
                out = c.communicate(timeout=60)[1]
                self.assertEqual((c.returncode, out), (0, b""))
            names = sorted(f"d{k}.example" for k in range(8))
            self.assertEqual(sorted(open(s.path("control", "rcpthosts")).read().split()), names)
            self.assertEqual(sorted(l.split(":")[1] for l in open(s.path("users", "assign")) if l[0] == "+"), names)
            self.assertEqual(s.ok("vdominfo", "-n").split("\n\n"), [f"domain        : {n}" for n in names[:-1]] +
                             [f"domain        : {names[-1]}\n"])


if __name__ == "__main__":
    unittest.main()
