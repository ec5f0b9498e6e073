"""Power fails at any moment while mail is accepted and delivered: crashsim.py says what is tried. Messages to one
recipient and to many, short and long envelopes, through qmail-queue and qmail-queued, one after the other and at once."""
import os, threading, unittest

from box import wait_for
from crashsim import CrashTest, Message, Scenario

LINES = "".join(f"line {i}\n" for i in range(400))


class One(Scenario):
    messages = [Message("one", {"joe@local.example": "local"}, body=LINES),
                Message("gave-up", {"joe@local.example": "local"}, aborted=True)]


class Many(Scenario):
    """Through the resident acceptor; the daemons are running."""

    messages = [Message("many", {"joe@local.example": "local", "x@far.example": "remote", "ann@local.example": "local",
                                 "y@other.example": "remote", "joe-ext@local.example": "local"}, body=LINES),
                Message("second", {"ann@local.example": "local", "bob@local.example": "local"})]

    def run(self, site):
        site.spawn(["qmail-queued", "-n", "2"])
        wait_for(lambda: os.path.exists(site.path("run/queue/socket")))
        site.start()
        for m in self.messages:
            with open(site.path("message"), "wb+") as f:
                f.write(m.text)
                f.seek(0)
                site.ok("forward", *m.to, stdin=f, env=site.env(NEWSENDER=m.sender, DTLINE=""))
        site.settle()


class Long(Scenario):
    """An envelope that is too long for a link."""

    messages = [Message("long", {f"joe-{'x' * 120}{i}@local.example": "local" for i in range(12)})]


class Crowd(Scenario):
    """Eight at once, so that the system calls of one come between those of another."""

    messages = [Message(f"crowd{i}", {f"{who}@local.example": "local" for who in ("joe", "ann", "bob")[:i % 3 + 1]}, body=LINES[:i * 400],
                        aborted=i == 5) for i in range(8)]

    def run(self, site):
        site.start()
        threads = [threading.Thread(target=self.inject, args=(site, m)) for m in self.messages]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        wait_for(lambda: not site.ids_in("mess"), what="all deliveries")
        site.settle()


class CrashAccept(CrashTest):
    def test_one(self):
        self.crash(One)

    def test_missing_fsyncs_are_seen(self):
        self.crash_seen(One, r"/mess/\d+/\d+$", r"/mess/\d+$", r"/info/\d+$", r"/(mess|info)/\d+$", r"/Maildir/new/", r"/Maildir/new$")

    def test_many(self):
        self.crash(Many)

    def test_long(self):
        self.crash(Long)

    def test_crowd(self):
        self.crash(Crowd)


if __name__ == "__main__":
    unittest.main()
