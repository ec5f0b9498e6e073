"""What a client asks of a message besides notices, from its MAIL to what the next server is told, or what
becomes of it here."""
import os, re, signal, subprocess, time, unittest

from box import wait_for
from mailsite import MailSite, Sink
from test_dsn import Client

MESSAGE = b"From: s@local.example\r\nSubject: asked\r\n\r\nthe body\r\n"
KNOWS = ("PIPELINING", "8BITMIME", "SMTPUTF8")


class Parameters(unittest.TestCase):
    def make(self, script=None, ehlo=KNOWS, control=(), start=True, **env):
        site = self.site = MailSite(sink=Sink(script or {}, ehlo=ehlo))
        self.addCleanup(site.close)
        for name in ("in", "in/new", "in/cur", "in/tmp"):
            site.mkdir("home/" + name)
        site.dotqmail(".qmail-default", "./in/\n")
        for name, text in dict(control).items():
            site.control(name, text)
        if start:
            site.start(**env)
        return site

    def send(self, *to, sender="joe-s@local.example", mail=(), message=MESSAGE, want=250, **env):
        with Client(self.site, **env) as c:
            c.command_encoding = "utf-8"
            self.assertEqual(c.ehlo()[0], 250)
            got = c.mail(sender, mail)[0]
            if want != 250:
                self.assertEqual(got, want)
                return
            self.assertEqual(got, 250)
            for address in to:
                self.assertEqual(c.rcpt(address)[0], 250, address)
            self.assertEqual(c.data(message)[0], 250)

    def mail_lines(self):
        return [line for s in self.site.sink.sessions for line in s if line.startswith("MAIL")]


class Utf8(Parameters):
    def ask(self, *to, ehlo=KNOWS, **kw):
        self.make(ehlo=ehlo)
        self.send(*to, **{**dict(mail=("SMTPUTF8",), SMTPUTF8="1"), **kw})

    def taken(self, sender, *to):
        message = wait_for(lambda: self.site.sink.messages)[0]
        self.assertEqual((message[0], tuple(message[1])), (sender, to))
        return message[2]

    def bounced(self):
        mail = wait_for(lambda: self.site.mails("in"))[0]
        self.assertIn(b"5.6.7", mail)
        self.assertEqual(self.site.sink.messages, [])

    def mail_line(self):
        return [c for c in self.site.sink.commands if c.startswith("MAIL")][-1]

    def test_recipient(self):
        self.ask("jörg@far.example")
        data = self.taken("joe-s@local.example", "jörg@far.example")
        self.assertIn(" SMTPUTF8", self.mail_line())
        self.assertIn(b"with UTF8SMTP id", data)

    def test_sender(self):
        self.ask("j@far.example", sender="joe-ö@local.example")
        self.taken("joe-ö@local.example", "j@far.example")

    def test_domain_goes_to_any_server(self):
        self.ask("j@bücher.far.example", ehlo=("PIPELINING",))
        self.taken("joe-s@local.example", "j@xn--bcher-kva.far.example")
        self.assertNotIn("SMTPUTF8", self.mail_line())

    def test_header(self):
        self.ask("j@far.example", message="Subject: jörg\r\n\r\nx\r\n".encode())
        self.taken("joe-s@local.example", "j@far.example")
        self.assertIn(" SMTPUTF8", self.mail_line())

    def test_body_alone_does_not_need_it(self):
        self.ask("j@far.example", message="Subject: j\r\n\r\njörg\r\n".encode(), ehlo=("PIPELINING", "8BITMIME"))
        self.taken("joe-s@local.example", "j@far.example")
        self.assertNotIn("SMTPUTF8", self.mail_line())

    def test_header_of_old(self):
        """8-bit headers without the parameter were always passed on."""
        self.ask("j@far.example", mail=(), message=b"Subject: \xe9\r\n\r\nx\r\n", ehlo=("8BITMIME",))
        self.taken("joe-s@local.example", "j@far.example")

    def test_recipient_bounces(self):
        self.ask("jörg@far.example", ehlo=("PIPELINING", "8BITMIME"))
        self.bounced()

    def test_header_bounces(self):
        self.ask("j@far.example", message="Subject: jörg\r\n\r\nx\r\n".encode(), ehlo=("PIPELINING", "8BITMIME"))
        self.bounced()

    def test_local(self):
        """A local part is plain bytes to us."""
        self.ask("joe-ö@local.example")
        mail = wait_for(lambda: self.site.mails("in"))[0]
        self.assertIn("Delivered-To: joe-ö@local.example".encode(), mail)


