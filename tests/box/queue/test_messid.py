"""One id from the SMTP connection to the remote server's reply: in every log line about the message,
in its Received fields, and in the environment of all programs that see it."""
import json, os, re, unittest

from box import wait_for
from mailsite import MailSite, Sink
from smtpd import Smtp

ID = r"\d{16}\.\d+"


class MessageId(unittest.TestCase):
    resident = False  # is it qmail-queued that takes the mail?

    def setUp(self):
        self.site = site = MailSite(sink=Sink({"end": "250 taken as 4711"}))
        self.addCleanup(site.close)
        self.clients = {"QUEUE_COUNT": None} if self.resident else {}  # else a client asks for no service
        site.resident = False
        os.mkdir(site.path("qq"))
        site.control("rcpthosts", "far.example\nlocal.example\n")
        if self.resident:
            site.spawn(["qmail-queued", "-n", "1"], env=site.env())
            wait_for(lambda: os.path.exists(site.path("run/queue/socket")), what="qmail-queued")

    def script(self, name, text):
        path = self.site.path(name)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def send(self, *to, refused="x@elsewhere.example", sender="joe@local.example", **env):
        """By SMTP: the reply's id, the server's log, and the number after qp."""
        with Smtp(self.site, (), {"QMAILQUEUE": "", **self.clients, **env}) as s:
            s.hello()
            self.assertEqual(s.cmd(f"MAIL FROM:<{sender}>")[0], 250)
            self.assertEqual(s.cmd(f"RCPT TO:<{refused}>")[0], 553)
            for address in to:
                self.assertEqual(s.cmd(f"RCPT TO:<{address}>")[0], 250)
            self.assertEqual(s.cmd("DATA")[0], 354)
            s.send(b"Subject: x\r\n\r\nhello\r\n.\r\n")
            code, (text,) = s.reply()
            self.assertEqual(code, 250, text)
            self.assertTrue(re.fullmatch(rf"2\.0\.0 ok \d+ qp \d+ id {ID}", text), text)
            return text.split()[-1], s.logged(), text.split()[-3]

    def test_from_connection_to_reply(self):
        self.site.start()
        messid, log, qp = self.send("a@far.example", "joe@local.example")
        self.site.wait_empty()
        self.assertEqual(self.site.stop(), 0)
        reject, accept = log.splitlines()
        self.assertRegex(reject, rf" reject rcpthosts 553 .* id {messid}$")
        self.assertRegex(accept, rf" accept qp {qp} .* id {messid}$")
        about = [line for line in self.site.logged().splitlines() if line.endswith(f" queue1 id {messid}")]
        kinds = [re.sub(r"\d+", "N", line).split(" queueN")[0] for line in about]
        self.assertEqual(kinds[0], "info msg N: bytes N from <joe@local.example> qp N uid N")
        self.assertRegex(about[0], rf" qp {qp} ")
        self.assertEqual(f"info msg {qp}:" in about[0], self.resident)
        self.assertEqual(sorted(k.split(":")[0] for k in kinds[1:-1]), ["delivery N"] * 2 + ["starting delivery N"] * 2)
        self.assertRegex(kinds[-1], "^end msg N$")
        self.assertTrue(any("success:" in line and "taken_as_4711" in line for line in about), about)
        (far,) = self.site.sink.messages
        (near,) = self.site.mails()
        for mail in (far[2], near):
            self.assertEqual(len(re.findall(rf"[ (]id {re.escape(messid)}[;)]".encode(), mail)), 2, mail)

    def test_in_the_queue(self):
        messid, _, _ = self.send("a@far.example")
        self.site.inject("b@far.example")
        self.assertIn(f"  id {messid}\n", self.site.run(["qmail-qread", "-l"]).stdout.decode())
        listed = [json.loads(line) for line in self.site.run(["qmail-qread", "--json"]).stdout.splitlines()]
        self.assertEqual([m["messid"] for m in listed], [messid, str(listed[1]["id"])])

    def test_messages_of_one_connection(self):
        with Smtp(self.site, (), {"QMAILQUEUE": "", "RELAYCLIENT": "", **self.clients}) as s:
            s.hello()
            seen = set()
            for verb in ("DATA", "RSET", "DATA"):
                s.cmd("MAIL FROM:<>")
                s.cmd("RCPT TO:<a@far.example>")
                s.cmd(verb)
                if verb == "DATA":
                    s.send(b".\r\n")
                    seen.add(s.reply()[1][0].split()[-1])
            self.assertEqual(len(seen), 2)
            self.assertEqual({i.split(".")[1] for i in seen}, {str(s.number)})

    def test_programs(self):
        """A filter before the queue, .qmail programs, and what takes qmail-remote's place."""
        note = self.script("note", f'echo "$1 $MESSID" >> {self.site.path("home")}/seen\n')
        filter = self.script("filter", f"{note} filter; exec {self.site.bin}/qmail-queue\n")
        remote = self.script("remote", f"{note} remote; printf 'r\\000Kdone\\n\\000'\n")
        self.site.dotqmail(".qmail", f"|{note} local\n|{note} again\n")
        self.site.start(QMAILREMOTE=remote)
        messid, _, _ = self.send("a@far.example", "joe@local.example", QMAILQUEUE=filter)
        self.site.wait_empty()
        with open(self.site.path("home/seen")) as f:
            self.assertEqual(sorted(f.read().splitlines()), sorted(f"{w} {messid}" for w in ("filter", "local", "again", "remote")))

    def test_new_messages(self):
        """A forward, mail that a delivery program sends, and a bounce have ids of their own, whatever
        $MESSID says of the message they come from; the bounce's line names both."""
        self.site.dotqmail(".qmail", "b@far.example\n|forward c@far.example\n")
        self.site.sink.script["RCPT c@far.example"] = "550 no"
        self.site.dotqmail(".qmail-bounces", "./Maildir/\n")
        self.site.start()
        messid, _, _ = self.send("joe@local.example", sender="joe-bounces@local.example")
        self.site.wait_empty()
        log = self.site.logged()
        ids = re.findall(r"info msg (\d+): .* qp (\d+) .* queue1 id (\S+)", log)
        self.assertEqual(len(ids), 4)
        self.assertIn(messid, [i for _, _, i in ids])
        self.assertEqual(len({i for _, _, i in ids}), 4)
        (failed, qp, shown), = re.findall(r"bounce msg (\d+) qp (\d+) queue1 id (\S+)", log)
        by_number = {number: i for number, _, i in ids}
        self.assertEqual(by_number[failed], shown)
        self.assertNotEqual(shown, messid)
        self.assertEqual(len([1 for _, p, _ in ids if p == qp]), 1)

    def test_without_smtp(self):
        """Local mail has the number of its queue for an id, where nothing looks at it before."""
        self.site.start()
        self.site.inject("joe@local.example", env=self.site.env(MESSID="forged.1"))
        self.site.wait_empty()
        number, messid = re.search(r"info msg (\d+): .* id (\S+)", self.site.logged()).groups()
        self.assertEqual(number, messid)
        self.assertIn(f", id {number}); ".encode(), self.site.mails()[0])
        note = self.script("filter", f'echo "$MESSID" >> {self.site.path("home")}/seen\nexec {self.site.bin}/qmail-queue\n')
        self.site.inject("joe@local.example", env=self.site.env(QMAILQUEUE=note))
        self.site.wait_empty()
        with open(self.site.path("home/seen")) as f:
            messid = f.read().strip()
        self.assertRegex(messid, f"^{ID}$")
        self.assertIn(f" queue1 id {messid}\n", self.site.logged())

    def test_ids_from_outside(self):
        """What $MESSID holds is looked at, and refused silently where it can be no id: no line is forged."""
        self.site.start()
        for given, want in (("from.outside-1_A", "from.outside-1_A"), ("4711", None), ("a b", None), ("a\nend msg 1", "a"),
                            ("x" * 65, None), ("", None), ("from.outside-1_A", "from.outside-1_A")):
            with self.subTest(given):
                before = len(self.site.logged())
                code = self.site.queue_program(b"Subject: x\n\n", b"Fa@b\0Tjoe@local.example\0\0", env=self.site.env(MESSID=given))
                self.assertEqual(code, 0)
                self.site.wait_empty()
                number, messid = re.search(r"info msg (\d+): .* id (.*)\n", self.site.logged()[before:]).groups()
                self.assertEqual(messid, want or number)


class Resident(MessageId):
    resident = True


if __name__ == "__main__":
    unittest.main()
