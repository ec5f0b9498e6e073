"""Plugins of qmail-smtpd: what they are told, what their answers do, and that what goes wrong with one is one
client's trouble; plugtest, which asks the same."""
import json, os, shutil, subprocess, unittest
from box import SOURCE, wait_for
from smtpd import SmtpRoot

# Does what the local part of the sender or recipient says; the message of sender data is refused.
PLUGIN = r"""#include "smtp/smtpd_plugin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int calls, refuse_data;
const int smtpd_plugin_version = SMTPD_PLUGIN_VERSION + VERSION;
static int is(const char *a, const char *word) { return !strncmp(a, word, strlen(word)) && a[strlen(word)] == '@'; }
static int act(const char *a, char **reply) {
  if (is(a, "accept")) return 0;
  if (is(a, "deny")) { *reply = "550 5.1.8 not that\r\n"; return 1; }
  if (is(a, "many")) { *reply = "553-one\r\n553-two\r\n553 three\r\n"; return -1; }
  if (is(a, "later")) { *reply = "450 4.2.0 not yet\r\n"; return 1; }
  if (is(a, "bye")) { *reply = "421 4.7.0 enough\r\n"; return 1; }
  if (is(a, "mute")) return 1;
  if (is(a, "odd")) { *reply = "250 2.0.0 ok\r\n250 inject\r\n"; return 1; }
  if (is(a, "dead")) abort();
  if (is(a, "leave")) _exit(0);
  if (is(a, "hang")) for (;;) pause();
  if (is(a, "noise")) for (int i = 3; i < 10; ++i) (void)!write(i, "0:,9999999999:", 14);
  if (is(a, "print")) printf("hello from a plugin\n");
  return 0;
}
static int mail(const char *ip, const char *from, char **reply) {
  fprintf(stderr, "plugin NAME: mail %s <%s> call %d TCPLOCALPORT=%s\n", ip, from, ++calls, getenv("TCPLOCALPORT"));
  refuse_data = is(from, "data");
  return act(from, reply);
}
static int rcpt(const char *ip, const char *from, const char *to, char **reply) {
  fprintf(stderr, "plugin NAME: rcpt %s <%s> <%s>\n", ip, from, to);
  return act(to, reply);
}
static int data(const char *local, const char *ip, const char *host, const char *info, char **reply) {
  fprintf(stderr, "plugin NAME: data %s %s %s <%s>\n", local, ip, host, info);
  *reply = refuse_data ? "554 5.6.0 I have read it\r\n" : 0;
  return refuse_data;
}
static struct smtpd_plugin hooks = {mail, rcpt, data};
struct smtpd_plugin *plugin_init(void);
struct smtpd_plugin *plugin_init(void) { setvbuf(stdout, 0, _IONBF, 0); return &hooks; }
struct smtpd_plugin *only_mail(void);
struct smtpd_plugin *only_mail(void) { hooks.rcpt = 0; hooks.data = 0; return &hooks; }
struct smtpd_plugin *not_now(void);
struct smtpd_plugin *not_now(void) { return 0; }
"""


def build(path, name, version=0):
    subprocess.run(["cc", "-shared", "-fPIC", "-I" + SOURCE + "/src", f"-DVERSION={version}", "-x", "c", "-", "-o", path],
                   input=PLUGIN.replace("NAME", name).encode(), check=True)


class PluginCase(unittest.TestCase):
    def setUp(self):
        self.root = SmtpRoot(self.resident)
        self.addCleanup(self.root.close)
        self.dir = self.root.path("plugins")
        os.mkdir(self.dir)
        self.vars = dict(PLUGINDIR=self.dir, SMTP_PLUGIN_TIMEOUT="5")

    def build(self, name="smtpd-plugin.so", version=0):
        build(self.root.path("plugins", name), name, version)


