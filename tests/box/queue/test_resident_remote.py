"""Remote delivery by workers that stay: connections that serve several messages, the same reports as
by a process for each message, and nothing lost or said twice when something dies."""
import hashlib, hmac, os, random, re, signal, subprocess, threading, unittest

from box import BIN, free_port, wait_for
from dnsd import Dnsd
from mailsite import MailSite, Sink
from spawner import Spawner

TO = "u@far.example"


class Case(unittest.TestCase):
    def make(self, sink=None, **control):
        site = MailSite(sink=sink)
        self.addCleanup(site.close)
        # patience for a loaded machine, where the test is not about time
        for name, value in {"connectionreuse": 60, "timeoutremote": 20, **control}.items():
            site.control(name, f"{value}\n")
        return site

    def rspawn(self, site, **env):
        spawner = Spawner(site, **env)
        self.addCleanup(spawner.close)
        return spawner

    def one_by_one(self, sink, n=2, message=b"Subject: s\n\nhi\n", **control):
        """The reports of n messages in a row to one recipient."""
        spawner = self.rspawn(self.make(sink, **control))
        return [spawner.deliver(TO, message=b"N: %d\n" % i + message)[0] for i in range(n)]


class Connections(Case):
    def test_many_messages_over_one(self):
        for ehlo in (("PIPELINING", "8BITMIME"), ()):
            sink = Sink(ehlo=ehlo)
            got = self.one_by_one(sink, 20)
            self.assertEqual([g[0] for g in got], ["K"] * 20, got)
            self.assertEqual((sink.connections, len(sink.messages)), (1, 20))
            self.assertEqual([m[2].split(b"\r")[0] for m in sink.messages], [b"N: %d" % i for i in range(20)])
            self.assertEqual(sum(c.startswith("EHLO") for c in sink.commands), 1)

    def test_nothing_piles_up_in_a_worker(self):
        spawner = self.rspawn(self.make(connectionmessages=7))

        def files():
            return [sorted(os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd") if "mess" not in fd)
                    for pid in [spawner.process.pid, *spawner.workers()]]

        spawner.deliver(TO)
        before = files()
        for i in range(50):
            spawner.deliver(TO)
        for now, then in zip(files(), before):
            self.assertLessEqual(len(now), len(then) + 1)  # a connection may be there or not
        # The answer may be here a moment before the message is closed.
        wait_for(lambda: not [f for some in files() for f in some if "/mess/" in f], what="messages to be closed")

    def test_whole_queue_over_one(self):
        site = self.make(concurrencyremote=1)
        for i in range(30):
            site.inject(f"u{i}@far.example")
        site.start()
        site.wait_empty()
        self.assertEqual(len(site.sink.messages), 30)
        self.assertEqual(site.sink.connections, 1)

    def test_limit_of_messages(self):
        sink = Sink()
        self.assertEqual("".join(g[0] for g in self.one_by_one(sink, 7, connectionmessages=3)), "K" * 7)
        self.assertEqual(sink.connections, 3)
        self.assertEqual(sink.commands.count("QUIT"), 2)

    def test_switched_off(self):
        sink = Sink()
        self.one_by_one(sink, 3, connectionreuse=0)
        self.assertEqual(sink.connections, 3)

    def test_idle_connection_is_given_up(self):
        sink = Sink()
        self.one_by_one(sink, 1, connectionreuse=1)
        self.assertNotIn("QUIT", sink.commands)
        wait_for(lambda: "QUIT" in sink.commands)

    def test_all_are_given_up_at_the_end(self):
        sink = Sink()
        site = self.make(sink)
        spawner = Spawner(site)
        spawner.deliver(TO)
        self.assertEqual(spawner.close(), 0)
        wait_for(lambda: "QUIT" in sink.commands)

    def test_server_closes_between_messages(self):
        sink = Sink()
        spawner = self.rspawn(self.make(sink))
        for _ in range(5):
            self.assertEqual(spawner.deliver(TO)[0][0], "K")
            sink.hang_up()
        self.assertEqual((sink.connections, len(sink.messages)), (5, 5))

    def test_stale_connection_is_no_reason_to_defer(self):
        for key in ("MAIL#2", f"RCPT {TO}#2", "DATA#2", "end#2"):
            for said in (None, "421 4.3.2 going down", "452 4.5.3 enough for one connection"):
                if (key != "MAIL#2" and said and said.startswith("452")) or (key == "end#2" and said is None):
                    continue  # an answer for this recipient, or this message; lost after the message
                for ehlo in (("PIPELINING",), ()):
                    with self.subTest(key, said=said, ehlo=ehlo):
                        sink = Sink({key: said}, ehlo)
                        got = self.one_by_one(sink, 3)
                        self.assertEqual("".join(g[0] for g in got), "KKK", got)
                        self.assertEqual([m[2][:4] for m in sink.messages], [b"N: 0", b"N: 1", b"N: 2"])
                        self.assertEqual(sink.connections, 3)

    def test_message_that_may_have_been_taken_is_not_sent_again(self):
        sink = Sink({"end#2": None})
        got = self.one_by_one(sink)
        self.assertEqual("".join(g[0] for g in got), "KZ")
        self.assertIn("possible duplicate", got[1][1])
        self.assertEqual(sink.connections, 1)

    def test_server_that_lies_about_a_good_bye(self):
        """421 unasked behind the last reply: seen before the next message."""
        sink = Sink({"end": "250 taken\r\n421 idle too long"})
        sink.script["end"] = lambda: "250 taken\r\n421 bye"
        got = self.one_by_one(sink, 3)
        self.assertEqual("".join(g[0] for g in got), "KKK")
        self.assertEqual(sink.connections, 3)

    def test_354_without_recipients(self):
        sink = Sink({"RCPT no@far.example": "550 no", "DATA": "354 go on"})
        spawner = self.rspawn(self.make(sink))
        self.assertEqual(spawner.deliver("no@far.example")[0][0], "D")
        self.assertEqual(spawner.deliver(TO)[0][0], "K")
        self.assertEqual(spawner.deliver("no@far.example")[0][0], "D")
        self.assertEqual([(m[1], m[2][:7]) for m in sink.messages], [([TO], b"Subject")])
        self.assertEqual(sink.connections, 2)

    def test_other_host_other_connection(self):
        one, two = Sink(), Sink()
        site = self.make(one)
        self.addCleanup(two.close)
        site.control("smtproutes", f"a.example:127.0.0.1:{one.port}\nb.example:127.0.0.1:{two.port}\n")
        spawner = self.rspawn(site)
        for _ in range(5):
            for host in "ab":
                self.assertEqual(spawner.deliver(f"u@{host}.example")[0][0], "K")
        self.assertEqual((one.connections, two.connections), (1, 1))
        self.assertEqual((len(one.messages), len(two.messages)), (5, 5))

    def test_few_workers_for_many_hosts(self):
        sink = Sink()
        spawner = self.rspawn(self.make(sink))
        for i in range(40):
            self.assertEqual(spawner.deliver(f"u@host{i}.example")[0][0], "K")
        self.assertLessEqual(len(spawner.workers()), 17)
        self.assertEqual(len(sink.messages), 40)

    def test_routes_are_read_again(self):
        one, two = Sink(), Sink()
        self.addCleanup(two.close)
        site = self.make(one)
        spawner = self.rspawn(site)
        self.assertEqual(spawner.deliver(TO)[0][0], "K")
        site.control("smtproutes", f":127.0.0.1:{two.port}\n")
        wait_for(lambda: spawner.deliver(TO)[0][0] == "K" and two.messages)
        site.control("timeoutremote", "soon\n")
        got = wait_for(lambda: [g for g in spawner.deliver(TO) if g[0] == "Z"])
        self.assertIn("control/timeoutremote:1: a number is wanted. (#4.3.5)", got[0][1])
        site.control("timeoutremote", "20\n")
        self.assertEqual(spawner.deliver(TO)[0][0], "K")


class Encrypted(Case):
    def site(self, sink, **control):
        site = self.make(sink, **control)
        pem = site.path("certs", "servercert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=sink.example", "-keyout", pem, "-out", pem + ".crt"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(pem, "a") as f:
            f.write(open(pem + ".crt").read())
        os.chmod(pem, 0o644)
        sink.tls = pem
        return site

    def test_connection_is_kept(self):
        sink = Sink()
        spawner = self.rspawn(self.site(sink))
        for _ in range(5):
            self.assertEqual(spawner.deliver(TO)[0][0], "K")
        self.assertEqual((sink.connections, sink.tls_sessions, len(sink.messages)), (1, 1, 5))
        sink.hang_up()
        self.assertEqual(spawner.deliver(TO)[0][0], "K")
        self.assertEqual((sink.connections, sink.tls_sessions), (2, 2))

    def test_idle_connection_is_given_up(self):
        sink = Sink()
        spawner = self.rspawn(self.site(sink, connectionreuse=1))
        self.assertEqual(spawner.deliver(TO)[0][0], "K")
        wait_for(lambda: "QUIT" in sink.commands)

    def test_without_because_it_failed_is_not_kept(self):
        """The next message tries TLS again."""
        sink = Sink({"STARTTLS": "220 go ahead\r\nno handshake"})
        spawner = self.rspawn(self.site(sink))
        sink.tls = sink.tls + ".crt"  # no key: the server cannot do what it offers
        for _ in range(2):
            self.assertEqual(spawner.deliver(TO)[0][0], "K")
        self.assertEqual((sink.connections, sink.tls_sessions), (4, 0))


class Names(Case):
    """What the DNS said is good for a burst, and not for long."""

    def test_few_questions_and_new_answers(self):
        one = Sink()
        two = Sink(host="127.0.0.2", port=one.port)
        self.addCleanup(two.close)
        with Dnsd({"relay.example": {"A": ["127.0.0.1"]}}) as dns:
            site = self.make(one)
            site.control("smtproutes", f":relay.example:{one.port}\n")
            spawner = self.rspawn(site, DNSCACHEIP=dns.address)
            for _ in range(30):
                self.assertEqual(spawner.deliver(TO)[0][0], "K")
            self.assertEqual(one.connections, 1)
            self.assertLessEqual(len(dns.questions), 4)  # two, or twice that on a very slow machine
            dns.zones["relay.example"] = {"A": ["127.0.0.2"]}
            wait_for(lambda: spawner.deliver(TO)[0][0] == "K" and two.messages)
            self.assertIn("QUIT", one.commands)

    def test_second_address_takes_over(self):
        port = free_port()
        sink = Sink(host="127.0.0.2", port=port)
        with Dnsd({"relay.example": {"A": ["127.0.0.1", "127.0.0.2"]}}) as dns:
            site = self.make(sink)
            site.control("smtproutes", f":relay.example:{port}\n")
            spawner = self.rspawn(site, DNSCACHEIP=dns.address)
            for _ in range(10):
                self.assertEqual(spawner.deliver(TO)[0][0], "K")
            self.assertLessEqual(sink.connections, 2)

    def test_failed_lookup_is_not_remembered(self):
        with Dnsd({"relay.example": "SERVFAIL"}) as dns:
            site = self.make()
            site.control("smtproutes", f":relay.example:{site.sink.port}\n")
            spawner = self.rspawn(site, DNSCACHEIP=dns.address)
            self.assertEqual(spawner.deliver(TO)[0][0], "Z")
            dns.zones["relay.example"] = {"A": ["127.0.0.1"]}
            self.assertEqual(spawner.deliver(TO)[0][0], "K")


class Leaks(Case):
    """What one message, or one connection, was told is not told the next."""

    def test_refusal_stays_with_its_message(self):
        for ehlo in (("PIPELINING",), ()):
            sink = Sink({"RCPT no@far.example": "550 no such user"}, ehlo)
            spawner = self.rspawn(self.make(sink))
            got = [spawner.deliver(to)[0][0] for to in ("no@far.example", TO, "no@far.example", TO)]
            self.assertEqual("".join(got), "DKDK")
            self.assertEqual(sink.connections, 1)
            self.assertEqual(sink.commands.count("RSET"), 2)
            self.assertEqual([m[1] for m in sink.messages], [[TO], [TO]])

    def test_refusal_of_a_message(self):
        for key, rset in (("DATA", 1), ("end", 0)):
            sink = Sink({key: "554 not this one"})
            spawner = self.rspawn(self.make(sink))
            self.assertEqual(spawner.deliver(TO)[0][0], "D")
            sink.script.clear()
            self.assertEqual(spawner.deliver(TO)[0], ("K", "127.0.0.1 accepted message.\nRemote host said: 250 taken\n"))
            self.assertEqual((sink.connections, sink.commands.count("RSET")), (1, rset))

    def test_eight_bit(self):
        sink = Sink()
        spawner = self.rspawn(self.make(sink))

        def mail(message):
            self.assertEqual(spawner.deliver(TO, message=message)[0][0], "K")
            return [c for c in sink.commands if c.startswith("MAIL")][-1]

        self.assertIn("BODY=8BITMIME", mail(b"s: \xe9\n\n"))
        self.assertNotIn("BODY", mail(b"s: e\n\n"))
        self.assertIn("BODY=8BITMIME", mail(b"s: e\n\n" + b"x" * 70000 + b"\xe9\n"))
        sink.ehlo = ("SIZE 80000",)
        sink.hang_up()
        self.assertEqual(mail(b"s: \xe9\n\n"), "MAIL FROM:<a@local.example> SIZE=6")
        self.assertEqual(sink.connections, 2)
        self.assertIn("takes no message of this size", spawner.deliver(TO, message=b"x" * 80001)[0][1])
        self.assertEqual(mail(b"s: e\n\n"), "MAIL FROM:<a@local.example> SIZE=6")

    def test_bounce_tags(self):
        """A sender of ours is signed where there is a key; whoever passes by is not."""
        def mail(**files):
            sink = Sink()
            site = self.make(sink)
            for name, text in dict(files, batvkey="secret\nold\n").items():
                site.control(name, text)
            self.assertEqual(self.rspawn(site).deliver(TO)[0][0], "K")
            return [c for c in sink.commands if c.startswith("MAIL")][-1]

        head, digest = re.search(r"<prvs=(1\d{3})([0-9a-f]{6})=a@local\.example>", mail(rcpthosts="local.example\n")).groups()
        self.assertEqual(hmac.new(b"secret", (head + "a@local.example").encode(), hashlib.sha256).hexdigest()[:6], digest)
        for files in ({"rcpthosts": "other.example\n"}, {"rcpthosts": "local.example\n", "batvnosignremote": TO.split("@")[1] + "\n"},
                      {"rcpthosts": "local.example\n", "batvnosignlocals": "local.example\n"}):
            self.assertIn("FROM:<a@local.example>", mail(**files), files)

    def test_large_messages_are_whole(self):
        sink = Sink()
        spawner = self.rspawn(self.make(sink))
        for size in (65530, 65536, 65537, 200000):
            body = (b".line with dots\n" * (size // 16 + 1))[:size]
            self.assertEqual(spawner.deliver(TO, message=body, extra=b"X: y\n")[0][0], "K")
            want = b"X: y\n" + body + (b"" if body.endswith(b"\n") else b"\n")
            self.assertEqual(sink.messages[-1][2].replace(b"\r\n", b"\n").replace(b"\n..", b"\n."), want)


class SameReports(Case):
    """A process for each message, a worker, and a worker with a connection it kept: one table."""

    CASES = [
        ("accepted", {}, "KK"),
        ("greeting 5xx", {"greeting": "554 go away"}, "DD"),
        ("greeting 4xx", {"greeting": "451 busy"}, "ZZ"),
        ("greeting dropped", {"greeting": None}, "ZZ"),
        ("not SMTP", {"greeting": "SSH-2.0"}, "ZZ"),
        ("sender 5xx", {"MAIL": "550 5.7.1 no"}, "DD"),
        ("sender 4xx", {"MAIL": "450 4.7.1 no"}, "ZZ"),
        ("sender dropped", {"MAIL": None}, "ZZ"),
        ("one 5xx", {"RCPT a@far.example": "550 5.1.1 no"}, "DK"),
        ("other 4xx", {"RCPT b@far.example": "450 4.2.1 no"}, "KZ"),
        ("mixed", {"RCPT a@far.example": "550 no", "RCPT b@far.example": "450 no"}, "DZ"),
        ("many lines", {"RCPT a@far.example": "550-5.1.1 first\r\n550 5.1.1 second"}, "DK"),
        ("control bytes", {"RCPT a@far.example": "550 a\0b\x07c\x7f"}, "DK"),
        ("data 5xx", {"DATA": "554 no"}, "DD"),
        ("data 4xx", {"DATA": "451 no"}, "ZZ"),
        ("data 421", {"DATA": "421 no"}, "ZZ"),
        ("data dropped", {"DATA": None}, "ZZ"),
        ("data 250", {"DATA": "250 what"}, "ZZ"),
        ("end 5xx", {"end": "552 5.2.2 full"}, "DD"),
        ("end 4xx", {"end": "451 full"}, "ZZ"),
        ("end 421", {"end": "421 full"}, "ZZ"),
        ("lost after the message", {"end": None}, "ZZ"),
    ]

    def check(self, ways, host, sink, script, want):
        to = f"a@{host}", f"b@{host}"
        sink.script = {k.replace("far.example", host): v for k, v in script.items()}
        got = {way: ways[way].deliver(*to) for way in ways}
        self.assertEqual("".join(g[0] for g in got["process"]), want, got)
        self.assertEqual(got["worker"], got["process"])
        if "greeting" in script:
            return
        script, sink.script = sink.script, {}
        self.assertEqual("".join(g[0] for g in ways["worker"].deliver(*to)), "KK")
        before, sink.script = sink.connections, script
        self.assertEqual(ways["worker"].deliver(*to), got["process"])
        self.assertLessEqual(sink.connections, before + 1)

    def test_table(self):
        site = self.make()
        rows = [(f"case{i}{'p' * len(ehlo)}.example", Sink({}, ehlo), *case) for i, case in enumerate(self.CASES)
                for ehlo in (("PIPELINING",), ())]
        site.control("smtproutes", "".join(f"{host}:127.0.0.1:{sink.port}\n" for host, sink, *_ in rows))
        ways = {"process": self.rspawn(site, QMAILREMOTE=os.path.join(BIN, "qmail-remote")), "worker": self.rspawn(site)}
        for host, sink, name, script, want in rows:
            self.addCleanup(sink.close)
            with self.subTest(name, ehlo=sink.ehlo):
                self.check(ways, host, sink, script, want)


class Moody(Case):
    """A server that says no, 421 or nothing at any time."""

    def test_every_message_is_taken_once(self):
        rng = random.Random(20261125)

        def mood(default):
            def answer():
                x = rng.random()
                return None if x < 0.05 else "421 bye" if x < 0.1 else "450 not now" if x < 0.15 else default
            return answer

        sink = Sink({"MAIL": mood("250 ok"), "RCPT": mood("250 ok"), "DATA": mood("354 go"), "end": mood("250 taken"),
                     "RSET": mood("250 ok"), "greeting": mood("220 hello")})
        spawner = self.rspawn(self.make(sink, connectionmessages=10))
        for i in range(150):
            got = next(g for g in iter(lambda: spawner.deliver(TO, message=b"N: %d\n\n" % i)[0], None) if g[0] != "Z")
            self.assertEqual(got[0], "K", got)
        self.assertEqual([m[2].split(b"\r")[0] for m in sink.messages], [b"N: %d" % i for i in range(150)])


class Batches(Case):
    def test_one_transaction(self):
        for ehlo in (("PIPELINING",), ()):
            sink = Sink(ehlo=ehlo)
            to = [f"user{i}@far.example" for i in range(500)]
            got = self.rspawn(self.make(sink)).deliver(*to)
            self.assertEqual({g[0] for g in got}, {"K"})
            self.assertEqual([m[1] for m in sink.messages], [to])

    def test_server_that_takes_a_hundred(self):
        sink = Sink(max_recipients=100)
        got = self.rspawn(self.make(sink)).deliver(*[f"user{i}@far.example" for i in range(250)])
        self.assertEqual("".join(g[0] for g in got), "K" * 100 + "Z" * 150)
        self.assertIn("452 4.5.3 too many recipients", got[200][1])
        self.assertEqual(len(sink.messages[0][1]), 100)

    def test_all_refused_at_length(self):
        """Replies larger than any buffer block nobody, and every recipient has its own."""
        line = "550-" + "x" * 900 + "\r\n"
        for env in ({}, {"QMAILREMOTE": os.path.join(BIN, "qmail-remote")}):
            sink = Sink({"RCPT": line * 4 + "550 no"})
            sink.script["RCPT user7@far.example"] = "250 ok"
            got = self.rspawn(self.make(sink), **env).deliver(*[f"user{i}@far.example" for i in range(500)])
            self.assertEqual("".join(g[0] for g in got), "D" * 7 + "K" + "D" * 492)
            self.assertLess(max(len(g[1]) for g in got), 1300)

    def test_hosts_are_not_mixed(self):
        spawner = self.rspawn(self.make())
        self.assertEqual([g[0] for g in spawner.deliver("a@one.example", "b@two.example")], ["Z", "Z"])
        self.assertEqual([g[0] for g in spawner.deliver("a@One.example", "b@one.example")], ["K", "K"])

    def test_too_long_for_a_worker(self):
        sink = Sink()
        to = ["x" * 900 + f"{i}@far.example" for i in range(100)]
        got = self.rspawn(self.make(sink)).deliver(*to)
        self.assertEqual({g[0] for g in got}, {"K"})
        self.assertEqual(sink.messages[0][1], to)


class Trouble(Case):
    def programs(self, site, name, text):
        """A directory of our programs in which one is another."""
        path = site.path("programs")
        os.mkdir(path)
        for program in os.listdir(BIN):
            if program != name:
                os.symlink(os.path.join(BIN, program), os.path.join(path, program))
        return self.program(site, "programs/" + name, text), path

    def program(self, site, name, text):
        path = site.path(name)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def test_worker_killed_in_the_middle(self):
        arrived, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def wait():
            arrived.set()
            go_on.wait(20)
            return "250 taken"

        sink = Sink({"DATA": wait})
        spawner = self.rspawn(self.make(sink))
        order = spawner.order(TO, "v@far.example")
        self.assertTrue(arrived.wait(20))
        (worker,) = spawner.workers()
        os.kill(worker, signal.SIGKILL)
        self.assertEqual(spawner.reports(order), [("Z", "qmail-remote crashed. (#4.3.0)\n")] * 2)
        sink.script.clear()
        self.assertEqual(spawner.deliver(TO)[0][0], "K")

    def test_worker_killed_between(self):
        spawner = self.rspawn(self.make())
        for _ in range(3):
            self.assertEqual(spawner.deliver(TO)[0][0], "K")
            (worker,) = spawner.workers()
            os.kill(worker, signal.SIGKILL)
            wait_for(lambda: not spawner.workers())

    def test_worker_that_talks_nonsense(self):
        take = "dd bs=65536 count=1 of=/dev/null 2>/dev/null\n"
        cases = [
            ("no report", take + "printf '\\000' >&0"),
            ("no message report", take + "printf '\\000hNo.\\000' >&0"),
            ("unended", take + "printf '\\000rK\\000Kyes' >&0"),
            ("other letters", take + "printf '\\000Xhello\\000K\\000' >&0"),
            ("a code", take + "printf '\\007' >&0"),
            ("nothing", take + "exit 0"),
            ("gone at once", "exit 0"),
        ]
        for name, text in cases:
            with self.subTest(name):
                site = self.make()
                path = self.programs(site, "qmail-remote", text + "\n")[1]
                got = self.rspawn(site, QMAILBIN=path).deliver(TO)
                self.assertEqual(got[0][0], "Z")

    def test_worker_that_never_ends_its_answer(self):
        site = self.make(deliverytimeout=1)
        path = self.programs(site, "qmail-remote", "while printf '\\377xxxxxxxxxxx' >&0 2>/dev/null; do :; done\n")[1]
        got = self.rspawn(site, QMAILBIN=path).deliver(TO)
        self.assertEqual(got[0][0], "Z")

    def test_programs_without_end(self):
        cases = [
            ("silent", "sleep 1000\n", 1, "took too long"),
            ("talking", "while printf 'xxxxxxxxxxxxxxxxxxxxxxx'; do :; done\n", 1, "took too long"),
            ("ended, its child not", "printf 'r\\000Kyes\\000'\nsleep 10 2>/dev/null &\n", 3, "yes"),
            ("megabytes", "head -c 5000000 /dev/zero | tr '\\000' x\nprintf '\\000Kyes\\000'\n", 60, ""),
        ]
        for name, text, limit, want in cases:
            with self.subTest(name):
                site = self.make(deliverytimeout=limit)
                program = self.program(site, "remote", text)
                spawner = self.rspawn(site, QMAILREMOTE=program)
                got = spawner.deliver(TO)
                self.assertEqual(got[0][0], "K" if want == "yes" else "Z")
                self.assertIn(want, got[0][1])
                self.assertLessEqual(len(got[0][1]), 10000)
                self.assertEqual(spawner.workers(), [])

    def test_local_programs_without_end(self):
        site = self.make(deliverytimeout=4)
        site.dotqmail(".qmail-slow", "|sleep 1000\n")
        for env in ({}, {"QMAILLOCAL": os.path.join(BIN, "qmail-local")}):
            spawner = Spawner(site, "qmail-lspawn", ["./Maildir/"], **env)
            self.assertEqual(spawner.deliver("joe-slow@local.example"),
                             [("Z", "The delivery took too long and was ended. (#4.4.7)\n")])
            self.assertEqual(spawner.deliver("joe@local.example")[0][0], "K")
            self.assertEqual([g[0] for g in spawner.deliver("joe@local.example", "joe@local.example")], ["Z", "Z"])
            self.assertEqual(spawner.close(), 0)

    def test_local_program_that_prints(self):
        """More than is kept of it is read and dropped, by whoever runs it: nothing of it stays in memory."""
        memory = lambda: sum(int(l.split()[1]) for l in open("/proc/meminfo") if l.startswith("Shmem:"))
        site = self.make(deliverytimeout=60)
        site.dotqmail(".qmail-much", "|printf begin; head -c 300000000 /dev/zero | tr '\\000' x\n")
        for env in ({}, {"QMAILLOCAL": os.path.join(BIN, "qmail-local")}):
            spawner = Spawner(site, "qmail-lspawn", ["./Maildir/"], **env)
            before = memory()
            (result, text), = spawner.deliver("joe-much@local.example")
            self.assertLess(memory() - before, 100000)  # kB
            self.assertEqual((result, text[:8]), ("K", "beginxxx"))
            self.assertLess(len(text), 4000)
            self.assertEqual(spawner.deliver("joe@local.example")[0][0], "K")
            self.assertEqual(spawner.close(), 0)

    def test_local_program_that_prints_without_end(self):
        site = self.make(deliverytimeout=2)
        site.dotqmail(".qmail-ever", "|while echo xxxxxxxxxxxxxxxxxxx; do echo y >&2; done\n")
        spawner = Spawner(site, "qmail-lspawn", ["./Maildir/"])
        self.assertEqual(spawner.deliver("joe-ever@local.example"), [("Z", "The delivery took too long and was ended. (#4.4.7)\n")])
        self.assertEqual(spawner.close(), 0)

    def test_hooks_mean_processes(self):
        spawner = self.rspawn(self.make(), ONSUCCESS_REMOTE="/bin/true")
        self.assertEqual(spawner.deliver(TO)[0][0], "K")
        self.assertEqual(spawner.workers(), [])


class Unreachable(Case):
    """lock/tcpto: a server that is dead is passed over for a while."""

    def remote(self, site, **env):
        path = site.path("message")
        with open(path, "wb") as f:
            f.write(b"s: x\n\ny\n")
        os.chmod(path, 0o644)
        with open(path, "rb") as f:
            p = site.run(["qmail-remote", "far.example", "a@b", TO], stdin=f, env=site.env(**env), cwd=site.queue())
        return p.stdout.decode()

    def dead(self, site):
        port = free_port()
        site.control("smtproutes", f":127.0.0.1:{port}\n")
        return port

    def test_passed_over(self):
        site = self.make()
        port = self.dead(site)
        spawner = self.rspawn(site, MAX_TOLERANCE="0")
        for _ in range(2):
            self.assertIn("unable to connect", spawner.deliver(TO)[0][1])
        self.assertIn("is left alone for a while. (#4.4.1)", spawner.deliver(TO)[0][1])
        p = site.run(["qmail-tcpto"], env=site.env())
        self.assertRegex(p.stdout.decode(), r"^queue1 127.0.0.1 failed 2 times, last \d seconds ago\n$")
        self.assertIn("unable to connect", self.remote(site, MIN_PENALTY="0"))
        self.assertIn("unable to connect", self.remote(site, SMTPROUTE=f"x:127.0.0.1:{port}:0"))
        self.assertIn("left alone", self.remote(site, SMTPROUTE=f"x:127.0.0.1:{port}:7200:0"))
        self.assertEqual(site.run(["qmail-tcpok"], env=site.env()).returncode, 0)
        self.assertEqual(site.run(["qmail-tcpto"], env=site.env()).stdout, b"")
        self.assertIn("unable to connect", spawner.deliver(TO)[0][1])

    def test_failures_close_together_are_one(self):
        site = self.make()
        self.dead(site)
        for _ in range(4):
            self.assertIn("unable to connect", self.remote(site))
        self.assertIn(b" failed 1 time, ", site.run(["qmail-tcpto"], env=site.env()).stdout)

    def test_success_is_forgiven(self):
        site = self.make()
        dead = f"x:127.0.0.1:{free_port()}:1:0"
        for _ in range(2):
            self.assertIn("unable to connect", self.remote(site, SMTPROUTE=dead))
        self.assertIn(b" failed 2 times", site.run(["qmail-tcpto"], env=site.env()).stdout)
        wait_for(lambda: "accepted message" in self.remote(site, SMTPROUTE=f"x:127.0.0.1:{site.sink.port}:1:0"))
        self.assertEqual(site.run(["qmail-tcpto"], env=site.env()).stdout, b"")

    def test_garbage_and_no_table(self):
        site = self.make()
        table = site.queue() + "/lock/tcpto"
        for garbage in (b"", b"\xff" * 2048, os.urandom(2048), os.urandom(5000), b"\2\0\0\2"):
            with open(table, "wb") as f:
                f.write(garbage)
            self.assertIn("accepted message", self.remote(site))
            self.assertEqual(site.run(["qmail-tcpto"], env=site.env()).returncode, 0)
        os.unlink(table)
        self.assertIn("accepted message", self.remote(site))
        self.assertEqual(site.run(["qmail-tcpto"], env=site.env()).returncode, 111)

    def test_emptied_at_start(self):
        site = self.make()
        with open(site.queue() + "/lock/tcpto", "wb") as f:
            f.write((b"\2\0\0\0\2\0\0\0" + b"\1\0\0\0\0\0\0\0" + b"\x7f\0\0\1").ljust(32, b"\0"))
        os.chown(site.queue() + "/lock/tcpto", site.uid, site.gid)
        self.assertIn(b"queue1 127.0.0.1 failed 2 times", site.run(["qmail-tcpto"], env=site.env()).stdout)
        self.assertEqual(self.rspawn(site).deliver(TO)[0][0], "K")
        self.assertEqual(site.run(["qmail-tcpto"], env=site.env()).stdout, b"")


if __name__ == "__main__":
    unittest.main()
