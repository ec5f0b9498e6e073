"""uacl says what the server does, rule by rule."""
import unittest
from smtpd import SmtpRoot

RULES = """# who may write to whom
rcpt:boss@example.com:all@example.com
rcpt:@sales.example.com:all@example.com
from:printer@example.com:@example.com
from:*@temps.example.com:desk@example.com
"""


class Uacl(unittest.TestCase):
    def setUp(self):
        self.root = SmtpRoot()
        self.addCleanup(self.root.close)
        self.root.control("accesslist", RULES)

    def uacl(self, *args, **env):
        p = self.root.run(["uacl", *args], env=self.root.env(**env))
        return p.returncode, p.stdout.decode(), p.stderr.decode()

    def test_as_the_server(self):
        none, boss, printer = "allowed, no rule is about them\n", "rcpt:boss@example.com:all@example.com\n", "from:printer@example.com:@example.com\n"
        cases = [
            ("boss@example.com", "all@example.com", 0, "allowed by " + boss),
            ("BOSS@Example.com", "All@example.com", 0, "allowed by " + boss),
            ("joe@sales.example.com", "all@example.com", 0, "allowed by rcpt:@sales.example.com:all@example.com\n"),
            ("joe@example.net", "all@example.com", 100, "denied by " + boss),
            ("printer@example.com", "all@example.com", 100, "denied by " + boss),
            ("printer@example.com", "joe@example.com", 0, "allowed by " + printer),
            ("printer@example.com", "joe@sub.example.com", 100, "denied by " + printer),
            ("x@temps.example.com", "desk@example.com", 0, "allowed by from:*@temps.example.com:desk@example.com\n"),
            ("x@temps.example.com", "joe@example.com", 100, "denied by from:*@temps.example.com:desk@example.com\n"),
            ("joe@example.net", "joe@example.com", 0, none),
            ("", "all@example.com", 0, none),
            ("<>", "all@example.com", 0, none),
            ("joe@example.net", "abuse@example.com", 0, none),
            ("printer@example.com", "postmaster@sub.example.com", 0, none),
        ]
        with self.root.smtp(RELAYCLIENT="") as s:
            s.hello()
            for sender, recipient, code, text in cases:
                with self.subTest(sender=sender, recipient=recipient):
                    self.assertEqual(self.uacl(sender, recipient), (code, text, ""))
                    s.cmd(f"MAIL FROM:<{sender.strip('<>')}>")
                    self.assertEqual(s.cmd(f"RCPT TO:<{recipient}>")[0], 553 if code else 250)
                    s.cmd("RSET")

    def test_expressions_and_other_files(self):
        self.root.control("other", "rcpt:^boss:^all@\n")
        self.assertEqual(self.uacl("bossy@example.net", "all@x", ACCESSLIST="other", QREGEX="1")[0], 0)
        self.assertEqual(self.uacl("joe@example.net", "all@x", ACCESSLIST="other", QREGEX="1")[0], 100)
        self.assertEqual(self.uacl("joe@example.net", "all@example.com", ACCESSLIST="")[0], 0)
        self.root.control("other", "rcpt:(:all\n")
        code, out, err = self.uacl("a@b", "all@x", ACCESSLIST="other", QREGEX="1")
        self.assertEqual((code, out), (111, ""))
        self.assertIn("uacl: fatal: ", err)

    def test_switched_off(self):
        self.root.control("policy", "accesslist:warn\n")
        code, out, err = self.uacl("joe@example.net", "all@example.com")
        self.assertEqual((code, err), (100, "uacl: control/policy has accesslist:warn: the server refuses nothing by these rules\n"))

    def test_usage(self):
        for args in ((), ("a@b",), ("a@b", "c@d", "e@f"), ("a\nb@c", "d@e"), ("a@b", "c" * 2000)):
            self.assertEqual(self.uacl(*args)[0], 100, args)


if __name__ == "__main__":
    unittest.main()
