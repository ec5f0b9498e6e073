"""Addresses that only quotes can hold, and such as would be commands of their own."""
import unittest

from box import wait_for
from mailsite import MailSite, Sink


class OddAddresses(unittest.TestCase):
    def setUp(self):
        self.sink = Sink()
        self.site = MailSite(sink=self.sink)
        self.addCleanup(self.site.close)

    def remote(self, sender, recipient):
        with open("/dev/null", "rb") as f:
            p = self.site.run(["qmail-remote", "far.example", sender, recipient], stdin=f)
        self.assertEqual(p.returncode, 0)
        return p.stdout

    def test_quoted_in_commands(self):
        cases = [
            ("joe@far.example", "RCPT TO:<joe@far.example>"),
            ("joe smith@far.example", 'RCPT TO:<"joe smith"@far.example>'),
            ("a@b@far.example", 'RCPT TO:<"a@b"@far.example>'),
            ('a"\\b@far.example', 'RCPT TO:<"a\\"\\\\b"@far.example>'),
            (".dot@far.example", 'RCPT TO:<".dot"@far.example>'),
        ]
        for address, want in cases:
            with self.subTest(address):
                self.assertRegex(self.remote("my self@x.example", address), rb"^r\0K")
                self.assertIn(want, self.sink.commands)
        self.assertIn('MAIL FROM:<"my self"@x.example>', self.sink.commands)

    def test_null_sender(self):
        self.assertRegex(self.remote("", "joe@far.example"), rb"^r\0K")
        self.assertIn("MAIL FROM:<>", self.sink.commands)

    def test_line_ends_are_refused(self):
        for sender, to in (("a@b", "x>\r\nDATA\r\n@far.example"), ("a\n@b", "x@far.example"), ("a@b", "x@far.example\n")):
            with self.subTest(sender + to):
                self.assertRegex(self.remote(sender, to), rb"^DAn address with a control character .*\(#5\.1\.3\)\n\0$")
        self.assertEqual(self.sink.commands, [])

    def test_bounce_header(self):
        """The sender stands in the bounce's To, its line ends in nobody's header."""
        self.site.dotqmail(".qmail-default", "|exit 100\n")
        self.site.dotqmail(".qmail-a_b", "./Maildir/\n")
        self.assertEqual(self.site.queue_program(b"S: x\n\n", b"Fjoe-a b\nBcc: x@local.example\0Tjoe-x@local.example\0\0"), 0)
        self.site.control("doublebounceto", "joe")
        self.site.control("doublebouncehost", "local.example")
        self.site.start()
        wait_for(self.site.mails)
        bounces = b"".join(self.site.mails())
        self.assertNotIn(b"\nBcc: x@local.example", bounces)
        self.assertIn(b'"joe-a b_Bcc: x"@local.example', bounces)
        self.site.wait_empty()

    def test_listed_on_one_line(self):
        self.assertEqual(self.site.queue_program(b"\n", b"Fa\n\x1b[2J@b\0Tx\ty\n@c\0\0"), 0)
        lines = self.site.run(["qmail-qread"]).stdout.split(b"\n")
        self.assertEqual(len(lines), 3)
        self.assertIn(b"<a??[2J@b>", lines[0])
        self.assertEqual(lines[1], b"\tremote\tx?y?@c")

    def test_too_many_recipients(self):
        """More than can be handed on from the queue are not taken into it; as many as that are."""
        for n, code in ((1000001, 31), (1000000, 0)):
            site = MailSite()
            self.addCleanup(site.close)
            with open(site.path("envelope"), "wb+") as f:
                f.write(b"Fa@b.example\0" + b"Tj\0" * n + b"\0")
                f.seek(0)
                self.assertEqual(site.run(["qmail-queue"], input=b"Subject: x\n\n", stdout=f, env=site.env()).returncode, code)
            self.assertEqual(len(site.queued()), 0 if code else 2)


if __name__ == "__main__":
    unittest.main()
