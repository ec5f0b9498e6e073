"""Users and domains that get another name or place, by programs killed before each call that changes the disk or the
database, on both kinds of it: whoever comes next finishes what was begun, and the mail is there once, where the row says."""
import glob, os, shutil, tempfile, unittest

from killed import OTHER, KilledPrograms, on_another_device
from mariadbsite import DATABASE, MariaDB
from usersite import UserSite

TEXT = b"".join(b"line %d\n" % i for i in range(30000))


class OnSQLite(KilledPrograms):
    def setUp(self):
        super().setUp()
        s = self.site
        s.add_domain("a.example")
        s.add_user("ann@a.example", "-d")
        s.ok("valias", "-i", "&ann@a.example", "team@a.example")
        s.ok("vacation", "ann@a.example", "+", input=b"away\n")
        self.write(self.home() + "/Maildir/new/one")
        self.other = None

    def home(self):
        """Of the one user there, as the row says, whatever he and his domain are called."""
        return self.site.sql("SELECT dir FROM users WHERE name IN ('ann', 'eve')")[0][0]

    def write(self, path, text=TEXT):
        with open(path, "wb") as f:
            f.write(text)
        if self.site.ids:
            os.chown(path, 65534, 65534)

    def whole(self):
        """The message is whole, and nowhere else is another."""
        with open(self.home() + "/Maildir/new/one", "rb") as f:
            self.assertEqual(f.read(), TEXT)
        if not self.other:
            with open(self.home() + "/.qmail") as f:
                lines = f.read().splitlines()
            self.assertEqual((lines[0].split(" -q ")[1], lines[1:]),
                             (f"'{self.home()}/.vacation.msg' '{self.home()}/.vacation.dir'", [self.home() + "/Maildir/"]))
        places = [self.site.path("mail")] + [self.other] * bool(self.other)
        self.assertEqual(sum(len(glob.glob(p + "/**/new/one", recursive=True)) for p in places), 1)

    def finished(self, program, old, new, alias):
        def again(n):
            self.assertIn(self.site.run([program, old, new]).returncode, (0, 100))
            self.assertFalse(os.path.exists(self.site.path("users", ".unfinished")))
            self.whole()
            self.check()
            self.assertEqual(self.site.ok("valias", "-s", "team@" + alias.split("@")[1]), f"team -> &{alias}\n")
            self.site.ok(program, new, old)

        self.every_step([program, old, new], again, waits=program == "vrenamedomain")

    def test_domain(self):
        self.finished("vrenamedomain", "a.example", "b.example", "ann@b.example")

    def test_user(self):
        self.finished("vrenameuser", "ann@a.example", "eve@a.example", "eve@a.example")

    def test_removed(self):
        """A user removed before the move is finished leaves nothing behind."""
        s = self.site

        def again(n):
            for name in ("ann", "eve"):
                self.assertIn(s.run(["vdeluser", name + "@a.example"]).returncode, (0, 100))
            self.assertFalse(os.path.exists(s.path("users", ".unfinished")))
            self.assertEqual(glob.glob(s.path("mail") + "/**/new/one", recursive=True), [])
            self.check()
            s.add_user("ann@a.example", "-d")
            self.write(self.home() + "/Maildir/new/one")

        self.every_step(["vrenameuser", "ann@a.example", "eve@a.example"], again)

    @unittest.skipUnless(on_another_device(), "needs another file system at " + OTHER)
    def test_across_file_systems(self):
        """Between any two steps the home of the row has the message, whole; what came to the old place meanwhile comes along,
        and what is deleted there, or in the new place, does not come back."""
        s = self.site
        s.ok("vacation", "ann@a.example", "-")  # fewer files, fewer steps
        self.other = tempfile.mkdtemp(prefix="indimail-", dir=OTHER)
        self.addCleanup(shutil.rmtree, self.other)
        os.chmod(self.other, 0o777)
        old = self.home()  # after a hundred moves back it is another
        self.write(old + "/Maildir/new/gone", b"x\n")
        self.write(old + "/Maildir/cur/gone too:2,S", b"x\n")

        def again(n):
            nonlocal old
            with open(self.home() + "/Maildir/new/one", "rb") as f:
                self.assertEqual(f.read(), TEXT)
            os.unlink(self.home() + "/Maildir/new/gone")
            os.unlink(self.home() + "/Maildir/cur/gone too:2,S")
            late = os.path.isdir(old + "/Maildir/new")
            if late:
                self.write(old + f"/Maildir/new/late{n}")
            p = s.run(["vmoveuserdir", "ann@a.example", self.other])
            self.assertIn(p.returncode, (0, 100), p.stderr)  # 100: he is there already
            self.assertTrue(self.home().startswith(self.other + "/A2E/a.example/"))
            self.assertFalse(os.path.exists(s.path("users", ".unfinished")))
            self.whole()
            if late:
                self.assertEqual(os.path.getsize(self.home() + f"/Maildir/new/late{n}"), len(TEXT))
                os.unlink(self.home() + f"/Maildir/new/late{n}")
            self.assertEqual(glob.glob(self.other + "/**/*,*", recursive=True), [])
            self.assertEqual(glob.glob(s.path("mail") + "/**/*,gone*", recursive=True), [])
            for place in (self.other, s.path("mail")):
                self.assertEqual(glob.glob(place + "/**/Maildir/*/gone*", recursive=True), [])
            self.assertFalse(os.path.exists(old))
            self.check()
            s.ok("vmoveuserdir", "ann@a.example", s.path("mail"))
            self.assertFalse(os.path.exists(self.other + "/A2E/a.example/ann"))
            old = self.home()
            self.write(old + "/Maildir/new/gone", b"x\n")
            self.write(old + "/Maildir/cur/gone too:2,S", b"x\n")

        self.every_step(["vmoveuserdir", "ann@a.example", self.other], again)


class OnMariaDB(OnSQLite):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = MariaDB()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        super().tearDownClass()

    def new_site(self):
        site = UserSite()
        self.server.sql(f"DROP DATABASE IF EXISTS {DATABASE}")
        self.server.use(site)
        return site

    def rows(self, text):
        return [tuple(v.decode() for v in row) for row in self.server.sql(text, database=DATABASE)]

    def home(self):
        return self.rows("SELECT dir FROM users WHERE name IN ('ann', 'eve')")[0][0]

    def domains(self):
        return {d for d, in self.rows("SELECT domain FROM users WHERE name = 'postmaster'")}


if __name__ == "__main__":
    unittest.main()
