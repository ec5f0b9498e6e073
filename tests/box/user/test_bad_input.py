"""Bad input: every hostile text in every field of every program of the user family. It is refused, and nothing has
changed; or it is stored exactly. It is never carried out, by a shell, the database, or a path. And homes whose
users mean ill."""
import os, shutil, sqlite3, unittest

from usersite import HASH, UserSite

TEXTS = [
    b"", b" ", b"a b", b"'", b'"', b"x'; drop table users; --", b"x' or '1'='1", b"$(touch canary)`touch canary`", b"a;touch canary|touch canary&", b"x\ntouch canary\n",
    b"../../canary", b"..", b"/", b"a/b", b"-x", b"\xc3\xa9", b"\xff\xfe", b"a\x01b", b"%s%n*\\", b"a:b", b"a@b@c", b"x" * 65, b"x" * 3000,
]
HASHED = HASH.encode() + b"\n"
A, D = "alice@example.com", "example.com"


def user(column):
    return "SELECT %s FROM users WHERE name = 'alice'" % column


# Program and arguments, where {} stands for the text; "in": its standard input; "sql": where what was taken over is to
# be found, whole; "may": a success may change something else; "spare": what is no bad input there.
ROWS = [
    dict(run="vadddomain -e {} -", sql="SELECT domain FROM domains WHERE domain <> 'example.com'"),
    dict(run="vadddomain -e -B {} new.example -", sql="SELECT base_path FROM domains WHERE domain = 'new.example'", spare=b"/"),
    dict(run="vadddomain -e -E {} new.example -", may=True),
    *[dict(run=f"vadddomain -e -{o} {{}} new.example -", may=True) for o in "duigql"],
    dict(run="vadddomain new.example -", input=b"{}\n", may=True),
    dict(run="vadddomain -t {}", may=True),
    dict(run="vdeldomain -T {}"),
    *[dict(run=f"vmoduser -{o} {{}} -P - {A}", input=b"new one\n", may=True) for o in "mI"],
    *[dict(run=f"vmoddomain -{o} {{}} {D}") for o in "lfH"],
    dict(run=f"vmoddomain -h {{}} {D}", may=True),
    dict(run="vmoddomain -l 1 {}"),
    dict(run=f"vaddaliasdomain {{}} {D}", sql="SELECT alias FROM aliasdomain"),
    dict(run="vaddaliasdomain new.example {}"),
    dict(run=f"vrenamedomain {D} {{}}", sql="SELECT domain FROM domains"),
    dict(run="vrenamedomain {} new.example"),
    *[dict(run=p + " {}") for p in ("vdeldomain", "vdominfo", "vdominfo --client-config", "vdominfo --check", "printdir", "vlimit -s", "vlimit -D", "vlimit -P 5",
                                    "vcalias", "vcaliasrev.sh", "resetquota", "vuserinfo", "vdeluser", "valias -s", "valias -S", "vcfilter -s", "vapppass -l",
                                    "vtotp -s", "vtotp -d", "vatrn -s", "qmail-sql -s", "vdeloldusers -n -d", "vreorg -n -d", "vconvert -n", "vtable",
                                    "install_tables", "execmysql -d", "qmail-getpw", "vfilter", "updaterules", "clearopensmtp", "vipmap")],
    dict(run="vfstab -l {}", sql="SELECT filesystem FROM fstab"),
    *[dict(run=p.replace("@", to)) for to in (f"{{}}@{D}", "alice@{}") for p in (
        "vuserinfo @", "vdeluser @", "vsetuserquota @ 1M", "vmoduser -c x @", "vmoduser -n @", "vmoveuserdir -n @ /tmp", "vapppass -l @", "vapppass -d x @", "vtotp -s @",
        "vtotp -d @", "valias -s @", "vcfilter -s @", "vcfilter -d 1 @", "vlimit -P 5 @", "vacation @ -", "resetquota @", f"vrenameuser @ new@{D}", "vgroup -i &x@y.example @",
        "vfilter @", "vgroup -d &x@y.example @")],
    dict(run=f"vadduser -e {{}}@{D} -", sql="SELECT name FROM users WHERE name NOT IN ('alice', 'bob', 'postmaster', 'staff')"),
    dict(run="vadduser -e new@{} -"),
    dict(run=f"vadduser -e -c {{}} new@{D} -", sql="SELECT gecos FROM users WHERE name = 'new'"),
    *[dict(run=f"vadduser -e -{o} {{}} new@{D} -", may=True) for o in "qBl"],
    dict(run=f"vadduser new@{D} -", input=b"{}\n", may=True),
    dict(run=f"vadduser -e new@{D} -", input=b"{}\n"),
    dict(run=f"vaddusers {D}", input=b"{}\n", may=True),
    dict(run=f"vaddusers {D}", input=b"new:{}:c\n", may=True),
    dict(run="vaddusers {}", input=b"new:" + HASHED),
    dict(run=f"vpasswd {A} -", input=b"{}\n", may=True),
    dict(run=f"vpasswd -e {A} -", input=b"{}\n"),
    *[dict(run=f"vpasswd -e {to} -") for to in (f"{{}}@{D}", "alice@{}")],
    dict(run=f"vmoduser -c {{}} {A}", sql=user("gecos")),
    dict(run=f"vmoduser -P {{}} {A}", may=True),
    dict(run=f"vmoduser -e -P {{}} {A}", sql=user("hash")),
    dict(run=f"vmoduser -q 5M -e -P {{}} {A}", may=True),
    dict(run=f"vmoduser -c x -l {{}} {A}", may=True),
    *[dict(run=f"vmoduser -{o} {{}} {A}", may=o == "l") for o in "qhl"],
    dict(run=f"vsetuserquota {A} {{}}", may=True),
    dict(run=f"vrenameuser {A} {{}}@{D}", sql="SELECT name FROM users WHERE name NOT IN ('bob', 'postmaster', 'staff')"),
    dict(run=f"vrenameuser {A} new@{{}}"),
    dict(run=f"vmoveuserdir -n {A} {{}}"),
    dict(run=f"vgroup -a -e {{}}@{D} -", sql="SELECT name FROM users WHERE name NOT IN ('alice', 'bob', 'postmaster', 'staff')"),
    dict(run=f"vgroup -a -e -c {{}} new@{D} -", sql="SELECT substr(gecos, 11) FROM users WHERE name = 'new'"),
    dict(run=f"vgroup -a -e -q {{}} new@{D} -", may=True),
    dict(run=f"vgroup -i {{}} staff@{D}", sql="SELECT valias_line FROM valias WHERE alias = 'staff' AND valias_line <> '&bob@example.com'"),
    dict(run=f"vgroup -u {{}} -o &bob@example.com staff@{D}", sql="SELECT valias_line FROM valias WHERE alias = 'staff'"),
    dict(run=f"vgroup -d {{}} staff@{D}"),
    dict(run=f"valias -i {{}} new@{D}", sql="SELECT valias_line FROM valias WHERE alias = 'new'"),
    dict(run=f"valias -i &bob@{D} {{}}@{D}", sql=f"SELECT alias FROM valias WHERE valias_line = '&bob@{D}' AND alias <> 'staff'"),
    dict(run=f"valias -i &bob@{D} new@{{}}"),
    dict(run=f"valias -d {{}} staff@{D}"),
    dict(run=f"valias -u &bob@{D} -i {{}} staff@{D}", sql="SELECT valias_line FROM valias WHERE alias = 'staff'"),
    dict(run=f"valias -u {{}} -i &x@y.example staff@{D}"),
    *[dict(run=f"vcfilter -i -{o} {{}} {rest} {A}", sql=f"SELECT {column} FROM filters WHERE name = 'alice'") for o, column, rest in (
        ("t", "filter_name", "-h subject -k x"), ("h", "header_name", "-k x"), ("k", "keyword", "-h subject"), ("f", "destination", "-h subject -k x"),
        ("b", "bounce_action", "-h subject -k x"))],
    dict(run=f"vcfilter -i -c {{}} -h subject -k x {A}"),
    dict(run=f"vcfilter -i -c regex -h subject -k {{}} {A}", sql="SELECT keyword FROM filters WHERE name = 'alice'"),
    dict(run=f"vcfilter -i -h subject -k x {{}}@{D}", sql="SELECT name FROM filters"),
    dict(run="vcfilter -i -h subject -k x alice@{}"),
    *[dict(run=f"vcfilter -{o} {{}} -h subject -k x {A}") for o in "du"],
    dict(run=f"vapppass -a {{}} {A}", sql="SELECT label FROM app_passwords"),
    dict(run=f"vapppass -a x -s {{}} {A}"),
    dict(run=f"vapppass -d {{}} {A}"),
    *[dict(run=f"vapppass -a x {to}") for to in (f"{{}}@{D}", "alice@{}")],
    *[dict(run=f"vtotp -a {to}") for to in (f"{{}}@{D}", "alice@{}")],
    dict(run=f"vtotp -a {A}", input=b"{}\n"),
    *[dict(run=f"vatrn -i {d} {to}", sql="SELECT %s FROM atrn_map" % c) for d, to, c in (("{}", A, "domain_list"), ("x.example", f"{{}}@{D}", "pw_name"),
                                                                                          ("x.example", "alice@{}", "pw_domain"))],
    dict(run=f"vipmap -i {{}} {D}", sql="SELECT ipaddr FROM ip_alias_map"),
    dict(run="vipmap -i 192.0.2.1 {}"),
    *[dict(run=f"vlimit -{o} {{}} {D}", may=True) for o in "entNQMqmPAFRLpafrluoxzg"],
    dict(run="vfstab -i -n {} -q 1 -m host /fs"),
    dict(run="vfstab -i -n 1 -q {} -m host /fs"),
    dict(run="vfstab -i -n 1 -q 1 -m {} /fs", sql="SELECT host FROM fstab"),
    dict(run="vfstab -i -n 1 -q 1 -m host {}", sql="SELECT filesystem FROM fstab"),
    dict(run="vfstab -o {} -m host /fs"),
    dict(run=f"vacation {A} {{}}", may=True),
    dict(run=f"vacation {A} +", input=b"{}", may=True),
    dict(run=f"vacation {{}}@{D} +", input=b"x\n"),
    dict(run="vbulletin -f {} " + D),
    dict(run="vbulletin -a -f {} " + D),
    dict(run="vbulletin -n -f {message} {}"),
    dict(run="vbulletin -a -f {message} {}"),
    *[dict(run=f"vbulletin -n -{o} {{}} -f {{message}} {D}") for o in "eS"],
    *[dict(run=f"vdeloldusers -n -{o} {{}} -d {D}") for o in "autms"],
    dict(run=f"vreorg -n -l {{}} -d {D}"),
    dict(run=f"vreorg -n -d {D} -", input=b"{}\n"),
    dict(run="vconvert -n {} mysql"),
    *[dict(run=f"resetquota -{o} {{}} {{home}}/Maildir") for o in "ugqp"],
    dict(run="qmail-sql -i {} list", sql="SELECT entry FROM address_lists"),
    dict(run="qmail-sql -i x@y.example {}", sql="SELECT list FROM address_lists"),
    dict(run="qmail-sql -d {} list"),
    dict(run="qmail-sql -r {} list"),
    dict(run="postdel -u {} -r x@y.example", input=b"Subject: x\n\n"),
    dict(run=f"postdel -u {A} -r {{}}", input=b"Subject: x\n\n"),
    dict(run="vdelivermail x{} delete"),
]


