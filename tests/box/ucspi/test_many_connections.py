"""Connections one after another, each from another address: they cost the servers nothing for good.

$CONNECTIONS says how many, 4000 if it does not; with 1000000 it takes some minutes, and what each process held
before and after is printed in any case."""
import os, socket, ssl, struct, unittest

from box import BIN, wait_for
from smtpd import SmtpRoot
from tcpsite import TcpserverCase

COUNT = int(os.environ.get("CONNECTIONS", "4000"))
WARM = max(1000, COUNT // 20)  # tables and buffers have grown then as large as they get
BIND_ADDRESS_NO_PORT = 24
USER = ["-u", "nobody", "-g", "root"] if os.geteuid() == 0 else []
KB = 256  # how much more a process may hold; the tables of rates and connections are of a fixed size


def held(pid):
    """(kB of its own, descriptors); a sanitizer's bookkeeping is not counted."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        kb = sum(int(l.split()[1]) for l in f if l.startswith("Anonymous:"))
    return 0 if os.environ.get("SAN") else kb, len(os.listdir(f"/proc/{pid}/fd"))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def tree(pid):
    return [pid] + [p for c in children(pid) for p in tree(c)]


class ManyConnections(TcpserverCase):
    def setUp(self):
        self.root = SmtpRoot()  # a certificate can be made there
        self.addCleanup(self.root.close)
        self.root.certificate()
        self.root.control("rate_connections", "100000/60\n")
        self.root.control("rate_connections_net", "1000000/60\n")
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    def one(self, i):
        """A greeting and QUIT; some say more, some break off, some begin TLS."""
        with socket.socket() as s:
            s.settimeout(20)
            s.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
            s.bind((f"127.{1 + (i >> 16) % 250}.{i >> 8 & 255}.{i & 255}", 0))
            s.connect(("127.0.0.1", self.port))
            self.assertEqual(s.recv(1000)[:4], b"220 ", i)
            if i % 16 == 1:  # a reset, in the middle of something
                s.sendall(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<a@example.com>\r\nNO")
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if i % 64 == 2:
                s.sendall(b"STARTTLS\r\n")
                self.assertEqual(s.recv(1000)[:4], b"220 ", i)
                s = self.tls.wrap_socket(s, server_hostname="mail.example.com")
            s.sendall(b"QUIT\r\n")
            self.assertEqual(s.recv(1000)[:4], b"221 ", i)
            s.close()

    def leaves_nothing(self, count, warm, *options):
        tlsd = self.root.spawn(["qmail-tlsd", *USER])
        wait_for(lambda: os.path.exists(self.root.path("run", "tls", "socket")), what="qmail-tlsd")
        self.serve(*options, "-q", "-x", self.rules(':allow,STARTTLS="1"\n'), program=[os.path.join(BIN, "qmail-smtpd")])
        for i in range(warm):
            self.one(i)
        wait_for(lambda: not children(self.server.pid) or "-W" in options, what="the last ones to end")
        pids = tree(self.server.pid) + tree(tlsd.pid)
        before = {p: held(p) for p in pids}
        for i in range(warm, warm + count):
            self.one(i)
        wait_for(lambda: tree(self.server.pid) + tree(tlsd.pid) == pids, what="the processes there were before")
        wait_for(lambda: all(held(p)[1] <= before[p][1] for p in pids), what="descriptors to be closed")
        for p in pids:
            with open(f"/proc/{p}/comm") as f:
                name = f.read().strip()
            (kb, fds), (kb_after, fds_after) = before[p], held(p)
            print(f"{count} connections: {name} {p}: {kb} to {kb_after} kB, {fds} to {fds_after} descriptors")
            self.assertLess(kb_after - kb, KB, name)

    def test_resident_servers(self):
        self.leaves_nothing(COUNT, WARM, "-W", "2", "-C", "5", "-A", "5")

    def test_a_process_for_each(self):
        self.leaves_nothing(COUNT // 20, 50, "-C", "5", "-A", "5")


if __name__ == "__main__":
    unittest.main()
