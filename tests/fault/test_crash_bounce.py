"""Power fails at any moment while mail bounces, or is put off and tried again: see crashsim.py."""
import signal, unittest

from box import wait_for
from crashsim import CrashTest, Message, Scenario


class Bounce(Scenario):
    messages = [Message("bounce", {"fail@local.example": "fail"})]


class PartlyFails(Scenario):
    """Several fail, at the same time as others do not."""

    messages = [Message("partly", {"fail@local.example": "fail", "joe@local.example": "local", "fail-x@local.example": "fail",
                                   "x@far.example": "remote", "ann@local.example": "local"})]

    def prepare(self, site):
        site.write("home/fail/.qmail-x", "|exit 100\n")


class DoubleBounce(Scenario):
    """Sender and recipient are both unknown: the postmaster is told, once."""

    messages = [Message("double", {"fail@local.example": "fail"}, sender="fail@local.example")]


class Deferred(Scenario):
    """One recipient is put off, the others have it; then the remote host takes it after all."""

    messages = [Message("deferred", {"x@far.example": "remote", "later@far.example": "remote", "joe@local.example": "local",
                                     "fail@local.example": "fail"})]

    def run(self, site):
        site.sink.script["RCPT later@far.example"] = "450 not now"
        self.inject(site, self.messages[0])
        site.start()
        site.wait_log(lambda lines: sum(" delivery " in f" {l}" and ("success" in l or "deferral" in l or "failure" in l) for l in lines) == 4)
        del site.sink.script["RCPT later@far.example"]
        site.manager.send_signal(signal.SIGALRM)
        wait_for(lambda: not site.ids_in("mess"), what="all deliveries")
        site.settle()


class CrashBounce(CrashTest):
    def test_bounce(self):
        self.crash(Bounce)

    def test_partly_fails(self):
        self.crash(PartlyFails)

    def test_double_bounce(self):
        self.crash(DoubleBounce)

    def test_missing_fsyncs_are_seen(self):
        self.crash_seen(Deferred, r"/bounce$", r"/bounce/\d+$", r"/done/\d+$", r"/done/\d+/\d+$")

    def test_deferred(self):
        self.crash(Deferred)


if __name__ == "__main__":
    unittest.main()
