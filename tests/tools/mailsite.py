"""A queue with its daemons, one local account, and a remote host to relay to: what tests of the
delivery side share."""
import contextlib, os, signal, socket, ssl, subprocess, threading

from box import Root, wait_for


class Stream:
    """A connection with buffered reading and writing at once; unbuffered, Python reads a line byte by byte."""

    def __init__(self, connection):
        self.write, self.reader = connection.sendall, connection.makefile("rb")

    def __iter__(self):
        return self.reader

    def readline(self):
        return self.reader.readline()

    def close(self):
        self.reader.close()


class Sink(threading.Thread):
    """A remote SMTP server. `script` maps a verb to a reply (None: the connection is dropped, a function
    is called for it); "VERB#2" counts only from the second MAIL of a connection on. What is not in it is
    accepted, where the grammar allows it. tls: a file with certificate and key, and STARTTLS is offered. After a 421 the connection is closed. Received messages are in
    .messages as (sender, recipients, data)."""

    def __init__(self, script=None, ehlo=("PIPELINING", "8BITMIME"), host="127.0.0.1", max_recipients=None, port=0, tls=None):
        super().__init__(daemon=True)
        self.listener = socket.create_server((host, port))
        self.port = self.listener.getsockname()[1]
        self.script = script or {}
        self.ehlo = ehlo
        self.max_recipients = max_recipients
        self.tls = tls
        self.tls_sessions = 0
        self.messages = []
        self.commands = []
        self.connections = 0  # so many came
        self.open = []
        self.start()

    def run(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def hang_up(self):
        """Close all connections there are."""
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve(self, connection):
        f = Stream(connection)
        try:
            if self.dialogue(f, self.tls):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.tls)
                with context.wrap_socket(connection.dup(), server_side=True) as inside:
                    self.tls_sessions += 1
                    self.dialogue(Stream(inside), None, greeted=True)
        except (ConnectionError, OSError, ValueError):
            pass
        self.open.remove(connection)
        f.close()
        connection.close()

    def dialogue(self, f, tls, greeted=False):
        """True: the client wants TLS now."""
        sender, to, mails = None, [], 0

        def choose(key, default):
            text = self.script.get(key, default)
            if mails > 1:
                text = self.script.get(key + "#2", text)
            return text() if callable(text) else text

        def say(text):
            if text is None:
                raise ConnectionError
            f.write(text.encode() + b"\r\n")
            if text.startswith("421"):
                raise ConnectionError
            return text

        def reply(key, default):
            return say(choose(key, default))

        if not greeted:
            reply("greeting", "220 sink.example ESMTP")
        for line in f:
            self.commands.append(line.rstrip(b"\r\n").decode("latin-1"))
            verb = line.split()[0].upper().decode() if line.split() else ""
            if verb == "EHLO":
                lines = ["sink.example"] + list(self.ehlo) + (["STARTTLS"] if tls else [])
                f.write(b"".join(b"250%s%s\r\n" % (b"-" if i < len(lines) - 1 else b" ", l.encode())
                                 for i, l in enumerate(lines)))
            elif verb == "MAIL":
                mails += 1
                if reply("MAIL", "250 ok" if sender is None else "503 one at a time").startswith("2"):
                    sender, to = line.split(b"<")[1].split(b">")[0].decode(), []
            elif verb == "RCPT":
                address = line.split(b"<")[1].split(b">")[0].decode()
                default = "250 ok" if sender is not None else "503 MAIL first"
                if self.max_recipients is not None and len(to) >= self.max_recipients:
                    default = "452 4.5.3 too many recipients"
                if reply("RCPT " + address, self.script.get("RCPT", default)).startswith("2"):
                    to.append(address)
            elif verb == "DATA":
                if not reply("DATA", "354 go on" if to else "503 no valid recipients").startswith("3"):
                    continue
                data = b""
                while not data.endswith(b"\r\n.\r\n") and data != b".\r\n":
                    more = f.readline()
                    if not more:
                        raise ConnectionError
                    data += more
                end = choose("end", "250 taken")
                if str(end).startswith("2"):  # before the client knows
                    self.messages.append((sender, to, data[:-3]))
                sender, to = None, []
                say(end)
            elif verb == "QUIT":
                f.write(b"221 bye\r\n")
                return False
            elif verb == "STARTTLS" and tls:
                return reply("STARTTLS", "220 go ahead").startswith("2")
            else:
                if verb == "RSET":
                    sender, to = None, []
                reply(verb, "250 ok")
        return False

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which would go on listening
        self.listener.close()


