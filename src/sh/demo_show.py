#!/usr/bin/env python3
"""The main job of a mail server, done with real clients against the demo that demo.env
describes: submission, a stranger's mail, reading by IMAP and POP3, relaying outward."""
import email, email.policy, imaplib, os, poplib, smtplib, socket, ssl, sys, threading, time
from email.message import EmailMessage

env = dict(line.rstrip("\n").split("=", 1) for line in open(sys.argv[1]))
HOST = "127.0.0.1"
DEADLINE = 20
rows = []


def step(what, start, note=""):
    rows.append((what, (time.monotonic() - start) * 1000, note))


def tls():
    context = ssl.create_default_context(cafile=env["CAFILE"])
    context.check_hostname = False  # we connect by address; the name is checked below
    return context


def poll(look, what):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        got = look()
        if got:
            return got
        time.sleep(0.02)
    sys.exit(f"demo: waited {DEADLINE} seconds in vain for {what}")


class Sink(threading.Thread):
    """A mail server of somebody else, that takes one message."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.listener = socket.create_server((HOST, port))
        self.got = []

    def run(self):
        while True:
            self.serve(self.listener.accept()[0])

    def serve(self, connection):
        f = connection.makefile("rwb", 0)
        f.write(b"220 outside.example ESMTP\r\n")
        for line in f:
            verb = line.strip().upper()
            if verb == b"DATA":
                f.write(b"354 go on\r\n")
                data = b"".join(iter(f.readline, b".\r\n"))
                self.got.append(data)
                f.write(b"250 taken\r\n")
            elif verb == b"QUIT":
                f.write(b"221 bye\r\n")
                break
            else:
                f.write(b"250 fine\r\n")
        connection.close()


def rich_message():
    m = EmailMessage(policy=email.policy.SMTP)
    m["From"] = f"Älice Exämple <{env['USER']}>"
    m["To"] = f"Bob <{env['USER2']}>"
    m["Subject"] = "Grüße, und ein Anhang"
    m.set_content("Hello Bob,\n\nthe picture is attached.\n.\n..a line with dots\n")
    m.add_attachment(bytes(range(256)) * 64, maintype="application", subtype="octet-stream", filename="bild.bin")
    return m


def submit():
    start = time.monotonic()
    with smtplib.SMTP(HOST, int(env["SUBMISSION_PORT"]), timeout=DEADLINE) as s:
        s.starttls(context=tls())
        s.login(env["USER"], env["PASSWORD"])
        s.send_message(rich_message())
    step("submission with STARTTLS and AUTH: alice to bob, with attachment", start)


def stranger():
    start = time.monotonic()
    with smtplib.SMTP(HOST, int(env["SMTP_PORT"]), timeout=DEADLINE) as s:
        s.sendmail("stranger@elsewhere.example", [env["USER"]],
                   b"From: stranger@elsewhere.example\r\nSubject: hello from afar\r\n\r\nYou do not know me.\r\n")
        code, text = s.docmd("MAIL FROM:<stranger@elsewhere.example>")
        code, text = s.docmd("RCPT TO:<victim@far.example>")
        if code < 500:
            sys.exit(f"demo: the MX port relays for strangers ({code})")
    step("a stranger's mail on the MX port to alice; relaying for him is refused", start)


def prober():
    start = time.monotonic()
    with smtplib.SMTP(HOST, int(env["SMTP_PORT"]), timeout=DEADLINE) as s:
        s.ehlo()
        s.docmd("MAIL FROM:<prober@elsewhere.example>")
        code, text = s.docmd(f"RCPT TO:<nobody-of-that-name@{env['DOMAIN']}>")
        if code < 500:
            sys.exit(f"demo: an unknown recipient was not refused ({code})")
    step("somebody who guesses names is refused, and made to wait (PENALTY)", start)


def read_imap():
    start = time.monotonic()
    m = imaplib.IMAP4_SSL(HOST, int(env["IMAPS_PORT"]), ssl_context=tls(), timeout=DEADLINE)
    m.login(env["USER2"], env["PASSWORD2"])
    m.select("INBOX")

    def find():
        m.noop()
        numbers = m.search(None, "ALL")[1][0].split()
        return numbers

    numbers = poll(find, "the message in bob's mailbox")
    raw = m.fetch(numbers[-1], "(RFC822)")[1][0][1]
    got = email.message_from_bytes(raw, policy=email.policy.default)
    assert got["Subject"] == "Grüße, und ein Anhang", got["Subject"]
    attachment = next(got.iter_attachments())
    assert attachment.get_content() == bytes(range(256)) * 64
    m.logout()
    step("bob reads it by IMAPS: subject and attachment as sent", start, f"{len(raw)} bytes")


def read_pop3():
    start = time.monotonic()

    def find():
        p = poplib.POP3_SSL(HOST, int(env["POP3S_PORT"]), context=tls(), timeout=DEADLINE)
        p.user(env["USER"])
        p.pass_(env["PASSWORD"])
        count = p.stat()[0]
        lines = p.retr(count)[1] if count else None
        p.quit()
        return lines

    lines = poll(find, "the message in alice's mailbox")
    assert b"Subject: hello from afar" in lines, lines
    step("alice reads the stranger's mail by POP3S", start, f"{sum(map(len, lines))} bytes")


def relay(sink):
    start = time.monotonic()
    with smtplib.SMTP_SSL(HOST, int(env["SMTPS_PORT"]), context=tls(), timeout=DEADLINE) as s:
        s.login(env["USER"], env["PASSWORD"])
        s.sendmail(env["USER"], ["friend@outside.example"],
                   f"From: {env['USER']}\r\nTo: friend@outside.example\r\nSubject: out\r\n\r\nHello outside.\r\n")
    data = poll(lambda: sink.got and sink.got[0], "the message at the other server")
    assert b"Hello outside." in data
    step("alice writes to another server (port 465), which takes it", start, f"{len(data)} bytes")


def main():
    sink = Sink(int(env["SINK_PORT"]))
    sink.start()
    submit()
    stranger()
    read_imap()
    read_pop3()
    relay(sink)
    prober()
    width = max(len(r[0]) for r in rows)
    print()
    for what, ms, note in rows:
        print(f"  {what:<{width}}  {ms:7.1f} ms  {note}")
    print(f"""
  users      {env['USER']} (password {env['PASSWORD']}), {env['USER2']} (password {env['PASSWORD2']})
  ports      SMTP {env['SMTP_PORT']}, submission {env['SUBMISSION_PORT']} (STARTTLS) and {env['SMTPS_PORT']} (TLS)
             IMAP {env['IMAP_PORT']} and {env['IMAPS_PORT']} (TLS), POP3 {env['POP3_PORT']} and {env['POP3S_PORT']} (TLS)
  mailboxes  {env['MAILDIR']}
             {env['MAILDIR2']}
  queue      {env['QUEUE_BASE']}      control files  {env['CONTROLDIR']}
  logs       {env['LOGDIR']}
  settings   all of this for scripts: {os.path.abspath(sys.argv[1])}

  try next   PATH={env['PREFIX']}/bin:{env['PREFIX']}/sbin:$PATH
             vadduser carol@{env['DOMAIN']}; vuserinfo {env['USER']}; vdominfo {env['DOMAIN']}
             qmail-qstat; qmail-qread; qmail-showctl; qmailctl status
             curl -k --url imaps://{HOST}:{env['IMAPS_PORT']}/INBOX -u {env['USER']}:{env['PASSWORD']}
""")


if __name__ == "__main__":
    main()
