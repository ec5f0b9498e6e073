"""multilog: rotation, selection, the processor, and no line lost whatever is killed."""
import fcntl, glob, os, re, signal, stat, subprocess, unittest

from box import Root, wait_for

LABEL = re.compile(r"@[0-9a-f]{24}\.[su]$")


class MultilogTest(unittest.TestCase):
    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)
        self.dir = self.root.path("main")

    def multilog(self, *actions, input=b""):
        return self.root.run(["multilog", *actions], input=input)

    def start(self, *actions, read_end=None):
        """multilog on a pipe that we keep both ends of."""
        r, w = read_end or os.pipe()
        p = self.root.spawn(["multilog", *actions], stdin=r, stderr=subprocess.PIPE)
        if not read_end:
            self.addCleanup(os.close, r)
        return p, (r, w)

    def old(self):
        return sorted(f for f in os.listdir(self.dir) if f.startswith("@"))

    def text(self, *names):
        try:
            return b"".join(open(os.path.join(self.dir, n), "rb").read() for n in names)
        except FileNotFoundError:  # between two steps of a rotation
            return None

    def all(self):
        return self.text(*self.old(), "current")

    def mode(self, name):
        return stat.S_IMODE(os.stat(os.path.join(self.dir, name)).st_mode)

    def test_rotation(self):
        lines = b"".join(b"line %d %s\n" % (i, b"x" * (i % 60)) for i in range(4000))
        self.assertEqual(self.multilog("s8192", "n1000", self.dir, input=lines).returncode, 0)
        self.assertEqual(self.all(), lines)
        for name in self.old():
            self.assertRegex(name, LABEL)
            self.assertTrue(6192 <= len(self.text(name)) <= 8192)
            self.assertTrue(self.text(name).endswith(b"\n"))
            self.assertEqual(self.mode(name), 0o744)
        self.assertEqual(self.mode("current"), 0o744)
        kept = self.old()
        self.assertEqual(self.multilog("s8192", "n3", self.dir, input=lines).returncode, 0)
        self.assertEqual(len(self.old()), 2)  # and current
        self.assertGreater(self.old()[0], kept[-1])

    def test_appends_after_a_clean_end(self):
        self.multilog(self.dir, input=b"one\n")
        self.multilog(self.dir, input=b"two")
        self.assertEqual(self.text("current"), b"one\ntwo\n")
        self.assertEqual(self.old(), [])

    def test_stamp_and_selection(self):
        p = self.multilog("t", "-*", "+* keep*", "e", self.dir, "+*", "=" + self.root.path("status"),
                          input=b"keep one\ndrop\nkeep " + b"y" * 300 + b"\n")
        lines = self.text("current").decode().split("\n")
        self.assertEqual([l[26:] for l in lines[:-1]], ["keep one", "keep " + "y" * 300])
        self.assertRegex(lines[0], r"^@4[0-9a-f]{23} ")
        alerts = p.stderr.decode().split("\n")
        self.assertEqual(alerts[0][26:], "keep one")
        self.assertEqual((len(alerts[1]), alerts[1][-4:]), (203, "y..."))
        with open(self.root.path("status"), "rb") as f:
            status = f.read()
        self.assertEqual(len(status), 1001)
        self.assertTrue(status.rstrip(b"\n").endswith(b"y" * 300))
        local = self.root.run(["tai64nlocal"], input=self.text("current"),
                              env=self.root.env(TZ="UTC")).stdout.decode()
        self.assertRegex(local, r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} keep one\n")

    def test_two_directories(self):
        other = self.root.path("other")
        self.multilog("s4096", self.dir, "-b*", "n2", other, input=b"a\nb\nc\n")
        self.assertEqual(self.text("current"), b"a\nb\nc\n")
        with open(other + "/current", "rb") as f:
            self.assertEqual(f.read(), b"a\nc\n")

    def test_locked(self):
        p, (r, w) = self.start(self.dir)
        self.addCleanup(os.close, w)
        wait_for(lambda: os.path.exists(self.dir + "/current"), what="current")
        q = self.multilog(self.dir)
        self.assertEqual(q.returncode, 111)
        self.assertIn(b"lock", q.stderr)

    def test_alarm_and_term(self):
        p, (r, w) = self.start(self.dir)
        self.addCleanup(os.close, w)
        os.write(w, b"first\n")
        wait_for(lambda: os.path.exists(self.dir + "/current") and self.text("current"), what="first")
        self.assertEqual(self.mode("current"), 0o644)
        p.send_signal(signal.SIGALRM)
        wait_for(lambda: self.old(), what="rotation")
        self.assertEqual(self.text(self.old()[0]), b"first\n")
        p.send_signal(signal.SIGALRM)  # nothing to rotate
        os.write(w, b"second\n")
        wait_for(lambda: self.text("current") == b"second\n", what="second")
        p.terminate()
        self.assertEqual(p.wait(10), 0)
        self.assertEqual(len(self.old()), 1)
        self.assertEqual(self.mode("current"), 0o744)

    @staticmethod
    def waits_for(p, sig):
        """Has it blocked the signal, to read it from a descriptor?"""
        with open(f"/proc/{p.pid}/status") as f:
            blocked = next(int(l.split()[1], 16) for l in f if l.startswith("SigBlk:"))
        return blocked >> (sig - 1) & 1

    def test_term_reads_no_further(self):
        """What is in the pipe at TERM stays there, for the next multilog."""
        p, (r, w) = self.start(self.dir)
        wait_for(lambda: self.waits_for(p, signal.SIGTERM), what="its signals to be its own")
        p.send_signal(signal.SIGSTOP)
        os.write(w, b"one\ntwo\n")
        p.terminate()
        p.send_signal(signal.SIGCONT)
        self.assertEqual(p.wait(10), 0)
        taken = self.text("current")
        os.close(w)
        self.root.run(["multilog", self.dir], stdin=r)
        self.assertIn(taken, (b"", b"one\ntwo\n"))
        self.assertEqual(self.text("current"), b"one\ntwo\n")

    def test_killed(self):
        """SIGKILL at any moment: each line is there, whole."""
        r, w = os.pipe()
        self.addCleanup(os.close, r)
        total, sent, p = 3000, 0, None
        os.set_blocking(w, False)
        for i in range(12):
            p, _ = self.start("s4096", "n10000", self.dir, read_end=(r, w))
            goal = total if i == 11 else sent + total // 12
            while sent < goal:
                try:
                    os.write(w, b"line %d %s\n" % (sent, b"z" * (sent % 200)))
                    sent += 1
                except BlockingIOError:
                    pass
            if i < 11:
                p.kill()
                p.wait()
        os.close(w)
        self.assertEqual(p.wait(20), 0)
        got = self.all().decode().split("\n")[:-1]
        self.assertEqual([l for l in got if not re.fullmatch(r"line \d+ z*", l)], [])
        numbers = [int(l.split()[1]) for l in got]
        self.assertEqual(sorted(set(numbers)), list(range(total)))
        for l in got:
            n = int(l.split()[1])
            self.assertEqual(len(l.split(" ")[2]), n % 200)

    def test_cut_off_current(self):
        os.mkdir(self.dir)
        with open(self.dir + "/current", "wb") as f:
            f.write(b"cut of")
        os.chmod(self.dir + "/current", 0o644)
        self.multilog(self.dir, input=b"new\n")
        self.assertEqual(self.text("current"), b"new\n")
        self.assertTrue(self.old()[0].endswith(".u"))
        self.assertEqual(self.text(self.old()[0]), b"cut of")

    def test_partial_line_is_written_in_the_end(self):
        p, (r, w) = self.start(self.dir)
        os.write(w, b"begin ")
        os.write(w, b"x" * 2000)
        wait_for(lambda: os.path.exists(self.dir + "/current") and len(self.text("current")) == 2006, what="a long line")
        os.write(w, b" end")
        os.close(w)
        self.assertEqual(p.wait(10), 0)
        self.assertEqual(self.text("current"), b"begin " + b"x" * 2000 + b" end\n")

    def test_processor(self):
        lines = b"".join(b"%d\n" % i for i in range(4000))
        state = "n=$(cat <&4); n=${n:-0}; l=$(wc -l); echo $((n + l)) >&5; echo $l"
        self.multilog("s4096", "n100", "!" + state, self.dir, input=lines)
        counts = [int(self.text(n)) for n in self.old()]
        rest = self.text("current").count(b"\n")
        self.assertEqual(sum(counts) + rest, 4000)
        self.assertEqual(int(self.text("state")), sum(counts))
        for gone in ("previous", "processed", "newstate"):
            self.assertFalse(os.path.exists(os.path.join(self.dir, gone)), gone)

    def test_processor_cut_off(self):
        """A full log whose processor never finished is processed by the next multilog; one
        that had finished is only put in its place."""
        for finished in (False, True):
            with self.subTest(finished=finished):
                d = self.dir = self.root.path(f"p{finished}")
                os.mkdir(d)
                for name, text, mode in (("previous", b"raw\n", 0o744), ("processed", b"half", 0o744 if finished else 0o644),
                                         ("newstate", b"7\n", 0o644), ("state", b"6\n", 0o644)):
                    with open(os.path.join(d, name), "wb") as f:
                        f.write(text)
                    os.chmod(os.path.join(d, name), mode)
                self.multilog("!tr a-z A-Z; cat <&4 >&5", d)
                self.assertEqual([self.text(n) for n in self.old()], [b"half" if finished else b"RAW\n"])
                self.assertEqual(self.text("state"), b"7\n" if finished else b"6\n")
                self.assertFalse(os.path.exists(d + "/previous"))

    def test_usage(self):
        for actions in ((), ("t", "x", self.dir), ("s",), ("nx",)):
            p = self.multilog(*actions)
            self.assertEqual((p.returncode, p.stderr.count(b"\n")), (100, 1))
            self.assertTrue(p.stderr.startswith(b"usage: multilog "))
        self.assertFalse(os.path.exists(self.dir))
        p = self.multilog(self.root.path("no/such"))
        self.assertEqual(p.returncode, 111)


if __name__ == "__main__":
    unittest.main()
