"""ETRN (RFC 1985), and ATRN (RFC 2645), where the mail that waits goes over the connection that asks for it."""
import os, unittest
from box import free_port, wait_for
from mailsite import MailSite, Sink, Stream
from smtpd import CHECKPASSWORD, Smtp, SmtpRoot, plain


class Site(MailSite):
    """Mail for fetch.example and more.example waits; joe may fetch it."""
    resident = False
    server, script, process_env = SmtpRoot.server, SmtpRoot.script, {}

    def __init__(self):
        super().__init__()
        self.servers = {}
        os.mkdir(self.path("qq"))
        self.seen = self.path("seen", "json")
        os.mkdir(self.path("seen"), 0o777)
        os.chmod(self.path("seen"), 0o777)
        self.checkpassword = self.script("checkpassword", CHECKPASSWORD)
        self.control("rcpthosts", "example.com\n")
        self.control("odmrhosts", "fetch.example\nmore.example\nother.example\n")
        self.control("atrnaccess", "joe:fetch.example, more.example\n")
        self.control("queuelifetime", "86400\n")

    def session(self, login="joe", **env):
        s = Smtp(self, ["mail.example.com", self.checkpassword, "/bin/false", self.seen],
                 {"QMAILQUEUE": "", "ODMR": "1", "ALLOW_PLAINTEXT_AUTH": "1", "SECURE_AUTH": "0", **env})
        s.offered = s.hello()
        if login:
            code, text = s.cmd("AUTH PLAIN " + plain(login, "secret"))
            assert code == 235, (code, text)
        return s

    def waits(self, messages, destinations):
        """So many messages wait, and nothing is tried any more."""
        def there():
            log = self.logged()
            status = [l for l in log.splitlines() if l.startswith("status: ")]
            return (log.count("new msg ") >= messages and log.count(": unreachable, left alone") >= destinations and
                    ": deferral: The_message_waits_until_fetch.example_fetches_it_(ATRN)._(#4.4.1)/ " in log and " remote 0/" in status[-1])
        wait_for(there, what="messages that wait")

    def close(self):
        for server in self.servers.values():
            server.close()
        super().close()


