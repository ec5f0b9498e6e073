"""What is done with every message that enters the queue: by qmail-queue with variables and control
files, and by the resident qmail-queued with the same control files."""
import os, re, socket, unittest

from box import wait_for
from mailsite import MailSite

ENVELOPE = b"Fs@x.example\0Tjoe@a.example\0Tann@b.example\0\0"
MESSAGE = b"Subject: hello\n there\nX-Secret: one\n two\nTo: joe\n\nX-Secret: body\n"


class Extras(unittest.TestCase):
    resident = False

    def setUp(self):
        self.site = MailSite()
        self.addCleanup(self.site.close)

    def settle(self):
        """Control files are written: start what stays resident."""
        if self.resident:
            self.site.spawn(["qmail-queued", "-n1"], env=self.site.env(QUEUE_BASE=self.site.path("queue")))
            wait_for(lambda: socket.socket(socket.AF_UNIX).connect_ex(self.site.path("run", "queue", "socket")) == 0)

    def queue(self, message=MESSAGE, envelope=ENVELOPE, want=0, **env):
        """Queue it; its text and its envelope's records."""
        if self.resident:
            sender, *to = [r[1:].decode() for r in envelope.rstrip(b"\0").split(b"\0")]
            with open(self.site.path("message"), "wb") as f:
                f.write(message)
            with open(self.site.path("message"), "rb") as f:
                p = self.site.run(["forward", *to], stdin=f, env=self.site.env(SENDER=sender, NEWSENDER=sender,
                                                                               QUEUE_BASE=self.site.path("queue"), DTLINE="Delivered-To: x\n", **env))
            self.assertEqual(p.returncode, want, p.stderr)
        else:
            self.assertEqual(self.site.queue_program(message, envelope, env=self.site.env(**env)), want)
        return self.last() if want == 0 else None

    def last(self):
        mess = max((p for p in self.site.queued() if "/mess/" in p), key=lambda p: int(p.split("/")[-1]))
        info = mess.replace("/mess/", "/info/")
        records = os.readlink(info).split("\n") if os.path.islink(info) else open(info).read().split("\0")
        return open(mess, "rb").read(), [r.replace("%0A", "\n").replace("%25", "%") for r in records]

    def recipients(self, records):
        return [r[1:] for r in records if r.startswith("T")]

    def record(self, records, kind):
        return [r[1:] for r in records if r.startswith(kind)]

    def test_nothing_set(self):
        self.settle()
        text, records = self.queue()
        self.assertTrue(text.endswith(MESSAGE))
        self.assertEqual(self.recipients(records), ["joe@a.example", "ann@b.example"])
        resident = self.record(records, "p")[0] == re.search(rb", id (\d+)\)", text).group(1).decode()
        self.assertEqual(resident, self.resident)
        self.assertEqual(self.record(records, "e") + self.record(records, "h") + self.record(records, "n"), [])

    def test_extraqueue(self):
        self.site.control("extraqueue", "copy@arc\njoe@a.example\n")
        self.settle()
        records = self.queue()[1]
        self.assertEqual(self.recipients(records), ["joe@a.example", "ann@b.example", "copy@arc"])
        self.assertEqual(records[records.index("Tcopy@arc") + 1], "nNOTIFY=NEVER")

    def test_quarantine(self):
        self.site.control("quarantine", "prison@arc\n")
        self.settle()
        records = self.queue()[1]
        self.assertEqual(self.recipients(records), ["prison@arc"])
        self.assertEqual(self.record(records, "e"), ["X-Quarantine-ID: prison@arc,joe@a.example,ann@b.example\n"])

    def test_quarantine_of_many(self):
        """The header line that names them stays one that a program can be given."""
        self.site.control("quarantine", "prison@arc\n")
        self.settle()
        many = [b"user%04d@%s.example" % (i, b"d" * 60) for i in range(600)]
        line, = self.record(self.queue(envelope=b"Fs@x.example\0T" + b"\0T".join(many) + b"\0\0")[1], "e")
        named, left = re.fullmatch(r"X-Quarantine-ID: prison@arc,(.*), and (\d+) more\n", line).groups()
        self.assertEqual(named.split(","), [a.decode() for a in many[:600 - int(left)]])
        self.assertTrue(15000 < len(line) < 17000, len(line))

    def test_lines_too_long(self):
        """What no delivery could be given is not accepted."""
        if not self.resident:  # where a variable is set, there is a process
            self.queue(QQEH="X-A: " + "a" * 70000, want=79)
            self.assertEqual(self.site.queued(), [])
            self.queue(QQEH="X-A: " + "a" * 60000)

    def test_mailarchive(self):
        self.site.control("mailarchive", "# comment\nF:@x.example:from-%u@arc\nT:*@b.example:to-%u@arc\nT:nobody:x@arc\n")
        self.settle()
        self.assertEqual(self.recipients(self.queue()[1])[2:], ["from-s@arc", "to-ann@arc"])

    def test_header(self):
        self.site.control("removeheaders", "x-secret\n")
        self.site.control("envheaders", "Subject\nTo:2\n")
        self.settle()
        text, records = self.queue()
        self.assertTrue(text.endswith(b"Subject: hello\n there\nTo: joe\n\nX-Secret: body\n"))
        self.assertEqual(self.record(records, "h"), ["Subject: hello there\nTo: jo\n"])
        size = next(r[1:] for r in records if r.startswith("s"))
        self.assertEqual(int(size), len(text))

    def test_an_empty_variable_switches_off(self):
        for name, text in (("extraqueue", "copy@arc\n"), ("quarantine", "prison@arc\n"), ("removeheaders", "X-Secret\n"),
                           ("mailarchive", "T:*:arc@arc\n"), ("envheaders", "Subject\n")):
            self.site.control(name, text)
        self.settle()
        text, records = self.queue(EXTRAQUEUE="", QUARANTINE="", REMOVEHEADERS="", MAILARCHIVE="", ENVHEADERS="")
        self.assertTrue(text.endswith(MESSAGE))
        self.assertEqual(self.recipients(records), ["joe@a.example", "ann@b.example"])
        self.assertEqual(self.record(records, "h"), [])

    def test_variables(self):
        """Where the resident one runs, too: a message with such a variable goes through qmail-queue."""
        self.settle()
        self.site.control("mine", "T:@b.example:mine@arc\n")
        text, records = self.queue(EXTRAQUEUE="one@arc two@arc", QQEH="X-One: 1\n\nX-Two: 2", MAILARCHIVE="mine", HIDE_HOST="1",
                                   ORIGINIPFIELD="1", TCPREMOTEIP="10.1.2.3", RELAYCLIENT="")
        self.assertEqual(self.recipients(records)[2:], ["one@arc", "two@arc", "mine@arc"])
        self.assertEqual(self.record(records, "e"), ["X-One: 1\nX-Two: 2\n"])
        self.assertIn(b"\nX-Originating-IP: 10.1.2.3\n", text)
        self.assertNotIn(b"mail.example.com", text)
        self.assertNotIn(b"X-Originating-IP", self.queue(ORIGINIPFIELD="1", TCPREMOTEIP="10.1.2.3")[0])
        self.assertNotIn(b"X-Originating-IP", self.queue(ORIGINIPFIELD="1", TCPREMOTEIP="1\nA: b", RELAYCLIENT="")[0])

    def scanner(self, code):
        path = self.site.path("scanner")
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\necho \"$@\" > {self.site.path('log')}/scanned\ngrep -q hello \"$2\" || exit 9\nexit {code}\n")
        os.chmod(path, 0o755)
        return path + " -s %s end"

    def test_scanner(self):
        self.site.control("qhpsi", self.scanner(0) + "\n")
        self.settle()
        self.assertEqual(self.record(self.queue()[1], "e"), ["X-QHPSI: clean\n"])
        self.assertRegex(open(self.site.path("log", "scanned")).read(), rf"^-s {self.site.dir}/queue/queue1/mess/\d+/\d+ end\n$")
        self.scanner(1)
        self.assertEqual(self.record(self.queue()[1], "e"), ["X-QHPSI: Virus found\n"])
        before = len(self.site.queued())
        refused = 100 if self.resident else 33
        self.queue(want=refused, REJECTVIRUS="1")
        self.scanner(5)
        self.queue(want=111 if self.resident else 77)
        self.scanner(1)
        for want, env in ((0, {"QHPSIMINSIZE": "100000"}), (refused, {"QHPSIMINSIZE": "10"}), (0, {"QHPSIMAXSIZE": "10"}),
                          (refused, {"QHPSIMAXSIZE": "100000"}), (refused, {"QHPSIMAXSIZE": "0"})):
            with self.subTest(env):
                got = self.queue(message=b"hello", want=want, REJECTVIRUS="1", **env)
                if got:
                    self.assertEqual(self.record(got[1], "e"), [])  # nobody looked
                    before += 2
                self.assertEqual(len(self.site.queued()), before)

    def test_scanner_drops_and_forwards(self):
        self.site.control("qhpsi", self.scanner(4) + "\n")
        self.settle()
        for name in ("QHPSIFORWARD", "VIRUSFORWARD"):
            records = self.queue(QHPSIRC="4", **{name: "virus@arc"})[1]
            self.assertEqual(self.recipients(records), ["virus@arc"])
        self.assertIn("X-QHPSI: Virus found\nX-Quarantine-ID: virus@arc,joe@a.example,ann@b.example\n", self.record(records, "e"))
        before = self.site.queued()
        self.queue(QHPSIRC="4", REJECTVIRUS="2")
        self.assertEqual(self.site.queued(), before)

    def test_no_scanner(self):
        self.site.control("qhpsi", "/nonexistent/scanner\n")
        self.settle()
        self.queue(want=111 if self.resident else 77)
        self.site.control("qhpsi", "plugin:/nonexistent.so\n")
        self.queue(want=111 if self.resident else 77)
        self.assertEqual(self.site.queued(), [])


