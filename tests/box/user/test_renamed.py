"""vrenamedomain, vrenameuser, vmoveuserdir, vmoddomain, post handles: what they move, and that nothing is lost."""
import glob, os, shutil, tempfile, unittest
from killed import OTHER, on_another_device
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

    def test_vacation(self):
        """A user who answers his mail gets it wherever he and his domain go: once, in the home of the row."""
        s = self.site
        s.start_lookup("-i", "1", "-p", "1")
        s.ok("vacation", "ann@old.example", "+", input=b"away\n")
        with open(s.home("ann@old.example") + "/.qmail", "a") as f:
            f.write(f"ann@old.example\n&postmaster@old.example\n{s.home('ann@old.example')}/Maildir/.Copies/\n")
        bin = s.path("programs")
        os.mkdir(bin)
        for name in ("autoresponder", "forward"):
            with open(f"{bin}/{name}", "w") as f:
                f.write(f'#!/bin/sh\necho "$@" >> {s.path("run")}/{name}\n')
            os.chmod(f"{bin}/{name}", 0o755)
        old, n = set(), 0
        for program, now in (("vrenameuser ann@old.example eve@old.example", "eve@old.example"),
                             ("vmoveuserdir eve@old.example " + s.path("elsewhere"), "eve@old.example"),
                             ("vmoveuserdir eve@old.example " + s.path("mail"), "eve@old.example"),
                             ("vrenamedomain old.example new.example", "eve@new.example")):
            old.add(s.home(program.split()[1] if "@" in program else "eve@old.example"))
            s.ok(*program.split())
            home, n = s.home(now), n + 1
            old.discard(home)
            text = open(home + "/.qmail").read().replace(f"{s.env()['QMAILBIN']}/autoresponder", bin + "/autoresponder")
            with open(home + "/.qmail", "w") as f:
                f.write(text)
            p = s.deliver("eve", host=now.split("@")[1], QMAILBIN=bin)
            self.assertEqual((p.returncode, p.stderr), (0, b""), program)
            self.assertEqual(len(os.listdir(home + "/Maildir/new")), n + 1, program)
            self.assertEqual(len(os.listdir(home + "/Maildir/.Copies/new")), n, program)
            self.assertEqual([h for h in old if os.path.exists(h)], [], program)
            self.assertEqual(open(s.path("run") + "/autoresponder").read().splitlines()[-1], f"-q {home}/.vacation.msg {home}/.vacation.dir")
            self.assertEqual(open(s.path("run") + "/forward").read().splitlines()[-1], f"-- postmaster@{now.split('@')[1]}")
        with open(home + "/.qmail", "w") as f:
            f.write("".join(text.splitlines(True)[:2]).replace(bin, s.env()["QMAILBIN"]))
        s.ok("vacation", "eve@new.example", "-")
        self.assertFalse(os.path.exists(home + "/.qmail"))

    def test_move_that_fails(self):
        """It is taken back: the user is where he was, and nothing else is held up."""
        s = self.site
        home = s.home("ann@old.example")
        moves = [("vrenameuser", "ann@old.example", "eve@old.example", os.path.dirname(home), 0o500)]
        if on_another_device():
            other = tempfile.mkdtemp(prefix="indimail-", dir=OTHER)
            self.addCleanup(shutil.rmtree, other)
            os.chmod(other, 0o777)
            moves.append(("vmoveuserdir", "ann@old.example", other, home + "/Maildir/new/one", 0))
        for program, who, where, shut, mode in moves:
            was = os.stat(shut).st_mode & 0o777
            os.chmod(shut, mode)
            if s.ids:
                os.chown(shut, 65534, 65534)
            self.assertEqual(s.run([program, who, where]).returncode, 111)
            self.assertFalse(os.path.exists(s.path("users", ".unfinished")))
            os.chmod(shut, was)
            self.assertEqual(s.home("ann@old.example"), home)
            self.assertEqual(os.listdir(home + "/Maildir/new"), ["one"])
            self.assertEqual(glob.glob(where + "/**/ann*", recursive=True), [])
            s.ok("vaddaliasdomain", program + ".example", "old.example")
            s.ok(program, who, where)
            s.ok(*(("vrenameuser", where, who) if program == "vrenameuser" else ("vmoveuserdir", who, s.path("mail"))))

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
