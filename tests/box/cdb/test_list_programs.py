"""qmail-cdb, recipient-cdb and qmail-newmrh: what they make of a list, and what is left when they fail."""
import os, stat, unittest
from box import Root


class Lists(unittest.TestCase):
    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)

    def make(self, *argv, code=0):
        p = self.root.run(argv)
        self.assertEqual(p.returncode, code, p.stderr)
        self.assertEqual(p.stdout, b"")
        return p.stderr.decode()

    def keys(self, *path):
        with open(self.root.path(*path), "rb") as f:
            out = self.root.run(["cdbdump"], stdin=f).stdout.decode()
        return [line.split(":", 1)[1][:-2] for line in out.splitlines() if line]

    def test_list(self):
        self.root.control("badmailfrom", "# no\nA@B.example \t\r\n\n@c.Example\n!x@c.example\nlast@d")
        self.assertEqual(self.make("qmail-cdb", "badmailfrom"), "")
        self.assertEqual(self.keys("control", "badmailfrom.cdb"), ["a@b.example", "@c.example", "!x@c.example", "last@d"])
        self.assertEqual(stat.S_IMODE(os.stat(self.root.path("control", "badmailfrom.cdb")).st_mode), 0o644)
        self.assertNotIn("badmailfrom.cdb.tmp", os.listdir(self.root.path("control")))

    def test_path_and_patterns(self):
        with open(self.root.path("list"), "w") as f:
            f.write("a@b\n*@c\n")
        warning = self.make("qmail-cdb", "-m", self.root.path("list"))
        self.assertEqual(warning, f"qmail-cdb: warning: {self.root.path('list')}:2: a database knows no patterns: *@c\n")
        self.assertEqual(self.keys("list.cdb"), ["a@b", "*@c"])

    def test_recipients(self):
        with open(self.root.path("users", "recipients"), "w") as f:
            f.write("Joe@a.example\n")
        with open(self.root.path("users", "more"), "w") as f:
            f.write("jim@a.example\n")
        for argv, name, want in ((["qmail-cdb", "-r"], "recipients", "joe"), (["recipient-cdb"], "recipients", "joe"), (["recipient-cdb", "more"], "more", "jim"),
                                 (["qmail-cdb", "-r", "-m", "more"], "more", "jim")):
            self.make(*argv)
            self.assertEqual(self.keys("users", name + ".cdb"), [f":{want}@a.example"])
            os.unlink(self.root.path("users", name + ".cdb"))

    def test_newmrh(self):
        self.root.control("morercpthosts", "Example.com\n.example.com\n")
        self.make("qmail-newmrh")
        self.assertEqual(self.keys("control", "morercpthosts.cdb"), ["example.com", ".example.com"])

    def test_failures(self):
        """What cannot be made leaves the old one."""
        for argv in (["qmail-newmrh", "x"], ["qmail-cdb"], ["qmail-cdb", "a", "b"], ["recipient-cdb", "-x"]):
            self.assertRegex(self.make(*argv, code=100), "^usage: ")
        self.root.control("badrcptto", "a@b\n")
        self.make("qmail-cdb", "badrcptto")
        os.unlink(self.root.path("control", "badrcptto"))
        self.assertIn("No such file", self.make("qmail-cdb", "badrcptto", code=111))
        self.root.control("badrcptto", "c@d\n")
        os.mkdir(self.root.path("control", "badrcptto.cdb.tmp"))
        self.assertIn("unable to make", self.make("qmail-cdb", "badrcptto", code=111))
        self.assertEqual(self.keys("control", "badrcptto.cdb"), ["a@b"])


if __name__ == "__main__":
    unittest.main()
