"""The n-th allocation, open, write ... fails in qmail-send (nth.py) while senders are told of success: who asked
is told at least once, or the log says why not; a failure is told in any case; the mail itself arrives."""
import sys, unittest

from crashsim import NOTICE, Message, Slot, Tree, copies
from box import FAULTY
from nth import Failures, Mixed, NthTest


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
    def setUp(self):
        scenario = Told()
        slot = self.slot = Slot(scenario, FAULTY)
        self.addCleanup(slot.close)
        slot.clear()
        for m in scenario.messages:
            scenario.inject(slot.site, m)
        self.queued = {p: v for p, v in Tree.read(slot.site.dir, slot.site.PARTS).items() if p.startswith("queue/") and v[0] != "d"}
        self.messages = scenario.messages

    def test_qmail_send(self):
        slot = self.slot
        f = Failures(slot.site.dir, "qmail-send", ("malloc", "write"))  # test_nth_send has the rest
        for env in f:
            slot.put({**slot.base, **self.queued})
            del slot.site.sink.messages[:], slot.site.sink.commands[:]
            log = self.deliver(f, env)
            tree = Tree.read(slot.site.dir, slot.site.PARTS)
            told = {p: v[1] for p, v in tree.items() if v[0] == "f" and NOTICE in v[1] and b"\nAction: failed\n" not in v[1]}
            taken = [(to, data) for _, tos, data in slot.site.sink.messages for to in tos]
            found, wrong = copies(self.messages, {p: v for p, v in tree.items() if p not in told}, taken)
            excused = any("notice" in line and "warning" in line for line in log)
            for m in self.messages:
                for to in m.to:
                    if not 1 <= found[m.token, to] <= (2 if f.fired() else 1):
                        wrong.append(f"{m.token} for {to}: {found[m.token, to]} copies")
                    notices = sum(f"\nFinal-Recipient: rfc822; {to}\n".encode() in text for text in told.values())
                    wanted = "SUCCESS" in m.notify.get(to, "")
                    if not (wanted and not excused) <= notices <= 2 * wanted:
                        wrong.append(f"{m.token} for {to}: {notices} notices of success")
            self.assertEqual(wrong, [], f"{f}:\n" + "\n".join(wrong + log))
        print(f"\nshow: qmail-send: {f.runs} runs", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
