"""svctool: the services it makes start, with the variables, limits and users they should have."""
import json, os, pwd, re, socket, stat, subprocess, unittest

from box import BIN, TOP, Root, free_port, wait_for
from services import alive, descendants, status

HAVE_USERS = False
try:
    pwd.getpwnam("qmaild"), pwd.getpwnam("qmaill")
    HAVE_USERS = True
except KeyError:
    pass

# Stands for a program of another part of the system: says how it was started.
STUB = """#!/usr/bin/python3 -B
import json, os, sys, time
text = json.dumps({"argv": sys.argv, "env": dict(os.environ), "uid": os.getuid(), "gid": os.getgid(),
                   "groups": os.getgroups()})
if "TCPREMOTEIP" in os.environ:
    print(text)
else:
    print("stub", text, flush=True)
    time.sleep(1000)
"""
STUBBED = ("qmail-smtpd", "imaplogin", "pop3login", "qmail-poppass", "proxyimap", "proxypop3", "qmail-daemon", "inlookup", "nssd", "qmail-tlsd", "qmail-queued")


class SvctoolCase(unittest.TestCase):
    unprivileged = True

    def setUp(self):
        self.root = Root(unprivileged=self.unprivileged)
        self.addCleanup(self.root.close)
        os.chmod(self.root.dir, 0o755)
        for name in ("service", "bin"):
            os.mkdir(self.root.path(name))
            if self.root.ids:
                os.chown(self.root.path(name), 65534, 65534)
        for name in os.listdir(BIN):
            if name not in STUBBED and not name.startswith("."):
                os.symlink(os.path.join(BIN, name), self.root.path("bin", name))
        for name in STUBBED:
            with open(self.root.path("bin", name), "w") as f:
                f.write(STUB)
            os.chmod(self.root.path("bin", name), 0o755)
        for name in ("rcpthosts", "locals"):
            self.root.control(name, "mail.example.com\n")

    def env(self, **extra):
        return self.root.env(QMAILBIN=self.root.path("bin"), PATH=self.root.path("bin") + ":" + os.environ["PATH"],
                             LOGDIR=self.root.path("log"), SERVICEDIR=self.root.path("service"), **extra)

    def svctool(self, *args, code=0):
        boot = [] if code == 100 else ["--bootdir=" + os.path.join(TOP, "boot")]
        p = self.root.run(["svctool", *args, *boot], env=self.env())
        self.assertEqual(p.returncode, code, p.stderr.decode())
        return p.stderr.decode() if code else p.stdout.decode()

    def svscan(self, **env):
        p = self.root.spawn(["svscan", self.root.path("service")], env=self.env(SCANINTERVAL="1", **env),
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=open(os.devnull, "w"))
        return p

    def end(self, scan):
        below = descendants(scan.pid)
        scan.terminate()
        self.assertEqual(scan.wait(20), 0)
        self.assertEqual([p for p in below if alive(p)], [])

    def service(self, *names):
        return self.root.path("service", *names)

    def variables(self, name):
        out = self.svctool("--print-variables", "--service-name=" + name)
        return dict(l.split("=", 1) for l in out.splitlines())

    def ask(self, port):
        """What the stub behind tcpserver says."""
        def got():
            try:
                with socket.create_connection(("127.0.0.1", port), 5) as s:
                    text = b"".join(iter(lambda: s.recv(65536), b""))
                return text and json.loads(text)
            except (ConnectionRefusedError, ConnectionResetError):
                return None
        return wait_for(got, what=f"port {port}")

    def log(self, name):
        path = self.root.path("log", name, "current")
        return open(path).read() if os.path.exists(path) else ""

    def stub_line(self, log):
        def got():
            m = re.search(r"stub (\{.*\})", self.log(log))
            return m and json.loads(m.group(1))
        return wait_for(got, what=f"a line in the log {log}")


