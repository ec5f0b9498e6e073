"""vrenamedomain, vrenameuser, vmoveuserdir, vmoddomain, post handles: what they move, and that nothing is lost."""
import os, unittest
from usersite import UserSite


class Renamed(unittest.TestCase):
    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.site.add_domain("old.example")
        self.site.add_user("ann@old.example", "-d")
        self.put("ann@old.example", "one")

    def put(self, address, name):
        with open(self.site.home(address) + "/Maildir/new/" + name, "w") as f:
            f.write("hello\n")

    def test_domain(self):
        s = self.site
        s.ok("valias", "-i", "&ann@old.example", "team@old.example")
        s.ok("vrenamedomain", "old.example", "new.example")
        home = s.home("ann@new.example")
        self.assertIn("/new.example/", home)
        self.assertTrue(os.path.exists(home + "/Maildir/new/one"))
        self.assertIn("&ann@new.example", s.ok("valias", "-s", "team@new.example"))
        self.assertEqual(open(s.path("control", "rcpthosts")).read(), "new.example\n")
        self.assertFalse(os.path.exists(s.path("users", ".unfinished")))
        self.assertEqual(s.run(["vrenamedomain", "old.example", "x.example"]).returncode, 100)

    def test_user(self):
        s = self.site
        s.ok("vrenameuser", "ann@old.example", "eve@old.example")
        self.assertTrue(os.path.exists(s.home("eve@old.example") + "/Maildir/new/one"))
        self.assertEqual(s.run(["vuserinfo", "ann@old.example"]).returncode, 1)
        self.assertEqual(s.run(["vrenameuser", "eve@old.example", "postmaster@old.example"]).returncode, 100)

    def test_moved(self):
        s = self.site
        before = s.home("ann@old.example")
        s.ok("vmoveuserdir", "-n", "ann@old.example", s.path("elsewhere"))
        self.assertEqual(s.home("ann@old.example"), before)
        s.ok("vmoveuserdir", "ann@old.example", s.path("elsewhere"))
        self.assertTrue(s.home("ann@old.example").startswith(s.path("elsewhere")))
        self.assertTrue(os.path.exists(s.home("ann@old.example") + "/Maildir/new/one"))
        self.assertFalse(os.path.exists(before))

    def test_modified(self):
        s = self.site
        s.ok("vmoddomain", "-h", "delete", "-l", "1", "old.example")
        self.assertTrue(open(s.path("domains", "old.example", ".qmail-default")).read().endswith(" '' delete\n"))
        s.sql("INSERT INTO vlimits (domain, maxpopaccounts) VALUES ('old.example', 2)")
        self.assertEqual(s.run(["vadduser", "bob@old.example", "secret"]).returncode, 100)
        self.assertEqual(s.run(["vmoddomain", "-h", "$(id)", "old.example"]).returncode, 100)

    def test_handle(self):
        s = self.site
        handle = s.path("run", "handle")
        with open(handle, "w") as f:
            f.write("#!/bin/sh\nprintf '%s|' \"$@\"\nexit 7\n")
        os.chmod(handle, 0o755)
        p = s.run(["vadduser", "o'b;x@old.example".replace(";", ""), "secret"], env=s.env(POST_HANDLE=handle))
        self.assertEqual((p.returncode, p.stdout), (7, b"o'bx@old.example|"))


if __name__ == "__main__":
    unittest.main()
