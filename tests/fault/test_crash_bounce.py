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


class PutOff(Scenario):
    """One recipient is put off, the others have it; then the remote host takes it after all."""

    messages = [Message("put-off", {"x@far.example": "remote", "later@far.example": "remote"})]

    def run(self, site):
        site.sink.script["RCPT later@far.example"] = "450 not now"
        self.inject(site, self.messages[0])
        site.start()
        site.wait_log(lambda lines: sum(l.startswith("delivery ") for l in lines) == len(self.messages[0].to))
        del site.sink.script["RCPT later@far.example"]
        site.manager.send_signal(signal.SIGALRM)
        wait_for(lambda: not site.ids_in("mess"), what="all deliveries")
        site.settle()


class PutOffAndFailed(PutOff):
    """The failure comes when others are done, so there are marks already."""

    messages = [Message("deferred", {"x@far.example": "remote", "later@far.example": "remote", "joe@local.example": "local",
                                     "fail@local.example": "fail"})]

    def prepare(self, site):
        site.write("home/fail/.qmail", "|until ls ../joe/Maildir/new | grep -q .; do sleep 0.01; done; exit 100\n")


class CrashBounce(CrashTest):
    def test_bounce(self):
        self.crash(Bounce)

    def test_partly_fails(self):
        self.crash(PartlyFails)

    def test_double_bounce(self):
        self.crash(DoubleBounce)

    def test_missing_fsyncs_are_seen(self):
        self.crash_seen(PutOffAndFailed, r"/bounce$", r"/bounce/\d+$")
        self.crash_seen(PutOff, r"/done/\d+$", r"/done/\d+/\d+$")

    def test_put_off(self):
        self.crash(PutOff)

    def test_put_off_and_failed(self):
        self.crash(PutOffAndFailed)


if __name__ == "__main__":
    unittest.main()
