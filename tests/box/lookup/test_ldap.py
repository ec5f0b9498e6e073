"""ldap-checkpwd against a real slapd on loopback, with TLS and without."""
import os, subprocess, unittest

from box import free_port, listening, wait_for
from usersite import UserSite

SLAPD, SLAPADD = "/usr/sbin/slapd", "/usr/sbin/slapadd"

CONFIG = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {dir}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
database mdb
suffix "o=test"
rootdn "cn=reader,o=test"
rootpw readerpass
directory {dir}/ldap
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous {anonymous}
"""

ENTRY = """dn: uid={uid},{base}
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: dcObject
uid: {uid}
dc: {dc}
cn: {uid}
sn: {uid}
mail: {uid}@{dc}
uidNumber: {number}
gidNumber: {number}
homeDirectory: /home/{uid}
{more}
"""


@unittest.skipUnless(os.path.exists(SLAPD), "package slapd is not installed")
class LdapCheckpwd(unittest.TestCase):
    anonymous = "none"

    def setUp(self):
        self.site = UserSite()
        self.addCleanup(self.site.close)
        self.ca = self.site.path("certs", "ldap.crt")
        self.certificate("IP:127.0.0.1")
        os.mkdir(self.site.path("ldap"))
        if self.site.ids:
            os.chown(self.site.path("ldap"), 65534, 65534)
            os.chown(self.site.dir, 65534, 65534)
        self.write("slapd.conf", CONFIG.format(dir=self.site.dir, cert=self.ca, key=self.ca[:-4] + ".key", anonymous=self.anonymous))
        entry = lambda uid, number, dc="example.com", more="", base="o=test": ENTRY.format(uid=uid, number=number, dc=dc, more=more, base=base)
        self.write("data.ldif", "\n".join([
            "dn: o=test\nobjectClass: organization\no: test\n", "dn: ou=deep,o=test\nobjectClass: organizationalUnit\nou: deep\n",
            entry("alice", 4001, more="userPassword: secret\n"), entry("bob", 4002, more="userPassword: p\u00e4ss ' \" * )(\n"),
            entry("nopass", 4003), entry("rooted", 0, more="userPassword: secret\n"),
            entry("twin", 4004, more="userPassword: secret\n"), entry("twin", 4005, more="userPassword: secret\n", base="ou=deep,o=test"),
            entry("deep", 4006, dc="deep.example", more="userPassword: secret\n", base="ou=deep,o=test")]))
        subprocess.run([SLAPADD, "-f", self.site.path("slapd.conf"), "-l", self.site.path("data.ldif")], check=True, capture_output=True,
                       **self.site.ids)
        self.port, self.tls_port = free_port(), free_port()
        self.start()
        self.settings = {"LDAP_HOST": "127.0.0.1", "LDAP_PORT": str(self.port), "LDAP_CA": self.ca, "LDAP_BASE": "o=test",
                         "LDAP_BIND_DN": "cn=reader,o=test", "LDAP_BIND_PASSWD": "readerpass"}

    def certificate(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=ldap", "-addext", "subjectAltName=" + name, "-keyout", self.ca[:-4] + ".key", "-out", self.ca],
                       check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.ca[:-4] + ".key", 0o644)

    def start(self):
        self.log = open(self.site.path("slapd.log"), "ab")
        self.addCleanup(self.log.close)
        self.server = self.site.spawn([SLAPD, "-f", self.site.path("slapd.conf"), "-d", "0", "-h",
                                       f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"], stderr=self.log, stdout=self.log)
        wait_for(lambda: self.server.poll() is not None or (listening(self.port) and listening(self.tls_port)), what="slapd")
        self.assertIsNone(self.server.poll(), open(self.site.path("slapd.log")).read())

    def write(self, name, text):
        with open(self.site.path(name), "w") as f:
            f.write(text)

    def check(self, user, password, *argv, tail=b"\0", **env):
        p = self.site.checker(["ldap-checkpwd", *argv], user.encode() + b"\0" + password.encode() + b"\0" + tail, **{**self.settings, **env})
        self.assertNotIn(b"secret", p.stderr)
        self.assertNotIn(b"readerpass", p.stderr)
        return p

    def test_verdicts(self):
        for user, password, code in (("alice@example.com", "secret", 0), ("alice@example.com", "wrong", 1), ("alice@example.com", "", 1),
                                     ("alice@other.example", "secret", 1), ("alice", "secret", 1), ("nobody@example.com", "secret", 1),
                                     ("bob@example.com", "p\u00e4ss ' \" * )(", 0), ("bob@example.com", "*", 1), ("nopass@example.com", "x", 1),
                                     ("*@example.com", "secret", 1), ("alice)(uid=*@example.com", "secret", 1), ("al*@example.com", "secret", 1),
                                     ("../alice@example.com", "secret", 1), ("alice@*", "secret", 1), ("twin@example.com", "secret", 111)):
            p = self.check(user, password)
            self.assertEqual(p.returncode, code, (user, password, p.stderr))
        self.assertEqual(self.check("alice", "secret", DEFAULT_DOMAIN="example.com").returncode, 0)
        self.assertEqual(self.check("alice@example.com", "challenge", tail=b"digest\0\x03\0").returncode, 1)
        self.assertEqual(self.check("alice@example.com", "secret", LDAP_FILTER="(mail=%e)").returncode, 0)
        self.assertEqual(self.check("twin@example.com", "secret", LDAP_SCOPE="one").returncode, 0)
        self.assertEqual(self.check("deep@deep.example", "secret").returncode, 0)
        self.assertEqual(self.check("deep@deep.example", "secret", LDAP_SCOPE="one").returncode, 1)

    def test_tls(self):
        good = ("alice@example.com", "secret", "/bin/true")
        ldaps = {"LDAP_TLS": "ldaps", "LDAP_PORT": str(self.tls_port)}
        for env in (ldaps, {"LDAP_TLS": "StartTLS"}, {"LDAP_TLS": "none"}):
            self.assertEqual(self.check(*good, **env).returncode, 0, env)
        for env in ({"LDAP_CA": None}, {"LDAP_HOST": "127.0.0.2"}, {"LDAP_TLS": "sometimes"}, {"LDAP_TLS": "ldaps"}, {"LDAP_CA": "/no/such/file"}):
            p = self.check(*good, **env)
            self.assertEqual((p.returncode, p.stderr.count(b"\n")), (111, 1), (env, p.stderr))
        # a certificate that we trust, for another host
        self.certificate("IP:127.0.0.3")
        self.server.terminate()
        self.server.wait(10)
        self.start()
        for env in (ldaps, {}):
            p = self.check(*good, **env)
            self.assertEqual((p.returncode, p.stderr.count(b"\n")), (111, 1), (env, p.stderr))

    def test_trouble(self):
        good = ("alice@example.com", "secret", "/bin/true")
        for env in ({"LDAP_BIND_PASSWD": "wrong"}, {"LDAP_BIND_PASSWD": None}, {"LDAP_BASE": "o=elsewhere"}, {"LDAP_FILTER": "(uid=%z)"},
                    {"LDAP_FILTER": "(uid=%u"}, {"LDAP_SCOPE": "deep"}, {"LDAP_PORT": str(free_port())}, {"LDAP_PORT": "x"}):
            p = self.check(*good, **env)
            self.assertEqual((p.returncode, p.stderr.count(b"\n")), (111, 1), (env, p.stderr))

    def test_control_files(self):
        for variable, value in self.settings.items():
            self.site.control(variable.lower(), value + "\n")
        self.settings = {}
        self.assertEqual(self.check("alice@example.com", "secret").returncode, 0)

    def test_chain(self):
        self.assertEqual(self.check("alice@example.com", "wrong", "sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.check("alice@example.com", "wrong", "/bin/true").returncode, 1)
        show = ("sh", "-c", 'echo "$USER $HOME $userdb_uid $userdb_gid"')
        self.assertEqual(self.check("alice@example.com", "secret", "-e", *show).stdout, b"alice@example.com /home/alice 4001 4001\n")
        self.assertEqual(self.check("alice@example.com", "secret", *show, NATIVE_CHECKPASSWORD="1").stdout, b"alice@example.com /home/alice 4001 4001\n")
        self.assertEqual(self.check("rooted@example.com", "secret", "-e", *show).returncode, 111)
        self.assertEqual(self.check("alice@example.com", "secret", "-e", *show, LDAP_FIELD_UID="sn").returncode, 111)


class Anonymous(LdapCheckpwd):
    """A directory that anybody may search."""
    anonymous = "read"

    def setUp(self):
        super().setUp()
        self.settings["LDAP_BIND_DN"] = self.settings["LDAP_BIND_PASSWD"] = None

    test_trouble = test_control_files = test_tls = test_chain = None


if __name__ == "__main__":
    unittest.main()
