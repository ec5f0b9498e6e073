"""qmail-queue and the delivery daemons of a queue: what is accepted, what is refused, what becomes
of it."""
import fcntl, os, re, resource, signal, subprocess, threading, time, unittest

from box import BIN, free_port, wait_for
from mailsite import MailSite, Sink

MESSAGE = b"Subject: s\n\nbody\n"


class QmailQueue(unittest.TestCase):
    """The program alone: exit codes, and nothing left behind unless it said 0."""

    def setUp(self):
        self.site = MailSite()
        self.addCleanup(self.site.close)

    def test_exit_codes(self):
        cases = [
            ("whole", b"Fa@b\0Tc@d\0\0", 0),
            ("no recipients", b"Fa@b\0\0", 0),
            ("null sender", b"F\0Tc@d\0\0", 0),
            ("longest address", b"F" + b"a" * 1002 + b"\0Tc@d\0\0", 0),
            ("address too long", b"F" + b"a" * 1003 + b"\0Tc@d\0\0", 11),
            ("recipient too long", b"Fa@b\0T" + b"c" * 1003 + b"\0\0", 11),
            ("no final NUL", b"Fa@b\0Tc@d\0", 54),
            ("nothing", b"", 54),
            ("sender cut", b"Fa@b", 54),
            ("no F", b"Xa@b\0Tc@d\0\0", 79),
            ("no T", b"Fa@b\0Xc@d\0\0", 79),
        ]
        for name, envelope, want in cases:
            with self.subTest(name):
                before = len(self.site.queued())
                self.assertEqual(self.site.queue_program(MESSAGE, envelope), want)
                self.assertEqual(len(self.site.queued()), before + (2 if want == 0 else 0))

    def test_many_recipients(self):
        envelope = b"Fa@b\0" + b"".join(b"Tuser%d@example.org\0" % i for i in range(20000)) + b"\0"
        self.assertEqual(self.site.queue_program(MESSAGE, envelope), 0)
        out = self.site.run(["qmail-qread"], env=self.site.env()).stdout
        self.assertEqual(out.count(b"\tremote\tuser"), 20000)

    def test_message_is_kept_as_it_is(self):
        body = bytes(range(256)) * 300
        self.assertEqual(self.site.queue_program(body, b"Fa@b\0Tc@d\0\0"), 0)
        mess = next(p for p in self.site.queued() if "/mess/" in p)
        stored = open(mess, "rb").read()
        self.assertTrue(stored.endswith(body))
        self.assertRegex(stored[: -len(body)].decode(),
                         r"^Received: indimail-mta queue \d+ by host mail.example.com\n  \(invoked by uid \d+, id \d+\); .* -0000\n$")

    def test_hide_host(self):
        self.site.queue_program(MESSAGE, b"Fa@b\0Tc@d\0\0", env=self.site.env(HIDE_HOST="1"))
        mess = next(p for p in self.site.queued() if "/mess/" in p)
        self.assertNotIn(b"mail.example.com", open(mess, "rb").read())

    def test_trouble(self):
        site = self.site
        self.assertEqual(site.queue_program(MESSAGE, b"Fa@b\0Tc@d\0\0", env=site.env(QUEUEDIR="/nonexistent")), 61)
        self.assertEqual(site.queue_program(MESSAGE, b"Fa@b\0Tc@d\0\0", env=site.env(MIN_FREE=str(1 << 60))), 53)
        self.assertEqual(site.queue_program(MESSAGE, b"Fa@b\0Tc@d\0\0", env=site.env(QUEUE_COUNT="none")), 55)
        for i in range(23):
            os.rename(f"{site.queue()}/info/{i}", f"{site.queue()}/info/x{i}")
        self.assertEqual(site.queue_program(MESSAGE, b"Fa@b\0Tc@d\0\0"), 65)
        os.rename(f"{site.queue()}/mess", f"{site.queue()}/mess.away")
        self.assertEqual(site.queue_program(MESSAGE, b"Fa@b\0Tc@d\0\0"), 62)
        self.assertEqual(os.listdir(f"{site.queue()}/mess.away/3"), [])

    def test_full_disk(self):
        """A file size limit stands for the full disk: the write fails in the middle."""
        r, w = os.pipe()
        os.write(w, b"Fa@b\0Tc@d\0\0")
        os.close(w)
        p = subprocess.Popen([os.path.join(BIN, "qmail-queue")], stdin=subprocess.PIPE, stdout=r, env=self.site.env(),
                             cwd=self.site.dir, **self.site.ids,
                             preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                                 resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))))
        os.close(r)
        p.communicate(b"x" * 200000, timeout=20)
        self.assertEqual(p.returncode, 53)
        self.assertEqual(self.site.queued(), [])

    def test_multi_spreads(self):
        site = MailSite(queues=3)
        self.addCleanup(site.close)
        for _ in range(40):
            self.assertEqual(site.queue_program(MESSAGE, b"Fa@b\0Tc@d\0\0", program="qmail-multi"), 0)
        used = {p.split("/queue/")[1].split("/")[0] for p in site.queued()}
        self.assertEqual(used, {"queue1", "queue2", "queue3"})

    def test_usage(self):
        for program, args in (("queue-fix", []), ("qmail-qread", ["-x"]), ("qmail-qstat", ["x"]), ("qmail-clean", ["x"]),
                              ("qmail-send", ["x"]), ("todo-proc", ["x"]), ("qmail-lspawn", []), ("qmail-rspawn", ["x"]),
                              ("qmail-local", ["x"]), ("qmail-remote", ["x"]), ("qmail-inject", ["-q"]), ("forward", []),
                              ("qmail-start", ["-x"]), ("qmail-daemon", ["-x"]), ("qmail-showctl", ["x"])):
            with self.subTest(program):
                p = self.site.run([program, *args], stdin=0)
                self.assertEqual(p.returncode, 100)
                self.assertRegex(p.stderr, rb"^usage: [^\n]*\n$")


