#!/usr/bin/python3
"""A real mail server for a test (aiosmtpd), and a gateway for short messages.

mail_server.py FOLDER MODE     MODE: starttls | plain | slow

Writes FOLDER/port and FOLDER/hook_port when it listens, each mail as
FOLDER/mails/NUMBER, each short message as FOLDER/sms/NUMBER with its headers.
Recipients that begin with "nobody" do not exist here. With starttls it wants TLS
and the login portal:secret; slow keeps a mail and does not say so until there is
FOLDER/go.
"""
import asyncio
import os
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from aiosmtpd.smtp import SMTP, AuthResult

folder, mode = sys.argv[1:3]
count = {"mails": 0, "sms": 0}


def keep(kind, data):
    count[kind] += 1
    path = os.path.join(folder, kind, "%d.%05d" % (os.getpid(), count[kind]))
    with open(path + ".new", "wb") as out:
        out.write(data)
    os.rename(path + ".new", path)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        to = ",".join(envelope.rcpt_tos).encode()
        keep("mails", b"X-To: " + to + b"\r\n" + envelope.original_content)
        while mode == "slow" and not os.path.exists(folder + "/go"):
            await asyncio.sleep(0.05)
        return "250 kept"


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        keep("sms", str(self.headers).encode() + body)
        self.send_response(202)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"portal" and data.password == b"secret"
    return AuthResult(success=good)


options = {}
if mode == "starttls":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
    options = dict(tls_context=context, require_starttls=True,
                   auth_required=True, authenticator=authenticate)
for kind in count:
    os.makedirs(os.path.join(folder, kind), exist_ok=True)
port = int(sys.argv[3]) if len(sys.argv) > 3 else 0


def write(name, number):
    path = os.path.join(folder, name)
    with open(path + ".new", "w") as out:
        out.write(str(number))
    os.rename(path + ".new", path)


async def serve():
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Handler(), **options), "127.0.0.1", port)
    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    write("hook_port", hook.server_port)
    write("port", server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(serve())
