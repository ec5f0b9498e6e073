"""qmail-showctl: what is set, lists in all their forms, and files that nobody reads."""
import unittest
from box import Root


class Showctl(unittest.TestCase):
    def test_lists_and_unknown_files(self):
        with Root() as root:
            for name in ("badmailfrom", "badrcptto.cdb", "blackholercpt", "morercpthosts.cdb", "nonsense", "nonsense.cdb"):
                root.control(name, "x\n")
            p = root.run(["qmail-showctl"])
            self.assertEqual((p.returncode, p.stderr), (0, b""))
            out = p.stdout.decode()
            for name in ("badmailfrom", "badrcptto", "blackholercpt"):
                self.assertRegex(out, rf"(?m)^\S+ \[{root.path('control', name)}\] .*: a list$")
            self.assertEqual([line for line in out.splitlines() if line.endswith("no program reads this file")],
                             ["nonsense: no program reads this file", "nonsense.cdb: no program reads this file"])
            self.assertNotIn("goodrcptto", out)


if __name__ == "__main__":
    unittest.main()