class Delivery(unittest.TestCase):
    """The daemons: new mail found, delivered, retried, bounced."""

    def make(self, **kw):
        site = MailSite(**kw)
        self.addCleanup(site.close)
        return site

    def test_local_and_remote(self):
        site = self.make()
        site.start()
        site.inject("joe@local.example", "a@far.example", "b@far.example", body=".dot\nlast")
        site.wait_empty()
        self.assertEqual(len(site.mails()), 1)
        self.assertEqual(sorted(m[1] for m in site.sink.messages), [["a@far.example", "b@far.example"]])
        self.assertTrue(site.sink.messages[0][2].endswith(b"\r\n\r\n..dot\r\nlast\r\n"))
        self.assertEqual(site.stop(), 0)
        log = site.logged()
        self.assertRegex(log, r"new msg \d+ queue1")
        self.assertRegex(log, r"info msg \d+: bytes \d+ from <sender@local.example> qp \d+ uid \d+ queue1")
        self.assertRegex(log, r"starting delivery 1: msg \d+ to (local|remote) \S+ queue1")
        self.assertRegex(log, r"delivery \d: success: ")
        self.assertRegex(log, r"end msg \d+ queue1")

    def test_mail_waiting_before_the_start(self):
        site = self.make(queues=2)
        for i in range(10):
            site.inject("joe@local.example")
        site.start()
        site.wait_empty()
        self.assertEqual(len(site.mails()), 10)

    def test_bounce(self):
        site = self.make()
        site.start()
        site.inject("nobody-such@virt.example", sender="joe@local.example", subject="lost")
        site.wait_empty()
        (bounce,) = site.mails()
        self.assertIn(b"<nobody-such@virt.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n", bounce)
        self.assertIn(b"Hi. This is the ", bounce)
        self.assertIn(b"\nSubject: lost\n", bounce)
        self.assertTrue(bounce.startswith(b"Return-Path: <>\n"))

    def test_double_and_triple_bounce(self):
        site = self.make()
        site.control("doublebounceto", "joe")
        site.control("doublebouncehost", "local.example")
        site.start()
        site.inject("no-one@virt.example", sender="nobody-either@virt.example")
        site.wait_empty()
        (double,) = site.mails()
        self.assertTrue(double.startswith(b"Return-Path: <#@[]>\n"))
        self.assertIn(b"<nobody-either@virt.example>:", double)
        site.control("doublebouncehost", "virt.example")
        site.control("doublebounceto", "no-postmaster")
        site.daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: site.logged().count("status: ") > 4)
        site.inject("no-one@virt.example", sender="nobody-either@virt.example")
        wait_for(lambda: "triple bounce: discarding" in site.logged())
        site.wait_empty()
        self.assertEqual(len(site.mails()), 1)

    def test_partial_failure_and_deferral(self):
        sink = Sink({"RCPT bad@far.example": "550 no such user", "RCPT later@far.example": "450 busy"})
        site = self.make(sink=sink)
        site.start()
        site.inject("good@far.example", "bad@far.example", "later@far.example", "joe@local.example",
                    sender="joe@local.example")
        wait_for(lambda: len(re.findall("delivery .*: (success|failure|deferral)", site.logged())) >= 4)
        self.assertEqual([m[1] for m in sink.messages], [["good@far.example"]])
        qread = site.run(["qmail-qread"], env=site.env()).stdout.decode()
        self.assertIn("  done\tremote\tgood@far.example", qread)
        self.assertIn("  done\tremote\tbad@far.example", qread)
        self.assertIn("\n\tremote\tlater@far.example", qread)
        # a restart knows what is done
        self.assertEqual(site.stop(), 0)
        sink.script.clear()
        site.start()
        wait_for(lambda: "1 messages wait that were tried before" in site.logged())
        site.daemon.send_signal(signal.SIGALRM)
        wait_for(lambda: len(site.mails()) == 2, what="the copy and the bounce: " + site.logged())
        site.wait_empty()
        self.assertEqual(sorted(m[1] for m in sink.messages), [["good@far.example"], ["later@far.example"]])
        bounce = next(m for m in site.mails() if b"MAILER-DAEMON" in m)
        self.assertIn(b"550 no such user", bounce)
        self.assertNotIn(b"later@far.example>:", bounce)

    def test_too_old(self):
        site = self.make(sink=Sink({"MAIL": "450 not now"}))
        site.inject("x@far.example", sender="joe@local.example")
        info = next(p for p in site.queued() if "/info/" in p)
        text = re.sub(r"\nt\d+\n", lambda m: f"\nt{int(time.time()) - 8 * 86400}\n", os.readlink(info))
        os.unlink(info)
        os.symlink(text, info)
        site.start()
        wait_for(lambda: site.mails())
        self.assertIn(b"tried for too long", site.mails()[0])
        site.wait_empty()

    def test_hold_and_reload(self):
        site = self.make()
        site.control("holdlocal", "1")
        site.start()
        site.inject("joe@local.example")
        wait_for(lambda: "info msg" in site.logged())
        self.assertNotIn("starting delivery", site.logged())
        self.assertIn("(held)", site.logged())
        site.control("holdlocal", "0")
        site.daemon.send_signal(signal.SIGHUP)
        wait_for(site.mails)

    def test_bad_control_file_keeps_the_old_settings(self):
        site = self.make()
        site.start()
        wait_for(lambda: "status:" in site.logged())
        site.control("concurrencylocal", "many\n")
        site.daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: "alert: " in site.logged())
        self.assertIn("control/concurrencylocal:1: a number is wanted", site.logged())
        os.unlink(site.path("control", "concurrencylocal"))
        site.inject("joe@local.example")
        wait_for(site.mails)

    def test_new_domain_needs_no_signal(self):
        site = self.make()
        site.start()
        wait_for(lambda: "status:" in site.logged())
        site.control("virtualdomains", "virt.example:joe\nfresh.example:joe\n")
        site.dotqmail(".qmail-default", "./Maildir/\n")
        site.inject("anyone@fresh.example")
        wait_for(site.mails)
        self.assertIn(b"Delivered-To: joe-anyone@fresh.example", site.mails()[0])

    def is_read(self, fifo):
        try:
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
            return True
        except OSError:
            return False

    def test_garbage_in_the_trigger_and_foreign_files(self):
        site = self.make()
        with open(site.queue() + "/info/3/not-an-id", "w") as f:
            f.write("x")
        with open(site.queue() + "/info/1/24", "w") as f:  # an id without a whole envelope
            f.write("u0\0p1\0")
        site.start()
        wait_for(lambda: self.is_read(site.queue() + "/lock/trigger"))  # todo-proc is there
        fd = os.open(site.queue() + "/lock/trigger", os.O_WRONLY | os.O_NONBLOCK)
        os.write(fd, b"\0\0\0" + b"9" * 5000 + b"\n-1\n18446744073709551616\nabc\n")
        site.inject("joe@local.example")
        os.close(fd)
        wait_for(site.mails)
        self.assertIsNone(site.daemon.poll())
        os.unlink(site.queue() + "/info/3/not-an-id")
        os.unlink(site.queue() + "/info/1/24")

    def test_damaged_envelope_is_told_and_kept(self):
        site = self.make()
        site.inject("joe@local.example")
        info = next(p for p in site.queued() if "/info/" in p)
        text = os.readlink(info)
        os.unlink(info)
        os.symlink(text.replace("\nF", "\nX"), info)
        site.start()
        wait_for(lambda: "unable to read envelope" in site.logged())
        for i in range(3):  # looked at again, told once
            site.daemon.send_signal(signal.SIGALRM)
            site.inject("joe@local.example")
            wait_for(lambda: len(site.mails()) == i + 1)
        self.assertEqual(site.logged().count("unable to read envelope"), 1)
        self.assertTrue(os.path.lexists(info))
        p = site.run(["queue-fix", site.queue()])
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"damaged envelope", p.stderr)

    def test_not_announced(self):
        """What was committed by somebody who died before he could say so is found without a signal."""
        site = self.make()
        site.control("todointerval", "1\n")
        site.start()
        wait_for(lambda: "status: " in site.logged())
        trigger = site.queue() + "/lock/trigger"
        os.rename(trigger, trigger + ".away")
        site.inject("joe@local.example")
        os.rename(trigger + ".away", trigger)
        wait_for(lambda: len(site.mails()) == 1, timeout=20)

    def test_sweep(self):
        site = self.make()
        old = site.queue() + "/mess/7/30"  # 30 mod 23 is 7: a message that was never accepted
        fresh = site.queue() + "/mess/8/31"
        written = site.queue() + "/mess/9/32"  # by somebody who is there, though the clock says that it is old
        for path in (old, fresh, written):
            with open(path, "w") as f:
                f.write("x")
            os.chown(path, site.uid, site.gid)
        os.utime(old, (1, 1))
        os.utime(written, (1, 1))
        with open(written) as f, open(old) as reader:
            fcntl.flock(f, fcntl.LOCK_EX)
            fcntl.flock(reader, fcntl.LOCK_SH)  # todo-proc looks at it just now
            site.start()
            wait_for(lambda: not os.path.exists(old))
            wait_for(lambda: "status: " in site.logged())
        self.assertTrue(os.path.exists(fresh) and os.path.exists(written))
        os.unlink(fresh)
        os.unlink(written)

    def test_signals_before_the_start(self):
        """What qmail-start gets before it has become qmail-send is for qmail-send."""
        site = self.make()
        programs, go, waits = site.path("programs"), site.path("go"), site.path("waits")
        os.mkdir(programs)
        os.chmod(site.dir, 0o777)
        for name in os.listdir(site.bin):
            os.symlink(os.path.join(site.bin, name), os.path.join(programs, name))
        os.unlink(programs + "/qmail-clean")
        with open(programs + "/qmail-clean", "w") as f:  # qmail-start waits for the end of qmail-clean -r
            f.write(f"#!/bin/sh\n> {waits}\nuntil [ -e {go} ]; do sleep 0.02; done\nexec {site.bin}/qmail-clean $*\n")
        os.chmod(programs + "/qmail-clean", 0o755)
        site.start(QMAILBIN=programs)
        wait_for(lambda: os.path.exists(waits), what="qmail-start")
        for sig in (signal.SIGALRM, signal.SIGHUP, signal.SIGUSR1):
            site.daemon.send_signal(sig)
        with open(f"/proc/{site.daemon.pid}/task/{site.daemon.pid}/children") as f:
            start = f.read().split()[0]

        def pending():
            with open(f"/proc/{start}/status") as f:
                return int(re.search(r"ShdPnd:\s*(\w+)", f.read()).group(1), 16)

        wait_for(lambda: pending() == sum(1 << s - 1 for s in (signal.SIGALRM, signal.SIGHUP, signal.SIGUSR1)), what="signals")
        with open(go, "w"):
            pass
        wait_for(lambda: "detached: " in site.logged(), what="the last of them")
        self.assertNotIn("starting them again", site.logged())
        site.inject("joe@local.example")
        site.daemon.send_signal(signal.SIGUSR2)
        wait_for(lambda: len(site.mails()) == 1, what="a delivery")

    def test_second_daemon_is_refused(self):
        site = self.make()
        site.start()
        wait_for(lambda: "status:" in site.logged())
        p = site.run(["qmail-daemon"], env=site.env())
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"unable to lock", p.stderr)
        p = site.run(["qmail-send"], env=site.env(QUEUEDIR=site.queue()))
        self.assertEqual(p.returncode, 111)


