"""A site with virtual users and the daemons that bring their mail: qmail-smtpd, a queue, and deliveries by vdelivermail."""
import glob, os, re, signal, smtplib

from box import wait_for
from usersite import UserSite

MARK = re.compile(rb"^Subject: mark (\S+)$", re.M)
SENDER = "sender@example.com"  # one of ours: a bounce would be seen


class ChainSite(UserSite):
    """users: of example.com, besides the sender. program: vdelivermail is a program, not the code of it in a resident worker.
    mariadb: their database is there."""

    def __init__(self, users, program=False, mariadb=None, options=()):
        super().__init__()
        if mariadb:
            mariadb.use(self)
        self.control("locals", "")
        self.add_domain(None, *options)
        self.homes = {}
        for name in (*users, "sender"):
            self.add_user(name, "-d")
            self.homes[name] = self.home(f"{name}@example.com")
        if program:
            path = self.path("domains", "example.com", ".qmail-default")
            line = open(path).read().replace("| ", "| /usr/bin/env ")
            with open(path, "w") as f:
                f.write(line)
        self.ok("queue-fix", self.path("queue", "queue1"))

    def env(self, **extra):
        return super().env(**{"QUEUE_COUNT": "1", "MYSQL_RETRY_INTERVAL": "1", **extra})

    def start(self, **env):
        """Until it delivers: a signal ends a program that is just starting."""
        self.send_log = open(self.path("send.log"), "ab")
        before = self.send_logged().count("status: ")
        self.daemon = self.spawn(["qmail-daemon", "./Maildir/"], env=self.env(**env), stdout=self.send_log, stderr=self.send_log)
        wait_for(lambda: self.send_logged().count("status: ") > before or self.daemon.poll() is not None, what="qmail-send")
        assert self.daemon.poll() is None, self.send_logged()

    def restart(self, **env):
        self.daemon.send_signal(signal.SIGTERM)
        assert self.daemon.wait(20) == 0
        self.send_log.close()
        self.start(**env)

    def start_smtp(self, **env):
        self.smtpd = self.listen("qmail-smtpd", **{"CHECKRECIPIENT": "1", **env})

    def send_logged(self):
        return open(self.path("send.log"), errors="replace").read()

    def deferrals(self):
        return self.send_logged().count("deferral: ")

    def offer(self, *names, mark):
        """A message to these by SMTP, to all or to none: the code of the answer."""
        with smtplib.SMTP("127.0.0.1", self.smtpd.port, local_hostname="client.example", timeout=30) as s:
            s.ehlo()
            codes = [s.mail(SENDER)[0]] + [s.rcpt(f"{n}@example.com")[0] for n in names]
            if max(codes) != 250:
                return max(codes)
            return s.data(f"Subject: mark {mark}\r\n\r\nx\r\n")[0]

    def queue_message(self, name, mark, header=""):
        """Into the queue, without anybody asking whether there is such a user."""
        p = self.run(["qmail-inject", "-f", SENDER, f"{name}@example.com"], input=f"Subject: mark {mark}\n{header}\nx\n".encode())
        assert p.returncode == 0, p.stderr

    def queued(self):
        return [p for p in glob.glob(self.path("queue", "queue1", "*", "*", "*")) + glob.glob(self.path("queue", "queue1", "bounce", "*"))
                if os.path.basename(p).isdigit() and not os.path.isdir(p)]

    def flush(self):
        """What waits is tried now: whether there is anything left."""
        if self.queued():
            self.daemon.send_signal(signal.SIGALRM)
        return bool(self.queued())

    def wait_empty(self, timeout=60):
        wait_for(lambda: not self.flush(), timeout, "an empty queue")

    def got(self, name, folder="new"):
        """Marks of the messages of a user, or the whole message where it has none."""
        return self.marks(f"{self.homes[name]}/Maildir/{folder}")

    def marks(self, directory):
        found = []
        for path in glob.glob(glob.escape(directory) + "/*"):
            with open(path, "rb") as f:
                text = f.read()
            mark = MARK.search(text)
            found.append(mark[1].decode() if mark else text.decode(errors="replace"))
        return sorted(found)

    def close(self):
        super().close()
        if hasattr(self, "send_log"):
            self.send_log.close()
