"""tcpserver with names to find out: tcpserver-lookup asks in the child, then the rules."""
import socket, unittest

from box import wait_for
from dnsd import Dnsd
from tcpsite import TcpserverCase

ZONES = {
    "1.0.0.127.in-addr.arpa": {"PTR": ["localhost.test"]},
    "2.0.0.127.in-addr.arpa": {"PTR": ["liar.test", "honest.test"]},
    "3.0.0.127.in-addr.arpa": {"PTR": ["liar.test"]},
    "4.0.0.127.in-addr.arpa": {"PTR": ["Odd\tname.test", "x;y.test"]},
    "5.0.0.127.in-addr.arpa": "SERVFAIL",
    "honest.test": {"A": ["127.0.0.9", "127.0.0.2"]},
    "liar.test": {"A": ["127.0.0.9"]},
    "localhost.test": {"A": ["127.0.0.1"]},
}


class LookupTest(TcpserverCase):
    def setUp(self):
        super().setUp()
        self.dns = Dnsd(ZONES)
        self.dns.__enter__()
        self.addCleanup(self.dns.__exit__, None, None, None)

    def serve(self, *options, **kw):
        return super().serve("-R", *options, env=self.root.env(DNSCACHEIP=self.dns.address), fast=False, **kw)

    def names(self, source):
        e = self.environment(source=source)
        return {k: v for k, v in e.items() if k in ("TCPLOCALHOST", "TCPREMOTEHOST", "TCPPARANOID", "TCPREMOTEINFO")} \
            if e is not None else None

    def test_names(self):
        self.serve()
        self.assertEqual(self.names("127.0.0.1"), {"TCPLOCALHOST": "localhost.test", "TCPREMOTEHOST": "localhost.test"})
        self.assertEqual(self.names("127.0.0.2"), {"TCPLOCALHOST": "localhost.test", "TCPREMOTEHOST": "liar.test"})
        # Names no host can have are none, and a DNS that is down is no reason to turn anybody away.
        for source in ("127.0.0.4", "127.0.0.5", "127.0.0.6"):
            self.assertEqual(self.names(source), {"TCPLOCALHOST": "localhost.test"}, source)

    def test_paranoid(self):
        self.serve("-p", "-l", "here")
        self.assertEqual(self.names("127.0.0.2"), {"TCPLOCALHOST": "here", "TCPREMOTEHOST": "honest.test"})
        self.assertEqual(self.names("127.0.0.3"), {"TCPLOCALHOST": "here", "TCPPARANOID": ""})
        self.assertEqual(self.names("127.0.0.6"), {"TCPLOCALHOST": "here"})

    def test_rules_for_names(self):
        self.serve("-l", "here", "-x", self.rules('127.0.0.2:deny\n=liar.test:allow,TCPREMOTEINFO="rule"\n'
                                                  '=.test:deny\n=:allow\n127.0.0.6:allow,MAXPERIP="1"\n:deny\n'))
        self.assertEqual(self.names("127.0.0.3")["TCPREMOTEINFO"], "rule")
        self.assertIsNone(self.names("127.0.0.1"))
        self.assertIsNone(self.names("127.0.0.2"))
        self.assertIsNone(self.names("127.0.0.7"))
        self.assertEqual(self.names("127.0.0.6"), {"TCPLOCALHOST": "here"})
        self.assertRegex(self.log(), r"(?m)^tcpserver: deny \d+ here:127.0.0.1:\d+ localhost.test:127.0.0.1::\d+$")
        self.assertRegex(self.log(), r"(?m)^tcpserver: ok \d+ here:127.0.0.1:\d+ liar.test:127.0.0.3::\d+$")
        self.assertRegex(self.log(), r"(?m)^tcpserver: deny \d+ here:127.0.0.1:\d+ :127.0.0.7::\d+$")
        wait_for(lambda: "status 25600" in self.log(), what="exit 100 of the refused")

    def test_limit_from_rules(self):
        self.serve("-l", "here", "-H", "-r", "-t", "1", "-x", self.rules('127.0.0.6:allow,MAXPERIP="1"\n:allow\n'),
                   program=["sh", "-c", "echo in; cat"])
        first = self.connect(source="127.0.0.6")
        self.assertEqual(first.recv(10), b"in\n")
        self.assertEqual(self.connect(source="127.0.0.6").recv(10), b"")

    def test_listener_does_not_wait(self):
        """While one client's name is being looked up in vain, others are served."""
        self.dns.zones["6.0.0.127.in-addr.arpa"] = "DROP"
        self.serve("-l", "here", program=["echo", "in"])
        slow = self.connect(source="127.0.0.6")
        wait_for(lambda: ("6.0.0.127.in-addr.arpa", "PTR") in self.dns.questions, what="the question")
        for _ in range(3):
            self.assertEqual(self.connect(source="127.0.0.1").recv(10), b"in\n")
        slow.settimeout(0.05)
        self.assertRaises(TimeoutError, slow.recv, 10)

    def test_bad_environment(self):
        p = self.root.run(["tcpserver-lookup", "true"], env=self.root.env(TCPREMOTEIP="x"))
        self.assertEqual(p.returncode, 100)


if __name__ == "__main__":
    unittest.main()
