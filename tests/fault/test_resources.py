"""What the server needs is missing, broken or full: temporary errors, nothing lost, and everything goes
on by itself when it is there again."""
import contextlib, errno, imaplib, os, poplib, re, resource, shutil, smtplib, socket, sqlite3, subprocess, time, unittest

import demosite
from box import wait_for
from mailsite import Sink

demo = None


def setUpModule():
    global demo
    why = demosite.missing()
    if why:
        raise unittest.SkipTest(why)
    demo = demosite.Demo(control={"timeoutread": "2\n", "todointerval": "1\n", "lookup_stale": "0\n"},
                         variables={n: {"PENALTY": "0"} for n in ("smtp", "submission", "smtps", "imaps", "pop3s", "imap", "pop3")})
    try:
        demo.start()
        for i in range(8):  # both todo-procs have seen the domain, which is younger than they are
            assert send(f"the first {i}") == 0
        for i in range(8):
            arrives(f"the first {i}")
    except BaseException:
        demo.close()
        raise


def tearDownModule():
    if demo:
        demo.close()


def refused(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) in (errno.ECONNREFUSED, errno.ENOENT)


def send(subject, body="x", starttls=False):
    """0 when it was accepted, else the code of the refusal."""
    try:
        s = demo.smtp()
    except smtplib.SMTPConnectError as e:
        return e.smtp_code
    except OSError:
        return 421
    try:
        if starttls:
            s.starttls(context=demo.tls())
        s.sendmail("sender@elsewhere.example", [demo.env["USER"]], f"Subject: {subject}\r\n\r\n{body}\r\n")
        s.quit()
        return 0
    except smtplib.SMTPRecipientsRefused as e:
        return next(iter(e.recipients.values()))[0]
    except smtplib.SMTPResponseException as e:
        return e.smtp_code
    except (OSError, smtplib.SMTPServerDisconnected):
        return 421
    finally:
        s.close()


def queue(subject):
    """A message that is in the queue whatever inlookup says."""
    demo.run("sendmail", "-f", "sender@elsewhere.example", "--", demo.env["USER"], input=f"Subject: {subject}\n\nx\n")


def arrives(subject):
    def look():
        demo.flush()
        return any(f"Subject: {subject}\n".encode() in m for m in demo.mails(demo.env["MAILDIR"]))

    wait_for(look, what=f"the message {subject}")


def deferred(before):
    """A delivery was put off since, and none has failed."""
    wait_for(lambda: demo.logs("deliver.25").count("deferral: ") > before, what="a deferral")


