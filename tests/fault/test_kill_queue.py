"""Every kind of process between an injector and a mailbox is killed at random while mail comes in, in many rounds with a
fixed seed; in the end each message that was accepted is there for each recipient, whole, and nothing is there more often
than processes died that may have been delivering it."""
import contextlib, os, random, re, signal, subprocess, sys, time, unittest

from box import wait_for
from crashsim import CrashSite, Message, Tree, by_program, copies
from usersite import HASH

SEED = 20261125
ROUNDS = 100
MESSAGES = 6  # each round
CLIENTS = 3   # at once
CONCURRENCY = 3
KINDS = {"qmail-daemon", "qmail-send", "todo-proc", "qmail-clean", "qmail-lspawn", "qmail-rspawn", "qmail-local", "qmail-remote",
         "qmail-queue", "qmail-queued", "vdelivermail"}


class KillQueue(unittest.TestCase):
    def setUp(self):
        site = self.site = CrashSite()
        self.log = open(site.path("send.log"), "ab")
        self.addCleanup(self.close)
        site.ok("vadddomain", "-e", "example.com", "-", input=HASH.encode() + b"\n")
        site.ok("vadduser", "-e", "-q", "10000000", "alice@example.com", "-", input=HASH.encode() + b"\n")
        site.spawn(["inlookup", "-i", "1", "-p", "1"], env=site.env(), stderr=subprocess.DEVNULL)
        by_program(site)
        site.control("concurrencylocal", f"{CONCURRENCY}\n")
        site.control("concurrencyremote", f"{CONCURRENCY}\n")
        self.rng = random.Random(SEED)
        self.killed, self.daemons = {}, {}
        alice = re.search(r"^dir +: (\S+)", site.ok("vuserinfo", "alice@example.com").stdout.decode(), re.M).group(1)
        alice = os.path.relpath(alice, site.dir)
        site.mkdir(alice)
        for home in ("home/joe", alice):
            site.write(home + "/.qmail", "|sleep 0.02\n./Maildir/\n")  # so that there is something to kill
        site.sink.script["DATA"] = lambda: (time.sleep(0.02), "354 go on")[1]

    def close(self):
        wait_for(lambda: not self.end_all(), what="the end of all processes")
        self.log.close()
        self.site.close()

    def end_all(self):
        left = self.processes()
        for pid in left:
            self.kill(pid)
        for p in self.daemons.values():
            p.poll()
        return left

    @staticmethod
    def kill(pid):
        try:
            os.kill(pid, signal.SIGKILL)
            return True
        except ProcessLookupError:
            return False

    def processes(self):
        """pid -> name of the living processes of this site."""
        found, mark = {}, self.site.dir.encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm") as f:
                    name = f.read().strip()
                if name not in KINDS and name != "sleep" and name != "sh":
                    continue
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if mark not in f.read():
                        continue
                with open(f"/proc/{pid}/stat") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] not in "ZX":
                        found[int(pid)] = name
            except OSError:
                pass
        return found

    def keep_running(self):
        """What a supervise would do."""
        for argv in (["qmail-daemon", "./Maildir/"], ["qmail-queued", "-n", "2"]):
            p = self.daemons.get(argv[0])
            if p is None or p.poll() is not None:
                self.daemons[argv[0]] = self.site.spawn(argv, env=self.site.env(QUEUEDIR=None), stdout=self.log, stderr=self.log)

    def client(self, m, resident):
        """Somebody who injects m: forward finds qmail-queued, or qmail-queue is run as the contract has it."""
        if resident:
            with open(self.site.path("message"), "wb+") as f:
                f.write(m.text)
                f.seek(0)
                os.unlink(f.name)
                p = subprocess.Popen([os.path.join(self.site.bin, "forward"), *m.to], stdin=f, stderr=self.log, cwd=self.site.dir,
                                     env=self.site.env(NEWSENDER=m.sender, DTLINE=""), **self.site.ids)
            return p, None
        r, w = os.pipe()
        os.write(w, m.envelope())
        os.close(w)
        p = subprocess.Popen([os.path.join(self.site.bin, "qmail-queue")], stdin=subprocess.PIPE, stdout=r, env=self.site.env(),
                             cwd=self.site.dir, **self.site.ids)
        os.close(r)
        p.stdin.write(m.text)
        p.stdin.flush()
        return p, time.monotonic() + self.rng.uniform(0, 0.03)  # it takes its time to end the message

    def one_kill(self):
        by_name = {}
        for pid, name in self.processes().items():
            if name in KINDS:
                by_name.setdefault(name, []).append(pid)
        if by_name:
            # The rarest kind first, or the daemons, which are always there, would hide the rest.
            name = min(sorted(by_name), key=lambda n: self.killed.get(n, 0) + self.rng.uniform(0, 2))
            if self.kill(self.rng.choice(sorted(by_name[name]))):
                self.killed[name] = self.killed.get(name, 0) + 1

    def test_every_kind(self):
        site, accepted, messages = self.site, [], []
        start = time.monotonic()
        for n in range(ROUNDS):
            to = [{"joe@local.example": "local", "x@far.example": "remote"}, {"ann@local.example": "local", "fail@local.example": "fail"},
                  {"x@far.example": "remote", "y@far.example": "remote", "ann@local.example": "local"}, {"joe@local.example": "local"},
                  {"alice@example.com": "local"}, {"alice@example.com": "local", "x@far.example": "remote"}]
            waiting = [Message(f"round{n}-{i}", self.rng.choice(to), body="z\n" * self.rng.choice((1, 1000, 10000))) for i in range(MESSAGES)]
            messages += waiting
            running, due = [], 0.0
            while waiting or running:
                self.keep_running()
                while waiting and len(running) < CLIENTS:
                    m = waiting.pop()
                    running.append((m, *self.client(m, self.rng.random() < 0.5)))
                for m, p, end in running[:]:
                    if end and not p.stdin.closed and time.monotonic() > end:
                        try:
                            p.stdin.close()
                        except BrokenPipeError:
                            pass
                    if p.poll() is not None:
                        running.remove((m, p, end))
                        if p.stdin and not p.stdin.closed:
                            try:
                                p.stdin.close()
                            except BrokenPipeError:
                                pass
                        if p.returncode == 0:
                            accepted.append(m)
                if time.monotonic() > due:
                    self.one_kill()
                    due = time.monotonic() + self.rng.uniform(0.005, 0.03)
                time.sleep(0.001)
        print(f"\nshow: {len(accepted)} of {len(messages)} messages accepted; killed: " +
              ", ".join(f"{k} {v}" for k, v in sorted(self.killed.items())), file=sys.stderr)
        self.assertEqual(set(self.killed), KINDS)
        self.settle()
        found, wrong = copies(messages, Tree.read(site.dir, site.PARTS), [(t, d) for _, to, d in site.sink.messages for t in to])
        self.assertEqual(wrong, [])
        for m in messages:
            for to in m.to:
                self.assertLessEqual(1 if m in accepted else 0, found[m.token, to], f"{m.token} for {to} is lost")
        twice = sum(n - 1 for n in found.values() if n > 1)
        # A delivery is repeated by its own death; what was under way on both channels, by that of a daemon.
        under_way = sum(v if k in ("qmail-local", "qmail-remote", "vdelivermail") else 0 if k in ("qmail-queue", "qmail-queued") else 2 * CONCURRENCY * v
                        for k, v in self.killed.items())
        self.assertLessEqual(twice, under_way)
        print(f"\nshow: {sum(found.values())} copies, {twice} of them second ones; {time.monotonic() - start:.1f} s", file=sys.stderr)

    def logged(self):
        with open(self.log.name) as f:
            return f.read()[-5000:]

    def settle(self):
        """Until all is delivered; what was never accepted is swept as if days had gone by."""
        end = time.monotonic() + 60
        flush = 0
        while True:
            self.keep_running()
            files = [os.path.join(b, n) for kind in ("mess", "info", "done", "bounce") for b, _, f in
                     os.walk(self.site.path("queue/queue1", kind)) for n in f]
            if not [p for p in files if "/info/" in p]:
                break
            self.assertLess(time.monotonic(), end, f"left: {files}\n{self.logged()}")
            if time.monotonic() - flush > 1:
                flush = time.monotonic()
                self.daemons["qmail-daemon"].send_signal(signal.SIGALRM)
            time.sleep(0.02)
        daemon = self.daemons["qmail-daemon"]
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(20)
        for p in files:
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                os.utime(p, (1, 1), follow_symlinks=False)
        self.keep_running()  # qmail-clean and qmail-send sweep when they start
        wait_for(lambda: not [n for kind in ("mess", "info", "done", "bounce") for n in self.site.ids_in(kind)], what="the sweep")


if __name__ == "__main__":
    unittest.main()
