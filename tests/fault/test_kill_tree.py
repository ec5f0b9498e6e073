"""Any process of the running server dies at any time: everything comes back by itself, and every
message that was answered with 250 arrives, whole."""
import os, random, re, signal, smtplib, sys, threading, time, unittest

import demosite
from box import wait_for

MESSAGES = 200
SENDERS = 4
SEED = 20261121
# What may be killed how often (30 times without a row): svscan takes the whole server down and up; sleep is the guard's,
# the shell that starts svscan again, and nothing starts that one again.
AT_MOST = {"svscan": 2, "sleep": 0}


class Sender(threading.Thread):
    """Sends its share of the messages, each until it is accepted, not faster than processes die."""

    def __init__(self, demo, killer, to, bodies, deadline):
        super().__init__(daemon=True)
        self.demo, self.killer, self.to, self.bodies, self.deadline = demo, killer, to, bodies, deadline
        self.attempts = 0
        self.accepted = []

    def run(self):
        session, used = None, 0
        for i, (name, body) in enumerate(self.bodies):
            while self.killer.total < i * SENDERS and time.monotonic() < self.deadline:
                time.sleep(0.01)  # the pace
            while time.monotonic() < self.deadline:
                self.attempts += 1
                try:
                    if session is None:
                        session, used = self.demo.smtp(timeout=10), 0
                    refused = session.sendmail("sender@elsewhere.example", [self.to],
                                               f"Subject: {name}\r\n\r\n".encode() + body)
                    assert not refused
                    self.accepted.append(name)
                    used += 1
                    if used % 5 == 0:
                        session.close()  # not QUIT: whoever would answer may be dead, and it is accepted all the same
                        session = None
                    break
                except (OSError, smtplib.SMTPException):
                    if session is not None:
                        session.close()
                    session = None
                    time.sleep(0.02)  # a connection refused costs nothing: do not spin
        if session is not None:
            session.close()


class Killer(threading.Thread):
    def __init__(self, demo, seed):
        super().__init__(daemon=True)
        self.demo, self.rng, self.ended = demo, random.Random(seed), threading.Event()
        self.killed, self.total = {}, 0
        with open(demo.path("guard.pid")) as f:
            self.guard = int(f.read())  # above it there is only the machine's own init

    def run(self):
        while not self.ended.is_set():
            processes = {}
            for pid, name in self.demo.processes().items():
                if pid != self.guard and self.killed.get(name, 0) < AT_MOST.get(name, 30):
                    processes.setdefault(name, []).append(pid)
            for _ in range(3):  # looking for them costs more than killing them
                if processes and not self.ended.is_set():
                    # First which program, so that the many do not hide the few.
                    name = self.rng.choice(sorted(processes))
                    self.kill(name, self.rng.choice(sorted(processes[name])))
                self.ended.wait(self.rng.uniform(0.005, 0.04))

    def kill(self, name, pid):
        # Ours still?  Its number may be another's by now.
        if self.demo.name_of(pid) != name:
            return
        try:
            os.kill(pid, signal.SIGKILL)
            self.killed[name] = self.killed.get(name, 0) + 1
            self.total += 1
        except ProcessLookupError:
            pass

    def stop(self):
        self.ended.set()
        self.join()


class KillTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        why = demosite.missing()
        if why:
            raise unittest.SkipTest(why)

    def setUp(self):
        self.demo = demosite.Demo(variables={"smtp": {"PENALTY": "0"}})
        self.addCleanup(self.demo.close)
        self.demo.start()

    def bodies(self, rng):
        out = []
        for i in range(MESSAGES):
            size = rng.choice((10, 500, 3000, 20000, 90000))  # the last goes through qmail-queue itself
            text = "".join(rng.choice("abcdefgh .\n") for _ in range(size))
            out.append((f"message-{i}", ("begin\n" + text + f"\nend of message-{i}\n").replace("\n", "\r\n").encode()))
        return out

    def everything_runs(self):
        have = set(self.demo.processes().values())
        want = {"svscan", "supervise", "multilog", "tcpserver", "inlookup", "qmail-tlsd", "qmail-queued", "qmail-daemon",
                "qmail-send", "todo-proc", "qmail-lspawn", "qmail-rspawn", "qmail-clean"}
        return want <= have and len(self.demo.named("qmail-send")) == 2 and len(self.demo.named("tcpserver")) == 7

    def test_every_accepted_message_arrives(self):
        demo, rng = self.demo, random.Random(SEED)
        bodies = self.bodies(rng)
        deadline = time.monotonic() + 100  # under a sanitizer every start takes long
        killer = Killer(demo, SEED)
        senders = [Sender(demo, killer, demo.env["USER"], bodies[i::SENDERS], deadline) for i in range(SENDERS)]
        killer.start()
        for s in senders:
            s.start()
        try:
            for s in senders:
                s.join()
        finally:
            killer.stop()
        accepted = [name for s in senders for name in s.accepted]
        attempts = sum(s.attempts for s in senders)
        print(f"{len(accepted)} messages accepted in {attempts} attempts; killed: "
              + ", ".join(f"{n} {k}" for k, n in sorted(killer.killed.items())), file=sys.stderr)
        self.assertEqual(len(accepted), MESSAGES, sorted(demo.processes().values()))
        self.assertGreater(len(killer.killed), 12, killer.killed)
        wait_for(self.everything_runs, what="all services")

        # What was being written when its process died was never accepted, and is swept later.
        end = time.monotonic() + 15
        while demo.run("qmail-qread").stdout and time.monotonic() < end:
            demo.run("svc", "-a", demo.path("service", "qmail-send.25"), check=False)  # it may be between two supervises
            time.sleep(1)  # not more often: the signal ends a program that is just starting
        self.assertEqual(demo.run("qmail-qread").stdout, b"")

        wanted = {name: body.replace(b"\r\n", b"\n") for name, body in bodies}
        seen = set()
        for mail in demo.mails(demo.env["MAILDIR"]):
            head, body = mail.split(b"\n\n", 1)
            name = re.search(rb"^Subject: (.*)$", head, re.M).group(1).decode()
            self.assertIn(name, wanted, "nobody sent that")
            self.assertTrue(body == wanted[name], f"{name} is damaged: {len(body)} bytes instead of {len(wanted[name])}")
            seen.add(name)
        self.assertEqual([name for name in accepted if name not in seen], [], "lost")


if __name__ == "__main__":
    unittest.main()