class Resources(unittest.TestCase):
    def setUp(self):
        self.failures = self.failed()

    def failed(self):
        """Deliveries that failed for good, and bounces."""
        log = demo.logs("deliver.25")
        return [line for line in log.splitlines() if ": failure: " in line or " bounce msg " in line]

    def temporary(self, code):
        self.assertTrue(400 <= code < 500, code)

    def tearDown(self):
        # Whatever was broken, it works again, and nobody was told that mail cannot be delivered.
        subject = f"after {self.id()}"
        wait_for(lambda: send(subject) == 0, what="mail being accepted again")
        arrives(subject)
        wait_for(lambda: not demo.run("qmail-qread").stdout, what="an empty queue")
        self.assertEqual(self.failed(), self.failures)

    def logins_wait(self):
        """Nobody is told that his password is wrong."""
        with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
            demo.submission()
        self.temporary(caught.exception.smtp_code)
        with self.assertRaises(imaplib.IMAP4.error) as caught:
            demo.imap()
        self.assertRegex(str(caught.exception), "UNAVAILABLE|not available now")
        with self.assertRaises(poplib.error_proto) as caught:
            demo.pop3()
        self.assertIn("[SYS/TEMP]", str(caught.exception))

    def without_lookups(self, name):
        """With the user database out of order."""
        before = demo.logs("deliver.25").count("deferral: ")
        self.temporary(send("refused for now"))
        self.logins_wait()
        queue(f"queued: {name}")
        deferred(before)

    def repaired(self, name):
        arrives(f"queued: {name}")
        demo.submission().quit()
        demo.imap().logout()
        demo.pop3().quit()

    # --- users

    def database(self):
        return demo.path("var", "userdb", "users.db")

    def test_user_database_gone(self):
        os.rename(self.database(), self.database() + ".away")
        try:
            self.without_lookups("gone")
        finally:
            for leftover in (self.database(), self.database() + "-wal", self.database() + "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(leftover)
            os.rename(self.database() + ".away", self.database())
        self.repaired("gone")

    def test_user_database_garbage(self):
        owner = os.stat(self.database())
        os.rename(self.database(), self.database() + ".away")
        try:
            with open(self.database(), "wb") as f:
                f.write(b"This is no database.\n" * 500)
            os.chown(self.database(), owner.st_uid, owner.st_gid)
            self.without_lookups("garbage")
        finally:
            os.rename(self.database() + ".away", self.database())
        self.repaired("garbage")

    def test_user_database_locked(self):
        db = sqlite3.connect(self.database(), isolation_level=None)
        try:
            db.execute("BEGIN EXCLUSIVE")
            db.execute("CREATE TABLE held (x)")
            # Readers need no lock that a writer holds, or they wait: no user is unknown for it.
            code = send("while it is locked")
            self.assertTrue(code == 0 or 400 <= code < 500, code)
        finally:
            db.execute("ROLLBACK")
            db.close()

    def test_inlookup_down(self):
        demo.svc("-d", "inlookup.infifo")
        wait_for(lambda: not demo.named("inlookup"), what="the end of inlookup")
        try:
            self.without_lookups("inlookup")
        finally:
            demo.svc("-u", "inlookup.infifo")
        wait_for(lambda: send("inlookup is back") == 0, what="inlookup")
        self.repaired("inlookup")

    def test_users_cdb_garbage(self):
        path = os.path.join(os.path.dirname(demo.env["CONTROLDIR"]), "users", "cdb")
        os.rename(path, path + ".away")
        before = demo.logs("deliver.25").count("deferral: ")
        try:
            with open(path, "wb") as f:
                f.write(b"\xff" * 3000)
            self.assertEqual(send("kept until the cdb is whole"), 0)
            deferred(before)
        finally:
            os.rename(path + ".away", path)
        arrives("kept until the cdb is whole")

    # --- daemons with a way around

    def test_tlsd_down(self):
        demo.svc("-d", "qmail-tlsd")
        wait_for(lambda: not demo.named("qmail-tlsd"), what="the end of qmail-tlsd")
        try:
            self.assertEqual(send("in clear"), 0)
            arrives("in clear")
            # A qmail-tlsd of its own, or a refusal for now; never a session that pretends.
            self.assertIn(send("with a TLS daemon of its own", starttls=True), (0, 454))
        finally:
            demo.svc("-u", "qmail-tlsd")
        wait_for(lambda: demo.named("qmail-tlsd"), what="qmail-tlsd")
        wait_for(lambda: send("TLS again", starttls=True) == 0, what="STARTTLS")

    def test_queued_down(self):
        demo.svc("-d", "qmail-queued")
        wait_for(lambda: not demo.named("qmail-queued"), what="the end of qmail-queued")
        wait_for(lambda: refused(demo.path("run/queue/socket")), what="the end of its socket")  # which may come a moment later
        try:
            for i in range(4):
                self.assertEqual(send(f"queued without a daemon {i}"), 0)
            for i in range(4):
                arrives(f"queued without a daemon {i}")
        finally:
            demo.svc("-u", "qmail-queued")

    # --- the queue

    def test_queue_directory_gone(self):
        one = os.path.join(demo.env["QUEUE_BASE"], "queue1")
        os.rename(one, one + ".away")
        try:
            for i in range(20):  # the other one is chosen
                self.assertEqual(send(f"with one queue {i}"), 0)
        finally:
            os.rename(one + ".away", one)
        for i in range(20):
            arrives(f"with one queue {i}")

    def test_all_queue_directories_gone(self):
        queues = [os.path.join(demo.env["QUEUE_BASE"], f"queue{i}") for i in (1, 2)]
        for q in queues:
            os.rename(q, q + ".away")
        try:
            code = send("with no queue")  # a process that is in the directory still knows it
        finally:
            for q in queues:
                os.rename(q + ".away", q)
        if code == 0:
            arrives("with no queue")
        else:
            self.temporary(code)
        self.assertEqual(send("with queues again"), 0)
        arrives("with queues again")

    def restart(self, service):
        pid = self.main_pid(service)
        demo.svc("-t", service)
        wait_for(lambda: self.main_pid(service) not in (0, pid), what=f"the restart of {service}")

    def main_pid(self, service):
        p = demo.run("svstat", demo.path("service", demo.service(service)), check=False)
        m = re.search(rb"pid (\d+)", p.stdout)
        return int(m.group(1)) if m else 0

    @contextlib.contextmanager
    def file_limit(self, size, *services):
        """The services may write files of size bytes: what supervise may not, they may not either."""
        parents = []
        for service in services:
            with open(f"/proc/{self.main_pid(service)}/stat") as f:
                parents.append(int(f.read().rsplit(")", 1)[1].split()[1]))
        before = resource.prlimit(parents[0], resource.RLIMIT_FSIZE)

        def limit(to):
            for pid in parents:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (to, before[1]))
            for service in services:
                self.restart(service)

        limit(size)
        try:
            yield
        finally:
            limit(before[0])

    def test_no_room_for_the_message(self):
        with self.file_limit(4096, "qmail-queued", "smtp"):
            wait_for(lambda: send("short enough") == 0, what="service with limits")
            self.temporary(send("too long for the limit", "y" * 72 + "\r\n" + ("z" * 72 + "\r\n") * 200))
            self.temporary(send("far too long", ("z" * 72 + "\r\n") * 3000))
        arrives("short enough")
        self.assertFalse([m for m in demo.mails(demo.env["MAILDIR"]) if b"too long" in m])

    def test_no_room_in_the_mailbox(self):
        before = demo.logs("deliver.25").count("deferral: ")
        with self.file_limit(8192, "qmail-send.25"):
            self.assertEqual(send("waits for room", ("z" * 72 + "\r\n") * 300), 0)
            deferred(before)
        arrives("waits for room")
        self.assertEqual(len([m for m in demo.mails(demo.env["MAILDIR"]) if b"Subject: waits for room\n" in m]), 1)

    @contextlib.contextmanager
    def small_disk(self, path, size):
        """A file system of its own at path."""
        st = os.stat(path)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode={st.st_mode & 0o7777:o},uid={st.st_uid},gid={st.st_gid}",
                                "tmpfs", path], stderr=subprocess.PIPE)
        if mount.returncode:
            self.skipTest(f"no file system can be mounted: {mount.stderr.decode().strip()}")
        try:
            yield
        finally:
            try:
                wait_for(lambda: subprocess.run(["umount", path], stderr=subprocess.DEVNULL).returncode == 0, 5, "umount")
            except AssertionError:
                subprocess.run(["umount", "-l", path])
                raise

    def fill(self, path):
        with contextlib.suppress(OSError), open(path, "wb", buffering=0) as f:
            while True:
                f.write(b"\0" * 4096)

    def on_small_disk(self, base):
        wait_for(lambda: send("before it is full") == 0, what="the queue on the small disk")
        arrives("before it is full")
        self.fill(f"{base}/filler")
        for i in range(4):
            self.temporary(send(f"on a full disk {i}", ("f" * 72 + "\r\n") * 100 * (i % 2 * 20 + 1)))
        os.unlink(f"{base}/filler")
        for i in range(4):
            self.assertEqual(send(f"room again {i}"), 0)
        for i in range(4):
            arrives(f"room again {i}")
        wait_for(lambda: not demo.run("qmail-qread").stdout, what="an empty queue")

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount a file system")
    def test_full_disk_of_the_queue(self):
        base = demo.env["QUEUE_BASE"]
        wait_for(lambda: not demo.run("qmail-qread").stdout, what="an empty queue")
        services = ("qmail-send.25", "qmail-queued")

        def down():
            demo.svc("-d", *services)
            wait_for(lambda: not demo.named("qmail-daemon", "qmail-send", "qmail-queued"), what="the end of the queue's services")

        down()
        try:
            with self.small_disk(base, "2m"):
                try:
                    for n in (1, 2):
                        demo.run("queue-fix", f"{base}/queue{n}")
                    demo.svc("-u", *services)
                    self.on_small_disk(base)
                finally:
                    down()
        finally:
            demo.svc("-u", *services)
        self.assertFalse([m for m in demo.mails(demo.env["MAILDIR"]) if b"on a full disk" in m])

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount a file system")
    def test_full_disk_of_the_mailbox(self):
        before = demo.logs("deliver.25").count("deferral: ")
        demo.add_user("small@example.com", "pw-of-small", "-d")
        box = demo.maildir("small@example.com")
        home = os.path.dirname(box)
        with self.small_disk(home, "256k"):
            st = os.stat(home)
            for d in ("", "/new", "/cur", "/tmp"):
                os.mkdir(box + d, 0o700)
                os.chown(box + d, st.st_uid, st.st_gid)
            self.fill(f"{home}/filler")
            demo.run("sendmail", "-f", "sender@elsewhere.example", "--", "small@example.com",
                     input="Subject: waits for the disk\n\n" + "d" * 20000 + "\n")
            deferred(before)
            self.assertEqual(demo.mails(box), [])
            os.unlink(f"{home}/filler")

            def look():
                demo.flush()
                return demo.mails(box)

            self.assertIn(b"\n" + b"d" * 20000 + b"\n", wait_for(look, what="the message")[0])
            wait_for(lambda: not demo.run("qmail-qread").stdout, what="an empty queue")
        demo.run("vdeluser", "small@example.com")

    # --- control files

    @contextlib.contextmanager
    def control(self, name, text):
        """A control file with other contents; None: a directory in its place.

        The file is there at every moment: one that is missing is a setting too, and mail would be routed by it."""
        path = os.path.join(demo.env["CONTROLDIR"], name)
        saved = os.path.exists(path)
        if saved:
            os.link(path, path + ".away")
        if text is None:
            os.mkdir(path + ".dir")
            os.symlink(name + ".dir", path + ".bad")  # a rename puts no directory in a file's place, but a link to one
        else:
            with open(path + ".bad", "w") as f:
                f.write(text)
        os.rename(path + ".bad", path)
        try:
            yield
        finally:
            if saved:
                os.rename(path + ".away", path)
            else:
                os.unlink(path)
            if text is None:
                os.rmdir(path + ".dir")

    def test_garbage_for_the_smtp_server(self):
        for name, text in (("databytes", "a lot\n"), ("timeoutsmtpd", "-5\n"), ("maxrecipients", "99999999999999999999999\n"),
                           ("rcpthosts", None), ("virtualdomains", None), ("smtpgreeting", None)):
            with self.subTest(name), self.control(name, text):
                self.temporary(send("while a control file is bad"))
                wait_for(lambda: f"control/{name}" in demo.logs("smtpd.*"), what="a complaint")
        self.assertFalse([m for m in demo.mails(demo.env["MAILDIR"]) if b"while a control file is bad" in m])

    def test_garbage_for_deliveries(self):
        for name, text in (("concurrencylocal", "many\n"), ("locals", None), ("virtualdomains", None), ("queuelifetime", "long\n")):
            with self.subTest(name):
                self.assertEqual(send(f"before {name} was bad"), 0)
                with self.control(name, text):
                    demo.svc("-h", "qmail-send.25")
                    queue(f"while {name} is bad")
                    wait_for(lambda: f"control/{name}" in demo.logs("deliver.25"), what="a complaint")
                demo.svc("-h", "qmail-send.25")
                arrives(f"before {name} was bad")
                arrives(f"while {name} is bad")

    # todo-proc has no routes it may trust meanwhile: the mail waits.
    def test_new_domain_while_a_control_file_is_bad(self):
        demo.run("vadddomain", "young.example", "-", input="pw-of-young\n")
        box = demo.maildir("postmaster@young.example")
        log = len(demo.logs("deliver.25"))
        try:
            with self.control("concurrencyremote", "many\n"):
                demo.run("sendmail", "-f", "sender@elsewhere.example", "--", "postmaster@young.example",
                         input="Subject: to a new domain\n\nx\n")
                wait_for(lambda: "control/concurrencyremote" in demo.logs("deliver.25")[log:], what="a complaint")
            wait_for(lambda: (demo.flush(), demo.mails(box))[1], 20, "the message")
        finally:
            wait_for(lambda: not demo.run("qmail-qread").stdout, what="an empty queue")
            self.failures = self.failed()
            demo.run("vdeldomain", "young.example")

    def test_garbage_in_smtproutes(self):
        before = demo.logs("deliver.25").count("deferral: ")
        with self.control("smtproutes", ":127.0.0.1:notaport\n"):
            demo.run("sendmail", "-f", demo.env["USER"], "--", "x@far.example", input="Subject: routed\n\nx\n")
            deferred(before)
        sink = Sink()
        self.addCleanup(sink.close)
        with self.control("smtproutes", f":127.0.0.1:{sink.port}\n"):
            wait_for(lambda: (demo.flush(), sink.messages)[1], what="the message at the sink")
            wait_for(lambda: not demo.run("qmail-qread").stdout, what="an empty queue")

    def test_garbage_in_the_certificate(self):
        path = os.path.join(os.path.dirname(demo.env["CAFILE"]), "servercert.pem")
        st = os.stat(path)
        shutil.copyfile(path, path + ".away")
        try:
            with open(path + ".new", "w") as f:
                f.write("-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n")
            os.chown(path + ".new", st.st_uid, st.st_gid)
            os.chmod(path + ".new", st.st_mode & 0o7777)
            os.rename(path + ".new", path)
            time.sleep(1.1)  # qmail-tlsd looks for a new one once a second
            self.assertEqual(send("with the old certificate", starttls=True), 0)
        finally:
            os.chown(path + ".away", st.st_uid, st.st_gid)
            os.chmod(path + ".away", st.st_mode & 0o7777)
            os.rename(path + ".away", path)
        wait_for(lambda: send("with the good one", starttls=True) == 0, what="STARTTLS")

    def test_garbage_in_access_rules(self):
        path = os.path.join(os.path.dirname(demo.env["CONTROLDIR"]), "tcp", "tcp.smtp.cdb")
        os.rename(path, path + ".away")
        try:
            with open(path, "wb") as f:
                f.write(b"\xff" * 3000)
            self.temporary(send("past broken rules"))
        finally:
            os.rename(path + ".away", path)


if __name__ == "__main__":
    unittest.main()