class SvctoolTest(SvctoolCase):
    def test_smtp_policy(self):
        """A switch is a variable; masquerade is set to nothing, which is not the same as not set."""
        self.svctool("--smtp=2525", "--authall", "--antispoof", "--masquerade", "--cugmail", "--paranoid", "--dmasquerade", "--dnscheck", "--helocheck",
                     "--helofqdn", "--qregex", "--hide-host", "--chkrecipient=3")
        got = self.variables("qmail-smtpd.2525")
        for name in ("AUTH_ALL", "ANTISPOOFING", "CUGMAIL", "PARANOID", "DOMAIN_MASQUERADE", "DNSCHECK", "BADHELOCHECK", "ENFORCE_FQDN_HELO", "QREGEX",
                     "HIDE_HOST"):
            self.assertEqual(got[name], "1", name)
        self.assertEqual((got["MASQUERADE"], got["CHECKRECIPIENT"]), ("", "3"))
        with open(self.service("qmail-smtpd.2525", "variables", "MASQUERADE")) as f:
            self.assertEqual(f.read(), "\n")

    def test_smtp_settings(self):
        """Switches with a value, for SMTP and QMTP alike; each variable is one the server knows."""
        args = {"--secureauth": ("SECUREAUTH", "1"), "--chkrelay": ("CHECKRELAY", "1"), "--utf8": ("SMTPUTF8", "1"), "--skip-rbl": ("SKIPDNSBL", "1"),
                "--enablecram": ("AUTHMECHANISMS", "CRAM-SHA512 CRAM-SHA384 CRAM-SHA256 CRAM-SHA224 CRAM-SHA1 CRAM-MD5"),
                "--infifo=other": ("INFIFO", "other"), "--spf=3": ("SPFBEHAVIOUR", "3"), "--spf-program=/bin/spf -x 'a b'": ("SPFPROGRAM", "/bin/spf -x 'a b'"),
                "--use-greydaemon": ("GREYIP", "127.0.0.1@1999"), "--content-filter": ("BODYCHECK", "bodycheck"), "--virus-filter=4": ("VIRUSCHECK", "4"),
                "--rate-connections=60/60": ("RATE_CONNECTIONS", "60/60"), "--rate-connections-net=600/60": ("RATE_CONNECTIONS_NET", "600/60"),
                "--rate-messages=1/2": ("RATE_MESSAGES", "1/2"), "--rate-messages-net=3/4": ("RATE_MESSAGES_NET", "3/4"),
                "--rate-recipients=5/6": ("RATE_RECIPIENTS", "5/6"), "--rate-recipients-net=7/8": ("RATE_RECIPIENTS_NET", "7/8"),
                "--sendlimit-messages=9/10 11/12": ("SENDLIMIT_MESSAGES", "9/10 11/12"), "--sendlimit-recipients=11/12": ("SENDLIMIT_RECIPIENTS", "11/12"),
                "--qhpsi=clamdscan %s --fdpass": ("QHPSI", "clamdscan %s --fdpass"), "--spamfilter=bogofilter -p -d /etc/indimail": ("SPAMFILTER", "bogofilter -p -d /etc/indimail"),
                "--spamexitcode=0": ("SPAMEXITCODE", "0"), "--rejectspam=2": ("REJECTSPAM", "2")}
        known = open(os.path.join(TOP, "src/conf/schema.def")).read()
        for service in ("smtp", "qmtp"):
            port = free_port()
            self.svctool(f"--{service}={port}", *args)
            got = self.variables(f"qmail-{service}d.{port}")
            for name, value in args.values():
                self.assertEqual(got[name], value)
                self.assertRegex(known, rf'"(\w+,)*{name}(,\w+)*"')
            self.assertEqual(got["QMAILQUEUE"], "qmail-multi")
            self.svctool(f"--refreshsvc=qmail-{service}d.{port}")
            self.assertEqual(self.variables(f"qmail-{service}d.{port}"), got)
        port = free_port()
        self.svctool(f"--smtp={port}", "--use-greydaemon=::1@7", "--content-filter=rules/body", "--virus-filter")
        got = self.variables(f"qmail-smtpd.{port}")
        self.assertEqual([got.get(n) for n in ("GREYIP", "BODYCHECK", "VIRUSCHECK", "QMAILQUEUE")], ["::1@7", "rules/body", "1", None])

    def test_dns_lists(self):
        path = self.root.path("control/dnsbllist")
        self.svctool(f"--smtp={free_port()}", "--rbl=bl.example.net,dnsbl.example.org")
        self.assertEqual(open(path).read(), "bl.example.net\ndnsbl.example.org\n")
        self.assertIn("stays as it is", self.svctool(f"--smtp={free_port()}", "--rbl"))
        self.assertEqual(open(path).read(), "bl.example.net\ndnsbl.example.org\n")
        os.unlink(path)
        self.svctool(f"--smtp={free_port()}", "--rbl")
        self.assertEqual(open(path).read(), "zen.spamhaus.org\n")

    def test_plugins(self):
        """None is asked but where svctool is told so."""
        for args, want in (((), ("1", None)), (("--smtp-plugin",), (None, None)), (("--smtp-plugin=my.so",), (None, "my.so")),
                           (("--smtp-plugin=/opt/my.so",), (None, "/opt/my.so"))):
            for service in ("smtp", "qmtp"):
                port = free_port()
                self.svctool(f"--{service}={port}", *args)
                got = self.variables(f"qmail-{service}d.{port}")
                self.assertEqual((got.get("DISABLE_PLUGIN"), got.get("SMTP_PLUGIN")), want)

    def test_smtp(self):
        self.svctool("--config=qmail", "--default-domain=mail.example.com")
        port, ssl_port = free_port(), free_port()
        self.svctool(f"--smtp={port}", "--starttls", "--forceauthsmtp", "--forcetls", "--chkrecipient", "--localip=127.0.0.1",
                     "--maxdaemons=7", "--maxperip=3", "--maxperip-all=20", "--memory=0", "--databytes=1000000", "--min-free=5", "--qcount=3",
                     "--qstart=2", "--qbase=/q", "--default-domain=example.com")
        self.svctool(f"--smtp={ssl_port}", "--ssl", "--localip=127.0.0.1", "--memory=0", "--residents=0")
        self.svctool("--svscanlog")
        name = f"qmail-smtpd.{port}"
        self.assertEqual(self.variables(name), {
            "AUTHMODULES": "vchkpass", "CHECKRECIPIENT": "1", "DATABYTES": "1000000", "DEFAULT_DOMAIN": "example.com",
            "DISABLE_PLUGIN": "1", "FORCE_TLS": "1", "LOCALIP": "127.0.0.1", "MAXDAEMONS": "7", "MAXPERIP": "3", "MAXPERIP_ALL": "20", "MIN_FREE": "5", "PORT": str(port),
            "QUEUE_BASE": "/q", "QUEUE_COUNT": "3", "QUEUE_START": "2", "REQUIREAUTH": "1",
            "RESIDENTS": "0", "SOFT_MEM": "0", "STARTTLS": "1"})
        scan = self.svscan(SCANLOG="1")
        got = self.ask(port)
        self.assertEqual(got["argv"][1:], ["mail.example.com", "vchkpass", "/bin/false"])
        for k, v in self.variables(name).items():
            self.assertEqual(got["env"][k], v)
        self.assertEqual((got["env"]["TCPLOCALHOST"], got["env"]["PROTO"]), ("mail.example.com", "TCP"))
        self.assertNotIn("SERVICE_NAME", got["env"])
        got = self.ask(ssl_port)
        self.assertEqual((got["argv"][1:], got["env"]["SMTPS"]), ([], "1"))
        self.assertNotIn("AUTHMODULES", got["env"])
        wait_for(lambda: re.search(r"(?m)^@4\w{23} tcpserver: status: 1/7$", self.log(f"smtpd.{port}")), what="the log")
        wait_for(lambda: "status: 0/75" in self.log(f"smtpd.{ssl_port}"), what="the other log")
        self.assertTrue(os.path.isdir(self.root.path("log/svscan")))
        self.svctool(f"--smtp={free_port()}", "--down")
        resident = [n for n in os.listdir(self.service()) if n.startswith("qmail-smtpd.") and n not in (name, f"qmail-smtpd.{ssl_port}")]
        self.assertEqual(self.variables(resident[0])["RESIDENTS"], "2")
        with open(self.service(name, "variables/MAXDAEMONS"), "w") as f:
            f.write("9\n")
        self.root.run(["svc", "-h", self.service(name)])
        wait_for(lambda: "status: 0/9" in self.log(f"smtpd.{port}"), what="the new limit")
        self.end(scan)

    def test_no_open_relay(self):
        os.unlink(self.root.path("control/rcpthosts"))
        port = free_port()
        self.svctool(f"--smtp={port}", "--localip=127.0.0.1", "--memory=0")
        scan = self.svscan()
        wait_for(lambda: "not started as an open relay" in self.log(f"smtpd.{port}"), what="the refusal")
        with socket.socket() as s:
            self.assertNotEqual(s.connect_ex(("127.0.0.1", port)), 0)
        self.end(scan)

    def test_other_services(self):
        imap, pop3, poppass = free_port(), free_port(), free_port()
        common = ("--localip=127.0.0.1", "--memory=0")
        self.svctool(f"--imap={imap}", "--starttls", *common)
        self.svctool(f"--pop3={pop3}", "--ssl", *common)
        proxies = free_port(), free_port()
        self.svctool(f"--proxyimap={proxies[0]}", "--starttls", "--mailstore=store.example.com,192.0.2.10", *common)
        self.svctool(f"--proxypop3={proxies[1]}", "--ssl", "--mailstore=store.example.com", "--storeport=995", *common)
        self.svctool(f"--poppass={poppass}", "--ssl", *common)
        self.svctool("--delivery=25", "--qcount=2", *common)
        self.svctool("--inlookup=infifo", "--threads=3", *common)
        self.svctool("--tlsd", *common)
        self.svctool("--pwdlookup", *common)
        self.svctool("--queued", *common)
        for service, variable in ((f"qmail-imapd.{imap}", "IMAPD"), (f"qmail-pop3d-ssl.{pop3}", "POP3D")):
            self.svctool(f"--set-variable={variable}", "--variable-value=/bin/true", f"--service-name={service}")
        self.root.control("defaultdelivery", "./Mailbox\n")
        scan = self.svscan()
        got = self.ask(imap)
        self.assertEqual((got["argv"][1:], got["env"]["STARTTLS"]), (["/bin/true", "Maildir"], "1"))
        got = self.ask(pop3)
        self.assertEqual((got["argv"][1:], got["env"]["POP3S"]), (["/bin/true", "Maildir"], "1"))
        got = self.ask(proxies[0])
        self.assertEqual((os.path.basename(got["argv"][0]), got["env"]["STARTTLS"], got["env"]["MAILSTORE"], got["env"]["DESTPORT"]),
                         ("proxyimap", "1", "store.example.com 192.0.2.10", "imap:143"))
        got = self.ask(proxies[1])
        self.assertEqual((os.path.basename(got["argv"][0]), got["env"]["POP3S"], got["env"]["MAILSTORE"], got["env"]["DESTPORT"]),
                         ("proxypop3", "1", "store.example.com", "pop3:995"))
        got = self.ask(poppass)
        self.assertEqual(got["argv"][1:], ["mail.example.com", "vchkpass", "/bin/false"])
        self.assertEqual((got["env"]["POPPASS_TLS"], got["env"]["PASSWORD_COMMAND"]), ("1", "vsetpass"))
        got = self.stub_line("deliver.25")
        self.assertEqual((got["argv"][1:], got["env"]["QUEUE_COUNT"]), (["./Mailbox"], "2"))
        got = self.stub_line("inlookup.infifo")
        self.assertEqual(got["argv"][1:], ["-i", "3", "-f", "infifo"])
        self.assertEqual(self.stub_line("tlsd")["argv"][1:], [])
        self.assertEqual(self.stub_line("pwdlookup")["argv"][1:], [])
        self.assertEqual(self.stub_line("queued")["argv"][1:], [])
        self.end(scan)

    def test_again_refresh_remove(self):
        self.svctool("--tlsd", "--memory=0")
        scan = self.svscan()
        wait_for(lambda: status(self.service("qmail-tlsd"))[2], what="the service")
        self.svctool("--set-variable=EXTRA", "--variable-value=a b", "--service-name=qmail-tlsd")
        self.svctool("--set-variable=SOFT_MEM", "--variable-value=1", "--service-name=qmail-tlsd")
        self.svctool("--unset-variable=GONE", "--service-name=qmail-tlsd")
        with open(self.service("qmail-tlsd/run"), "a") as f:
            f.write("# changed by hand\n")
        self.svctool("--refreshsvc=all")
        self.assertEqual(self.variables("qmail-tlsd"), {"EXTRA": "a b", "GONE": "", "SOFT_MEM": "1"})
        with open(self.service("qmail-tlsd/run")) as f:
            self.assertNotIn("changed by hand", f.read())
        self.svctool("--tlsd", "--memory=0")  # the same again: its own variables are set anew
        self.assertEqual(self.variables("qmail-tlsd")["SOFT_MEM"], "0")
        self.svctool("--remove-variable=EXTRA", "--service-name=qmail-tlsd")
        self.assertNotIn("EXTRA", self.variables("qmail-tlsd"))
        below = descendants(scan.pid)
        self.svctool("--rmsvc=qmail-tlsd")
        self.assertEqual(os.listdir(self.root.path("service")).count("qmail-tlsd"), 0)
        wait_for(lambda: not [p for p in below if alive(p)], what="its processes to end")
        self.end(scan)

    def test_down(self):
        self.svctool("--tlsd", "--down")
        self.assertTrue(os.path.exists(self.service("qmail-tlsd/down")))

    def test_config_qmail(self):
        for name in ("rcpthosts", "locals"):
            os.unlink(self.root.path("control", name))
        os.unlink(self.root.path("control/me"))
        self.svctool("--config=qmail", "--default-domain=mail.example.org", "--postmaster=admin@example.org")
        text = lambda *n: open(self.root.path(*n)).read()
        self.assertEqual(text("control/me"), "mail.example.org\n")
        self.assertEqual(text("control/defaultdomain"), "example.org\n")
        self.assertEqual(text("control/locals").split(), ["localhost", "mail.example.org"])
        self.assertEqual(text("control/rcpthosts").split(), ["localhost", "mail.example.org"])
        self.assertEqual(text("control/defaultdelivery"), "./Maildir/\n")
        self.assertEqual(text("users/assign"), ".\n")
        for a in ("postmaster", "mailer-daemon", "root"):
            self.assertEqual(text("alias", ".qmail-" + a), "&admin@example.org\n")
        with open(self.root.path("users/cdb"), "rb") as f:
            self.assertEqual(self.root.run(["cdbdump"], stdin=f).returncode, 0)
        for client in ("127.0.0.1", "192.0.2.1"):  # nobody relays without being told to
            p = self.root.run(["tcprulescheck", self.root.path("tcp/tcp.smtp.cdb")], env=self.root.env(TCPREMOTEIP=client))
            self.assertEqual(p.stdout, b"rule :\nallow connection\n")
        self.root.control("rcpthosts", "kept.example\n") if os.geteuid() == 0 else \
            open(self.root.path("control/rcpthosts"), "w").write("kept.example\n")
        self.svctool("--config=qmail", "--default-domain=other.example.org")
        self.assertEqual(text("control/rcpthosts"), "kept.example\n")
        self.assertEqual(text("control/me"), "mail.example.org\n")

    def test_config_cert(self):
        self.svctool("--config=cert", "--common_name=mail.example.org", "--validity_days=30")
        pem, ca = self.root.path("certs/servercert.pem"), self.root.path("certs/ca.pem")
        first = open(pem).read()
        self.assertEqual(stat.S_IMODE(os.stat(pem).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.root.path("certs/ca.key")).st_mode), 0o600)
        run = lambda *a: subprocess.run(["openssl", *a], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()
        self.assertIn("OK", run("verify", "-CAfile", ca, "-verify_hostname", "mail.example.org", pem))
        self.assertIn("error", run("verify", "-CAfile", ca, "-verify_hostname", "other.example.org", pem))
        self.assertIn("will expire", run("x509", "-in", pem, "-noout", "-checkend", str(31 * 86400)))
        old_ca = open(ca).read()
        self.svctool("--config=cert", "--common_name=other.example.org")
        self.assertEqual(open(ca).read(), old_ca)  # clients trust it already
        self.assertNotEqual(open(pem).read(), first)
        self.assertEqual(sorted(os.listdir(self.root.path("certs"))), ["ca.key", "ca.pem", "servercert.pem"])

    def test_config_users_needs_root(self):
        self.assertIn("only root", self.svctool("--config=users", code=111))

    def test_usage(self):
        for args in ((), ("--bogus",), ("--smtp=",), ("--smtp=25x",), ("--smtp=70000",), ("--smtp=0",), ("--smtp=25", "--imap=143"), ("--proxyimap=143",), ("--proxyimap=143", "--mailstore=a b"),
                     ("--starttls",), ("--delivery=../x",), ("--delivery=.x",), ("--tlsd", "--servicedir=rel"),
                     ("--tlsd", "--servicedir=/a b"), ("--tlsd", "--memory=x"), ("--set-variable=A=B", "--service-name=x"),
                     ("--rmsvc=../../etc",), ("--config=nothing",), ("--config=qmail",), ("--smtp=25", "--localip=1;2"), ("--smtp=25", "--smtp-plugin=../x.so"),
                     ("--smtp=25", "--rate-messages=5"), ("--smtp=25", "--rate-messages=/5"), ("--smtp=25", "--rate-messages=5/x"), ("--smtp=25", "--rate-messages=1/2/3"), ("--smtp=25", "--rate-messages=1/2 3"), ("--smtp=25", "--rate-messages=1/2 *"),
                     ("--smtp=25", "--spf=7"), ("--smtp=25", "--spf-program="), ("--smtp=25", "--spamfilter=a\nb"), ("--smtp=25", "--rejectspam=3"),
                     ("--smtp=25", "--rbl=a b"), ("--smtp=25", "--rbl="), ("--smtp=25", "--use-greydaemon=1;2"), ("--smtp=25", "--virus-filter=0")):
            err = self.svctool(*args, code=100)
            self.assertTrue(err.startswith("usage: svctool ") and err.count("\n") == 1, args)
        self.assertEqual(os.listdir(self.root.path("service")), [])
        self.svctool("--rmsvc=none", code=111)
        self.svctool("--print-variables", "--service-name=none", code=111)


@unittest.skipUnless(os.geteuid() == 0 and HAVE_USERS, "root and the mail users are needed")
class PrivilegeTest(SvctoolCase):
    unprivileged = False

    def test_users(self):
        self.svctool("--config=qmail", "--default-domain=mail.example.com")
        port, imap = free_port(), free_port()
        self.svctool(f"--smtp={port}", "--localip=127.0.0.1", "--memory=0", "--residents=0")
        self.svctool(f"--imap={imap}", "--localip=127.0.0.1", "--memory=0")
        self.svctool("--set-variable=IMAPD", "--variable-value=/bin/true", f"--service-name=qmail-imapd.{imap}")
        self.assertEqual(os.stat(self.root.path("log", f"smtpd.{port}")).st_uid, pwd.getpwnam("qmaill").pw_uid)
        scan = self.svscan()
        got = self.ask(port)
        self.assertEqual(got["uid"], pwd.getpwnam("qmaild").pw_uid)
        self.assertEqual(self.ask(imap)["uid"], pwd.getpwnam("indimail").pw_uid)
        log = wait_for(lambda: status(self.service(f"qmail-smtpd.{port}", "log"))[0], what="the logger")
        wait_for(lambda: os.stat(f"/proc/{log}").st_uid == pwd.getpwnam("qmaill").pw_uid, what="the logger's user")
        self.end(scan)


if __name__ == "__main__":
    unittest.main()
