"""What is not set costs nothing, and what is answered from memory asks no disk: seen by the system calls."""
import os, shutil, signal, socket, time, unittest

import strace
from box import wait_for
from mailsite import MailSite, Sink
from sendsite import SendSite

EXTRAS = ("extraqueue", "quarantine", "mailarchive", "removeheaders", "envheaders", "logheaders", "originipfield", "qhpsi",
          "rejectvirus", "virusforward", "domainqueue")
DISK = ("open", "openat", "creat", "stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
        "getdents64", "fsync", "fdatasync", "sync", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
        "mkdir", "chdir", "fchdir", "pread64", "pwrite64", "utimensat", "statfs", "fstatfs")


@unittest.skipUnless(strace.usable(), "no strace")
class Unset(unittest.TestCase):
    def setUp(self):
        self.site = MailSite()
        self.addCleanup(self.site.close)
        # The names in it are believed when it has not changed for a moment.
        os.utime(self.site.path("control"), (1, 1))

    def control(self, calls):
        return sorted({os.path.basename(p) for p in calls.paths() if p.startswith(self.site.path("control") + "/")})

    def queue_program(self, program="qmail-queue", **env):
        r, w = os.pipe()
        os.write(w, b"Fa@b.example\0Tjoe@local.example\0\0")
        os.close(w)
        try:
            code, calls = strace.traced([os.path.join(self.site.bin, program)], input=b"Subject: x\n\nhello\n", stdout=r,
                                        env=self.site.env(**env), cwd=self.site.dir, **self.site.ids)
        finally:
            os.close(r)
        self.assertEqual(code, 0)
        return calls

    def test_qmail_queue(self):
        """No file of an extra is looked for, nothing is started, and no file is used but the queue's and me."""
        calls = self.queue_program()
        self.assertEqual(self.control(calls), ["me"])
        self.assertEqual([c for c, _ in calls.starts()], ["execve"])
        ours = self.site.queue()
        strange = [p for p in calls.paths() if p.startswith("/") and not p.startswith((self.site.path("control"), ours, self.site.bin, "/proc/self/"))]
        self.assertEqual(strange, [])
        self.assertEqual([c for c, _ in calls.named("fsync", "fdatasync")], ["fsync"] * 3)  # message, and both names

    def test_the_test_sees_what_is_set(self):
        self.site.control("removeheaders", "x-secret\n")
        os.utime(self.site.path("control"), (1, 1))
        self.assertEqual(self.control(self.queue_program()), ["me", "removeheaders"])
        self.assertGreater(len(self.queue_program(QHPSI="true").starts()), 1)

    def test_qmail_multi(self):
        """Without filters it is qmail-queue after a look at the queues."""
        calls = self.queue_program("qmail-multi")
        self.assertEqual(self.control(calls), ["me"])
        self.assertEqual([c for c, _ in calls.starts()], ["execve", "execve"])

    def test_qmail_queued(self):
        """A message costs no look at a setting: those are looked at once a second, whatever comes."""
        site = self.site
        p = site.spawn(["qmail-queued", "-n", "1"], env=site.env(QUEUE_BASE=site.path("queue")))
        wait_for(lambda: socket.socket(socket.AF_UNIX).connect_ex(site.path("run", "queue", "socket")) == 0)
        with open(f"/proc/{p.pid}/task/{p.pid}/children") as f:
            (worker,) = map(int, f.read().split())
        site.inject("joe@local.example", env=site.env(QUEUE_BASE=site.path("queue")))  # the journal is made
        start = time.monotonic()
        with strace.Watch(worker) as w:
            for _ in range(40):
                site.inject("joe@local.example", env=site.env(QUEUE_BASE=site.path("queue")))
        seconds = time.monotonic() - start
        self.assertEqual(len(w.calls.named("accept4")), 40)
        self.assertEqual(w.calls.starts(), [])
        settings = [p for p in w.calls.paths() if p.startswith(site.path("control") + "/")]
        self.assertEqual([p for p in settings if os.path.basename(p) not in EXTRAS + ("me",)], [])
        self.assertEqual([c for c in w.calls.named("open", "openat") if "/control/" in c[1]], [])
        for name in EXTRAS:
            self.assertLessEqual(settings.count(site.path("control", name)), seconds + 2, name)
        self.assertEqual(len(site.queued()), 82)