class BadInput(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.site = s = UserSite()
        self.addCleanup(s.close)
        s.add_domain()
        for name in ("alice", "bob"):
            s.add_user(name, "-d")
        s.ok("vgroup", "-a", "-e", "staff@example.com", "-", input=HASHED)
        s.ok("vgroup", "-i", "&bob@example.com", "staff@example.com")
        with open(s.path("message"), "wb") as f:
            f.write(b"Subject: x\n\nx\n")
        self.home = s.home(A)
        self.before = self.state()
        self.kept = s.dir + ".kept"
        self.addCleanup(shutil.rmtree, self.kept, ignore_errors=True)
        self.copy(s.dir, self.kept)

    PLACES = ("control", "domains", "mail", "users", "userdb", "tcp", "alias")

    def copy(self, source, target, places=PLACES):
        for place in places:
            top = os.path.join(target, place)
            shutil.rmtree(top, ignore_errors=True)
            shutil.copytree(os.path.join(source, place), top, symlinks=True)
            for base, dirs, files in os.walk(top) if self.site.ids else ():
                for path in [base] + [os.path.join(base, name) for name in dirs + files]:
                    os.lchown(path, 65534, 65534)

    def rows(self):
        """Every row of every table."""
        with sqlite3.connect(self.site.db_path()) as db:
            db.text_factory = bytes
            tables = [t.decode() for t, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = {t: sorted(db.execute(f"SELECT * FROM {t}").fetchall(), key=repr) for t in tables}
        db.close()
        return rows

    def files(self):
        found = {}
        for base, dirs, files in os.walk(self.site.dir):
            for name in dirs + files:
                path = os.path.join(base, name)
                if "userdb" in path or "/users/." in path or "/run" in path:  # locks
                    continue
                found[path] = open(path, "rb").read() if os.path.isfile(path) and not os.path.islink(path) else b""
        return found

    def state(self):
        return self.rows(), self.files()

    def one(self, row, text):
        place = lambda part: part.replace(b"{message}", os.fsencode(self.site.path("message"))).replace(b"{home}", os.fsencode(self.home)).replace(b"{}", text)
        argv = [row["run"].split(" ")[0]] + [place(os.fsencode(a)) for a in row["run"].split(" ")[1:]]
        where = (row["run"], text[:40])
        p = self.site.run(argv, input=row.get("input", HASHED).replace(b"{}", text))
        self.assertIn(p.returncode, (0, 1, 64, 67, 75, 100, 111), (where, p.stderr))
        for said in (b"syntax error", b"unrecognized token", b"no such table", b"near \"", b"not found\n"):
            self.assertNotIn(said, p.stderr, where)
        after, files = self.state()
        self.assertEqual([f for f in files if "canary" in f.rsplit("/", 1)[1] and f not in self.before[1]], [], where)
        if (after, files) == self.before:
            return 0
        self.assertEqual(p.returncode, 0, (where, p.stderr, "something has changed"))
        self.assertEqual(after.keys(), self.before[0].keys(), where)
        self.assertTrue("sql" in row or row.get("may"), (where, "what should change nothing has changed something"))
        if "sql" in row:
            with sqlite3.connect(self.site.db_path()) as db:
                db.text_factory = bytes
                self.assertEqual(db.execute(row["sql"]).fetchall(), [(text,)], where)
            db.close()
        new = [os.path.relpath(f, self.site.dir) for f in files if f not in self.before[1]]
        self.assertEqual([f for f in new if f.split("/")[0] not in self.PLACES], [], where)
        self.copy(self.kept, self.site.dir, self.PLACES if files != self.before[1] else ("userdb",))
        return 1

    def test_every_field(self):
        taken, wrong = 0, []
        for row in ROWS:
            for text in TEXTS:
                if text == row.get("spare"):
                    continue
                try:
                    taken += self.one(row, text)
                except AssertionError as e:
                    wrong.append(str(e))
                    self.copy(self.kept, self.site.dir)
        self.assertEqual("\n".join(wrong), "")
        self.assertGreater(taken, 100)  # what is odd but harmless is taken

    def test_hostile_home(self):
        """What a user may put in a home: a delivery waits for nothing, follows nothing, and goes nowhere else."""
        s = self.site
        s.start_lookup("-i", "1", "-p", "1")
        secret, maildir = s.path("run", "secret"), self.home + "/Maildir"
        elsewhere = s.path("run", "elsewhere")
        os.mkdir(elsewhere)
        with open(secret, "w") as f:
            f.write("keep\n")
        for path in (elsewhere, secret):
            os.chmod(path, 0o777)

        def text(data):
            def write(path):
                with open(path, "wb") as f:
                    f.write(data)
            return write
        link = lambda target: lambda path: os.symlink(target, path)
        qmail = [os.mkfifo, os.mkdir, link(secret), link("/dev/zero"), link("/nonexistent"), link(".qmail"), text(b"\0\0\0\n"), text(b"x" * 100000), text(b"/\n"),
                 text(b"/dev/null\n"), text(b"./Maildir/\n"), text(b"&\n"), text(b"&-x\n"), text(b"\xff\xfe\n"), text(b"|\n"), text(b"|exit 99\n"), text(b"|exit 7\n"),
                 text(b"/../../../../etc/\n"), text(b"#\n" * 5000), text(b"alice@example.com\n" * 1000)]
        inside = [os.mkfifo, link(secret), link(elsewhere), link("/dev/zero"), link("/nonexistent"), text(b"\0")]
        places = [(".qmail", qmail)] + [("Maildir/" + n, inside) for n in ("maildirsize", "new", "tmp", "cur", "QuotaWarn", "deliveryCount", "dupmd5", "BulkMail", ".Spam",
                                                                      "noprefilt", "maildirfolder", "vfilter")] + [("Maildir", inside)]
        for place, makers in places:
            for i, make in enumerate(makers):
                path = os.path.join(self.home, place)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                elif os.path.lexists(path):
                    os.unlink(path)
                make(path)
                if s.ids:
                    os.lchown(path, 65534, 65534)
                p = s.deliver("alice", QUOTAWARN1="1", OVERQUOTA_CMD="/bin/true", MAILCOUNT_LIMIT="1000", ELIMINATE_DUPS="1", MAILDIRFOLDER="Spam" if "Spam" in place else "")
                self.assertIn(p.returncode, (0, 100, 111), (place, i, p.stderr))
                self.assertEqual(open(secret).read(), "keep\n", (place, i))
                if place != "Maildir":
                    self.assertEqual([f for _, _, names in os.walk(elsewhere) for f in names if "maildirsize" in f], [], (place, i))
                self.assertFalse(os.path.exists("/etc/new"), (place, i))
                self.copy(self.kept, s.dir)
        # and what looks at it without delivering
        for place in ("Maildir", "Maildir/new", "Maildir/maildirsize"):
            for make in inside:
                path = os.path.join(self.home, place)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                elif os.path.lexists(path):
                    os.unlink(path)
                make(path)
                if s.ids:
                    os.lchown(path, 65534, 65534)
                for argv in (["vuserinfo", "-m", A], ["resetquota", A], ["vsetuserquota", A, "1M"], ["vdeloldusers", "-d", D, "-a", "1", "-r"],
                             ["vbulletin", "-f", s.path("message"), D], ["vcfilter", "-i", "-h", "x", "-k", "y", A]):
                    p = s.run(argv)
                    self.assertIn(p.returncode, (0, 1, 100, 111), (argv, place, p.stderr))
                    self.assertEqual(open(secret).read(), "keep\n", (argv, place))
                self.copy(self.kept, s.dir)

    def test_questions(self):
        """What inlookup is asked by anybody."""
        self.site.start_lookup("-i", "1", "-p", "1")
        for op in ("user", "account", "alias", "domain", "filters", "atrn", "relay", "scram-first"):
            for text in TEXTS:
                for address in (text, text + b"@example.com", b"alice@" + text):
                    p = self.site.run(["inquerytest", "-q", op, "--", address], input=b"secret\n")
                    # user+detail and the like apart nobody has such a name; of scram-first everybody gets an answer
                    none = p.stdout == b"ok\n\n" if op == "filters" else op == "scram-first"  # nobody's: no home, and no rules
                self.assertIn(p.returncode, (0, 1, 100) if none else (1, 100), (op, address[:40], p.stdout, p.stderr))
        self.assertEqual(self.rows(), {**self.before[0], "secrets": self.rows()["secrets"]})

    def test_every_program(self):
        """Each that works on the user database is in the table."""
        from box import TOP
        known = {row["run"].split(" ")[0] for row in ROWS} | {"vdelivermail", "ismaildup", "maildirmake", "qmaildirmake", "qmail-newu", "vaddusers"}
        programs = [l.split() for l in open(os.path.join(TOP, "src", "PROGRAMS")) if " prog/user/" in l]
        self.assertEqual([p[0] for p in programs if p[0] not in known], [])


if __name__ == "__main__":
    unittest.main()
