"""A gateway and the front it is behind, so that Skype clients run unpatched against `skchat serve`.

The front is an HTTP proxy for CONNECT. Inside a tunnel it speaks TLS under the names of the services, with a certificate
made for this run, and passes requests on as a reverse proxy does. Requests that a gateway does not serve (the sign-in
pages, profiles, the contact list) it answers itself, as far as the tested clients need.

A client is pointed here with HTTPS_PROXY and trusts the certificate; nothing else about it is changed."""

import http.client
import json
import os
import select
import shutil
import ssl
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHAT = "client-s.gateway.messenger.live.com"
# The hosts of the services, and the paths at which the gateway serves them.
SERVICES = {
    CHAT: "",
    "join.skype.com": "/join",
    "api.join.skype.com": "",
    "api.scheduler.skype.com": "/scheduler",
}
OWN = ["api.skype.com", "contacts.skype.com", "login.skype.com", "login.live.com"]
USERS = {"anna.7": ("Anna", "Lindqvist"), "joe.4": ("Joe", "Bloggs"), "mia.tan": ("Mia", "Tan")}


def token(user):
    return user + "-token"


def need(tool, purpose):
    """Says which tool is missing, instead of failing later."""
    if not shutil.which(tool):
        raise SystemExit("{0} is missing: install it to {1}".format(tool, purpose))
    return tool


class Gateway:
    """`skchat serve` with the three users, on the same port across restarts."""

    def __init__(self, program, home):
        self.program, self.home = program, home
        self.listen = "127.0.0.1:0"
        path = os.path.join(home, "users")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            for user, name in USERS.items():
                out.write("8:{0} {1} {2} {3}\n".format(user, token(user), *name))
        self.start()

    def start(self):
        hosts = [part for host in SERVICES for part in ("--allow-host", host)]
        self.process = subprocess.Popen(
            [self.program, "serve", "--listen", self.listen, "--db", os.path.join(self.home, "gateway.db"),
             "--users", os.path.join(self.home, "users"), "--behind-proxy"] + hosts,
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        if not line.startswith("listening on http://127.0.0.1:"):
            raise SystemExit("FAILED: the gateway said " + repr(line))
        self.listen = line.split("/")[-1]

    def restart(self):
        """Ends it as a crash would, and starts it again."""
        self.stop()
        self.start()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def certificate(home):
    """A certificate for all names, and its key. Clients trust the certificate."""
    need("openssl", "make a certificate for the TLS front")
    cert, key = os.path.join(home, "front.pem"), os.path.join(home, "front.key")
    names = ",".join("DNS:" + host for host in list(SERVICES) + OWN)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=front of a test",
         "-addext", "subjectAltName=" + names, "-keyout", key, "-out", cert],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


class Front:
    def __init__(self, gateway, home):
        self.gateway = gateway
        self.ca, key = certificate(home)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        front = self

        class Tunnel(BaseHTTPRequestHandler):
            def do_CONNECT(self):
                host = self.path.split(":")[0]
                if host not in SERVICES and host not in OWN:
                    # No request of a test leaves this machine.
                    self.send_error(403)
                    return
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self.wfile.flush()
                self.close_connection = True
                try:
                    with context.wrap_socket(self.connection, server_side=True) as inside:
                        Inside(inside, self.client_address, self.server, host, front)
                except (OSError, ssl.SSLError):
                    pass

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:{0}".format(self.server.server_address[1])
        self.requests = []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, end):
        """The number of requests so far whose path ends with `end`."""
        return sum(path.endswith(end) for _, _, path in self.requests)

    def environment(self):
        """The environment that sends a client here: for Python's requests, and for Node."""
        environment = dict(os.environ, HTTPS_PROXY=self.url, https_proxy=self.url)
        for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            environment.pop(name, None)
        environment.update(REQUESTS_CA_BUNDLE=self.ca, NODE_EXTRA_CA_CERTS=self.ca)
        return environment


