"""A MariaDB server of a test's own: files below /tmp, a socket and a port of its own, with TLS when asked. It can be
killed and started again. Runs as the caller, or, for root, as nobody."""
import ctypes, glob, os, shutil, signal, socket, subprocess, tempfile, time

from box import free_port, wait_for

USER, READER, PASSWORD, DATABASE = "indi", "reader", "se:cr\\et", "indimail"
# Without the kernel's own asynchronous input and output: the rings it wants are few where tests run beside each other.
QUICK = ["--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--skip-innodb-use-native-aio"]
QUOTED = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")  # as host.mysql wants it


class MariaDB:
    def __init__(self, tls=False):
        self.dir = tempfile.mkdtemp(prefix="indimail-mariadb-")
        self.root = os.geteuid() == 0
        self.socket, self.port = self.path("sock"), free_port()
        self.process = None
        self.tls = tls
        if tls:
            self.certificates()
        self.write("init.sql", f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'{' REQUIRE SSL' if tls else ''};\n"
                               f"GRANT ALL ON `{DATABASE}%`.* TO '{USER}'@'%';\n"
                               f"CREATE USER IF NOT EXISTS '{READER}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
                               f"GRANT SELECT ON `{DATABASE}%`.* TO '{READER}'@'%';\n".replace("\\", "\\\\"))
        if self.root:
            for base, dirs, files in os.walk(self.dir):
                for name in [base] + [os.path.join(base, n) for n in files]:
                    os.chown(name, 65534, 65534)
            os.chmod(self.dir, 0o755)
        self.bootstrap()
        self.start()

    def bootstrap(self):
        """The server's own tables, from its own scripts (mariadb-install-db wants the whole package)."""
        os.mkdir(self.path("data"))
        if self.root:
            os.chown(self.path("data"), 65534, 65534)
        sql = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
        for name in ("system_tables", "performance_tables", "system_tables_data"):
            found = glob.glob(f"/usr/share/m*/m*_{name}.sql")
            sql += open(sorted(found)[0]).read()
        p = subprocess.run(["mariadbd", "--no-defaults", "--bootstrap", f"--datadir={self.path('data')}", *QUICK, *self.here()],
                           input=sql.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.dir)
        if p.returncode:
            shutil.rmtree(self.dir)
            raise AssertionError(f"mariadbd --bootstrap ended with {p.returncode}: {p.stderr.decode(errors='replace')}")

    def here(self):
        """Temporary files of its own: a server that starts removes those it finds, whosesoever they are."""
        return [f"--tmpdir={self.path('data')}"] + (["--user=nobody"] if self.root else [])

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def openssl(self, *argv):
        subprocess.run(["openssl", *argv], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=self.dir)

    def certificates(self):
        """An authority, the server's certificate for 127.0.0.1, and another authority that has nothing to do with it."""
        for name in ("ca", "other"):
            self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name} of a test", "-keyout",
                         f"{name}.key", "-out", f"{name}.pem")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
        self.write("server.ext", "subjectAltName=IP:127.0.0.1\n")
        self.openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                     "-extfile", "server.ext", "-out", "server.pem")

    def start(self):
        argv = ["mariadbd", "--no-defaults", f"--datadir={self.path('data')}", f"--socket={self.socket}", f"--port={self.port}",
                "--bind-address=127.0.0.1", "--skip-name-resolve", *QUICK,
                f"--pid-file={self.path('pid')}", f"--init-file={self.path('init.sql')}", *self.here()]
        if self.tls:
            argv += [f"--ssl-ca={self.path('ca.pem')}", f"--ssl-cert={self.path('server.pem')}", f"--ssl-key={self.path('server.key')}"]
        self.log = open(self.path("log"), "ab")
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=self.log, cwd=self.dir)
        wait_for(self.answers, 60, "MariaDB to answer: " + self.path("log"))

    def answers(self):
        """It greets whoever connects."""
        if self.process.poll() is not None:
            raise AssertionError(open(self.path("log"), errors="replace").read()[-3000:])
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as s:
                return len(s.recv(5)) == 5
        except OSError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def freeze(self):
        """All its threads: one that had begun may still answer after the signal."""
        self.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: set(self.threads()) == {"T"}, what="the server to stop")

    def threads(self):
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/stat"):
            with open(path) as f:
                yield f.read().rsplit(")", 1)[1].split()[0]

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def host(self, end=None, password=QUOTED):
        """As control/host.mysql says it: by the socket, or what end says."""
        return f"127.0.0.1:{USER}:{password}:{end or self.socket}"

    def use(self, site, database=DATABASE):
        """Let a UserSite keep its users here, in a database of this name (its variable, not a file, says so)."""
        site.control("host.mysql", self.host() + "\n")
        path = site.path("control", "host.mysql")
        os.chmod(path, 0o600)
        if site.ids:
            os.chown(path, 65534, 65534)
        env = site.env
        site.env = lambda **extra: env(**{"MYSQL_DATABASE": database, **extra})

    def where(self, database, end=None, **options):
        """As sql_mysql.c says it."""
        lines = {"host": self.host(end), "database": database, **options}
        return "".join(f"{k} {v}\n" for k, v in lines.items())

    def sql(self, *statements, database=None):
        """Run statements by the client library, as bytes; the rows of the last one, as tuples of bytes or None."""
        lib = ctypes.CDLL("libmariadb.so.3")
        for name, result in (("init", ctypes.c_void_p), ("real_connect", ctypes.c_void_p), ("store_result", ctypes.c_void_p), ("error", ctypes.c_char_p),
                             ("fetch_row", ctypes.POINTER(ctypes.c_void_p)), ("fetch_lengths", ctypes.POINTER(ctypes.c_ulong)), ("num_fields", ctypes.c_uint)):
            getattr(lib, "mysql_" + name).restype = result
        db, rows = ctypes.c_void_p(lib.mysql_init(None)), []
        text = lambda s: s if s is None or isinstance(s, bytes) else s.encode()
        try:
            connected = lib.mysql_real_connect(db, b"localhost", text(USER), text(PASSWORD), text(database), 0, text(self.socket), ctypes.c_ulong(0))
            for s in ["SET NAMES utf8mb4", *statements] if connected else ():
                if lib.mysql_real_query(db, text(s), ctypes.c_ulong(len(text(s)))):
                    raise AssertionError(f"{lib.mysql_error(db).decode()}: {s[:300]}")
                result, rows = ctypes.c_void_p(lib.mysql_store_result(db)), []
                while result and (row := lib.mysql_fetch_row(result)):
                    n, lengths = lib.mysql_num_fields(result), lib.mysql_fetch_lengths(result)
                    rows.append(tuple(ctypes.string_at(row[i], lengths[i]) if row[i] else None for i in range(n)))
                if result:
                    lib.mysql_free_result(result)
            if not connected:
                raise AssertionError(lib.mysql_error(db).decode())
        finally:
            lib.mysql_close(db)
        return rows

    def close(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