@unittest.skipUnless(strace.usable(), "no strace")
class Start(unittest.TestCase):
    def test_an_envelope_is_read_once(self):
        """Of a message with marks, too, whose bytes must be looked at since it has not been there for long."""
        site = MailSite(sink=Sink({"MAIL": "450 not now"}))
        self.addCleanup(site.close)
        site.inject("x@far.example")
        (info,) = [p for p in site.queued() if "/info/" in p]
        marks = info.replace("/info/", "/done/")
        with open(marks, "w") as f:
            f.write("\0")
        os.chown(marks, site.uid, site.gid)
        with open(site.path("send.log"), "ab") as log:
            p = site.spawn([shutil.which("strace"), "-f", "-o", site.path("home/trace"), os.path.join(site.bin, "qmail-start"), "./Maildir/"],
                           env=site.env(QUEUEDIR=site.queue()), stdout=log, stderr=log)
            wait_for(lambda: "tried before" in site.logged(), what="the message")
            with open(f"/proc/{p.pid}/task/{p.pid}/children") as f:
                os.kill(int(f.read().split()[0]), signal.SIGTERM)  # the trace ends with them all
            p.wait(20)
        calls = strace.Calls.read(site.path("home/trace"), "todo-proc")
        name = os.path.relpath(info, site.queue())
        self.assertEqual(len([c for c in calls.named("open", "openat") if f'"{name}"' in c[1]]), 1)
        self.assertEqual(len([c for c in calls.named("readlink", "readlinkat") if f'"{name}"' in c[1]]), 1)


@unittest.skipUnless(strace.usable(), "no strace")
class Status(unittest.TestCase):
    """What a running qmail-send is asked, it answers from memory."""

    def test_no_disk(self):
        site = SendSite()
        self.addCleanup(site.close)
        site.run_send()
        now = time.time()
        for id in range(1, 201):
            site.job(id, (b"R", f"x@host{id % 20}.example"), (b"L", "joe@local.example"), birth=now - 5000, tried=int(now) - 10)
        site.job(300, (b"R", "x@now.example"))
        site.until(lambda: site.orders(3), "the delivery of the last one")
        here = os.getcwd()
        os.chdir(site.queue())
        self.addCleanup(os.chdir, here)
        with strace.Watch(site.send.pid) as w:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(20)
                s.connect("send/control")
                s.sendall(b"status\nmessage id 7\nstatus\nmessage id 999\n")
                s.shutdown(socket.SHUT_WR)
                answer = b""
                while more := s.recv(65536):
                    answer += more
        lines = answer.decode().split("\n")
        self.assertEqual(len([l for l in lines if l.startswith("ok ")]), 3)
        self.assertIn("total 201 0 0 10 1 20 22", lines)
        (waiting,) = {l for l in lines if l.startswith("destination remote host7.example ")}
        columns = waiting.split(" ")
        self.assertEqual(columns[3:5], ["10", "10"])         # messages and recipients: depth
        self.assertGreaterEqual(int(columns[5]), 5000)       # age
        self.assertEqual(columns[6], "0")                    # in flight
        self.assertGreater(int(columns[8]), 0)               # next retry
        self.assertIn(" 1 ", next(l for l in lines if l.startswith("destination remote now.example ")))
        self.assertGreater(len(w.calls.named("sendto")), 0)
        self.assertEqual(w.calls.named(*DISK), [])
        self.assertEqual(w.calls.starts(), [])


if __name__ == "__main__":
    unittest.main()
