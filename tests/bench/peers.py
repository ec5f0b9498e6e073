"""The servers that are measured: ours, and Postfix as it is installed; rooted.py has those that are
not. Each can deliver to the Maildir of a virtual user, relay to a sink, or hold what it takes; it
knows where mail arrives and when nothing is left to do."""
import glob, grp, os, pwd, shutil, sys

from proc import port_open, sh, tree, wait

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORK = os.environ.get("BENCH_DIR", "/var/tmp/indimail-bench")
BASE = 31000
SINK = BASE + 2526
CONNECTIONS = 1100  # at once, at the most
PEM = os.path.join(WORK, "bench.pem")  # key and certificate of whoever speaks TLS


def files_below(*dirs):
    return sum(len(names) for d in dirs for _, _, names in os.walk(d))


class Ours:
    name = "indimail"
    syncs = True  # what it says 250 to is on disk
    durable = "syncs message, envelope and both directories before 250, the mailbox file with its name before it counts as delivered"

    def __init__(self):
        self.dir = os.path.join(WORK, "ours")
        self.environ = dict(os.environ, DEMO_DIR=self.dir, DEMO_PORT_BASE=str(BASE), DEMO_SELFTEST="0", YES="1")
        self.environ.update(DEMO_CONTROL=os.path.join(WORK, "control"), DEMO_ENV=os.path.join(WORK, "env"))
        self.write(os.path.join(WORK, "control"), concurrencylocal=20, concurrencyremote=20, timeoutsmtpd=600,
                   smtproutes=f"sink.example:127.0.0.1:{SINK}")
        self.write(os.path.join(WORK, "env", f"qmail-smtpd.{BASE + 25}"), MAXDAEMONS=CONNECTIONS, MAXPERIP=CONNECTIONS,
                   SOFT_MEM=0, RELAYCLIENT="")

    @staticmethod
    def write(directory, **files):
        os.makedirs(directory, exist_ok=True)
        for name, text in files.items():
            with open(os.path.join(directory, name), "w") as f:
                f.write(f"{text}\n")

    def start(self):
        sh(["sh", "src/sh/demo.sh", "start"], cwd=TOP, env=self.environ)
        self.env = dict(l.rstrip("\n").split("=", 1) for l in open(os.path.join(self.dir, "demo.env")))
        self.port = int(self.env["SMTP_PORT"])
        self.maildir = self.env["MAILDIR"]
        self.rcpt = self.env["USER"]
        self.queues = self.env["QUEUE_BASE"]
        self.sendmail = [os.path.join(self.env["PREFIX"], "sbin/sendmail")]
        self.pid = int(open(os.path.join(self.dir, "guard.pid")).read())
        self.version = sh(["git", "describe", "--always", "--dirty"], cwd=TOP).strip()

    def stop(self):
        sh(["sh", "src/sh/demo.sh", "stop"], cwd=TOP, env=self.environ)

    def program(self, *argv):
        return sh([os.path.join(self.env["PREFIX"], "bin", argv[0]), *argv[1:]])

    def send(self, what):
        self.program("svc", what, os.path.join(self.dir, "service/qmail-send.25"))

    def tls(self, yes):
        """It offers TLS always; here with the key of all."""
        if yes:
            path = os.path.join(os.path.dirname(self.env["CAFILE"]), "servercert.pem")
            shutil.copy(PEM, path + ".new")
            shutil.copystat(path, path + ".new")
            st = os.stat(path)
            os.chown(path + ".new", st.st_uid, st.st_gid)
            os.rename(path + ".new", path)

    def lists(self, how):
        """The lists of senders, recipients and HELO names with 100,000 lines each of others: as text, in a cdb, or
        none."""
        control = self.env["CONTROLDIR"]
        for name, line in (("badmailfrom", "s{}@spam.example\n"), ("badrcptto", "r{}@gone.example\n"), ("badhelo", "h{}.dyn.example\n"),
                           ("blackholedsender", "b{}@hole.example\n"), ("relaymailfrom", "f{}@relay.example\n")):
            for suffix in ("", ".cdb"):
                if os.path.exists(os.path.join(control, name + suffix)):
                    os.unlink(os.path.join(control, name + suffix))
            if how != "none":
                self.write(control, **{name: "".join(line.format(i) for i in range(100000))})
            if how == "cdb":
                sh([os.path.join(self.env["PREFIX"], "sbin/qmail-cdb"), name], env=dict(os.environ, CONTROLDIR=control))
                os.unlink(os.path.join(control, name))

    def hold(self, yes):
        for name in ("holdlocal", "holdremote"):
            self.write(self.env["CONTROLDIR"], **{name: int(yes)})
        self.send("-h")

    def empty_queue(self):
        """Away with all that is queued."""
        self.send("-d")
        wait(lambda: "down" in self.program("svstat", os.path.join(self.dir, "service/qmail-send.25")), "qmail-send to end")
        for kind in ("mess", "info", "done", "bounce"):
            for base, _, names in os.walk(self.queues):
                if f"/{kind}" in base[len(self.queues):]:
                    for name in names:
                        os.unlink(os.path.join(base, name))
        self.send("-u")

    def fill(self, n):
        """So many deferred messages, spread over the queues; the next attempts are hours away."""
        sys.path.insert(0, os.path.join(TOP, "tests/tools"))
        from fillqueue import fill
        queues = glob.glob(os.path.join(self.queues, "queue[0-9]*"))
        for queue in queues:
            fill(queue, n // len(queues), uid=pwd.getpwnam("qmailq").pw_uid, gid=grp.getgrnam("qmail").gr_gid)
            for base, _, names in os.walk(os.path.join(queue, "done")):
                for name in names:
                    shutil.chown(os.path.join(base, name), "qmails")

    def queued(self):
        return files_below(*glob.glob(os.path.join(self.queues, "queue*/info")))

    def pids(self):
        return tree(self.pid)


class Postfix:
    """Postfix from the distribution, its own virtual(8) delivery to a Maildir, defaults but for paths."""
    name = "postfix"
    syncs = True
    durable = "syncs the queue file before 250 and the mailbox file before it counts as delivered"

    def __init__(self):
        if not shutil.which("postfix"):
            raise FileNotFoundError("it is not installed")
        self.dir = os.path.join(WORK, "postfix")
        self.port = BASE + 2525
        self.maildir = os.path.join(self.dir, "mail", "u")
        self.rcpt = "u@virtual.example"
        self.etc = os.path.join(self.dir, "etc")
        self.sendmail = ["/usr/sbin/sendmail", "-C", self.etc]

    def main_cf(self, held, tls=False):
        with open(os.path.join(self.etc, "main.cf"), "w") as f:
            f.write(f"""compatibility_level = 3.6
queue_directory = {self.dir}/queue
data_directory = {self.dir}/data
maillog_file = {self.dir}/log
maillog_file_prefixes = {self.dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.example
mydestination =
mynetworks = 127.0.0.0/8
default_process_limit = {CONNECTIONS}
smtpd_client_connection_count_limit = 0
default_destination_concurrency_limit = 20
transport_maps = inline:{{ sink.example=smtp:[127.0.0.1]:{SINK} }}
virtual_mailbox_domains = virtual.example
virtual_mailbox_base = {self.dir}/mail
virtual_mailbox_maps = inline:{{ u@virtual.example=u/ }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1000
alias_maps =
smtpd_data_restrictions = {'check_client_access static:HOLD' if held else ''}
smtpd_tls_security_level = {'may' if tls else 'none'}
smtpd_tls_chain_files = {PEM if tls else ''}
smtp_tls_security_level = none
""")

    def start(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        for d in ("etc", "queue", "data", "mail"):
            os.makedirs(os.path.join(self.dir, d))
        shutil.chown(os.path.join(self.dir, "data"), "postfix")
        for d in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(self.maildir, d))
        for path in [os.path.join(self.dir, "mail"), self.maildir] + glob.glob(self.maildir + "/*"):
            os.chown(path, 65534, 65534)
        self.main_cf(False)
        master = open("/etc/postfix/master.cf" if os.path.exists("/etc/postfix/master.cf")
                      else "/usr/share/postfix/master.cf.dist").read()
        lines = [f"127.0.0.1:{self.port} inet n - n - - smtpd", "postlog unix-dgram n - n - 1 postlogd"]
        for line in master.splitlines():
            word = line.split()
            if len(word) >= 8 and word[0] in ("pickup", "cleanup", "qmgr", "tlsmgr", "rewrite", "bounce", "defer", "trace",
                                              "verify", "flush", "proxymap", "proxywrite", "smtp", "relay", "error", "retry",
                                              "discard", "local", "virtual", "lmtp", "anvil", "scache") and word[1] == "unix":
                word[4] = "n"
                lines.append(" ".join(word))
        with open(os.path.join(self.etc, "master.cf"), "w") as f:
            f.write("\n".join(lines) + "\n")
        sh(["postfix", "-c", self.etc, "start"])
        wait(lambda: port_open(self.port), "Postfix")
        self.pid = int(open(os.path.join(self.dir, "queue/pid/master.pid")).read())
        self.version = sh(["postconf", "-d", "-h", "mail_version"]).strip()

    def stop(self):
        sh(["postfix", "-c", self.etc, "stop"])

    def hold(self, yes):
        self.again(held=yes)

    def tls(self, yes):
        self.again(held=False, tls=yes)

    def again(self, **how):
        self.main_cf(**how)
        sh(["postfix", "-c", self.etc, "stop"])
        sh(["postfix", "-c", self.etc, "start"])
        wait(lambda: port_open(self.port), "Postfix")
        self.pid = int(open(os.path.join(self.dir, "queue/pid/master.pid")).read())

    def empty_queue(self):
        sh(["postsuper", "-c", self.etc, "-d", "ALL"])

    def queued(self):
        return files_below(*(os.path.join(self.dir, "queue", d) for d in ("maildrop", "incoming", "active", "deferred", "hold")))

    def pids(self):
        return tree(self.pid)
