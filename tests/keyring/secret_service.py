"""The tokens of a sign-in in a real Secret Service: GNOME Keyring, in a D-Bus session of its own.

Usage: secret_service.py PATH_TO_SKCHAT, a build with the keyring feature.

Signs in to a gateway that imitates a service, and checks where the tokens are: only in the keyring, where the next
process finds them; gone after signing out. A locked keyring is reported; without one, a private file has the tokens."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

PATIENCE = 60
TOKEN = "anna-knows-this-token"


def fail(why):
    raise SystemExit("FAILED: {0}".format(why))


def need(name):
    return shutil.which(name) or fail("{0} is missing: install it and run this again".format(name))


def wait(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    fail("waited for {0}".format(what))


class Session:
    """A D-Bus session with a keyring; `end` stops both."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(os.environ, HOME=folder, XDG_RUNTIME_DIR=folder, XDG_DATA_HOME=os.path.join(folder, "share"))
        self.processes = []

    def start(self):
        bus = subprocess.Popen([need("dbus-daemon"), "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE,
                               text=True, env=self.environment)
        self.processes.append(bus)
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        keyring = subprocess.Popen([need("gnome-keyring-daemon"), "--foreground", "--unlock", "--components=secrets"],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=self.environment)
        self.processes.append(keyring)
        keyring.stdin.write(b"the password of the keyring")
        keyring.stdin.close()
        wait("the keyring", lambda: self.call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                              "org.freedesktop.DBus.GetNameOwner", "string:org.freedesktop.secrets"))

    def call(self, to, path, method, *arguments):
        done = subprocess.run([need("dbus-send"), "--session", "--print-reply", "--dest=" + to, path, method, *arguments],
                              env=self.environment, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""

    def lock(self):
        if not self.call("org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
                         "array:objpath:/org/freedesktop/secrets/collection/login"):
            fail("the keyring cannot be locked")

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()


class Home:
    def __init__(self, skchat, folder, environment, origin):
        self.skchat, self.folder = skchat, folder
        os.makedirs(folder)
        config = os.path.join(folder, "config.toml")
        with open(config, "w") as file:
            file.write('[accounts.me]\nservice = "play"\n[services.play]\nbased_on = "teams-free"\n'
                       'origin = "{0}"\npolling.budget = 0\n'.format(origin))
        self.origin = origin
        self.environment = dict(environment, SKCHAT_CONFIG=config, SKCHAT_DATA_DIR=os.path.join(folder, "data"))

    def start(self, *arguments):
        return subprocess.Popen([self.skchat, *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *arguments):
        done = self.start(*arguments)
        return done.communicate(timeout=PATIENCE)[0]

    def sign_in(self):
        login = self.start("login", "--agree")
        code = None
        while code is None:
            line = login.stdout.readline() or fail("no code was shown")
            found = re.match(r"\s*enter\s+(\S+)", line)
            code = found and found.group(1)
        form = urllib.parse.urlencode({"code": code, "token": TOKEN, "do": "approve"}).encode()
        urllib.request.urlopen(self.page(), form, timeout=PATIENCE).read()
        rest = login.communicate(timeout=PATIENCE)[0]
        if login.returncode != 0:
            fail("the sign-in failed: " + rest)

    def page(self):
        return self.origin + "/link"

    def refresh_token_in_files(self):
        """Whether any file in the home folder contains a refresh token of the imitated service."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    if re.search(rb'"refresh_token"\s*:\s*"', file.read()):
                        return True
        return False


def check(skchat, folder, origin):
    session = Session(os.path.join(folder, "session"))
    try:
        session.start()
        home = Home(skchat, os.path.join(folder, "with"), session.environment, origin)
        home.sign_in()
        says = home.run("doctor")
        if "keyring: holds the tokens" not in says:
            fail("the keyring is not used:\n" + says)
        if home.refresh_token_in_files():
            fail("a refresh token is in a file, although there is a keyring")
        if "8:live:anna" not in home.run("chats", "--json") + says:
            fail("another process does not see the sign-in:\n" + says)
        home.run("logout", "me")
        says = home.run("doctor")
        if "not signed in" not in says:
            fail("the sign-in is still there after signing out:\n" + says)
        home.sign_in()
        session.lock()
        says = home.run("doctor")
        if "keyring: holds the tokens" in says or "locked" not in says:
            fail("a locked keyring is not reported:\n" + says)
        print("locked: " + next((line.strip() for line in says.splitlines() if "keyring" in line), "?"))
    finally:
        session.end()
    nowhere = "unix:path=" + os.path.join(folder, "no-bus")
    home = Home(skchat, os.path.join(folder, "without"), dict(os.environ, HOME=folder, DBUS_SESSION_BUS_ADDRESS=nowhere), origin)
    home.sign_in()
    says = home.run("doctor")
    if "keyring: not used" not in says or not home.refresh_token_in_files():
        fail("without a keyring the tokens are not in the file:\n" + says)
    print("without one: " + next(line.strip() for line in says.splitlines() if "keyring" in line))


def main():
    skchat = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "session"), mode=0o700)
        gateway = subprocess.Popen([skchat, "serve", "--listen", "127.0.0.1:0", "--as", "teams-free", "--user",
                                    "8:live:anna=" + TOKEN, "--db", os.path.join(folder, "gateway.db")],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            origin = None
            while origin is None:
                line = gateway.stdout.readline() or fail("the gateway does not start")
                found = re.search(r"http://127\.0\.0\.1:\d+", line)
                origin = found and found.group(0)
            check(skchat, folder, origin)
        finally:
            gateway.terminate()
            gateway.wait()
    print("tokens of a sign-in: in GNOME Keyring if it runs, otherwise in a private file")


main()