class Remote(unittest.TestCase):
    """qmail-remote's classic report, on its own."""

    def report(self, sink, *to, env=None, message=b"Subject: s\n\nhi\n", host="far.example", sender="a@b"):
        site = MailSite(sink=sink)
        self.addCleanup(site.close)
        path = site.path("message")
        with open(path, "wb") as f:
            f.write(message)
        os.chmod(path, 0o644)
        with open(path, "rb") as f:
            p = site.run(["qmail-remote", host, sender, *to], stdin=f, env=site.env(**(env or {})))
        self.assertEqual(p.returncode, 0)
        return [r.decode() for r in p.stdout.split(b"\0")[:-1]]

    def test_reports(self):
        cases = [
            ("accepted", {}, ["r", "K127.0.0.1 accepted message."]),
            ("greeting 5xx", {"greeting": "554 go away"}, ["D127.0.0.1 connected, but greeting failed."]),
            ("greeting 4xx", {"greeting": "421 busy"}, ["ZNo server of far.example would take the message"]),
            ("greeting dropped", {"greeting": None}, ["ZNo server of far.example"]),
            ("sender 5xx", {"MAIL": "550 no"}, ["D127.0.0.1 but sender was rejected."]),
            ("sender 4xx", {"MAIL": "450 no"}, ["Z127.0.0.1 but sender was rejected."]),
            ("recipient 5xx", {"RCPT u@far.example": "550 no"}, ["h127.0.0.1 does not like recipient.", "DGiving up on 127.0.0.1."]),
            ("recipient 4xx", {"RCPT u@far.example": "450 no"}, ["s127.0.0.1 does not like recipient.", "DGiving up on 127.0.0.1."]),
            ("data 5xx", {"DATA": "554 no"}, ["r", "D127.0.0.1 failed on DATA command."]),
            ("end 4xx", {"end": "451 full"}, ["r", "Z127.0.0.1 failed after I sent the message."]),
            ("lost after the message", {"end": None}, ["r", "ZConnected to 127.0.0.1 but "]),
            ("not SMTP", {"greeting": "SSH-2.0"}, ["ZNo server of far.example"]),
        ]
        for ehlo in (("PIPELINING",), ()):
            for name, script, want in cases:
                with self.subTest(name, ehlo=ehlo):
                    got = self.report(Sink(script, ehlo), "u@far.example")
                    self.assertEqual(len(got), len(want), got)
                    for g, w in zip(got, want):
                        self.assertTrue(g.startswith(w), (g, w))

    def test_mixed_recipients(self):
        sink = Sink({"RCPT b@far.example": "550 no", "RCPT c@far.example": "450 later"})
        got = self.report(sink, "a@far.example", "b@far.example", "c@far.example", "d@far.example")
        self.assertEqual([g[0] for g in got], list("rhsrK"))
        self.assertEqual(sink.messages[0][1], ["a@far.example", "d@far.example"])

    def test_no_smuggling(self):
        sink = Sink()
        self.report(sink, "u@far.example", message=b"Subject: s\n\na\r.\r\nb\n.\nc\r\n.\r\nd\re\n")
        data = sink.messages[0][2]
        self.assertEqual(data, b"Subject: s\r\n\r\na\r\n..\r\nb\r\n..\r\nc\r\n..\r\nd\r\ne\r\n")
        self.assertEqual(len(sink.messages), 1)

    def test_size_and_8bit(self):
        sink = Sink(ehlo=("SIZE 100", "8BITMIME"))
        self.assertTrue(self.report(sink, "u@far.example", message=b"x" * 200)[0].startswith("D127.0.0.1 takes no message of this size"))
        sink = Sink(ehlo=("SIZE", "8BITMIME"))
        self.report(sink, "u@far.example", message=b"s: \xe9\n\nx\n")
        self.assertIn("MAIL FROM:<a@b> SIZE=8 BODY=8BITMIME", sink.commands)

    def test_hidden_control_bytes(self):
        got = self.report(Sink({"MAIL": "550 a\0b\x07c"}), "u@far.example")
        self.assertEqual(len(got), 1)

    def test_refused_connection(self):
        got = self.report(Sink(), "u@far.example", env={"SMTPROUTE": f"x:127.0.0.1:{free_port()}"})
        self.assertTrue(got[0].startswith("ZNo server of far.example"), got)