class Inside(BaseHTTPRequestHandler):
    """Requests inside a tunnel, to one host."""

    protocol_version = "HTTP/1.1"
    # Head and body are sent together: apart, the second would wait for the first to be acknowledged.
    wbufsize = -1

    def __init__(self, connection, address, server, host, front):
        self.host, self.front = host, front
        super().__init__(connection, address, server)

    def log_message(self, *arguments):
        pass

    def any_method(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        self.front.requests.append((self.command, self.host, path))
        if self.host in SERVICES:
            self.pass_on(body)
        else:
            self.answer(*own_answer(self.host, path, query, self.headers, body))

    do_GET = do_POST = do_PUT = do_DELETE = any_method

    def pass_on(self, body):
        """Passes a request on as a reverse proxy does. If the client goes away while it polls, so does this request."""
        own = {"Host": self.host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1",
               "Content-Length": str(len(body))}
        dropped = [name.lower() for name in own] + ["connection", "proxy-connection", "transfer-encoding"]
        headers = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
        headers.update(own)
        behind = http.client.HTTPConnection(self.front.gateway.listen, timeout=60)
        try:
            behind.request(self.command, SERVICES[self.host] + self.path, body, headers)
            while not select.select([behind.sock], [], [], 1)[0]:
                # A client that waits for an answer sends nothing, so it has gone away.
                if select.select([self.connection], [], [], 0)[0]:
                    self.close_connection = True
                    return
            answer = behind.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.answer(502, {}, b"")
            return
        finally:
            behind.close()
        kept = {k: v for k, v in answer.getheaders() if k.lower() not in ("content-length", "connection", "date")}
        self.answer(answer.status, kept, text)

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def own_answer(host, path, query, headers, body):
    if host.startswith("login."):
        return sign_in(host, path, urllib.parse.parse_qs(body.decode()))
    user = (headers.get("X-Skypetoken") or "").removesuffix("-token")
    if user not in USERS:
        return 401, {}, b"{}"
    first, last = USERS[user]
    if host == "contacts.skype.com":
        return json_answer({"contacts": [], "groups": [], "blocklist": [], "scope": "full", "count": 0})
    if path == "/users/self/displayname":
        return json_answer({"displayname": first + " " + last, "firstname": first, "lastname": last,
                            "username": user})
    profile = dict.fromkeys(("birthday", "gender", "language", "country", "province", "city", "homepage", "about",
                             "jobtitle", "phoneMobile", "phoneHome", "phoneOffice", "mood", "richMood",
                             "avatarUrl"))
    profile.update({"username": user, "firstname": first, "lastname": last, "emails": []})
    return json_answer(profile)


def json_answer(value):
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def sign_in(host, path, form):
    """The pages that lead from a password to a Skype token."""
    page = {"Content-Type": "text/html"}
    if path.endswith("/oauth/microsoft"):
        # Cookies must come from login.live.com.
        if host == "login.skype.com":
            return 302, {"Location": "https://login.live.com/login/oauth/microsoft"}, b""
        page["Set-Cookie"] = "MSPRequ=1; domain=login.live.com; path=/"
        page["set-cookie"] = "MSPOK=1; domain=login.live.com; path=/"
        return 200, page, b'<input type="hidden" name="PPFT" id="i0327" value="abc$"/>'
    if path.endswith("/ppsecure/post.srf"):
        user = form.get("login", [""])[0]
        if form.get("passwd") != [token(user)] or form.get("PPFT") != ["abc$"]:
            return 200, page, b"sErrTxt:'Your account or password is incorrect."
        return 200, page, '<input type="hidden" name="t" id="t" value="{0}"/>'.format(user).encode()
    user = form.get("t", [""])[0]
    text = '<input name="skypetoken" value="{0}"/><input name="expires_in" value="86400"/>'
    return 200, page, text.format(token(user)).encode()