class Turn(unittest.TestCase):
    resident = False

    def setUp(self):
        self.site = Site()
        self.site.resident = self.resident
        self.addCleanup(self.site.close)

    def session(self, *a, **kw):
        s = self.site.session(*a, **kw)
        self.addCleanup(s.close)
        return s

    def fetch(self, s, arg="", **kw):
        """ATRN, and then we are a server: what came."""
        sink = Sink(**kw)
        self.addCleanup(sink.close)
        self.assertEqual(s.cmd("ATRN" + arg)[0], 250)
        sink.dialogue(Stream(s.sock), None)
        return sink

    def wait_for_three(self):
        self.site.start()
        self.site.inject("one@fetch.example", body="first\n")
        self.site.inject("two@fetch.example", body="second\n")
        self.site.inject("three@more.example", "four@more.example", body="third\n")
        self.site.waits(3, 2)

    def test_fetched(self):
        self.wait_for_three()
        s = self.session()
        self.assertIn("ATRN", s.offered)
        sink = self.fetch(s, " fetch.example")
        self.assertEqual(sorted(m[1][0] for m in sink.messages), ["one@fetch.example", "two@fetch.example"])
        self.assertIn(b"first", b"".join(m[2] for m in sink.messages))
        self.assertEqual([c.split()[0] for c in sink.commands if not c.startswith(("RCPT", "DATA"))], ["EHLO", "MAIL"] * 2 + ["QUIT"])
        self.assertTrue(s.ended())
        self.assertTrue(s.exits(0))
        self.assertIn(" atrn joe for fetch.example messages 2 sent 2\n", s.logged())
        self.assertEqual(self.session().cmd("ATRN fetch.example")[0], 453)
        sink = self.fetch(self.session())
        self.assertEqual([sorted(m[1]) for m in sink.messages], [["four@more.example", "three@more.example"]])
        self.site.wait_empty()
        wait_for(lambda: not [n for n in os.listdir(self.site.path("run", "odmr")) if n[0] != "."], what="places left")

    def test_in_tls(self):
        self.wait_for_three()
        SmtpRoot.certificate(self.site)
        s = self.session(login=None, STARTTLS="1")
        s.starttls()
        s.cmd("EHLO x")
        self.assertEqual(s.cmd("AUTH PLAIN " + plain("joe", "secret"))[0], 235)
        self.assertEqual(len(self.fetch(s).messages), 3)
        self.site.wait_empty()

    def test_refused_is_bounced(self):
        """What the client refuses for good goes back to its sender; for now, it waits."""
        self.site.start()
        self.site.inject("no@fetch.example", sender="joe@local.example")
        self.site.inject("later@fetch.example")
        self.site.waits(2, 1)
        sink = self.fetch(self.session(), script={"RCPT no@fetch.example": "550 no", "RCPT later@fetch.example": "450 later"})
        self.assertEqual(sink.messages, [])
        wait_for(lambda: self.site.mails(), what="the bounce")
        self.assertIn(b"no@fetch.example", self.site.mails()[0])
        self.assertEqual(len(self.fetch(self.session()).messages), 1)
        self.site.wait_empty()

    def test_gone(self):
        """A client that goes away in between loses nothing, and the next one gets it."""
        self.wait_for_three()
        s = self.session()
        with self.assertRaises(ConnectionError):
            self.fetch(s, script={"MAIL": None})
        s.sock.close()
        self.assertTrue(s.exits(1))
        self.site.waits(3, 2)
        got = []
        while len(got) < 3:
            got += self.fetch(self.session()).messages
        self.site.wait_empty()

    def test_not_a_server(self):
        self.wait_for_three()
        s = self.session()
        self.assertEqual(s.cmd("ATRN")[0], 250)
        s.send(b"554 no\r\n")
        self.assertTrue(s.ended())
        self.assertTrue(s.exits(1))

    def test_only_one(self):
        self.wait_for_three()
        s = self.session()
        self.assertEqual(s.cmd("ATRN")[0], 250)
        self.assertEqual(self.session().cmd("ATRN more.example")[0], 450)
        Sink.dialogue(type("S", (), dict(script={}, ehlo=(), commands=[], messages=[], max_recipients=None, tls=None))(), Stream(s.sock), None)
        self.site.wait_empty()

    def test_refused(self):
        for login, command, want in (("joe", "ATRN other.example", 450), ("joe", "ATRN fetch.example,other.example", 450), ("joe", "ATRN ../x", 450),
                                     ("joe", "MAIL FROM:<a@b.example>", 550), ("guest", "ATRN", 451), ("guest", "ATRN fetch.example", 451),
                                     (None, "ATRN fetch.example", 530), ("joe", "ATRN", 451)):
            with self.subTest(command=command, login=login):
                self.assertEqual(self.session(login).cmd(command)[0], want)
        s = self.session(ODMR="0")
        self.assertNotIn("ATRN", s.offered)
        self.assertEqual(s.cmd("ATRN")[0], 502)

    def test_etrn(self):
        port = free_port()
        self.site.control("smtproutes", f":127.0.0.1:{port}\n")
        self.site.control("etrnhosts", "back.example\n.net.example\n")
        self.site.start()
        self.site.inject("joe@back.example")
        wait_for(lambda: ": deferral: " in self.site.logged(), what="a deferral")
        s = self.session(login=None, ODMR="0")
        self.assertIn("ETRN", s.offered)
        for arg, want in (("", 501), (" other.example", 459), (" fetch.example", 459), (" @back.example", 501), (" ../x", 501), (" a.net.example", 251)):
            self.assertEqual(s.cmd("ETRN" + arg)[0], want, arg)
        sink = Sink(port=port)
        self.addCleanup(sink.close)
        self.assertEqual(s.cmd("ETRN BACK.example")[0], 253)
        self.site.wait_empty()
        self.assertEqual(len(sink.messages), 1)
        self.assertIn(" etrn back.example messages 1\n", s.logged())
        self.assertIn("order turn domain back.example ", self.site.logged())
        self.site.stop()
        self.assertEqual(s.cmd("ETRN back.example")[0], 458)
        for env in ({"SUBMISSION": "1"}, {}):
            if not env:
                self.site.control("etrnhosts", "")
            s = self.session(login=None, ODMR="0", **env)
            self.assertNotIn("ETRN", s.offered)
            self.assertEqual(s.cmd("ETRN back.example")[0], 502)


class ResidentTurn(Turn):
    resident = True


if __name__ == "__main__":
    unittest.main()