class Killed(unittest.TestCase):
    """Processes die at random under load; every accepted message arrives once or more, whole."""

    def test_kill_any_daemon(self):
        import random

        site = MailSite(queues=2)
        self.addCleanup(site.close)
        site.start()
        rng = random.Random(20261121)
        stop = threading.Event()

        def family():
            pids = {}
            for name in os.listdir("/proc"):
                if name.isdigit():
                    try:
                        env = open(f"/proc/{name}/environ", "rb").read()
                        cmd = open(f"/proc/{name}/cmdline", "rb").read().split(b"\0")[0]
                    except OSError:
                        continue
                    if site.dir.encode() in env and any(
                            cmd.endswith(b"/" + p) for p in (b"qmail-send", b"todo-proc", b"qmail-lspawn", b"qmail-rspawn",
                                                             b"qmail-clean", b"qmail-local", b"qmail-remote")):
                        pids[int(name)] = cmd
            return pids

        def killer():
            while not stop.wait(rng.uniform(0.02, 0.08)):
                pids = sorted(family())
                if pids:
                    try:
                        os.kill(rng.choice(pids), signal.SIGKILL)
                    except ProcessLookupError:
                        pass

        thread = threading.Thread(target=killer)
        thread.start()
        bodies = []
        try:
            for i in range(100):
                text = f"message {i} " + "x" * rng.randrange(2000)
                site.inject("joe@local.example" if i % 2 else "u@far.example", body=text + "\nend\n")
                bodies.append(text)
        finally:
            stop.set()
            thread.join()
        end = time.monotonic() + 40

        def rest():
            """But for a message file alone, of a message that was done: what qmail-clean leaves when it is killed
            between two files is swept later."""
            files = site.queued()
            others = {os.path.basename(f) for f in files if "/mess/" not in f}
            return [f for f in files if os.path.basename(f) in others]

        while rest() and time.monotonic() < end:
            site.daemon.send_signal(signal.SIGALRM)  # what was deferred is due now
            time.sleep(0.2)
        self.assertEqual(rest(), [], site.logged()[-3000:])
        site.stop()
        for path in site.queued():
            os.utime(path, (0, 0))  # so old that it is swept at the start
        site.start()
        site.wait_empty()
        mails = site.mails()
        relayed = [m[2].replace(b"\r\n", b"\n") for m in site.sink.messages]
        for i, text in enumerate(bodies):
            where = mails if i % 2 else relayed
            hits = [m for m in where if f"message {i} ".encode() in m]
            self.assertTrue(hits, f"message {i} is lost")
            for m in hits:
                self.assertTrue(m.endswith(text.encode() + b"\nend\n"), f"message {i} is cut")


if __name__ == "__main__":
    unittest.main()
