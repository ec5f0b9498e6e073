"""The n-th allocation, open, write, read fails in what knows rates (nth.py): drate, which sets a rate or asks as qmail-send
does, and qmail-send with rates. What was said to be so is so, a limit is not overstepped, no rate file is left that makes no
sense, and mail is delivered all the same."""
import errno, os, sys, time, unittest

from nth import Failures, Mixed, NthTest, QueueTest

KINDS = ("malloc", "open", "write", "read", "name")


class Drate(QueueTest):
    def setUp(self):
        super().setUp()
        self.site.ok("queue-fix", "-r", self.site.path("queue/queue1"))
        self.dir = self.site.path("queue/queue1/ratelimit")

    def put(self, **files):
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        for name, text in files.items():
            with open(os.path.join(self.dir, name.replace("_", ".")), "w") as f:
                f.write(text)

    def text(self, name="far.example"):
        try:
            with open(os.path.join(self.dir, name)) as f:
                return f.read().split("\n")
        except FileNotFoundError:
            return None

    def every(self, argv, before, judge, codes=(0, 111)):
        f = Failures(self.site.dir, "drate", KINDS)
        for env in f:
            self.put(**before)
            p = self.site.run(["drate", *argv], env=self.site.env(**env))
            self.assertIn(p.returncode, codes if f.fired() else codes[:1], f"{f}: {p.stderr}")
            if p.returncode == 111:
                self.assertTrue(p.stderr, str(f))
            judge(f, p)
        print(f"\nshow: drate {' '.join(argv)}: {f.runs} runs", file=sys.stderr)

    def asked(self, code):
        """The next who asks is told whether mail may go: the file makes sense."""
        self.assertEqual(self.site.run(["drate", "-t", "-d", "far.example"], env=self.site.env()).returncode, code)

    def test_a_new_rate(self):
        def judge(f, p):
            if p.returncode == 0 or self.text() is not None:
                self.assertEqual((self.text()[0], len(self.text())), ("10/60", 5), str(f))

        self.every(["-d", "far.example", "-r", "10/60"], {}, judge)

    def test_another_rate(self):
        for old, new in (("1000/3600", "1/60"), ("1/60", "1000/3600")):
            before = f"{old}\n{7:020}\n{int(time.time()) - 100:020}\n{int(time.time()) - 1:020}\n"

            def judge(f, p):
                lines = self.text()
                if p.returncode == 0 or lines[0] == new:
                    self.assertEqual((lines[0].rstrip(), int(lines[1]), len(lines)), (new, 7, 5), str(f))
                    self.asked(1 if new == "1/60" else 0)
                elif f.now[2]:  # half of it may have been written
                    self.assertEqual("\n".join(lines), before, str(f))

            self.every(["-d", "far.example", "-r", new], {"far_example": before}, judge)

    def test_asking(self):
        """A mail that may go was counted; one that was not counted does not go."""
        now = int(time.time())

        def judge(f, p):
            lines = self.text("@far.example")
            if p.returncode == 0:
                self.assertEqual(int(lines[1]), 1, str(f))

        self.every(["-t", "-f", "-d", "far.example"], {"ratecontrol": "far.*:1/3600\n"}, judge)

        def full(f, p):
            self.assertNotEqual(p.returncode, 0, str(f))

        self.every(["-t", "-f", "-d", "far.example"], {"far_example": f"1/3600\n1\n{now}\n{now}\n"}, full, (1, 111))


class Rated(Mixed):
    def prepare(self, site):
        super().prepare(site)
        site.ok("queue-fix", "-r", site.path("queue/queue1"))
        site.write("queue/queue1/ratelimit/ratecontrol", "far.example:100\n")
        site.write("queue/queue1/ratelimit/local.example", "100\n")


class NthRates(NthTest):
    scenario = Rated

    def one(self, slot, f, env):
        for path in ("@far.example", "local.example"):
            if os.path.exists(slot.site.path("queue/queue1/ratelimit", path)):
                os.unlink(slot.site.path("queue/queue1/ratelimit", path))
        slot.site.write("queue/queue1/ratelimit/local.example", "100\n")
        super().one(slot, f, {**env, "RATELIMIT_DIR": "ratelimit"})
        for name, least in (("@far.example", 1), ("local.example", 3)):
            with open(slot.site.path("queue/queue1/ratelimit", name)) as text:
                self.assertGreaterEqual(int(text.read().split("\n")[1]), least, f"{f}: {name}")

    def test_qmail_send(self):
        self.every("qmail-send", ("open", errno.EIO), ("write", errno.EIO))  # test_nth_send has the rest


if __name__ == "__main__":
    unittest.main()
