"""smtp-explain and qmail-smtpd --explain: the rehearsal says what the live server says, and a change that is told
makes the difference it is said to make."""
import json, os, random, unittest
from dnsd import Dnsd
from smtpd import SmtpRoot, plain

SENDERS = ["", "bad@example.net", "ok@example.net", "joe@example.com", "a@spam.example", "hole@example.net", "x@nomx.example", "boss@example.net",
           "x@nulls.example", "a b@example.net"]
RECIPIENTS = ["joe@example.com", "jim@example.com", "bad@example.com", "hole@example.com", "a@example.org", "x@sub.example.com", "postmaster",
              "y@a.sub.example.com", "good@example.com"]
HELOS = ["client.example.net", "x", "mail.example.com", "a.dyn.example", "[192.0.2.7]"]
IPS = ["192.0.2.7", "192.0.2.99", "198.51.100.4"]
ZONES = {"example.net": {"MX": [(10, "mx.example.net")]}, "spam.example": {"A": ["127.0.0.1"]}, "nulls.example": {"MX": [(0, "")]},
         "client.example.net": {"A": ["192.0.2.7"]}, "99.2.0.192.bl.example": {"A": ["127.0.0.2"]}, "sick.example": "SERVFAIL"}
FILES = {"badmailfrom": ["bad@example.net\n", "# none\n", ".example\n!a@spam.example\n@spam.example\n", "@sick.example\n*\n!ok@*\n"],
         "badrcptto": ["bad@example.com\n", "@sub.example.com\n"], "badrcptpatterns": ["*@*.example.com\n!y@*\n"],
         "goodrcptto": ["good@example.com\n", "bad@example.com\n"], "blackholedsender": ["hole@example.net\n"],
         "blackholedrcpt": ["hole@example.com\n"], "relaymailfrom": ["boss@example.net\n"], "authdomains": ["example.net\n"],
         "badhelo": [".dyn.example\n"], "dnscheck": ["1\n", "0\n"], "nodnscheck": ["@nomx.example\n"], "dnsbllist": ["bl.example\n"],
         "databytes": ["40\n", "10000\n"], "maxhops": ["1\n"], "bodycheck": ["^Buy:this is not wanted\n"], "badext": [".exe\n"],
         "accesslist": ["rcpt:boss@example.net:joe@example.com\n"], "hostaccess": ["example.net:192.0.2.0/28\n"],
         "tarpitcount": ["1\n"], "rate_messages": ["0/60\n"], "rate_recipients_net": ["0/60\n", "1000000/60\n"], "sendlimit_messages": ["0/60\n"], "greetdelay": ["-1\n"], "from.envrules": ["ok@example.net:BADRCPTTO=other,DATABYTES=30\n", "*@spam.example:BOUNCEMAIL=rules\n"],
         "batvkey": ["secret\n"], "batvnosignlocals": ["example.com\n"], "policy": ["badmailfrom:warn\n", "badrcptto:off\ndnsbl:warn\n", "size:off\n", "dnscheck:off\nhelo_self:warn\n"]}
SPF = """#!/bin/sh
case $(tr '\\0' ' ' <&3) in *bad@*) echo softfail ;; *spam*) echo fail no ;; *boss*) exit 111 ;; *) echo pass ;; esac
"""
VARIABLES = {"RELAYCLIENT": [""], "BADHELOCHECK": ["1"], "ENFORCE_FQDN_HELO": ["1"], "CUGMAIL": ["1"], "REQUIREAUTH": ["1"], "FORCE_TLS": ["1"],
             "BOUNCEMAIL": ["go away"], "ANTISPOOFING": ["1"], "AUTH_ALL": ["1"], "NODNSCHECK": ["1"], "OPENRELAY": ["listed"], "PARANOID": ["1"],
             "SKIPDNSBL": ["1"], "SHUTDOWN": ["421 later"]}
MESSAGES = [b"Subject: x\n\nhello\n", b"Received: a\nReceived: b\n\n.\n..\n", b"Subject: y\n\nBuy now\n" + b"z" * 90 + b"\n",
            b"Content-Disposition: attachment; filename=a.exe\n\nx\n", b""]


def final(text):
    """Without what differs from one message to the next."""
    return " ".join(text.split()[:2]) if text.startswith("250 2.0.0 ok ") else text


