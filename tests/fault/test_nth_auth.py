"""The n-th allocation, fork, exec or read of qmail-smtpd fails while a client logs in, for every n (nth.py): the right
password is at worst put off, the wrong one never let in."""
import base64, os, unittest

from box import BIN, FAULTY
from nth import Failures
from scram import Client
from smtpd import SmtpRoot, plain
from usersite import UserSite


class Site(SmtpRoot, UserSite):
    pass


def coded(text):
    return base64.b64encode(text.encode()).decode()


class NthAuth(unittest.TestCase):
    def setUp(self):
        self.root = Site()
        self.addCleanup(self.root.close)
        self.root.add_domain()
        self.root.ok("vadduser", "joe@example.com", "-", input=b"secret\n")
        self.auth = ["mail.example.com", os.path.join(BIN, "vchkpass"), "/bin/false"]

    def scram(self, s, password):
        c = Client("SCRAM-SHA-256", "joe@example.com", password)
        code, text = s.cmd("AUTH SCRAM-SHA-256 " + coded(c.first()))
        if code == 334:
            code, text = s.cmd(coded(c.final(base64.b64decode(text[0]).decode())))
        if code == 334:
            self.assertTrue(c.right(base64.b64decode(text[0]).decode()))
            code, text = s.cmd("")
        return code

    def plain(self, s, password):
        return s.cmd("AUTH PLAIN " + plain("joe@example.com", password))[0]

    def session(self, login, password, env):
        """The code a login ends with; 421 when the session ended before."""
        with self.root.smtp(self.auth, SECUREAUTH="0", **env) as s:
            try:
                if s.reply()[0] != 220 or s.cmd("EHLO x")[0] != 250:
                    return 421
                return login(s, password)
            except (EOFError, ConnectionError):
                return 421

    def judge(self, login, password, env):
        code = self.session(login, password, env)
        if password == "secret":
            self.assertTrue(code == 235 or code // 100 == 4, code)
        else:
            self.assertNotEqual(code, 235)

    def test_every(self):
        self.root.start_lookup()
        self.root.bin = FAULTY
        for login in (self.scram, self.plain):
            for password, code in (("secret", 235), ("wrong", 535)):
                failures = Failures(self.root.dir, "qmail-smtpd", ("malloc", "fork", "exec", "read"))
                for env in failures:
                    with self.subTest((login.__name__, password, str(failures))):
                        self.judge(login, password, env)
                self.assertEqual(self.session(login, password, {}), code)


if __name__ == "__main__":
    unittest.main()
