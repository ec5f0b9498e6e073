"""The log of qmail-send as programs read it that were written for qmail's: by the words' places in a line. What
they need to match up a delivery (what, who, when, how it ended) must be there for every message."""
import unittest

from mailsite import MailSite, Sink


class Classic:
    """Matches the lines up, as such a program does; what does not fit is an error."""

    def __init__(self):
        self.messages, self.deliveries, self.done, self.ended = {}, {}, [], []

    def new(self, w):
        assert w[2] not in self.messages, w
        self.messages[w[2]] = None

    def info(self, w):
        assert (w[3], w[5], w[7], w[9]) == ("bytes", "from", "qp", "uid") and w[6][0] == "<" and w[6][-1] == ">", w
        self.messages[w[2].rstrip(":")] = int(w[4]), w[6][1:-1], int(w[8]), int(w[10])

    def starting(self, w):
        assert w[1] == "delivery" and w[3] == "msg" and w[5] == "to" and w[6] in ("local", "remote"), w
        self.deliveries[w[2].rstrip(":")] = w[4], w[6], w[7]

    def delivery(self, w):
        msg, channel, to = self.deliveries.pop(w[1].rstrip(":"))
        self.done.append((self.messages[msg][1], channel, to, w[2].rstrip(":"), w[3]))

    def end(self, w):
        assert w[1] == "msg" and self.messages.pop(w[2]), w
        self.ended.append(w[2])

    def status(self, w):
        assert w[1] == "local" and w[3] == "remote" and all("/" in n for n in (w[2], w[4])), w

    def bounce(self, w):
        assert w[1] == "msg" and w[3] == "qp" and int(w[2]) and int(w[4]), w

    def read(self, text):
        for line in text.splitlines():
            w = line.split(" ")
            kind = {"new": self.new, "info": self.info, "starting": self.starting, "delivery": self.delivery, "end": self.end,
                    "status:": self.status, "bounce": self.bounce}.get(w[0])
            if kind:
                kind(w)
        return self


class LogClassic(unittest.TestCase):
    def test_match_up(self):
        site = MailSite(sink=Sink({"RCPT TO:<no@far.example>": "550 no such user", "end": "250 taken as 4711"}))
        self.addCleanup(site.close)
        site.start()
        code = site.queue_program(b"Subject: x\n\n", b"Fa b@local.example\0Tjoe@local.example\0Tu@far.example\0\0")
        self.assertEqual(code, 0)
        site.inject("nobody@local.example", sender="joe@local.example")
        site.inject("joe@local.example", sender="")
        site.wait_empty()
        self.assertEqual(site.stop(), 0)
        log = Classic().read(site.logged())
        self.assertEqual((log.messages, log.deliveries), ({}, {}))
        self.assertEqual(len(log.ended), 4)  # one of them the bounce
        self.assertEqual(sorted((channel, to, how) for _, channel, to, how, _ in log.done),
                         [("local", "joe@local.example", "success")] * 3 +
                         [("local", "nobody@local.example", "failure"), ("remote", "u@far.example", "success")])
        for sender, channel, to, how, text in log.done:
            self.assertNotIn(" ", sender + text)
            self.assertTrue(text, "the reason is one word")


if __name__ == "__main__":
    unittest.main()
