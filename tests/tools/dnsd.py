#!/usr/bin/env python3
"""A DNS server for tests: loopback, UDP and TCP on one free port, zones as a dictionary.

    with Dnsd({"example.com": {"MX": [(10, "mx.example.com")], "A": ["127.0.0.2"]},
               "alias.example.com": {"CNAME": ["example.com"]},
               "big.example.com": {"TXT": ["x" * 200] * 20},
               "sick.example.com": "SERVFAIL",
               "mute.example.com": "DROP",
               "*.wild.example": {"A": ["127.0.0.9"]}}) as d:
        env["DNSCACHEIP"] = d.address        # 127.0.0.1:PORT

A name's value is its records by type (A AAAA MX TXT PTR CNAME TLSA NS), or what to do:
SERVFAIL, REFUSED, DROP (no answer), TRUNCATE (TC over UDP and nothing over TCP), GARBAGE. A
name that is not there is NXDOMAIN; one that is, without the type, NODATA. "AD" among the
types sets the AD bit where the question asks for it. CNAMEs are followed. d.questions lists
(name, type) as asked. Answers too long for the client's buffer come truncated over UDP."""
import ipaddress, json, select, socket, struct, sys, threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52}
NAMES = {v: k for k, v in TYPES.items()}
OPT = 41


def encode_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode("latin-1")
    return out + b"\0"


def encode_data(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        return struct.pack(">H", value[0]) + encode_name(value[1])
    if kind == "TXT":
        data = value.encode("latin-1")
        parts = [data[i:i + 255] for i in range(0, len(data), 255)] or [b""]
        return b"".join(bytes([len(p)]) + p for p in parts)
    if kind == "TLSA":
        return bytes(value[:3]) + bytes.fromhex(value[3])
    return encode_name(value)


def decode_question(m):
    labels, at = [], 12
    while m[at]:
        labels.append(m[at + 1:at + 1 + m[at]].decode("latin-1"))
        at += 1 + m[at]
    kind, = struct.unpack(">H", m[at + 1:at + 3])
    return ".".join(labels).lower(), NAMES.get(kind, str(kind)), m[12:at + 5], at + 5


class Dnsd:
    def __init__(self, zones, host="127.0.0.1"):
        self.zones = {k.lower().rstrip("."): v for k, v in zones.items()}
        self.questions = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for _ in range(50):
            self.udp = socket.socket(family, socket.SOCK_DGRAM)
            self.udp.bind((host, 0))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket(family, socket.SOCK_STREAM)
            try:
                self.tcp.bind((host, self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(16)
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.wake, self.woken = socket.socketpair()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def find(self, name):
        if name in self.zones:
            return self.zones[name]
        labels = name.split(".")
        for i in range(1, len(labels)):
            wild = "*." + ".".join(labels[i:])
            if wild in self.zones:
                return self.zones[wild]
        # an empty name between two that exist
        return {} if any(z.endswith("." + name) for z in self.zones) else None

    def records(self, name, kind):
        """([(owner, type, data)], rcode, ad) or a word."""
        out, ad = [], True
        for _ in range(20):
            entry = self.find(name)
            if isinstance(entry, str):
                return entry
            if entry is None:
                return out, 3, False
            ad = ad and bool(entry.get("AD"))
            if "CNAME" in entry and kind != "CNAME":
                out.append((name, "CNAME", entry["CNAME"][0]))
                name = entry["CNAME"][0].lower().rstrip(".")
                continue
            out += [(name, kind, v) for v in entry.get(kind, [])]
            return out, 0, ad
        return out, 0, False

    def answer(self, m, udp):
        if len(m) < 17 or m[2] & 0x80:
            return None
        name, kind, question, end = decode_question(m)
        self.questions.append((name, kind))
        size = 512
        if struct.unpack(">H", m[10:12])[0] and m[end:end + 3] == b"\0\0" + bytes([OPT]):
            size = max(512, struct.unpack(">H", m[end + 3:end + 5])[0])
        got = self.records(name, kind)
        if got == "DROP":
            return None
        if got == "GARBAGE":
            return m[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + b"\xc0\xff\0"
        flags, body, count, rcode = 0x8180, b"", 0, 0
        if got in ("SERVFAIL", "REFUSED"):
            rcode = 2 if got == "SERVFAIL" else 5
        elif got == "TRUNCATE":
            if not udp:
                return None
            flags |= 0x0200
        else:
            rows, rcode, ad = got
            if ad and m[3] & 0x20:
                flags |= 0x20
            for owner, k, v in rows:
                data = encode_data(k, v)
                body += encode_name(owner) + struct.pack(">HHIH", TYPES[k], 1, 60, len(data)) + data
                count += 1
        if udp and 12 + len(question) + len(body) > size:
            flags, body, count = flags | 0x0200, b"", 0
        return m[:2] + struct.pack(">HHHHH", flags | rcode, 1, count, 0, 0) + question + body

    def over_tcp(self, c):
        try:
            c.settimeout(5)
            while True:
                head = c.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    return
                m = c.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                a = self.answer(m, False)
                if a is None:
                    return
                c.sendall(struct.pack(">H", len(a)) + a)
        except OSError:
            pass
        finally:
            c.close()

    def serve(self):
        while True:
            ready, _, _ = select.select([self.udp, self.tcp, self.woken], [], [])
            if self.woken in ready:
                return
            if self.udp in ready:
                m, peer = self.udp.recvfrom(4096)
                a = self.answer(m, True)
                if a is not None:
                    self.udp.sendto(a, peer)
            if self.tcp in ready:
                c, _ = self.tcp.accept()
                threading.Thread(target=self.over_tcp, args=(c,), daemon=True).start()

    def close(self):
        self.wake.send(b"x")
        self.thread.join(5)
        for s in (self.udp, self.tcp, self.wake, self.woken):
            s.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


if __name__ == "__main__":  # dnsd.py ZONES.json: prints its address and serves until input ends
    with open(sys.argv[1]) as f:
        d = Dnsd(json.load(f))
    print(d.address, flush=True)
    sys.stdin.read()
    d.close()