@unittest.skipUnless(shutil.which("cc"), "no compiler")
class Plugins(PluginCase):
    resident = False

    def test_answers(self):
        self.build()
        want = {"accept": (250, "2.1.0 sender ok"), "deny": (550, "5.1.8 not that"), "many": (553, "5.7.1 one two three"),
                "later": (450, "4.2.0 not yet"), "mute": (451, "4.3.0"), "odd": (451, "4.3.0"), "dead": (451, "4.3.0"),
                "leave": (451, "4.3.0"), "noise": (451, "4.3.0"), "print": (250, "2.1.0")}
        with self.root.smtp(**self.vars) as s:
            s.hello()
            for word, (code, text) in want.items():
                for stage in ("MAIL", "RCPT"):
                    with self.subTest(word=word, stage=stage):
                        if stage == "RCPT":
                            self.assertEqual(s.cmd("MAIL FROM:<accept@example.net>")[0], 250)
                        got = s.cmd(f"MAIL FROM:<{word}@example.net>" if stage == "MAIL" else f"RCPT TO:<{word}@example.com>")
                        self.assertEqual(got[0], code)
                        if code != 250:
                            self.assertTrue(got[1][0].startswith(text), got)
                        s.cmd("RSET")
            log = s.logged()
        self.assertIn("reject plugin_mail 550 5.1.8", log)
        self.assertIn("reject plugin_rcpt 450 4.2.0", log)
        for why in ("a plugin fell dead: Aborted", "a plugin ended its process", "a plugin refuses without a reply",
                    "a plugin refuses with what is no reply: 250 2.0.0 ok", "a plugin disturbs what is said about it"):
            self.assertIn("lookup plugin_mail failed: " + why, log)
            self.assertIn("lookup plugin_rcpt failed: " + why, log)
        self.assertIn("hello from a plugin", log)

    def test_what_they_are_told(self):
        self.build()
        with self.root.smtp(TCPREMOTEINFO="ident", **self.vars) as s:
            s.hello()
            for sender, code in (("a@example.net", 250), ("data@example.net", 554), ("", 250)):
                self.assertEqual(s.cmd(f"MAIL FROM:<{sender}>")[0], 250)
                self.assertEqual(s.cmd("RCPT TO:<joe@example.com>")[0], 250)
                self.assertEqual(s.cmd("DATA")[0], 354)
                got = s.cmd("Subject: x\r\n\r\ny\r\n.")
                self.assertEqual(got[0], code)
            told = [l.split("plugin smtpd-plugin.so: ")[1] for l in s.logged().splitlines() if l.startswith("plugin ")]
        data = "data mail.example.com 192.0.2.7 client.example.net <ident>"
        self.assertEqual(told, ["mail 192.0.2.7 <a@example.net> call 1 TCPLOCALPORT=25", "rcpt 192.0.2.7 <a@example.net> <joe@example.com>", data,
                                "mail 192.0.2.7 <data@example.net> call 2 TCPLOCALPORT=25", "rcpt 192.0.2.7 <data@example.net> <joe@example.com>", data,
                                "mail 192.0.2.7 <> call 3 TCPLOCALPORT=25", "rcpt 192.0.2.7 <> <joe@example.com>", data])
        self.assertEqual(len(self.root.messages()), 2)

    def test_hang(self):
        """A plugin that does not return is ended, and the next question starts anew."""
        self.build()
        with self.root.smtp(**dict(self.vars, SMTP_PLUGIN_TIMEOUT="1")) as s:
            s.hello()
            self.assertEqual(s.cmd("MAIL FROM:<hang@example.net>")[0], 451)
            self.assertIn("a plugin has not answered in time", s.logged())
            self.assertEqual(s.cmd("MAIL FROM:<a@example.net>")[0], 250)
            self.assertIn("<a@example.net> call 1", s.logged())

    def test_goodbye(self):
        self.build()
        with self.root.smtp(**self.vars) as s:
            s.hello()
            self.assertEqual(s.cmd("MAIL FROM:<bye@example.net>"), (421, ["4.7.0 enough"]))
            self.assertTrue(s.ended())

    def test_several(self):
        """The first that refuses decides; numbered ones come behind, up to a gap."""
        for name in ("other.so", "smtpd-plugin0.so", "smtpd-plugin1.so", "smtpd-plugin3.so"):
            self.build(name)
        with self.root.smtp(SMTP_PLUGIN="other.so", **self.vars) as s:
            s.hello()
            s.cmd("MAIL FROM:<a@example.net>")
            s.cmd("RCPT TO:<deny@example.com>")
            log = [l.split()[1:3] for l in s.logged().splitlines() if l.startswith("plugin ")]
        self.assertEqual(log, [["other.so:", "mail"], ["smtpd-plugin0.so:", "mail"], ["smtpd-plugin1.so:", "mail"], ["other.so:", "rcpt"]])

    def test_not_asked(self):
        """Nothing is started where there is no plugin, or none is wanted."""
        tests = [dict(self.vars), dict(self.vars, SMTP_PLUGIN="")]
        self.build("no.so")
        self.build("two.so")
        tests += [dict(self.vars, SMTP_PLUGIN="two.so", DISABLE_PLUGIN="1"), dict(self.vars, SMTP_PLUGIN="two.so", SMTP_PLUGIN_SYMB="only_mail")]
        for vars in tests:
            with self.subTest(vars=vars), self.root.smtp(**vars) as s:
                s.hello()
                self.assertEqual(s.cmd("MAIL FROM:<a@example.net>")[0], 250)
                self.assertEqual(s.cmd("RCPT TO:<deny@example.com>")[0], 250)
                self.assertNotIn("rcpt", s.logged())

    def test_switched_off_or_warning(self):
        self.build()
        self.root.control("policy", "plugin_mail:off\nplugin_rcpt:warn\n")
        with self.root.smtp(**self.vars) as s:
            s.hello()
            self.assertEqual(s.cmd("MAIL FROM:<deny@example.net>")[0], 250)
            self.assertEqual(s.cmd("RCPT TO:<deny@example.com>")[0], 250)
            self.assertIn("warn plugin_rcpt 550", s.logged())

    def test_rules(self):
        """By envrules plugins are there or not for one sender; the process is another when they are others."""
        self.build()
        self.build("two.so")
        self.root.control("from.envrules", "free@example.net:DISABLE_PLUGIN=1\ntwo@example.net:SMTP_PLUGIN=two.so\n")
        with self.root.smtp(**self.vars) as s:
            s.hello()
            for sender in ("a", "free", "two", "a"):
                self.assertEqual(s.cmd(f"MAIL FROM:<{sender}@example.net>")[0], 250)
                self.assertEqual(s.cmd("RCPT TO:<deny@example.com>")[0], 250 if sender == "free" else 550)
                s.cmd("RSET")
            log = [l.split()[1] + l.split()[4] + l.split()[6] for l in s.logged().splitlines() if l.startswith("plugin ") and ": mail" in l]
        self.assertEqual(log, ["smtpd-plugin.so:<a@example.net>1", "two.so:<two@example.net>1", "smtpd-plugin.so:<a@example.net>1"])

    def refused_now(self, why, **vars):
        with self.root.smtp(**dict(self.vars, **vars)) as s:
            s.hello()
            self.assertEqual(s.cmd("MAIL FROM:<a@example.net>")[0], 451)
            self.assertIn("lookup plugin_mail failed: ", s.logged())
            self.assertIn(why, s.logged())

    def test_not_to_be_loaded(self):
        path = self.root.path("plugins", "smtpd-plugin.so")
        with open(path, "w") as f:
            f.write("no object")
        self.refused_now("unable to load plugin")
        self.build()
        self.refused_now("unable to load plugin", SMTP_PLUGIN_SYMB="nowhere")
        self.refused_now("cannot work now", SMTP_PLUGIN_SYMB="not_now")
        os.chmod(path, 0o775)
        self.refused_now("is not a file that only root can change")
        self.build(version=1)
        os.chmod(path, 0o755)
        self.refused_now("is for another version")

    def test_misconfigured(self):
        for name in ("gone.so", "../plugins/x.so"):
            with self.root.smtp(**dict(self.vars, SMTP_PLUGIN=name)) as s:
                self.assertEqual(s.reply()[0], 421)
                self.assertTrue(s.ended())
                self.assertIn("SMTP_PLUGIN", s.logged())

    def test_leaves_nothing(self):
        """With the session its process goes, even one that hangs."""
        self.build()
        with self.root.smtp(**dict(self.vars, SMTP_PLUGIN_TIMEOUT="1")) as s:
            s.hello()
            s.cmd("MAIL FROM:<a@example.net>")
            self.assertTrue(self.hosts(s))
            s.send(b"RSET\r\nMAIL FROM:<hang@example.net>\r\n")
            s.reply(), s.reply()
            s.cmd("QUIT")
            s.ended()
            wait_for(lambda: not self.hosts(s))

    def test_killed_server(self):
        """A plugin that hangs does not outlive a server that was killed."""
        self.build()
        s = self.root.smtp(**dict(self.vars, SMTP_PLUGIN_TIMEOUT="3600"))
        s.hello()
        s.send(b"MAIL FROM:<hang@example.net>\r\n")
        wait_for(lambda: "<hang@example.net> call 1" in s.logged())
        host, = self.hosts(s)
        s.p.kill()
        s.p.wait(10)
        wait_for(lambda: not os.path.exists(f"/proc/{host}") or ") Z " in open(f"/proc/{host}/stat").read())
        s.sock.close()
        s.log.close()

    def hosts(self, s):
        """Children of the server that ask plugins."""
        out = []
        try:
            for child in open(f"/proc/{s.p.pid}/task/{s.p.pid}/children").read().split():
                out += [child] if "smtp-plugin" in open(f"/proc/{child}/cmdline").read() else []
        except FileNotFoundError:
            pass
        return out

    def test_explain(self):
        self.build()
        out = self.root.run(["smtp-explain", "--json", "--ip", "192.0.2.1", "--from", "a@example.net", "--to", "deny@example.com"],
                            env=self.root.env(**self.vars))
        told = json.loads(out.stdout)
        self.assertEqual((out.returncode, told["decided_by"], told["reply"]), (1, "plugin_rcpt", "550 5.1.8 not that"))
        self.assertIn("DISABLE_PLUGIN=1", [c["change"] for c in told["changes"]])


