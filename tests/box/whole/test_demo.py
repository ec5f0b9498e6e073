"""The whole server as `make demo` starts it, used by the clients people use, and driven by the
interfaces that scripts rely on."""
import base64, imaplib, os, poplib, pty, random, re, select, shutil, signal, smtplib, socket, ssl, subprocess, threading
import time, unittest

import demosite
from box import wait_for
from mailsite import Sink

SERVERS = ("smtp", "submission", "smtps", "imap", "imaps", "pop3", "pop3s")
NO_WAITS = {name: {"PENALTY": "0"} for name in SERVERS}
KEYS = """SMTP_PORT SUBMISSION_PORT SMTPS_PORT IMAP_PORT IMAPS_PORT POP3_PORT POP3S_PORT DOMAIN USER PASSWORD USER2
    PASSWORD2 MAILDIR MAILDIR2 QUEUE_BASE CONTROLDIR LOGDIR CAFILE PREFIX""".split()
demo = sink = refuser = None


def setUpModule():
    global demo, sink, refuser
    why = demosite.missing()
    if why:
        raise unittest.SkipTest(why)
    sink = Sink(host="127.0.0.2")
    refuser = Sink({"greeting": "554 refused here"}, host="127.0.0.3")
    routes = f":127.0.0.2:{sink.port}\nrefuse.example:127.0.0.3:{refuser.port}\n"
    demo = demosite.Demo(control={"smtproutes": routes}, variables=NO_WAITS)
    try:
        demo.start()
    except BaseException:
        demo.close()
        raise


def tearDownModule():
    if demo:
        demo.close()
        sink.close()
        refuser.close()


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"the package {program} is not installed")


def address(key="USER"):
    return demo.env[key]


def write(name, text, mode=0o644):
    path = os.path.join(demo.dir, name)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, mode)
    return path


def send(subject, to=None, body="hello", sender="stranger@elsewhere.example"):
    """A stranger's mail on the MX port."""
    with demo.smtp() as s:
        s.sendmail(sender, [to or address()], f"Subject: {subject}\r\n\r\n{body}\r\n")