class RequireTls(Parameters):
    def certificate(self, address, name="servercert.pem"):
        pem = self.site.path("certs", name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=sink", "-addext", "subjectAltName=IP:" + address, "-keyout", pem, "-out", pem + ".crt"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(pem, "a") as f:
            f.write(open(pem + ".crt").read())
        os.chmod(pem, 0o644)
        return pem

    def queue(self, parameters="REQUIRETLS"):
        envelope = f"Fjoe-s@local.example\0d{parameters}\0Tj@far.example\0\0".encode()
        self.assertEqual(self.site.queue_program(b"Subject: s\n\nbody of it\n", envelope), 0)

    def start(self, ehlo=("REQUIRETLS",), address="127.0.0.1", trusted=True, tls=True):
        self.make(ehlo=ehlo, start=False)
        pem = self.certificate(address)
        if tls:
            self.site.sink.tls = pem
        self.site.start(SSL_CERT_FILE=pem + ".crt" if trusted else "/nonexistent")

    def bounced(self):
        mail = wait_for(lambda: self.site.mails("in"))[0]
        self.assertIn(b"5.7.30", mail)
        self.assertNotIn(b"body of it", mail)
        self.assertEqual(self.site.sink.messages, [])

    def test_sent(self):
        self.start()
        self.queue()
        wait_for(lambda: self.site.sink.messages)
        self.assertIn(" REQUIRETLS", [c for c in self.site.sink.commands if c.startswith("MAIL")][0])

    def test_not_over_a_connection_of_another(self):
        self.start()
        self.queue("SMTPUTF8")
        wait_for(lambda: self.site.sink.messages)
        self.queue()
        wait_for(lambda: len(self.site.sink.messages) == 2)
        self.assertEqual(self.site.sink.tls_sessions, 2)

    def test_not_promised(self):
        self.start(ehlo=())
        self.queue()
        self.bounced()

    def test_no_tls(self):
        self.start(tls=False)
        self.queue()
        self.bounced()

    def test_not_verified(self):
        for how in (dict(trusted=False), dict(address="127.0.0.9")):
            with self.subTest(how):
                self.start(**how)
                self.queue()
                wait_for(lambda: "deferral" in self.site.logged())
                self.assertEqual((self.site.sink.messages, self.site.sink.tls_sessions), ([], 0))
                self.assertFalse([c for c in self.site.sink.commands if c.startswith("MAIL")])


class Times(Parameters):
    """As an authenticated client's qmail-smtpd hands them to the queue."""

    def queue(self, parameters, to="j@far.example", sender="joe-s@local.example"):
        envelope = f"F{sender}\0d{parameters}\0T{to}\0\0".encode()
        self.assertEqual(self.site.queue_program(b"Subject: s\n\nhi\n", envelope), 0)

    def mail_lines(self):
        return [c for c in self.site.sink.commands if c.startswith("MAIL")]

    def test_held_back(self):
        self.make()
        until = int(time.time()) + 3
        self.queue(f"HOLDUNTIL={until}")
        self.queue("", "first@far.example")
        wait_for(lambda: len(self.site.sink.messages) == 2)
        self.assertGreaterEqual(time.time(), until)
        self.assertEqual([m[1] for m in self.site.sink.messages], [["first@far.example"], ["j@far.example"]])

    def test_held_back_over_a_restart(self):
        self.make()
        self.queue(f"HOLDUNTIL={int(time.time()) + 10000}")
        wait_for(lambda: "info msg" in self.site.logged())
        self.site.stop()
        self.site.start()
        self.queue("", "first@far.example")
        wait_for(lambda: self.site.sink.messages)
        self.assertEqual([m[1] for m in self.site.sink.messages], [["first@far.example"]])

    def test_priority_goes_on(self):
        self.make(ehlo=("MT-PRIORITY",))
        self.queue("MT-PRIORITY=-3")
        wait_for(lambda: self.site.sink.messages)
        self.assertTrue(self.mail_lines()[0].endswith(" MT-PRIORITY=-3"), self.mail_lines())

    def test_priority_stays(self):
        self.make()
        self.queue("MT-PRIORITY=-3")
        wait_for(lambda: self.site.sink.messages)
        self.assertNotIn("MT-PRIORITY", self.mail_lines()[0])

    def test_urgent_goes_first(self):
        site = self.make(control={"concurrencyremote": "1\n", "holdremote": "1\n"})
        for i, priority in enumerate((-3, 0, 4)):
            self.queue(f"MT-PRIORITY={priority}" if priority else "", f"j@far{i}.example")
        wait_for(lambda: site.logged().count("info msg") == 3)
        site.control("holdremote", "0\n")
        site.daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: len(site.sink.messages) == 3)
        self.assertEqual([m[1] for m in site.sink.messages], [["j@far2.example"], ["j@far1.example"], ["j@far0.example"]])

    def test_time_goes_on(self):
        self.make(ehlo=("DELIVERBY",))
        self.queue(f"BY={int(time.time()) + 1000};R")
        wait_for(lambda: self.site.sink.messages)
        self.assertRegex(self.mail_lines()[0], r" BY=(1000|99\d);R$")

    def test_trace(self):
        """T: the sender hears that the message was passed on, whether or not the next server tells of more."""
        for ehlo in (("DELIVERBY", "DSN"), ()):
            self.make(ehlo=ehlo)
            self.queue(f"BY={int(time.time()) + 1000};NT")
            mail = wait_for(lambda: self.site.mails("in"))[0]
            self.assertIn(b"Action: relayed", mail)
            self.assertEqual(bool(re.search(r" BY=(1000|99\d);NT( |$)", self.mail_lines()[0])), bool(ehlo))
            self.site.wait_empty()

    def test_time_cannot_be_promised(self):
        self.make()
        self.queue(f"BY={int(time.time()) + 1000};R")
        mail = wait_for(lambda: self.site.mails("in"))[0]
        self.assertIn(b"5.3.3", mail)
        self.queue(f"BY={int(time.time()) + 1000};N")
        wait_for(lambda: self.site.sink.messages)

    def test_comes_back_late(self):
        self.make({"MAIL": "451 not now"}, ehlo=("DELIVERBY",))
        self.queue(f"BY={int(time.time()) + 2};R")
        mail = wait_for(lambda: self.site.mails("in"))[0]
        self.assertIn(b"5.4.7", mail)
        self.assertIn(b"Action: failed", mail)
        self.site.wait_empty()

    def test_sender_is_told_late(self):
        self.make({"MAIL": "451 not now"})
        self.queue(f"BY={int(time.time()) + 2};N")
        mail = wait_for(lambda: self.site.mails("in"))[0]
        self.assertIn(b"Action: delayed", mail)
        self.assertTrue(self.site.queued())

    def test_senseless(self):
        self.make()
        envelope = b"Fs@local.example\0dHOLDUNTIL=soon\0Tj@far.example\0\0"
        self.assertEqual(self.site.queue_program(b"Subject: s\n\nhi\n", envelope), 79)


if __name__ == "__main__":
    unittest.main()