class ResidentExtras(Extras):
    resident = True

    def test_a_changed_control_file(self):
        self.settle()
        self.assertEqual(len(self.recipients(self.queue()[1])), 2)
        self.site.control("extraqueue", "copy@arc\n")
        wait_for(lambda: len(self.recipients(self.queue()[1])) == 3)


class Alone(unittest.TestCase):
    def setUp(self):
        self.site = MailSite()
        self.addCleanup(self.site.close)

    def said(self, envelope=ENVELOPE, fd=2, program="qmail-queue", pass_fds=(), **env):
        r, w = os.pipe()
        os.write(w, envelope)
        os.close(w)
        p = self.site.run([program], input=MESSAGE, stdout=r, env=self.site.env(**env), pass_fds=pass_fds)
        os.close(r)
        return p.returncode, p.stderr

    def test_logheaders(self):
        self.site.control("logheaders", "Subject\n")
        self.assertEqual(self.said(), (0, b"Subject: hello there\n"))
        r, w = os.pipe()
        self.assertEqual(self.said(LOGHEADERFD=str(w), pass_fds=(w,)), (0, b""))
        os.close(w)
        self.assertEqual(os.read(r, 100), b"Subject: hello there\n")
        os.close(r)
        # a descriptor that is not open then would be one of the queue's files
        for fd in ("3", "4", "5", "6"):
            self.assertEqual(self.said(LOGHEADERFD=fd), (0, b""))
        for mess in [p for p in self.site.queued() if "/mess/" in p]:
            self.assertEqual(open(mess).read().count("hello"), 1)

    def test_fields_as_variables(self):
        self.site.control("envheaders", "X-Mark\nPath\n")
        self.site.dotqmail(".qmail", f"|printf '%s %s' \"$X_MARK\" \"$PATH\" > {self.site.home}/seen\n./Maildir/\n")
        self.site.start()
        message = b"X-Mark: one\n two\nPath: /evil\n\n"
        self.assertEqual(self.site.queue_program(message, b"Fs@x\0Tjoe@local.example\0Tx@far.example\0\0"), 0)
        self.site.wait_empty()
        seen = open(self.site.home + "/seen").read()
        self.assertTrue(seen.startswith("one two ") and "/evil" not in seen, seen)
        self.assertEqual(len(self.site.sink.messages), 1)

    def test_header_lines_at_delivery(self):
        self.site.start()
        self.assertEqual(self.site.queue_program(MESSAGE, b"Fs@x\0Tjoe@local.example\0\0", env=self.site.env(QQEH="X-More: 1")), 0)
        self.site.wait_empty()
        self.assertIn(b"\nX-More: 1\nReceived: ", self.site.mails()[0])

    def test_custom_errors(self):
        c = {"QMAIL_QUEUE_CUSTOM_ERROR": "1"}
        self.assertEqual(self.said(**c), (0, b""))
        self.assertEqual(self.said(b"X", **c), (88, b"Zqmail-queue: could not read the message (#4.3.0)\n"))
        self.assertEqual(self.said(b"F" + b"a" * 1003 + b"\0\0", **c), (88, b"Dqmail-queue: envelope address too long (#5.1.3)\n"))
        self.assertEqual(self.said(QUEUEDIR="/nonexistent", **c),
                         (88, b"Zqmail-queue: mail server could not enter its queue: No such file or directory (#4.3.0)\n"))
        self.assertEqual(self.said(b"X", ERROR_FD="-1", **c), (54, b""))
        self.assertEqual(self.said(b"X", ERROR_FD="7", **c), (54, b""))
        self.assertEqual(self.said(b"X", ERROR_FD="2"), (54, b""))

    def test_nullqueue(self):
        self.assertEqual(self.said(program="qmail-nullqueue"), (0, b""))
        self.site.inject("joe@local.example", env=self.site.env(NULLQUEUE="1"))
        self.assertEqual(self.site.queued(), [])


if __name__ == "__main__":
    unittest.main()
