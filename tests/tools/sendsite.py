"""qmail-send alone: the test itself is todo-proc, the spawners and qmail-clean at the other ends of
its pipes, and may say whatever it likes."""
import fcntl, os, re, select, signal, struct, time

from box import wait_for
from mailsite import MailSite


class SendSite(MailSite):
    # descriptor of qmail-send: does it read there?
    ENDS = {0: False, 1: False, 2: True, 3: False, 4: True, 5: False, 6: True, 7: False, 8: True}

    send = None
    clean_says = b"+"

    def run_send(self, local=500, remote=500):
        """local, remote: what the spawners say they can do; None says nothing."""
        self.end, theirs = {}, {}
        for n, reads in self.ENDS.items():
            r, w = os.pipe()
            mine, his = (w, r) if reads else (r, w)
            theirs[n] = fcntl.fcntl(his, fcntl.F_DUPFD_CLOEXEC, 30)
            self.end[n] = fcntl.fcntl(mine, fcntl.F_DUPFD_CLOEXEC, 30)
            os.close(r)
            os.close(w)
        self.log_text, self.input = "", {n: b"" for n in self.ENDS}

        def arrange():
            for n, fd in theirs.items():
                os.dup2(fd, n)

        held = [os.open("/dev/null", os.O_RDONLY) for _ in range(9)]  # 0 to 8 are not for subprocess's own pipe
        self.send = self.spawn(["qmail-send"], env=self.env(QUEUEDIR=self.queue()), preexec_fn=arrange,
                               close_fds=False)
        for fd in held:
            os.close(fd)
        for fd in theirs.values():
            os.close(fd)
        for n, can in ((2, local), (4, remote)):
            if can is not None:
                os.write(self.end[n], struct.pack("<H", can))

    def read(self):
        """Takes in what there is, and answers for qmail-clean."""
        fds = {self.end[n]: n for n, reads in self.ENDS.items() if not reads and self.end[n] is not None}
        for fd in select.select(list(fds), [], [], 0)[0]:
            n, got = fds[fd], os.read(fd, 1 << 20)
            if not got:
                os.close(fd)
                self.end[n] = None
            self.input[n] += got
            if n == 5:
                os.write(self.end[6], self.clean_says * got.count(b"\0"))
        self.log_text = self.input[0].decode("latin-1")

    def until(self, condition, what="event", timeout=20):
        def look():
            self.read()
            return condition()

        try:
            return wait_for(look, timeout, what)
        except AssertionError as e:
            raise AssertionError(f"{e}; the log:\n{self.log_text[-3000:]}") from None

    def job(self, id, *recipients, sender="a@b.example", tried=0, birth=None, size=10, dsn="", messid=""):
        """todo-proc hands over a message; a recipient is (b"L" or b"R", address), with DSN parameters if it has some."""
        head = [id, int(birth or time.time()), size, 0, 1, tried, 1]
        body = b"J" + b"".join(b"%d\0" % n for n in head) + sender.encode() + b"\0\0\0%s\0%s\0" % (dsn.encode(), messid.encode())
        body += b"".join(kind + b"%d\0%s\0%s\0" % (i, address.encode(), "".join(notify).encode())
                         for i, (kind, address, *notify) in enumerate(recipients))
        self.write(8, struct.pack("<I", len(body)) + body)

    def write(self, n, data):
        """To that descriptor of qmail-send, which may write to us meanwhile."""
        while data:
            select.select([], [self.end[n]], [], 0.01)
            data = data[os.write(self.end[n], data[:4096]):]
            self.read()

    def orders(self, n):
        """Commands that a spawner got so far: (slot, mess path, sender, [recipients])."""
        data, out = self.input[n], []
        while len(data) > 2:
            slot, parts, data = struct.unpack("<H", data[:2])[0], [], data[2:]
            while len(parts) <= 6 or parts[-1] or len(parts) % 2 == 0:  # pairs until an empty recipient
                part, _, data = data.partition(b"\0")
                parts.append(part)
            out.append((slot, parts[0].decode(), parts[2].decode(), [p.decode() for p in parts[6:-1:2]]))
        return out

    def report(self, n, slot, *reports):
        """A spawner's reports on one order, by the descriptor qmail-send reads them from."""
        self.write(n, b"".join(struct.pack("<H", slot) + r + b"\0" for r in reports))

    def logged_times(self, pattern):
        return len(re.findall(pattern, self.log_text))

    def close(self):
        if self.send and self.send.poll() is None:
            self.send.kill()  # it would wait for the deliveries we never report on
        super().close()

    def end_send(self):
        self.send.send_signal(signal.SIGTERM)
        self.until(lambda: self.send.poll() is not None, "the end")
        return self.send.returncode