class MailSite(Root):
    """Accounts are made of one uid; joe@local.example is one, virt.example belongs to joe."""

    def __init__(self, queues=1, sink=None):
        super().__init__(unprivileged=True)
        self.sink = sink or Sink()
        self.queues = queues
        self.control("locals", "local.example\n")
        self.control("virtualdomains", "virt.example:joe\n")
        self.control("smtproutes", f":127.0.0.1:{self.sink.port}\n")
        self.control("timeoutremote", "5\n")
        self.uid = self.ids.get("user", os.getuid())
        self.gid = self.ids.get("group", os.getgid())
        self.home = self.mkdir("home")
        for name in ("home/Maildir", "home/Maildir/new", "home/Maildir/cur", "home/Maildir/tmp"):
            self.mkdir(name)
        with open(self.path("users", "assign"), "w") as f:
            f.write(f"=joe:joe:{self.uid}:{self.gid}:{self.home}:::\n+joe-:joe:{self.uid}:{self.gid}:{self.home}:-::\n.\n")
        p = self.run(["qmail-newu"])
        assert p.returncode == 0, p.stderr
        for i in range(queues):
            p = self.run(["queue-fix", self.queue(i + 1)])
            assert p.returncode == 0, p.stderr
        self.daemon = None

    def mkdir(self, name):
        path = self.path(name)
        os.mkdir(path, 0o755)
        os.chown(path, self.uid, self.gid)
        return path

    def queue(self, i=1):
        return self.path("queue", f"queue{i}")

    def env(self, **extra):
        return super().env(**{"QUEUE_COUNT": str(self.queues), **extra})

    def dotqmail(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        with open(path, "w") as f:
            f.write(text)
        os.chown(path, self.uid, self.gid)
        os.chmod(path, mode)

    def start(self, **env):
        self.log = open(self.path("send.log"), "ab")
        self.daemon = self.spawn(["qmail-daemon", "./Maildir/"], env=self.env(**env), stdout=self.log, stderr=self.log)

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(20)
        self.log.close()
        return code

    def logged(self):
        with open(self.path("send.log")) as f:
            return f.read()

    def inject(self, *to, body="hello\n", sender="sender@local.example", subject="test", env=None, check=True):
        p = self.run(["qmail-inject", "-f", sender, *to], input=f"Subject: {subject}\n\n{body}".encode(),
                     env=env or self.env())
        assert not check or p.returncode == 0, p.stderr
        return p

    def mails(self, maildir="Maildir"):
        new = os.path.join(self.home, maildir, "new")
        return [open(os.path.join(new, name), "rb").read() for name in sorted(os.listdir(new))]

    def queued(self):
        """Files of messages in all queues."""
        found = []
        for i in range(self.queues):
            for kind in ("mess", "info", "done", "bounce"):
                for base, _, names in os.walk(os.path.join(self.queue(i + 1), kind)):
                    found += [os.path.join(base, n) for n in names]
        return found

    def wait_empty(self, timeout=20):
        wait_for(lambda: not self.queued(), timeout, "an empty queue")

    def queue_program(self, message, envelope, env=None, program="qmail-queue"):
        """Run qmail-queue with these bytes on descriptors 0 and 1: its exit code."""
        r, w = os.pipe()
        envelope_pipe = threading.Thread(target=lambda: (os.write(w, envelope), os.close(w)))
        envelope_pipe.start()
        p = subprocess.Popen([os.path.join(self.bin, program)], stdin=subprocess.PIPE, stdout=r, env=env or self.env(),
                             stderr=subprocess.PIPE, cwd=self.dir, **self.ids)
        os.close(r)
        p.communicate(message, timeout=20)
        envelope_pipe.join()
        return p.returncode

    def close(self):
        self.sink.close()
        super().close()
        if self.daemon:
            self.log.close()