def on_terminal(argv, timeout=20):
    """Run a program that wants a terminal: its exit code and what it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(demo.dir)
        os.execvpe(argv[0], argv, demo.tools(TERM="xterm"))
    shown, end = b"", time.monotonic() + timeout
    while True:
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            break
        if select.select([fd], [], [], 0.2)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:  # the terminal's other end is closed
                break
            if not got:
                break
            shown += got
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


class Talk:
    """A connection driven line by line."""

    def __init__(self, name):
        self.s = socket.create_connection(("127.0.0.1", demo.port(name)), timeout=20)
        self.f = self.s.makefile("rb")

    def line(self):
        return self.f.readline().decode("latin-1").rstrip("\r\n")

    def ask(self, text):
        self.s.sendall(text.encode() + b"\r\n")
        return self.line()

    def secure(self):
        self.s = demo.tls().wrap_socket(self.s, server_hostname="127.0.0.1")
        self.f = self.s.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.f.close()
        self.s.close()


class Environment(unittest.TestCase):
    def test_demo_env(self):
        # SINK_PORT is where the show listens.
        self.assertEqual(sorted(set(demo.env) - {"SINK_PORT"}), sorted(KEYS))
        for name, number in (("SMTP_PORT", 25), ("SUBMISSION_PORT", 587), ("SMTPS_PORT", 465), ("IMAP_PORT", 143),
                             ("IMAPS_PORT", 993), ("POP3_PORT", 110), ("POP3S_PORT", 995)):
            self.assertEqual(int(demo.env[name]), demo.base + number)
        for name in ("MAILDIR", "MAILDIR2", "QUEUE_BASE", "CONTROLDIR", "LOGDIR", "PREFIX"):
            self.assertTrue(os.path.isdir(demo.env[name]), name)
        for tool in ("bin/vadduser", "bin/vadddomain", "sbin/qmail-send", "sbin/sendmail"):
            self.assertTrue(os.access(os.path.join(demo.env["PREFIX"], tool), os.X_OK), tool)
        with open(demo.env["CAFILE"]) as f:
            self.assertIn("BEGIN CERTIFICATE", f.read())

    def test_nothing_runs_as_root_that_talks_to_the_network(self):
        if os.geteuid() != 0:
            self.skipTest("an ordinary user's programs all run as him")
        for pid, name in demo.processes().items():
            if name in ("tcpserver", "qmail-tlsd", "qmail-smtpd", "qmail-remote", "qmail-rspawn", "imaplogin", "pop3login"):
                with open(f"/proc/{pid}/status") as f:
                    uids = re.search(r"^Uid:\s+(.*)", f.read(), re.M).group(1).split()
                self.assertNotIn("0", uids, name)


class Submission(unittest.TestCase):
    def test_python(self):
        with demo.submission() as s:
            s.sendmail(address(), [address("USER2")], "Subject: py587\r\n\r\nx\r\n")
        with smtplib.SMTP_SSL("127.0.0.1", demo.port("smtps"), context=demo.tls(), timeout=20) as s:
            s.login(address(), demo.env["PASSWORD"])
            s.sendmail(address(), [address("USER2")], "Subject: py465\r\n\r\nx\r\n")
        for subject in ("py587", "py465"):
            got = demo.mail_with(demo.env["MAILDIR2"], f"Subject: {subject}\n")
            self.assertIn(b" with ESMTPSA (TLSv1.", got)

    @needs("swaks")
    def test_swaks(self):
        if subprocess.run(["perl", "-MNet::SSLeay", "-e1"], stderr=subprocess.DEVNULL).returncode:
            self.skipTest("the package libnet-ssleay-perl is not installed")
        who = ["--auth-user", address(), "--auth-password", demo.env["PASSWORD"], "--from", address(), "--helo", "x.example",
               "--tls-verify", "--tls-ca-path", demo.env["CAFILE"]]
        for port, tls, mechanism in (("submission", "--tls", "PLAIN"), ("smtps", "--tls-on-connect", "LOGIN")):
            demo.run("swaks", "--server", f"127.0.0.1:{demo.port(port)}", tls, "--auth", mechanism, *who, "--to",
                     address("USER2"), "--header", f"Subject: swaks-{port}")
            demo.mail_with(demo.env["MAILDIR2"], f"Subject: swaks-{port}\n")

    @needs("curl")
    def test_curl(self):
        write("netrc", f"machine 127.0.0.1 login {address()} password {demo.env['PASSWORD']}\n", 0o600)
        write("letter", "Subject: by curl\r\n\r\n.\r\n..two\r\n")
        curl = ["curl", "-sS", "--netrc-file", "netrc", "--cacert", demo.env["CAFILE"], "--url"]
        demo.run(*curl, f"smtps://127.0.0.1:{demo.port('smtps')}/x.example", "--mail-from", address(), "--mail-rcpt",
                 address(), "-T", "letter")
        got = demo.mail_with(demo.env["MAILDIR"], "Subject: by curl\n")
        self.assertTrue(got.endswith(b"\n\n.\n..two\n"))
        by_imap = demo.run(*curl, f"imaps://127.0.0.1:{demo.port('imaps')}/INBOX?SUBJECT%20%22by%20curl%22").stdout
        number = int(re.search(rb"\* SEARCH (\d+)", by_imap).group(1))
        letter = demo.run(*curl, f"imaps://127.0.0.1:{demo.port('imaps')}/INBOX;MAILINDEX={number}").stdout
        self.assertTrue(letter.endswith(b"\r\n\r\n.\r\n..two\r\n"), letter)
        listed = demo.run(*curl, f"pop3s://127.0.0.1:{demo.port('pop3s')}/").stdout.split(b"\r\n")
        letters = [demo.run(*curl, f"pop3s://127.0.0.1:{demo.port('pop3s')}/{line.split()[0].decode()}").stdout
                   for line in listed if line.strip()]
        self.assertIn(letter, letters)

    def test_no_password_before_tls(self):
        for name in ("smtp", "submission"):
            with Talk(name) as t:
                self.assertTrue(t.line().startswith("220 "))
                lines = [t.ask("EHLO x")]
                while lines[-1][3] == "-":
                    lines.append(t.line())
                self.assertFalse([l for l in lines if "AUTH" in l], lines)
                self.assertIn("250-STARTTLS", lines)
                secret = base64.b64encode(f"\0{address()}\0{demo.env['PASSWORD']}".encode()).decode()
                self.assertRegex(t.ask("AUTH PLAIN " + secret), "^5")
                if name == "submission":
                    self.assertRegex(t.ask("MAIL FROM:<a@example.com>"), "^530 ")

    def test_no_mail_before_auth(self):
        with smtplib.SMTP("127.0.0.1", demo.port("submission"), timeout=20) as s:
            s.starttls(context=demo.tls())
            s.ehlo("x.example")
            self.assertTrue(s.has_extn("auth") and not s.has_extn("starttls"))
            self.assertEqual(s.docmd("MAIL FROM:<a@example.com>")[0], 530)


class Stranger(unittest.TestCase):
    def refused(self, to, code, text):
        with demo.smtp() as s:
            s.ehlo("x.example")
            self.assertEqual(s.docmd("MAIL FROM:<s@elsewhere.example>")[0], 250)
            got = s.docmd(f"RCPT TO:<{to}>")
            self.assertEqual(got[0], code, got)
            self.assertTrue(got[1].startswith(text), got)

    def test_is_no_relay(self):
        for to in ("victim@far.example", "victim%far.example@elsewhere.example", "@example.com:victim@far.example"):
            with self.subTest(to):
                self.refused(to, 553, b"5.7.1 ")

    def test_unknown_recipient(self):
        self.refused("nobody-of-that-name@example.com", 550, b"5.1.1 ")

    def test_mail_to_postmaster_and_abuse(self):
        for who in ("postmaster", "abuse"):
            send(f"to {who}", f"{who}@example.com")
            demo.mail_with(demo.maildir("postmaster@example.com"), f"Subject: to {who}\n")

    def test_size_is_announced_as_configured(self):
        with demo.smtp() as s:
            s.ehlo("x.example")
            self.assertEqual(s.esmtp_features["size"], "")


class Reading(unittest.TestCase):
    def test_python_sees_flags_and_deletions(self):
        send("kept", body="kept")
        send("deleted", body="deleted")
        demo.mail_with(demo.env["MAILDIR"], "Subject: kept\n")
        demo.mail_with(demo.env["MAILDIR"], "Subject: deleted\n")
        m = demo.imap()
        number = m.search(None, "SUBJECT", "deleted")[1][0].split()[-1]
        m.store(number, "+FLAGS", r"(\Deleted)")
        m.expunge()
        self.assertEqual(m.search(None, "SUBJECT", "deleted")[1], [b""])
        self.assertNotEqual(m.search(None, "SUBJECT", "kept")[1], [b""])
        m.logout()
        p = demo.pop3()
        self.assertEqual(len(p.uidl()[1]), p.stat()[0])
        p.quit()

    def fetchmail(self, protocol, port, user, password, subject):
        send(subject, to=user)
        demo.mail_with(demo.maildir(user), f"Subject: {subject}\n")
        write("fetchmailrc", f'poll localhost protocol {protocol} service {demo.port(port)} user "{user}" password "{password}"'
              f' sslproto tls1.2+ sslcertck sslcertfile {demo.env["CAFILE"]} no rewrite keep fetchall'
              f' mda "cat >> {demo.dir}/fetched-{port}"\n', 0o600)
        p = demo.run("fetchmail", "-v", "--nosyslog", "--nodetach", "-f", "fetchmailrc", check=False)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        self.assertIn(b"upgrade to TLS succeeded", p.stdout + p.stderr)
        with open(f"{demo.dir}/fetched-{port}", "rb") as f:
            self.assertIn(f"Subject: {subject}\n".encode(), f.read().replace(b"\r", b""))

    @needs("fetchmail")
    def test_fetchmail_pop3(self):
        self.fetchmail("POP3", "pop3", address("USER2"), demo.env["PASSWORD2"], "fetched by POP3")

    @needs("fetchmail")
    def test_fetchmail_imap(self):
        self.fetchmail("IMAP", "imap", address("USER2"), demo.env["PASSWORD2"], "fetched by IMAP")

    @needs("mutt")
    def test_mutt(self):
        write("muttrc", f'set imap_user="{address()}" imap_pass="{demo.env["PASSWORD"]}" ssl_force_tls=yes ssl_verify_host=yes\n'
              f'set ssl_ca_certificates_file={demo.env["CAFILE"]} sendmail="{demo.env["PREFIX"]}/sbin/sendmail"\n'
              f'set from="{address()}" use_envelope_from=yes copy=no mbox_type=mbox confirmappend=no confirmcreate=no folder={demo.dir}\n', 0o600)
        write("attachment", "an attachment\n")
        demo.run("mutt", "-F", "muttrc", "-s", "by mütt", "-a", "attachment", "--", address(), input="a letter by mutt\n")
        got = demo.mail_with(demo.env["MAILDIR"], "a letter by mutt\n")
        self.assertTrue(got.startswith(b"Return-Path: <alice@example.com>\n"), got)
        code, shown = on_terminal(["mutt", "-F", "muttrc", "-f", f"imaps://localhost:{demo.port('imaps')}/INBOX", "-e",
                                   f"push '<tag-pattern>~b letter<enter><tag-prefix><copy-message><kill-line>{demo.dir}/muttbox"
                                   "<enter><quit>'"])
        self.assertEqual(code, 0, shown)
        with open(f"{demo.dir}/muttbox", "rb") as f:
            self.assertIn(b"\nan attachment\n", f.read())

    def test_capabilities_of_imap(self):
        with Talk("imap") as t:
            self.assertIn("LOGINDISABLED", t.line())
            before = t.ask("a CAPABILITY")
            self.assertTrue("STARTTLS" in before and "LOGINDISABLED" in before and "AUTH=" not in before, before)
            self.assertTrue(t.line().startswith("a OK"))
            self.assertRegex(t.ask(f"b LOGIN {address()} {demo.env['PASSWORD']}"), "^b NO ")
            self.assertRegex(t.ask("c STARTTLS"), "^c OK ")
            t.secure()
            inside = t.ask("d CAPABILITY")
            self.assertTrue("STARTTLS" not in inside and "LOGINDISABLED" not in inside and "AUTH=PLAIN" in inside, inside)
            self.assertTrue(t.line().startswith("d OK"))
            answers = [t.ask(f"e LOGIN {address()} {demo.env['PASSWORD']}")]
            while not answers[-1].startswith("e "):
                answers.append(t.line())
            self.assertRegex(answers[-1], "^e OK")
            after = t.ask("f CAPABILITY")
            self.assertTrue("IMAP4rev1" in after and "AUTH=" not in after and "STARTTLS" not in after, after)

    def capa(self, t):
        lines = [t.ask("CAPA")]
        while lines[-1] != ".":
            lines.append(t.line())
        self.assertTrue(lines[0].startswith("+OK"))
        return lines

    def test_capabilities_of_pop3(self):
        with Talk("pop3") as t:
            self.assertTrue(t.line().startswith("+OK"))
            before = self.capa(t)
            self.assertTrue("STLS" in before and "USER" not in before and not [l for l in before if l.startswith("SASL")])
            self.assertRegex(t.ask("USER " + address()), "^-ERR")
            self.assertRegex(t.ask("STLS"), r"^\+OK")
            t.secure()
            inside = self.capa(t)
            self.assertTrue("STLS" not in inside and "USER" in inside and [l for l in inside if l.startswith("SASL")])
            t.ask("USER " + address())
            self.assertRegex(t.ask("PASS " + demo.env["PASSWORD"]), r"^\+OK")
            self.assertFalse("STLS" in self.capa(t))

    def test_names_of_the_certificate(self):
        for name in ("localhost", "127.0.0.1", "mail.example.com"):
            with socket.create_connection(("127.0.0.1", demo.port("imaps")), timeout=20) as s:
                demo.tls().wrap_socket(s, server_hostname=name).close()
        with socket.create_connection(("127.0.0.1", demo.port("imaps")), timeout=20) as s:
            with self.assertRaises(ssl.SSLCertVerificationError):
                demo.tls().wrap_socket(s, server_hostname="other.example")

    def test_old_tls_is_refused(self):
        context = demo.tls()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", demo.port("pop3s")), timeout=20) as s:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(s, server_hostname="localhost")


class Passwords(unittest.TestCase):
    WRONG = "wr0ng-s3cret-word"

    def test_wrong_ones_are_refused(self):
        for user in (address(), "nobody-such@example.com", "x@elsewhere.example"):
            with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
                demo.submission(user, self.WRONG)
            self.assertEqual(caught.exception.smtp_code, 535)
        with self.assertRaises(imaplib.IMAP4.error):
            demo.imap(password=self.WRONG)
        with self.assertRaises(poplib.error_proto):
            demo.pop3(password=self.WRONG)
        with self.assertRaises(imaplib.IMAP4.error):
            demo.imap(password="")
        with self.assertRaises(imaplib.IMAP4.error):
            demo.imap(user=address("USER2"))  # with the other's password

    def test_a_new_one_counts_at_once(self):
        demo.add_user("carol@example.com", "first-0ne")
        demo.imap("carol@example.com", "first-0ne").logout()
        demo.run("vpasswd", "carol@example.com", "-", input="second-0ne\n")
        with self.assertRaises(imaplib.IMAP4.error):
            demo.imap("carol@example.com", "first-0ne")
        demo.imap("carol@example.com", "second-0ne").logout()

    def test_stay_out_of_logs_and_process_lists(self):
        secrets = [s for word in (demo.env["PASSWORD"], self.WRONG)
                   for s in (word.encode(), base64.b64encode(word.encode()),
                             base64.b64encode(f"\0{address()}\0{word}".encode()))]
        seen, stop = [], threading.Event()

        def watch():
            while not stop.is_set():
                for pid in os.listdir("/proc"):
                    if not pid.isdigit() or int(pid) == os.getpid():
                        continue
                    for what in ("cmdline", "environ"):
                        try:
                            with open(f"/proc/{pid}/{what}", "rb") as f:
                                text = f.read()
                        except OSError:
                            continue
                        seen.extend((pid, what) for s in secrets if s in text)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for _ in range(3):
                demo.submission().quit()
                demo.imap().logout()
                demo.pop3().quit()
                for attempt in (demo.submission, demo.imap, demo.pop3):
                    with self.assertRaises((smtplib.SMTPException, imaplib.IMAP4.error, poplib.error_proto)):
                        attempt(password=self.WRONG)
        finally:
            stop.set()
            watcher.join()
        self.assertEqual(seen, [])
        wait_for(lambda: demo.logs("smtpd.*").count("authfail") and demo.logs("imapd-ssl.*").count("login failed"),
                 what="the log of failed logins")
        logs = demo.logs().encode()
        self.assertFalse([s for s in secrets if s in logs])


class Administration(unittest.TestCase):
    def test_new_user_domain_and_alias(self):
        demo.add_user("dave@example.com", "pw-of-dave")
        send("to dave", "dave@example.com")
        demo.mail_with(demo.maildir("dave@example.com"), "Subject: to dave\n")
        demo.run("vadddomain", "new.example", "-", input="pw-of-postmaster\n")
        demo.add_user("erin@new.example", "pw-of-erin")
        send("to erin", "Erin@NEW.example")
        demo.mail_with(demo.maildir("erin@new.example"), "Subject: to erin\n")
        demo.run("valias", "-i", "&dave@example.com", "sales@new.example")
        send("to sales", "sales@new.example")
        demo.mail_with(demo.maildir("dave@example.com"), "Subject: to sales\n")
        m = demo.imap("erin@new.example", "pw-of-erin")
        self.assertNotEqual(m.search(None, "SUBJECT", '"to erin"')[1], [b""])
        m.logout()
        demo.run("vdeluser", "erin@new.example")
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            send("to nobody", "erin@new.example")

    def test_domain_that_takes_any_name(self):
        demo.run("vadddomain", "-E", address(), "any.example", "-", input="pw-of-any\n")
        send("to anybody", "any.body-at+all@any.example")
        demo.mail_with(demo.env["MAILDIR"], "Subject: to anybody\n")

    def test_mailbox_over_quota_bounces(self):
        demo.add_user("full@example.com", "pw-of-full", "-q", "20000")
        with demo.submission() as s:
            for i in (1, 2):
                s.sendmail(address(), ["full@example.com"], f"Subject: big {i}\r\n\r\n" + ("x" * 70 + "\r\n") * 200)
                if i == 1:
                    demo.mail_with(demo.maildir("full@example.com"), "Subject: big 1\n")
        bounce = demo.mail_with(demo.env["MAILDIR"], "Subject: big 2\n")
        self.assertTrue(bounce.startswith(b"Return-Path: <>\n"), bounce[:200])
        self.assertTrue(b"\nfull@example.com: the mailbox is full (#5.2.2)\n" in bounce, bounce[:1000])
        self.assertFalse([m for m in demo.mails(demo.maildir("full@example.com")) if b"Subject: big 2\n" in m])

    def test_sendmail(self):
        as_somebody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        p = subprocess.run(["sendmail", "-t", "-i", "-f", "cron@example.com"], env=demo.tools(), cwd="/", timeout=30,
                           input=f"To: {address()}\nSubject: by sendmail -t\n\n.\nlast\n".encode(),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **as_somebody)
        self.assertEqual((p.returncode, p.stdout), (0, b""))
        got = demo.mail_with(demo.env["MAILDIR"], "Subject: by sendmail -t\n")
        self.assertTrue(got.startswith(b"Return-Path: <cron@example.com>\n") and got.endswith(b"\n\n.\nlast\n"), got)
        p = demo.run("sendmail", "-bs", input=f"EHLO x\r\nMAIL FROM:<cron@example.com>\r\nRCPT TO:<{address()}>\r\nDATA\r\n"
                     "Subject: by sendmail -bs\r\n\r\nx\r\n.\r\nQUIT\r\n")
        self.assertIn(b"\r\n354 ", p.stdout)
        demo.mail_with(demo.env["MAILDIR"], "Subject: by sendmail -bs\n")

    def test_queue_listing(self):
        sink.script["RCPT waits@outside.example"] = "450 later"
        with demo.submission() as s:
            s.sendmail(address(), ["waits@outside.example"], "Subject: waits\r\n\r\nx\r\n")
        listed = wait_for(lambda: (lambda out: out if b"waits@outside" in out else None)(demo.run("sendmail", "-bp").stdout),
                          what="the message in the queue")
        self.assertIn(b"<alice@example.com>", listed)
        self.assertEqual(listed.count(b"\tremote\twaits@outside.example"), 1)
        self.assertIn(b"messages in queue: 1\n", demo.run("qmail-qstat").stdout)
        wait_for(lambda: "450_later" in demo.logs("deliver.25"), what="the deferral")
        del sink.script["RCPT waits@outside.example"]

        def delivered():
            demo.flush()
            return any(b"Subject: waits" in m[2] for m in sink.messages)

        wait_for(delivered, what="delivery after svc -a")
        wait_for(lambda: not demo.queued(), what="an empty queue")

    def test_status(self):
        services = sorted(s for s in os.listdir(demo.path("service")) if not s.startswith("."))
        lines = demo.run("svstat", *(demo.path("service", s) for s in services)).stdout.splitlines()
        self.assertEqual(len(lines), len(services))
        self.assertFalse([line for line in lines if b": up " not in line])
        self.assertIn(b"qmail-send.25", demo.run("svps").stdout)
        self.assertEqual(demo.run("qmail-showctl").stderr, b"")


class Outward(unittest.TestCase):
    def test_relayed_for_users(self):
        with demo.submission() as s:
            s.sendmail(address(), ["friend@outside.example"], "Subject: out\r\n\r\n.dot\r\n")
        got = wait_for(lambda: next((m for m in sink.messages if b"Subject: out\r\n" in m[2]), None), what="mail at the sink")
        self.assertEqual(got[:2], (address(), ["friend@outside.example"]))
        self.assertTrue(got[2].endswith(b"\r\n\r\n..dot\r\n"))

    def test_refused_by_the_other_side(self):
        with demo.submission() as s:
            s.sendmail(address(), ["x@refuse.example"], "Subject: unwelcome\r\n\r\nx\r\n")
        bounce = demo.mail_with(demo.env["MAILDIR"], "<x@refuse.example>:\n")
        self.assertTrue(bounce.startswith(b"Return-Path: <>\n"))
        self.assertIn(b"refused here", bounce)

    def test_mixed_recipients(self):
        with demo.submission() as s:
            s.sendmail(address(), [address("USER2"), "a@outside.example", "b@outside.example"], "Subject: mixed\r\n\r\nx\r\n")
        demo.mail_with(demo.env["MAILDIR2"], "Subject: mixed\n")

        def arrived():
            return sorted(r for m in list(sink.messages) if b"Subject: mixed\r\n" in m[2] for r in m[1])

        wait_for(lambda: arrived() == ["a@outside.example", "b@outside.example"], what="both copies")


class ByteForByte(unittest.TestCase):
    def round_trip(self, name, body):
        """Bytes with CR LF in, the same bytes out by IMAP and by POP3."""
        head = f"Date: Thu, 26 Nov 2026 11:00:00 +0000\r\nMessage-ID: <{name}@example.com>\r\nSubject: {name}\r\nX-Umlaut: gr".encode() + b"\xfc\xc3\xbc\r\n"
        user = f"{name}@example.com"
        demo.add_user(user, "pw-of-round")
        with demo.submission() as s:
            s.ehlo("client.example")
            s.sendmail(address(), [user], head + b"\r\n" + body, mail_options=["BODY=8BITMIME"])
        demo.mail_with(demo.maildir(user), f"Subject: {name}\n", timeout=40)
        m = demo.imap(user, "pw-of-round")
        by_imap = m.fetch("1", "(RFC822)")[1][0][1]
        m.logout()
        p = demo.pop3(user, "pw-of-round")
        poplib._MAXLINE, before = 1 << 20, poplib._MAXLINE
        try:
            by_pop = b"".join(line + b"\r\n" for line in p.retr(1)[1])
        finally:
            poplib._MAXLINE = before
        p.quit()
        for how, got in (("IMAP", by_imap), ("POP3", by_pop)):
            self.assertTrue(got.endswith(b"\r\n" + head + b"\r\n" + body), f"{name} by {how}: {len(got)} bytes, {got[-200:]!r}")

    def test_dots(self):
        self.round_trip("dots", b".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n")

    def test_eight_bits(self):
        self.round_trip("eightbit", bytes(b for b in range(1, 256) if b not in b"\r\n") + b"\r\n")

    def test_long_lines(self):
        self.round_trip("longlines", b"a" * 998 + b"\r\n" + b"b" * 5000 + b"\r\n." + b"c" * 60000 + b"\r\n")

    def test_no_body(self):
        self.round_trip("nobody", b"")

    def test_attachment_of_5_megabytes(self):
        noise = random.Random(5).randbytes(5 << 20)
        self.round_trip("attachment", base64.encodebytes(noise).replace(b"\n", b"\r\n"))


class Settings(unittest.TestCase):
    """The last, as it stops the server: demo-stop, and a start with other settings."""

    @classmethod
    def setUpClass(cls):
        cls.open = [demo.imap(), demo.submission(), demo.pop3(), demo.smtp()]  # clients that do not leave
        pids = set(demo.processes())
        began = time.monotonic()
        demo.stop()
        cls.seconds = time.monotonic() - began
        cls.left = demo.processes()
        cls.alive = [p for p in pids if os.path.exists(f"/proc/{p}")]
        routes = f":127.0.0.2:{sink.port}\nrefuse.example:127.0.0.3:{refuser.port}\n"
        demo.configure({"smtproutes": routes, "databytes": "100000\n", "holdlocal": "1\n", "holdremote": "1\n"},
                       {**NO_WAITS, "smtp": {"PENALTY": "0", "RELAYCLIENT": ""}})
        demo.start()

    def test_nothing_was_left_running(self):
        self.assertEqual(self.left, {})
        self.assertEqual(self.alive, [])
        self.assertLess(self.seconds, 20)

    def test_extra_settings(self):
        self.assertIn("databytes", os.listdir(demo.env["CONTROLDIR"]))
        with demo.smtp() as s:
            s.ehlo("x.example")
            self.assertEqual(s.esmtp_features["size"], "100000")
            self.assertEqual(s.docmd("MAIL FROM:<a@elsewhere.example> SIZE=100001")[0], 552)
            self.assertEqual(s.docmd("MAIL FROM:<a@elsewhere.example>")[0], 250)
            self.assertEqual(s.docmd("RCPT TO:<x@outside.example>")[0], 250)  # RELAYCLIENT
            s.docmd("RSET")
            began = time.monotonic()
            for _ in range(3):
                s.docmd("MAIL FROM:<a@elsewhere.example>")
                self.assertEqual(s.docmd("RCPT TO:<not-there@example.com>")[0], 550)
                s.docmd("RSET")
            self.assertLess(time.monotonic() - began, 4)  # PENALTY=0; it would be 15
            self.assertEqual(s.docmd("MAIL FROM:<a@elsewhere.example>")[0], 250)
            s.docmd(f"RCPT TO:<{address()}>")
            self.assertEqual(s.data("Subject: too big\r\n\r\n" + ("y" * 70 + "\r\n") * 2000)[0], 552)

    def test_deliveries_are_held(self):
        send("held here")
        send("held there", "x@outside.example")
        wait_for(lambda: demo.run("qmail-qstat").stdout.startswith(b"messages in queue: 2\n"), what="two messages in the queue")
        wait_for(lambda: demo.logs("deliver.25").count("info msg") >= 2, what="qmail-send's knowledge of both")
        self.assertNotIn("starting delivery", demo.logs("deliver.25"))
        for name in ("holdlocal", "holdremote"):
            os.unlink(os.path.join(demo.env["CONTROLDIR"], name))
        demo.svc("-h", "qmail-send.25")
        demo.mail_with(demo.env["MAILDIR"], "Subject: held here\n")
        wait_for(lambda: any(b"Subject: held there" in m[2] for m in sink.messages), what="mail at the sink")

    def test_relay_rules(self):
        demo.svc("-d", "smtp")
        wait_for(lambda: b" down " in demo.run("svstat", demo.path("service", demo.service("smtp")), check=False).stdout,
                 what="the end of the SMTP service")
        os.unlink(demo.path("service", demo.service("smtp"), "variables", "RELAYCLIENT"))
        tcp = os.path.join(os.path.dirname(demo.env["CONTROLDIR"]), "tcp")
        rules = '127.0.0.9:deny\n127.:allow,RELAYCLIENT=""\n:allow\n'
        demo.run("tcprules", f"{tcp}/tcp.smtp.cdb", f"{tcp}/tcp.smtp.tmp", input=rules)
        demo.svc("-u", "smtp")

        def answers():
            try:
                return demo.smtp().noop()[0] == 250
            except OSError:
                return False

        wait_for(answers, what="the SMTP service")
        with demo.smtp() as s:
            s.ehlo("x.example")
            s.docmd("MAIL FROM:<a@elsewhere.example>")
            self.assertEqual(s.docmd("RCPT TO:<x@outside.example>")[0], 250)
        with self.assertRaises((OSError, smtplib.SMTPException)):
            smtplib.SMTP("127.0.0.1", demo.port("smtp"), source_address=("127.0.0.9", 0), timeout=20)


def load_tests(loader, tests, pattern):
    order = (Environment, Submission, Stranger, Reading, Passwords, Administration, Outward, ByteForByte, Settings)
    return unittest.TestSuite(loader.loadTestsFromTestCase(c) for c in order)


if __name__ == "__main__":
    unittest.main()
