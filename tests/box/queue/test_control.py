"""Orders for a running qmail-send, and questions: send/control, qmail-qorder, qmail-rm, qmail-qread,
qmail-qstat, qmailctl. The test is todo-proc and the spawners (SendSite), or runs all daemons."""
import json, os, socket, struct, unittest

from box import wait_for
from mailsite import MailSite, Sink
from sendsite import SendSite


def ask(site, text, lines=None, timeout=20):
    """Send raw bytes to the socket, read until the end or that many lines."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    here = os.getcwd()
    os.chdir(site.queue())
    try:
        s.connect("send/control")
    finally:
        os.chdir(here)
    try:
        s.sendall(text)
    except BrokenPipeError:
        pass
    got = b""
    while lines is None or got.count(b"\n") < lines:
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            break
        if not more:
            break
        got += more
    s.close()
    return got


class Orders(unittest.TestCase):
    def setUp(self):
        self.site = SendSite()
        self.addCleanup(self.site.close)

    def start(self, **kw):
        self.site.run_send(**kw)
        self.site.until(lambda: "status:" in self.site.log_text)

    def tool(self, *argv, code=0):
        p = self.site.run(list(argv), env=self.site.env(QUEUEDIR=self.site.queue()))
        self.assertEqual(p.returncode, code, (argv, p.stdout, p.stderr))
        return p.stdout.decode()

    def order(self, *argv, code=0):
        return self.tool("qmail-qorder", *argv, code=code)

    def message(self, id, code=0):
        out = self.tool("qmail-qorder", "--json", "message", "id", str(id), code=code)
        return json.loads(out)["message"] if out else None

    def destination(self, host):
        for line in self.tool("qmail-qorder", "--json", "status").splitlines():
            d = json.loads(line).get("destination")
            if d and d["host"] == host:
                return d
        return None

    def defer(self, n, text=b"Znot now\n"):
        self.site.until(lambda: len(self.site.orders(3)) > n)
        self.site.report(4, self.site.orders(3)[n][0], text)

    def test_status_knows_destinations(self):
        self.start()
        self.site.job(101, (b"R", "x@far.example"), (b"R", "y@far.example"), birth=1000)
        self.site.until(lambda: self.site.orders(3))
        d = self.destination("far.example")
        self.assertEqual((d["messages"], d["recipients"], d["running"], d["hold"]), (1, 2, 1, None))
        self.assertGreater(d["oldest"], 1000000)
        self.assertEqual(self.message(101)["state"], "active")
        self.assertIsNone(self.message(102, code=111))

    def test_retry(self):
        self.start()
        for i, order in enumerate((("id", "7"), ("domain", "far.example"), ("sender", "a@b.example"), ("all",))):
            if i == 0:
                self.site.job(7, (b"R", "x@far.example"))
            self.defer(i)
            self.site.until(lambda: self.message(7)["state"] == "waiting")
            m = self.message(7)
            self.assertEqual(m["attempts"], i + 1)
            self.assertGreater(m["next"], 100)
            self.assertEqual(self.order("retry", *order), f"queue1: retry {' '.join(order)}: 1\n")
        self.site.until(lambda: len(self.site.orders(3)) == 5)
        self.assertIn("order retry sender a@b.example queue1", self.site.log_text)

    def test_retry_of_an_unreachable_destination(self):
        self.start()
        self.site.job(7, (b"R", "x@far.example"))
        self.defer(0, b"Z(#4.4.1) unable to connect to any server\n")
        self.site.until(lambda: self.message(7)["state"] == "waiting")
        self.order("retry", "id", "7")
        self.site.until(lambda: len(self.site.orders(3)) == 2)

    def test_hold_and_release(self):
        self.start()
        self.order("hold", "domain", "Far.example")
        self.order("hold", "sender", "bad@b.example")
        self.site.job(1, (b"R", "x@far.example"))
        self.site.job(2, (b"R", "x@other.example"), sender="bad@b.example")
        self.site.job(3, (b"R", "x@third.example"))
        self.site.until(lambda: len(self.site.orders(3)) == 1)
        self.assertEqual(self.site.orders(3)[0][3], ["x@third.example"])
        self.assertEqual(self.destination("far.example")["hold"], "order")
        self.assertEqual(self.message(2)["hold"], "sender")
        self.order("hold", "id", "3")  # what is under way ends
        self.defer(0)
        self.site.until(lambda: self.message(3)["running"] == 0)
        self.order("retry", "all")
        self.assertEqual(self.message(3)["state"], "held")
        self.assertEqual(len(self.site.orders(3)), 1)
        self.assertIn("messages held: 2", self.tool("qmail-qstat"))
        self.assertEqual(self.order("release", "domain", "far.example"), "queue1: release domain far.example: 1\n")
        self.site.until(lambda: len(self.site.orders(3)) == 2)
        self.order("release", "all")
        self.site.until(lambda: len(self.site.orders(3)) == 4)

    def test_holds_survive_a_restart(self):
        self.start()
        mess = self.site.queue() + "/mess/5/5"  # 5 mod 23 is 5
        with open(mess, "w") as f:
            f.write("x")
        self.site.job(5, (b"R", "x@far.example"))
        self.site.until(lambda: self.site.orders(3))
        self.order("hold", "id", "5")
        self.order("hold", "domain", "held.example")
        self.order("hold", "sender", "")
        self.defer(0)
        self.site.until(lambda: self.message(5)["state"] == "held")
        self.assertEqual(self.site.end_send(), 0)
        with open(self.site.queue() + "/send/orders", "a") as f:
            f.write("nonsense\nhold domain half")
        self.start()
        self.site.job(5, (b"R", "x@far.example"))
        self.site.job(6, (b"R", "x@held.example"))
        self.site.job(8, (b"R", "x@half"), sender="")
        self.site.job(9, (b"R", "x@half"))
        self.site.until(lambda: len(self.site.orders(3)) == 1)
        self.assertEqual(self.site.orders(3)[0][3], ["x@half"])
        self.assertIn("make no sense", self.site.log_text)
        self.assertEqual([self.message(5)["state"], self.message(8)["hold"]], ["held", "sender"])

    def test_expire(self):
        with open(self.site.queue() + "/mess/7/7", "w") as f:
            f.write("Subject: x\n\nx\n")
        self.start()
        self.site.job(7, (b"R", "x@far.example"), sender="")
        self.defer(0)
        self.site.until(lambda: self.message(7)["state"] == "waiting")
        self.order("expire", "id", "7")
        self.defer(1)
        self.site.until(lambda: "bounce msg 7" in self.site.log_text and "end msg 7" in self.site.log_text)

    def test_remove_waits_for_what_is_under_way(self):
        self.start()
        self.site.job(7, (b"R", "x@far.example"), (b"R", "y@other.example"))
        self.site.until(lambda: len(self.site.orders(3)) == 2)
        self.order("remove", "id", "7")
        self.assertEqual(self.message(7)["hold"], "remove")
        self.site.report(4, self.site.orders(3)[0][0], b"Dno such user\n")
        self.site.until(lambda: self.message(7)["running"] == 1)
        self.assertNotIn("end msg", self.site.log_text)
        self.site.report(4, self.site.orders(3)[1][0], b"Znot now\n")
        self.site.until(lambda: "end msg 7" in self.site.log_text)
        self.assertNotIn("bounce msg", self.site.log_text)
        self.assertEqual(os.listdir(self.site.queue() + "/bounce"), [])
        self.site.job(8, (b"R", "z@far.example"))
        self.defer(2)
        self.site.until(lambda: self.message(8)["state"] == "waiting")
        self.order("remove", "id", "8")
        self.site.until(lambda: "end msg 8" in self.site.log_text)
        self.order("remove", "id", "8", code=111)

    def test_hostile_clients(self):
        self.start()
        self.assertEqual(ask(self.site, b"status\nfoo\nretry id 1\n", 5).count(b"error"), 2)
        self.assertIn(b"error the%20line", ask(self.site, b"x" * 100000))
        self.assertIn(b"error no%20such%20request", ask(self.site, b"\0\xff\n", 1))
        silent = []
        for _ in range(20):  # more than there are places for: the last ones are hung up on
            s = socket.socket(socket.AF_UNIX)
            here = os.getcwd()
            os.chdir(self.site.queue())
            s.connect("send/control")
            os.chdir(here)
            try:
                s.send(b"stat")
            except BrokenPipeError:
                pass
            silent.append(s)
        self.site.job(7, (b"R", "x@far.example"))
        self.site.until(lambda: self.site.orders(3), "a delivery meanwhile")
        for s in silent:
            s.close()
        many = b"status\n" * 20000  # who does not read stops being read
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(0.5)
        os.chdir(self.site.queue())
        s.connect("send/control")
        os.chdir(here)
        try:
            s.sendall(many)
        except OSError:
            pass
        self.site.job(8, (b"R", "x@other.example"))
        self.site.until(lambda: len(self.site.orders(3)) == 2, "a delivery meanwhile")
        s.close()
        self.assertIsNotNone(self.message(8))


class Tools(unittest.TestCase):
    def setUp(self):
        self.site = MailSite(queues=2, sink=Sink({"MAIL": "450 not now"}))
        self.addCleanup(self.site.close)

    def run_tool(self, *argv, code=0, **env):
        p = self.site.run(list(argv), env=self.site.env(**env))
        self.assertEqual(p.returncode, code, (argv, p.stdout, p.stderr))
        return p.stdout.decode()

    def listed(self):
        return [json.loads(line) for line in self.run_tool("qmail-qread", "--json").splitlines()]

    def inject(self, *to, sender="joe@local.example", queue=1):
        self.site.inject(*to, sender=sender, env=self.site.env(QUEUEDIR=self.site.queue(queue)))

    def test_rm_without_daemons(self):
        for queue in (1, 2):
            self.inject("x@far.example", queue=queue)
            self.inject("y@other.example", sender="spam@bad.example", queue=queue)
        with open(self.site.queue() + "/mess/1/1", "w") as f:
            f.write("being received")  # not accepted
        self.assertEqual(self.run_tool("qmail-rm", "-a", "-i", "5", code=100), "")
        self.assertEqual(self.run_tool("qmail-rm", "-i", "1", code=1), "")
        self.assertEqual(self.run_tool("qmail-rm", "-n", "-s", "*@bad.example").count("would be done"), 2)
        self.assertEqual(len(self.listed()), 4)
        self.run_tool("queue-fix", "-t", self.site.queue(2))
        self.assertEqual(self.run_tool("qmail-rm", "-s", "*@bad.example").count(": done"), 2)
        self.assertEqual({m["sender"] for m in self.listed()}, {"joe@local.example"})
        self.assertEqual(len(os.listdir(self.site.queue(2) + "/trash")), 2)
        kept = [json.loads(line) for line in self.run_tool("qmail-rm", "--json", "-H", "-r", "X@far.*").splitlines()]
        self.assertEqual([k["error"] for k in kept], [None, None])
        self.assertEqual(self.run_tool("qmail-rm", "-R", "-a", code=111).count("does not run"), 2)
        self.site.start()
        wait_for(lambda: [m["state"] for m in self.listed()] == ["held", "held"], what="held messages")
        self.assertIn("  held\n", self.run_tool("qmail-qread"))
        self.assertIn("held by id, attempts 0", self.run_tool("qmail-qread", "-l"))
        self.assertTrue(os.path.exists(self.site.queue() + "/mess/1/1"))
        self.run_tool("qmail-rm", "-u", "-a")
        wait_for(lambda: [m["attempts"] for m in self.listed()] == [1, 1], what="attempts")
        self.assertGreater(self.listed()[0]["next"], 100)
        self.assertEqual(self.listed()[0]["recipients"], [{"address": "x@far.example", "channel": "remote", "done": False}])
        self.assertEqual(self.run_tool("qmail-rm", "-x", "-i", str(self.listed()[0]["id"])).count(": done"), 1)
        wait_for(lambda: "bounce msg" in self.site.logged(), what="the bounce")
        self.run_tool("qmail-rm", "-r", "x@far.example")
        wait_for(lambda: not any(m["sender"] for m in self.listed()), what="the removal")

    def test_qstat(self):
        self.inject("x@far.example")
        text = self.run_tool("qmail-qstat")
        self.assertIn("messages held: 0\nqueue1: 1 messages, 1 not yet tried, 0 being received; qmail-send does not answer\n", text)
        self.site.start()
        wait_for(lambda: "deferral" in self.site.logged())
        wait_for(lambda: json.loads(self.run_tool("qmail-qstat", "--json"))["queues"][1]["send"])
        out = json.loads(self.run_tool("qmail-qstat", "--json"))
        self.assertEqual([out["messages"], out["untried"], out["held"]], [1, 0, 0])
        d = out["queues"][0]["send"]["destinations"][0]
        self.assertEqual((d["host"], d["messages"], d["running"], out["queues"][1]["messages"]), ("far.example", 1, 0, 0))
        self.assertGreater(d["next"], 0)
        self.assertIn("  remote far.example: 1 messages, 1 recipients, oldest ", self.run_tool("qmail-qstat", "-d"))

    def test_a_queue_nobody_serves(self):
        """For ODMR, or to keep mail back: outside of QUEUE_START and QUEUE_COUNT, but with tools."""
        queue = self.site.path("queue", "odmr")
        self.run_tool("queue-fix", queue)
        self.site.start()
        self.site.inject("x@far.example", env=self.site.env(QUEUEDIR=queue))
        self.site.inject("y@far.example", env=self.site.env(QUEUEDIR=queue))
        self.inject("z@far.example")
        wait_for(lambda: "deferral" in self.site.logged())
        self.assertEqual(len(self.listed()), 1)
        self.assertNotIn("x@far.example", self.site.logged())
        kept = self.run_tool("qmail-qread", QUEUEDIR=queue)
        self.assertIn("x@far.example", kept)
        self.assertIn("messages in queue: 2\n", self.run_tool("qmail-qstat", QUEUEDIR=queue))
        self.run_tool("qmail-rm", "-r", "x@*", QUEUEDIR=queue)
        self.assertNotIn("x@far.example", self.run_tool("qmail-qread", QUEUEDIR=queue))
        self.assertIn("messages in queue: 1\n", self.run_tool("qmail-qstat", QUEUEDIR=queue))

    def test_domainqueue(self):
        """qmail-inject asks control/domainqueue; the last recipient that matches decides."""
        odmr = self.site.path("queue", "odmr")
        self.run_tool("queue-fix", odmr)
        self.site.control("domainqueue", f"*.odmr.example:QUEUEDIR={odmr}\nbad.example:PATH=/tmp\n")
        for to in (["x@a.odmr.example"], ["y@far.example", "z@A.ODMR.example"], ["w@far.example"]):
            self.site.inject(*to)
        self.assertIn("messages in queue: 2\n", self.run_tool("qmail-qstat", QUEUEDIR=odmr))
        self.assertIn("messages in queue: 1\n", self.run_tool("qmail-qstat"))
        p = self.site.inject("x@bad.example", check=False)
        self.assertEqual(p.returncode, 111)
        self.assertIn(b"control/domainqueue", p.stderr)
        self.inject("x@a.odmr.example")  # $QUEUEDIR wins
        self.assertIn("messages in queue: 2\n", self.run_tool("qmail-qstat"))
        self.site.control("mine", f"far.example:QUEUEDIR={odmr}\n")
        for name, to, n in (("mine", "x@far.example", 3), ("mine", "x@a.odmr.example", 3), ("", "x@a.odmr.example", 3)):
            self.site.inject(to, env=self.site.env(DOMAINQUEUE=name))
            self.assertIn(f"messages in queue: {n}\n", self.run_tool("qmail-qstat", QUEUEDIR=odmr))

    def test_qmailctl(self):
        self.inject("x@far.example")
        self.site.start()
        wait_for(lambda: "deferral" in self.site.logged() and all(m["attempts"] == 1 for m in self.listed()))
        wait_for(lambda: "/20 queue2\n" in self.site.logged(), what="the other queue")
        self.assertIn("queue2: retry all", self.run_tool("qmailctl", "retry"))
        wait_for(lambda: self.site.logged().count("deferral") == 2)
        self.run_tool("qmailctl", "hold", "domain", "far.example")
        self.assertIn("held: order", self.run_tool("qmailctl", "destinations"))
        self.run_tool("qmailctl", "release", "all")
        self.assertIn("done", self.run_tool("qmailctl", "rm", "-a"))
        self.run_tool("qmailctl", "retry", "nonsense", code=100)


if __name__ == "__main__":
    unittest.main()
