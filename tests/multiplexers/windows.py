"""Windows of tmux and GNU screen that run the program, for the checks in this folder."""

import os
import shutil
import subprocess
import time

PATIENCE = 30


def need(name):
    path = shutil.which(name)
    if not path:
        raise SystemExit("FAILED: {0} is missing: install it and run this again".format(name))
    return path


def wait(what, condition, show=lambda: ""):
    """Waits until a condition is true, and returns its value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise SystemExit("FAILED: waited for {0}\n{1}".format(what, show()))


class Tmux:
    name = "tmux"
    shows_letters = True

    def __init__(self, folder, command, environment):
        self.socket = os.path.join(folder, "tmux")
        subprocess.run([need("tmux"), "-S", self.socket, "-f", os.devnull, "new-session", "-d", "-x", "80", "-y", "24",
                        *command], env=environment, check=True)

    def run(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, capture_output=True).stdout

    def send(self, keys):
        self.run("send-keys", "-l", keys)

    def text(self):
        return self.run("capture-pane", "-p").decode().split("\n")[:24]

    def terminal(self):
        return self.run("display-message", "-p", "#{pane_tty}").decode().strip()

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)


class Screen:
    name = "screen"
    shows_letters = False

    def __init__(self, folder, command, environment):
        # Screen wants its sockets in a folder that only the user can enter.
        self.folder = os.path.join(folder, "sockets")
        os.mkdir(self.folder, 0o700)
        self.environment = dict(environment, SCREENDIR=self.folder)
        self.picture = os.path.join(folder, "picture")
        self.tty = os.path.join(folder, "terminal")
        rc = os.path.join(folder, "screenrc")
        with open(rc, "w") as file:
            file.write("defutf8 on\nstartup_message off\n")
        script = 'tty > "$1"; shift; exec "$@"'
        subprocess.run([need("screen"), "-c", rc, "-U", "-dmS", "languages", "sh", "-c", script, "sh", self.tty,
                        *command], env=self.environment, check=True)

    def run(self, *arguments):
        subprocess.run(["screen", "-S", "languages", "-p", "0", "-X", *arguments], env=self.environment,
                       capture_output=True)

    def send(self, keys):
        # Screen interprets carets and backslashes, so every byte is escaped.
        self.run("stuff", "".join("\\{0:03o}".format(b) for b in keys.encode()))

    def text(self):
        if os.path.exists(self.picture):
            os.remove(self.picture)
        self.run("hardcopy", self.picture)
        end = time.monotonic() + 2
        while not (os.path.exists(self.picture) and os.path.getsize(self.picture)):
            if time.monotonic() > end:
                return [""]
            time.sleep(0.01)
        with open(self.picture, "rb") as file:
            # A hard copy has only the lowest byte of each character: enough to tell two screens apart.
            return [file.read().decode("latin-1")]

    def terminal(self):
        with open(self.tty) as file:
            return file.read().strip()

    def close(self):
        self.run("quit")


def config(folder, origin, user):
    home = os.path.join(folder, user.split(":")[1])
    os.makedirs(home, exist_ok=True)
    path = os.path.join(home, "config.toml")
    with open(path, "w") as file:
        file.write('[accounts.home]\nuser_id = "{0}"\ngateway = "{1}/v1"\nprofiles = "{1}/profiles"\n'
                   'token = {{ env = "TEST_TOKEN" }}\n'.format(user, origin))
    return dict(os.environ, SKCHAT_CONFIG=path, SKCHAT_DATA_DIR=home, TEST_TOKEN=user.split(":")[1], TZ="UTC",
                LC_ALL="C.UTF-8", COLORTERM="", DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent/bus")
