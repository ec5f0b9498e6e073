"""A spawner (qmail-rspawn, qmail-lspawn) driven by hand, in the place of qmail-send."""
import os, select, struct, subprocess, time

from box import BIN


class Spawner:
    """Runs in the queue of a MailSite. order() gives a delivery, reports() waits for what becomes of it."""

    def __init__(self, site, program="qmail-rspawn", args=(), **env):
        self.site, self.number, self.buf = site, 0, b""
        self.process = subprocess.Popen([os.path.join(BIN, program), *args], cwd=site.queue(), env=site.env(**env),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **site.ids)
        assert len(self.take(2)) == 2

    def fill(self, enough, timeout):
        """Read until enough() of what has come."""
        end = time.monotonic() + timeout
        while not enough():
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError("no report came")
            got = self.process.stdout.read(65536)
            if not got:
                raise AssertionError("the spawner ended")
            self.buf += got

    def take(self, n, timeout=30):
        self.fill(lambda: len(self.buf) >= n, timeout)
        out, self.buf = self.buf[:n], self.buf[n:]
        return out

    def take_string(self, timeout):
        self.fill(lambda: b"\0" in self.buf, timeout)
        out, self.buf = self.buf.split(b"\0", 1)
        return out.decode("latin-1")

    def order(self, *to, message=b"Subject: s\n\nhi\n", sender="a@local.example", extra=b"", mess=None, messid="1.1", dsn="", notify=""):
        self.number += 1
        if mess is None:
            mess = 23 * (1000 + self.number)
            path = os.path.join(self.site.queue(), "mess", "0", str(mess))
            with open(path, "wb") as f:
                f.write(message)
            os.chmod(path, 0o644)
        fields = [b"%d/%d" % (mess % 23, mess), messid.encode(), sender.encode(), extra, b"", dsn.encode()]
        fields += [f for t in to for f in (t.encode(), notify.encode())] + [b""]
        self.process.stdin.write(struct.pack("<H", self.number) + b"\0".join(fields) + b"\0")
        return self.number, len(to)

    def reports(self, order, timeout=30):
        """[(letter, text)] in the order of the recipients."""
        number, n = order
        out = []
        for _ in range(n):
            head = self.take(3, timeout)
            assert struct.unpack("<H", head[:2])[0] == number, (head, number)
            out.append((chr(head[2]), self.take_string(timeout)))
        return out

    def deliver(self, *to, timeout=30, **kw):
        return self.reports(self.order(*to, **kw), timeout)

    def workers(self):
        """Process ids of its children."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            return [int(pid) for pid in f.read().split()]

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        return code
