"""vdominfo --check and --repair: everything that can be broken is broken, found, and mended or left to a person."""
import glob, json, os, shutil, unittest
from usersite import HASH, UserSite


class Check(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        s = self.site
        s.add_domain()
        s.add_user("ann", "-d")
        s.ok("vaddaliasdomain", "alias.example", "example.com")
        s.add_domain("other.example")
        self.dir = s.path("domains", "example.com")
        self.assertEqual(self.found(), [])

    def run_it(self, *argv, code=None):
        p = self.site.run(["vdominfo", *argv])
        self.assertEqual(p.stderr, b"")
        if code is not None:
            self.assertEqual(p.returncode, code, p.stdout)
        self.assertIn(p.returncode, (0, 1))
        return p.stdout.decode()

    def found(self, *argv):
        out = json.loads(self.run_it("--check", "--json", *argv))
        self.assertEqual(self.site.run(["vdominfo", "--check", *argv]).returncode, 1 if out else 0)
        return [(f["object"], f["finding"], f["outcome"]) for f in out]

    def theirs(self, path):
        if self.site.ids:
            os.lchown(path, 65534, 65534)

    def edit(self, *names, out=None, add=None):
        path = self.site.path(*names)
        lines = [l for l in open(path).read().splitlines() if l != out] + ([add] if add else [])
        with open(path, "w") as f:
            f.write("".join(l + "\n" for l in lines))

    def mended(self, break_it, object, text, then=None):
        """Found without being touched; mended; gone, and mail is delivered."""
        break_it()
        found = self.found()
        self.assertIn((object, text), [f[:2] for f in found])
        self.assertEqual(self.found(), found)  # --check changes nothing
        self.assertEqual({f[2] for f in found}, {"mendable"})
        out = self.run_it("--repair", code=0)
        self.assertIn(f"{object}: {text}: mended\n", out)
        self.assertEqual(self.found(), [])
        self.assertEqual(self.run_it("--repair", code=0), "")

    def test_control_files(self):
        s = self.site
        text = {n: open(s.path("control", n)).read() for n in ("rcpthosts", "virtualdomains")}
        for domain, line in (("example.com", "example.com:example.com"), ("alias.example", "alias.example:example.com")):
            with self.subTest(domain):
                self.mended(lambda: self.edit("control", "rcpthosts", out=domain), domain, "control/rcpthosts does not have it: no mail is let in")
                self.mended(lambda: self.edit("control", "virtualdomains", out=line), domain, "control/virtualdomains does not have it")
                self.mended(lambda: s.control("locals", f"me.example\n{domain}\n"), domain, "control/locals has it")
        self.assertEqual(open(s.path("control", "locals")).read(), "me.example\n")
        for n in text:
            self.assertEqual(sorted(open(s.path("control", n)).read().split()), sorted(text[n].split()))
        # a domain that stands in morercpthosts is let in
        self.edit("control", "rcpthosts", out="example.com")
        s.control("morercpthosts", "example.com\n")
        self.assertEqual(self.found(), [])

    def test_assign(self):
        s = self.site
        line, = [l for l in open(s.path("users", "assign")).read().splitlines() if l.startswith("+example.com-:")]
        wrong = "users/assign does not have it as the database has"
        self.mended(lambda: (self.edit("users", "assign", out=line), s.ok("qmail-newu")), "example.com", wrong)
        def other_place():
            text = open(s.path("users", "assign")).read().replace(self.dir + ":", "/no/such/place:")
            with open(s.path("users", "assign"), "w") as f:
                f.write(text)
        self.mended(other_place, "example.com", wrong)
        def stale():
            os.unlink(s.path("users", "cdb"))
        self.mended(stale, "example.com", "users/cdb does not have it as users/assign should")
        self.assertIn(line, open(s.path("users", "assign")).read().splitlines())
        s.start_lookup()
        self.assertEqual(s.deliver("ann").returncode, 0)

    def test_directories(self):
        s = self.site
        default = open(self.dir + "/.qmail-default").read()
        self.mended(lambda: os.unlink(self.dir + "/.qmail-default"), "example.com", ".qmail-default is missing in its directory")
        self.mended(lambda: shutil.rmtree(self.dir), "example.com", "its directory is missing")
        self.assertEqual(open(self.dir + "/.qmail-default").read(), default)
        self.mended(lambda: os.chmod(self.dir, 0o700), "example.com", "its directory belongs to another account, or is closed to inlookup")
        self.assertEqual(os.stat(self.dir).st_mode & 0o7777, 0o2750)
        self.mended(lambda: os.rmdir(s.path("mail", "Q2S", "example.com")), "example.com", "directories for its mailboxes are missing")
        self.assertEqual(os.stat(s.path("mail", "Q2S", "example.com")).st_mode & 0o777, 0o750)

    def test_note(self):
        """What a killed program was about is finished."""
        s = self.site
        old, new = s.home("ann@example.com"), s.path("mail", "A2E", "example.com", "0", "ann")
        note = s.path("users", ".unfinished")
        with open(note, "w") as f:
            f.write("".join(w + "\n" for w in ("user", "ann", "example.com", old, "ann", "example.com", new)))
        self.theirs(note)
        self.assertEqual(self.found(), [("users/.unfinished", "a program that moved something was killed", "mendable")])
        self.assertIn("mended", self.run_it("--repair", code=0))
        self.assertEqual(s.home("ann@example.com"), new)
        self.assertTrue(os.path.exists(new + "/Maildir/new"))
        with open(note, "w") as f:
            f.write("nonsense\n")
        p = s.run(["vdominfo", "--repair"])
        self.assertEqual((p.returncode, p.stdout), (111, b""))
        self.assertIn(b"damaged", p.stderr)

    def test_strays(self):
        s = self.site
        uid = os.stat(self.dir).st_uid
        stray = f"+gone.example-:gone.example:{uid}:{uid}:{s.path('domains', 'gone.example')}:-::"
        def add():
            text = open(s.path("users", "assign")).read()
            with open(s.path("users", "assign"), "w") as f:
                f.write(text.removesuffix(".\n") + stray + f"\n+list-:joe:{uid}:{uid}:/home/joe:-:list-:\n.\n")
            self.edit("control", "rcpthosts", add="gone.example")
            self.edit("control", "virtualdomains", add="gone.example:gone.example")
        self.mended(add, "gone.example", "users/assign has it, the database does not, nor is there a directory")
        self.assertIn("+list-:joe:", open(s.path("users", "assign")).read())
        for names in (("control", "rcpthosts"), ("control", "virtualdomains"), ("users", "assign")):
            self.assertNotIn("gone", open(s.path(*names)).read())
        # where there is a directory, the database may be the wrong one
        os.mkdir(s.path("domains", "gone.example"))
        add()
        found = self.found()
        self.assertEqual([(f[0], f[2]) for f in found], [("gone.example", "person")])
        self.assertIn("--repair decides", self.run_it("--repair", code=1))
        self.assertEqual(self.found(), found)
        self.assertEqual(self.found("example.com"), [])

    def test_homes(self):
        s = self.site
        s.add_user("bob", "-d")
        s.add_user("eve")
        tree = s.path("mail", "A2E", "example.com")
        for path in (tree + "/0/1/x", tree + "/nobodys", tree + "/ann2", tree + "/0/ann", tree + "/0/1/2/3"):
            os.makedirs(path)
        os.symlink("/etc", tree + "/z")
        self.assertEqual(sorted(f[0][len(tree) + 1:] for f in self.found()), ["0/1/2/3", "0/ann", "ann2", "nobodys"])  # a link is not gone into
        self.assertEqual({f[1:] for f in self.found()}, {("no user has this home", "person")})
        self.run_it("--repair", code=1)
        self.assertTrue(os.path.isdir(tree + "/nobodys"))
        shutil.rmtree(tree + "/0"), shutil.rmtree(tree + "/nobodys"), shutil.rmtree(tree + "/ann2"), os.unlink(tree + "/z")
        self.assertEqual(self.found(), [])
        for line, wrong in ((f"{tree}/bob/Maildir/", 0), ("/tmp/", 0), (f"{tree}/gone/Maildir/", 1), ("&x@b.example", 0),
                            (f"| p -q '{tree}/gone/.vacation.msg' '{tree}/gone/.vacation.dir'", 1), (f"| p '{tree}/bob/.vacation.msg'", 0)):
            with open(tree + "/bob/.qmail", "w") as f:
                f.write("# x\n" + line)
            self.assertEqual([f[:2] for f in self.found()], [(tree + "/bob/.qmail", "names another home, or a Maildir that is not there")] * wrong, line)
        os.unlink(tree + "/bob/.qmail")
        s.sql("UPDATE users SET dir = ? WHERE name = 'bob'", s.home("ann@example.com"))
        self.assertEqual(sorted(f[0:2] for f in self.found()), [(tree + "/ann", "two users have this home"), (tree + "/bob", "no user has this home")])
        s.sql("UPDATE users SET dir = ? WHERE name = 'bob'", tree + "/bob")
        s.sql("UPDATE users SET dir = 'o''x; é' WHERE name = 'eve'")
        self.assertEqual(len(self.found()), 1)
        s.sql("UPDATE users SET dir = ? WHERE name = 'eve'", tree + "/eve")
        open(tree + "/eve", "w").close()
        self.assertEqual(self.found(), [(tree + "/eve", "the home is not a directory", "person")])

    def test_links(self):
        """A domain's directories may be on another file system, by a link."""
        s = self.site
        for path in (self.dir, s.path("mail", "A2E", "example.com")):
            os.rename(path, path + ".there")
            os.symlink(path + ".there", path)
        self.assertEqual(self.found(), [])
        os.mkdir(s.path("mail", "A2E", "example.com", "nobodys"))
        self.assertEqual(self.found(), [(s.path("mail", "A2E", "example.com", "nobodys"), "no user has this home", "person")])

    def test_postmaster(self):
        self.site.sql("DELETE FROM users WHERE name = 'postmaster' AND domain = 'example.com'")
        self.assertEqual(self.found(), [("example.com", "it has no postmaster", "person")])
        self.assertEqual(self.found("other.example"), [])
        self.site.ok("valias", "-i", "&ann@example.com", "postmaster@example.com")
        self.assertEqual(self.found("alias.example"), [])

    def test_everything_at_once(self):
        """Of a restored database alone --repair makes a site that takes mail again."""
        s = self.site
        shutil.rmtree(s.path("domains")), shutil.rmtree(s.path("users")), shutil.rmtree(s.path("mail"))
        os.unlink(s.path("control", "rcpthosts")), os.unlink(s.path("control", "virtualdomains"))
        for name in ("domains", "users", "mail"):
            os.mkdir(s.path(name))
            self.theirs(s.path(name))
        self.run_it("--repair", code=0)
        self.assertEqual(self.found(), [])
        self.assertEqual(open(s.path("control", "rcpthosts")).read().split(), ["example.com", "alias.example", "other.example"])
        s.start_lookup()
        self.assertEqual(s.deliver("ann").returncode, 0)
        self.assertEqual(len(s.mails("ann@example.com")), 1)

    def test_wrong(self):
        for argv in (["--check", "--repair"], ["--check", "-a"], ["--chek"], ["--check", "a", "b"], ["--check", "none.example"], ["--repair", "../x"],
                     ["--repair", "a'b"]):
            with self.subTest(argv):
                self.assertEqual(self.site.run(["vdominfo", *argv]).returncode, 100)
        with open(self.site.db_path(), "r+b") as f:
            f.write(b"this is no database any more" * 100)
        p = self.site.run(["vdominfo", "--repair"])
        self.assertEqual((p.returncode, p.stdout), (111, b""))
        self.assertIn("example.com", open(self.site.path("control", "rcpthosts")).read())


@unittest.skipUnless(os.geteuid() == 0, "needs root: programs that give up root")
class AsRoot(unittest.TestCase):
    def test_owners(self):
        with UserSite(privileged=True) as s:
            s.add_domain()
            s.add_user("ann", "-d")
            check = lambda *argv: s.run(["vdominfo", *argv])
            self.assertEqual(check("--check").returncode, 0)
            for path in (s.path("domains", "example.com"), s.path("mail", "L2P", "example.com")):
                os.chown(path, 0, 0)
            self.assertEqual(check("--check").returncode, 1)
            self.assertEqual(check("--repair").returncode, 0)
            for path in (s.path("domains", "example.com"), s.path("mail", "L2P", "example.com")):
                self.assertEqual(os.stat(path).st_uid, 65534)
            s.ok("vadddomain", "-e", "-u", "games", "games.example", HASH)
            self.assertEqual(check("--check").returncode, 0)
            shutil.rmtree(s.path("domains", "games.example"))
            self.assertEqual(check("--repair").returncode, 0)
            st = os.stat(s.path("domains", "games.example"))
            self.assertEqual((st.st_mode & 0o7777, st.st_gid), (0o2750, os.stat(s.path("domains", "example.com")).st_gid))
            os.chown(s.home("ann@example.com"), 0, 0)
            p = check("--repair")
            self.assertEqual(p.returncode, 1)
            self.assertIn(b"another account", p.stdout)
            os.chown(s.home("ann@example.com"), 65534, 65534)


if __name__ == "__main__":
    unittest.main()
