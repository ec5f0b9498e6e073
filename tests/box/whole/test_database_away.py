"""Mail flows to virtual users, through qmail-smtpd, qmail-queue, qmail-send and vdelivermail, while the MariaDB server that knows
them is killed and brought back: whatever could not be asked meanwhile is a temporary error, and in the end each message is there
once, where it belongs, and no bounce anywhere."""
import shutil, threading, unittest

from box import wait_for
from chainsite import ChainSite
from mariadbsite import MariaDB

USERS = ("alice", "bob", "carol", "dave")


class Clients(threading.Thread):
    """Sends one message after the other, each until it is accepted."""

    def __init__(self, chain, number):
        super().__init__(daemon=True)
        self.chain, self.number = chain, number
        self.accepted, self.codes, self.wrong = [], [], None
        self.stopping = threading.Event()

    def run(self):
        try:
            i = 0
            while not self.stopping.is_set():
                to = [USERS[(i + self.number) % len(USERS)]] if i % 3 else [USERS[i % 2], USERS[2 + i % 2]]
                mark = f"{self.number}.{i}"
                while True:
                    code = self.chain.offer(*to, mark=mark)
                    self.codes.append(code)
                    if code == 250:
                        break
                    if not 400 <= code < 500:
                        raise AssertionError(f"{mark} to {to} was answered with {code}")
                    self.stopping.wait(0.05)
                self.accepted.append((mark, to))
                i += 1
        except Exception as e:
            self.wrong = e

    def refused(self):
        return sum(400 <= c < 500 for c in self.codes)


@unittest.skipUnless(shutil.which("mariadbd"), "MariaDB is not installed")
class Away(unittest.TestCase):
    program = False
    options = ()

    def setUp(self):
        self.server = MariaDB()
        self.addCleanup(self.server.close)
        self.chain = ChainSite(USERS, self.program, self.server, self.options)
        self.addCleanup(self.chain.close)
        for alias in ("team", "fresh"):
            for name in USERS[:2]:
                self.chain.ok("valias", "-i", f"&{name}@example.com", f"{alias}@example.com")
        self.expected = {name: [] for name in USERS + ("sender",)}

    def expect(self, mark, names):
        for name in names:
            self.expected[name].append(mark)

    def flow(self):
        self.clients = [Clients(self.chain, n) for n in range(3)]
        for c in self.clients:
            c.start()
        self.addCleanup(lambda: [c.stopping.set() for c in self.clients])

    def progress(self, what, count):
        """Until each client has seen so many more."""
        before = [what(c) for c in self.clients]
        wait_for(lambda: any(c.wrong for c in self.clients) or all(what(c) >= n + count for c, n in zip(self.clients, before)), 60, "clients")
        self.assertEqual([c.wrong for c in self.clients], [None] * len(self.clients))

    def accepted(self, count):
        self.progress(lambda c: len(c.accepted), count)

    def end(self):
        for c in self.clients:
            c.stopping.set()
        for c in self.clients:
            c.join(60)
            self.assertIsNone(c.wrong)
            for mark, names in c.accepted:
                self.expect(mark, names)
        self.chain.wait_empty()
        self.maxDiff = None
        self.assertEqual({name: self.chain.got(name) for name in self.expected}, {name: sorted(v) for name, v in self.expected.items()})
        log = self.chain.send_logged()
        self.assertNotIn("bounce msg", log)
        self.assertNotIn(": failure: ", log)

    def both_ways(self, name, mark):
        """A user whom nobody has asked about, by SMTP and in the queue."""
        self.assertEqual(self.chain.offer(name, mark=mark) // 100, 4)
        self.chain.queue_message(name, mark)

    def test_nothing_is_kept(self):
        """Everybody waits."""
        chain = self.chain
        chain.start_lookup("-i", "2", "-p", "1", LOOKUP_STALE="0")
        chain.start()
        chain.start_smtp()
        self.flow()
        self.accepted(5)
        for round in range(2):
            self.server.kill()
            self.progress(Clients.refused, 3)
            deferred = chain.deferrals()
            for name in USERS:
                self.both_ways(name, f"away.{round}.{name}")
                self.expect(f"away.{round}.{name}", [name])
            self.both_ways("team", f"away.{round}.team")
            self.expect(f"away.{round}.team", USERS[:2])
            self.assertEqual(chain.offer("nobody", mark="none") // 100, 4)
            wait_for(lambda: chain.deferrals() >= deferred + len(USERS) + 1, 30, "deferrals")
            self.server.start()
            self.accepted(5)
            self.assertEqual(chain.offer("nobody", mark="none"), 550)
        self.end()

    def test_answers_are_kept(self):
        """Who was known gets his mail meanwhile; who was not waits."""
        chain = self.chain
        chain.start_lookup("-i", "1", "-p", "1")
        chain.start()
        chain.start_smtp()
        self.flow()
        self.accepted(5)
        self.assertEqual(chain.offer("team", mark="before"), 250)
        self.expect("before", USERS[:2])
        wait_for(lambda: all("before" in chain.got(n) for n in USERS[:2]), what="the alias's mail")
        self.assertEqual(chain.offer("nobody", mark="none"), 550)
        self.server.kill()
        self.accepted(10)
        self.assertEqual(chain.offer("team", mark="kept"), 250)
        self.expect("kept", USERS[:2])
        wait_for(lambda: all("kept" in chain.got(n) for n in USERS[:2]), what="mail while the database is away")
        # it was asked, and there was none: that is not known now
        self.assertEqual(chain.offer("nobody", mark="none") // 100, 4)
        deferred = chain.deferrals()
        self.both_ways("fresh", "unknown")
        self.expect("unknown", USERS[:2])
        wait_for(lambda: chain.deferrals() > deferred, 30, "a deferral")
        self.assertNotIn("unknown", chain.got("alice"))
        self.server.start()
        wait_for(lambda: chain.offer("nobody", mark="none") == 550, 30, "the database to be asked again")
        self.accepted(5)
        self.assertEqual(chain.offer("fresh", mark="known"), 250)
        self.expect("known", USERS[:2])
        self.end()


class AwayFromProgram(Away):
    program = True


class AwayFromRules(Away):
    """Of users of whom some have rules, and most have none."""
    options = ("-f",)

    def setUp(self):
        super().setUp()
        self.chain.ok("vcfilter", "-i", "-h", "Subject", "-k", "nobody writes this", "-f", "Else", "bob@example.com")


if __name__ == "__main__":
    unittest.main()