class Explain(unittest.TestCase):
    resident = False

    def live(self, root, case, vars):
        """The last reply to the message, or to what was refused before it."""
        with root.smtp(("mail.example.com", root.checkpassword, "/bin/false", root.seen) if case["user"] else (), TCPREMOTEIP=case["ip"], TCPREMOTEHOST=case["host"], **vars) as s:
            code, text = s.reply()
            steps = ["EHLO " + case["helo"]]
            if code == 220 and case["tls"]:
                code, text = s.cmd(steps[0])
                if code == 250:
                    s.starttls()
            if code == 250 and case["user"]:
                code, text = s.cmd(steps[0])
                self.assertEqual(s.cmd("AUTH PLAIN " + plain(case["user"], "secret"))[0], 235)
                steps = []
            for step in steps + [f"MAIL FROM:<{case['from']}>", f"RCPT TO:<{case['to']}>", "DATA"]:
                if code < 400:
                    code, text = s.cmd(step)
            if code == 354:
                data = case["message"].replace(b"\n", b"\r\n")
                s.send((b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:] + (b".\r\n" if not data or data.endswith(b"\n") else b"\r\n.\r\n"))
                code, text = s.reply()
            return f"{code} {text[-1]}"

    def explain(self, root, case, vars, *more):
        with open(root.path("message"), "wb") as f:
            f.write(case["message"])
        args = ["smtp-explain", "--json", "--ip", case["ip"], "--host", case["host"], "--helo", case["helo"], "--from", case["from"], "--to", case["to"]]
        args += ["--auth", case["user"]] if case["user"] else []
        args += ["--tls"] if case["tls"] else []
        r = root.run(args + list(more) + [root.path("message")], env=root.env(TCPLOCALIP="127.0.0.1", TCPLOCALHOST="mail.example.com", TCPLOCALPORT="25", **vars))
        self.assertIn(r.returncode, (0, 1), r.stderr)
        return json.loads(r.stdout)

    def generate(self, rng, tls):
        case = {"ip": rng.choice(IPS), "host": rng.choice(["", "client.example.net"]), "helo": rng.choice(HELOS), "from": rng.choice(SENDERS),
                "to": rng.choice(RECIPIENTS), "message": rng.choice(MESSAGES), "tls": tls, "user": rng.choice(["", "joe"]) if tls else ""}
        files = {f: rng.choice(v) for f, v in FILES.items() if rng.random() < 0.15}
        vars = {k: rng.choice(v) for k, v in VARIABLES.items() if rng.random() < 0.06}
        if rng.random() > 0.1:
            files.pop("greetdelay", 0)  # the live server takes its time
        if tls:
            vars["STARTTLS"] = "1"
        return case, files, vars

    def left(self):
        """Directories of ours; one that was killed with its run may lie there."""
        return {f for f in os.listdir("/tmp") if f.startswith("smtp-explain.")}

    def compare(self, seed, count, tls=False):
        there = self.left()
        rng = random.Random(seed)
        outcomes, changes, told = {}, 0, 0
        with Dnsd(ZONES) as dns, SmtpRoot(self.resident) as root:
            root.process_env = {"DNSCACHEIP": dns.address}
            spf = root.script("spf", SPF)
            if tls:
                root.certificate()
            for n in range(count):
                case, files, vars = self.generate(rng, tls)
                if rng.random() < 0.1:
                    vars.update(SPFPROGRAM=spf, SPFBEHAVIOR=str(rng.randrange(7)))
                for f in FILES:
                    if os.path.exists(root.path("control", f)):
                        os.unlink(root.path("control", f))
                for f, text in files.items():
                    root.control(f, text)
                vars = dict(vars, DNSCACHEIP=dns.address, TARPITDELAY="0", QMAILQUEUE=os.path.join(root.bin, "qmail-nullqueue"))
                x = self.explain(root, case, vars)
                live = self.live(root, case, vars)
                self.assertEqual(final(x["reply"]), final(live), (seed, n, case, files, vars))
                outcomes[x["outcome"]] = outcomes.get(x["outcome"], 0) + 1
                told += any(c["helps"] for c in x["changes"])
                for c in x["changes"]:
                    changes += 1
                    self.assertEqual(c["outcome"] != x["outcome"], c["helps"], c)
                    if c["change"].startswith("RELAYCLIENT set"):
                        self.assertEqual(final(self.live(root, case, dict(vars, RELAYCLIENT=""))), final(c["reply"]), (seed, n, case, files, vars))
            for server in root.servers.values():
                with open(f"/proc/{server.p.pid}/status") as f:
                    self.assertIn("\nSeccomp:\t2\n", f.read())
            self.assertEqual(self.left() - there, set())
        return outcomes, changes, told

    def test_same_verdict(self):
        outcomes, changes, told = self.compare(1, 300)
        self.assertEqual(set(outcomes), {"refused", "accepted", "discarded"})
        self.assertGreater(told, 150)

    def test_same_verdict_tls(self):
        outcomes, changes, told = self.compare(2, 60, tls=True)
        self.assertGreater(outcomes["accepted"], 10)

    CHANGES = [
        ({"badmailfrom": "x@y.example\n# z\nbad@example.net\n"}, {}, "bad@example.net", "joe@example.com", "badmailfrom",
         ["without line {control}/badmailfrom:3, bad@example.net", "one more line in {control}/policy, badmailfrom:warn",
          "one more line in {control}/policy, badmailfrom:off"], []),
        ({}, {}, "a@example.net", "a@example.org", "rcpthosts",
         ["one more line in {control}/rcpthosts, example.org", "RELAYCLIENT set, by a rule of tcprules(1) say", "a client that logs in"], []),
        ({}, {"REQUIREAUTH": "1"}, "a@example.net", "joe@example.com", "requireauth", ["REQUIREAUTH=0", "a client that logs in"], []),
        ({"databytes": "10\n"}, {}, "a@example.net", "joe@example.com", "databytes", ["DATABYTES=0, or databytes to say so, which is now {control}/databytes:1"], []),
        ({"badmailfrom": "*\n", "badrcptto": "*\n"}, {}, "a@example.net", "joe@example.com", "badmailfrom", [], ["badrcptto"]),
        ({"policy": "badmailfrom:off\n", "badmailfrom": "*\n"}, {}, "a@example.net", "joe@example.com", "",
         ["without line {control}/policy:1, badmailfrom:off", "without line {control}/rcpthosts:1, example.com"], []),
        ({}, {"RELAYCLIENT": ""}, "a@example.net", "a@example.org", "", ["RELAYCLIENT not set"], []),
        ({"blackholedsender": "a@example.net\n"}, {}, "a@example.net", "joe@example.com", "blackholedsender",
         ["without line {control}/blackholedsender:1, a@example.net"], []),
    ]

    def test_changes(self):
        for files, vars, sender, to, by, want, next_by in self.CHANGES:
            with self.subTest(by=by, files=files), SmtpRoot() as root:
                for f, text in files.items():
                    root.control(f, text)
                x = self.explain(root, {"ip": "192.0.2.7", "host": "", "helo": "a.example", "from": sender, "to": to, "message": b"Subject: x\n\nhello\n",
                                        "tls": False, "user": ""}, vars)
                self.assertEqual(x["decided_by"], by)
                got = [c["change"] for c in x["changes"] if c["helps"]]
                for w in want:
                    self.assertIn(w.format(control=root.path("control")), got)
                self.assertEqual([c["decided_by"] for c in x["changes"] if not c["helps"]], next_by)

    def test_text_and_table(self):
        with SmtpRoot() as root:
            root.control("databytes", "7\n")
            r = root.run(["qmail-smtpd", "--explain"], env=root.env(CUGMAIL="1"))
            lines = r.stdout.decode().splitlines()
            self.assertIn(f"set\tdatabytes\tfile\t{root.path('control', 'databytes')}:1\t7", lines)
            self.assertIn("set\tcugmail\tvariable\tCUGMAIL\ton", lines)
            self.assertIn("set\topenrelay\tdefault\tdefault\tnot set", lines)
            self.assertEqual([l.split("\t")[1] for l in lines if l.startswith("check\t")][:3], ["shutdown", "openrelay", "greetdelay"])
            r = root.run(["smtp-explain", "--ip", "192.0.2.7", "--from", "a@example.net", "--to", "b@example.org"])
            self.assertEqual(r.returncode, 1)
            self.assertIn(b"RCPT rcpthosts: reject 553 5.7.1 no relaying", r.stdout)
            self.assertIn(b"refused by rcpthosts: 553 5.7.1", r.stdout)
            for args in (["--ip", "1.2.3.4"], ["--from"], ["--nope"], ["--ip", "1", "--from", "a", "--to", "b", "f", "g"]):
                self.assertEqual(root.run(["smtp-explain", *args]).returncode, 100)
            r = root.run(["smtp-explain", "--ip", "1", "--from", "a\nDATA", "--to", "b"])
            self.assertEqual((r.returncode, r.stdout), (111, b""))
            root.control("policy", "rcpthosts:off\n")
            r = root.run(["smtp-explain", "--ip", "1", "--from", "a", "--to", "b"])
            self.assertEqual(r.returncode, 111)
            self.assertIn(b"control/policy", r.stderr)


@unittest.skipIf(os.environ.get("SAN"), "sanitizers need what a sandbox takes")
class ResidentExplain(Explain):
    """The verdict of a rehearsal, which has all rights, against that of a server that has given them up."""
    resident = True
    test_changes = test_text_and_table = None  # without a server


if __name__ == "__main__":
    unittest.main()