class ResidentPlugins(Plugins):
    resident = True

    def test_others_go_on(self):
        """While one session's plugin hangs, and another's falls dead, a third is served."""
        self.build()
        with self.root.smtp(**self.vars) as a, self.root.smtp(**self.vars) as b, self.root.smtp(**self.vars) as c:
            for s in (a, b, c):
                s.hello()
            a.send(b"MAIL FROM:<hang@example.net>\r\n")
            self.assertEqual(b.cmd("MAIL FROM:<dead@example.net>")[0], 451)
            self.assertEqual(c.cmd("MAIL FROM:<a@example.net>")[0], 250)
            self.assertEqual(c.cmd("RCPT TO:<joe@example.com>")[0], 250)
            self.assertEqual(a.reply()[0], 451)


@unittest.skipUnless(shutil.which("cc"), "no compiler")
class Plugtest(PluginCase):
    resident = False

    def plugtest(self, *args, **vars):
        p = self.root.run(["plugtest", *args], env=self.root.env(**dict(self.vars, **vars)))
        return p.returncode, p.stdout.decode().splitlines(), p.stderr.decode()

    def test_all(self):
        self.build()
        code, out, err = self.plugtest("-l", "here", "-r", "192.0.2.9", "-h", "host", "-i", "joe", "-m", "a@b.example", "accept@c.example", "deny@c.example")
        self.assertEqual((code, out), (100, ["MAIL a@b.example: accepted", "RCPT accept@c.example: accepted", "RCPT deny@c.example: refused 550 5.1.8 not that",
                                             "DATA: accepted"]))
        self.assertIn("data here 192.0.2.9 host <joe>", err)

    def test_some(self):
        self.build()
        self.assertEqual(self.plugtest("-M")[:2], (0, ["MAIL: accepted"]))
        self.assertEqual(self.plugtest("-RD", "dead@x")[:2], (111, ["RCPT dead@x: failed: a plugin fell dead: Aborted", "DATA: accepted"]))
        self.assertEqual(self.plugtest("-R")[0], 100)

    def test_none(self):
        self.assertEqual(self.plugtest("-M")[::2], (111, "plugtest: fatal: there is no plugin\n"))
        self.build()
        self.assertEqual(self.plugtest("-M", DISABLE_PLUGIN="1")[::2], (111, "plugtest: fatal: DISABLE_PLUGIN is set\n"))
        self.assertEqual(self.plugtest("-M", SMTP_PLUGIN="x.so")[0], 111)


if __name__ == "__main__":
    unittest.main()
