"""The n-th allocation, open, write ... fails in qmail-send (nth.py) while senders are told of success: who asked
is told at least once, or the log says why not; a failure is told in any case; the mail itself arrives."""
import unittest

from crashsim import NOTICE, Message
from nth import Mixed, NthTest


class Asking(Message):
    """notify: recipient -> what its sender wants to hear."""

    def __init__(self, token, to, notify, **kw):
        super().__init__(token, to, **kw)
        self.notify = notify

    def envelope(self):
        records = [b"F" + self.sender.encode(), b"dENVID=x"]
        for to in self.to:
            records += [b"T" + to.encode(), b"nNOTIFY=" + self.notify.get(to, "FAILURE").encode()]
        return b"".join(r + b"\0" for r in records) + b"\0"


class Told(Mixed):
    messages = [Asking("told", {"joe@local.example": "local", "x@far.example": "remote", "fail@local.example": "fail"},
                       {"joe@local.example": "SUCCESS", "x@far.example": "SUCCESS,FAILURE"})]

    def prepare(self, site):
        pass


class NthNotice(NthTest):
    scenario = Told

    def test_qmail_send(self):
        self.every("qmail-send", "malloc", "write")  # test_nth_send has the rest

    def judge(self, f, tree, taken, log):
        told = {p: v[1] for p, v in tree.items() if v[0] == "f" and NOTICE in v[1] and b"\nAction: failed\n" not in v[1]}
        wrong = super().judge(f, {p: v for p, v in tree.items() if p not in told}, taken, log)
        excused = any("notice" in line and "warning" in line for line in log)
        for m in self.messages:
            for to in m.to:
                notices = sum(f"\nFinal-Recipient: rfc822; {to}\n".encode() in text for text in told.values())
                wanted = "SUCCESS" in m.notify.get(to, "")
                if not (wanted and not excused) <= notices <= 2 * wanted:
                    wrong.append(f"{m.token} for {to}: {notices} notices of success")
        return wrong


if __name__ == "__main__":
    unittest.main()
