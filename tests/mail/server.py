"""A mail server of the tests: aiosmtpd on the loopback, every letter it takes a file in a folder.

usage: server.py FOLDER PORT (starttls|implicit|none) [CERTIFICATE KEY]

Signs in `eseal` with the password `correct horse`; where TLS is on, takes letters only signed in
and under TLS. Reads its moods from FOLDER/mood: `later` answers 451, `refuse` 550, `hang` not at
all. Writes FOLDER/ready when it listens.
"""

import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Inbox:
    """Keeps what arrives."""

    def __init__(self, folder):
        self.folder = folder
        self.taken = 0

    async def handle_DATA(self, server, session, envelope):
        mood = self.folder / "mood"
        mood = mood.read_text().strip() if mood.exists() else ""
        if mood == "later":
            return "451 4.3.0 please come back later"
        if mood == "refuse":
            return "550 5.1.1 no such mailbox"
        if mood == "hang":
            await asyncio.sleep(3600)
        self.taken += 1
        tls = server.transport.get_extra_info("ssl_object")
        head = f"X-Envelope-From: {envelope.mail_from}\r\n"
        head += "".join(f"X-Envelope-To: {to}\r\n" for to in envelope.rcpt_tos)
        head += f"X-Signed-In: {session.authenticated}\r\nX-Tls: {tls is not None}\r\n"
        part = self.folder / "part"
        part.write_bytes(head.encode() + envelope.original_content)
        part.rename(self.folder / f"{self.taken:04}.eml")
        return "250 2.0.0 taken"


def sign_in(server, session, envelope, mechanism, data):
    """Takes one name and password."""
    fine = (data.login, data.password) == (b"eseal", b"correct horse")
    return AuthResult(success=fine, handled=False)


def main():
    folder, port, tls = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    context = None
    if tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
    more = {}
    if tls != "none":
        more = {"authenticator": sign_in, "auth_required": True}
    if tls == "starttls":
        more |= {"tls_context": context, "require_starttls": True}
    if tls == "implicit":
        more |= {"auth_require_tls": False}
    loop = asyncio.new_event_loop()
    inbox = Inbox(folder)
    make = lambda: SMTP(inbox, hostname="localhost", loop=loop, **more)
    serve = loop.create_server(make, "127.0.0.1", port, ssl=context if tls == "implicit" else None)
    loop.run_until_complete(serve)
    (folder / "ready").write_text("ready")
    loop.run_forever()


main()
