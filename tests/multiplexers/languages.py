"""Text in many languages, scrolled at random inside tmux and GNU screen: the screen is always what Ctrl-L draws.

Usage: languages.py PATH_TO_SKCHAT [SEED]"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 30
ROUNDS = 12
UP, DOWN, PAGE_UP, PAGE_DOWN, REDRAW, QUIT = "\x1b[1;5A", "\x1b[1;5B", "\x1b[5~", "\x1b[6~", "\x0c", "\x11"
DAMAGE = "damaged"


def need(name):
    path = shutil.which(name)
    if not path:
        raise SystemExit("FAILED: {0} is missing: install it and run this again".format(name))
    return path


def wait(what, condition, show=lambda: ""):
    """Waits for a condition, and gives what it gave."""
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
        # Its sockets lie in a folder that only the user can enter.
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
        # Screen reads carets and backslashes itself.
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
            # A hard copy has the lowest byte of each character only: enough to tell two screens apart.
            return [file.read().decode("latin-1")]

    def terminal(self):
        with open(self.tty) as file:
            return file.read().strip()

    def close(self):
        self.run("quit")


def steady(window):
    """The screen once it is the same three times in a row."""
    seen = []

    def same():
        seen.append(window.text())
        return len(seen) >= 3 and seen[-1] == seen[-2] == seen[-3]
    wait("a screen that is steady", same)
    return seen[-1]


def config(folder, origin, user):
    home = os.path.join(folder, user.split(":")[1])
    os.makedirs(home, exist_ok=True)
    path = os.path.join(home, "config.toml")
    with open(path, "w") as file:
        file.write('[accounts.home]\nuser_id = "{0}"\ngateway = "{1}/v1"\nprofiles = "{1}/profiles"\n'
                   'token = {{ env = "TEST_TOKEN" }}\n'.format(user, origin))
    return dict(os.environ, SKCHAT_CONFIG=path, SKCHAT_DATA_DIR=home, TEST_TOKEN=user.split(":")[1], TZ="UTC",
                LC_ALL="C.UTF-8", COLORTERM="")


def check(kind, skchat, origin, folder, texts, chance):
    # The sender's own client: nothing is unread, so that nothing else on the screen changes.
    environment = config(folder, origin, "8:joe")
    window = kind(folder, [skchat], environment)
    try:
        shown = lambda: "\n".join(window.text())
        wait("the chat", lambda: "live" in shown(), shown)
        window.send("\x1b[1;3B")
        wait("the newest message", lambda: "End of the list" in shown(), shown)
        letters = set()
        for number in range(ROUNDS):
            for _ in range(chance.randint(2, 9)):
                window.send(chance.choice([UP, UP, UP, DOWN, PAGE_UP, PAGE_UP, PAGE_DOWN]))
            before = steady(window)
            letters.update("".join(before))
            with open(window.terminal(), "w") as terminal:
                terminal.write("\x1b7\x1b[24;1H" + DAMAGE + "\x1b8")
            wait("the damage", lambda: DAMAGE in shown(), shown)
            window.send(REDRAW)
            wait("the redraw", lambda: DAMAGE not in shown(), shown)
            after = steady(window)
            if before != after:
                rows = [(a, b) for a, b in zip(before, after) if a != b]
                raise SystemExit("FAILED: {0}, round {1}: rows before and after Ctrl-L differ\n{2}".format(
                    window.name, number, "\n".join("{0!r}\n{1!r}".format(*row) for row in rows)))
        for _ in range(60):
            window.send(PAGE_UP)
        letters.update("".join(steady(window)))
        for _ in range(40):
            window.send(PAGE_DOWN)
            letters.update(shown())
        lost = {c for text in texts for c in text if c.isalpha()} - letters
        if window.shows_letters and lost:
            raise SystemExit("FAILED: letters that were never seen: " + " ".join(map(ascii, sorted(lost))))
        window.send(QUIT)
    finally:
        window.close()


def main():
    skchat = os.path.abspath(sys.argv[1])
    seed = sys.argv[2] if len(sys.argv) > 2 else str(random.SystemRandom().randrange(10 ** 6))
    print("seed {0}".format(seed))
    with open(os.path.join(HERE, "..", "fixtures", "languages.txt"), encoding="utf-8") as file:
        texts = [line.rstrip("\n").split("\t")[1] for line in file]
    with tempfile.TemporaryDirectory() as folder:
        gateway = subprocess.Popen(
            [skchat, "serve", "--listen", "127.0.0.1:0", "--db", os.path.join(folder, "gateway.db"),
             "--user", "8:anna=anna", "--user", "8:joe=joe"], stdout=subprocess.PIPE, text=True)
        try:
            origin = gateway.stdout.readline().strip().split("listening on ")[1]
            sender = config(folder, origin, "8:joe")
            for number, text in enumerate(texts + ["End of the list"]):
                subprocess.run([skchat, "send", "8:anna", "x" * (number % 4) + text], env=sender, check=True,
                               stdout=subprocess.DEVNULL)
            for kind in (Tmux, Screen):
                place = os.path.join(folder, kind.name)
                os.mkdir(place)
                check(kind, skchat, origin, place, texts, random.Random(seed))
                print("{0}: {1} rounds equal".format(kind.name, ROUNDS))
        finally:
            gateway.terminate()
            gateway.wait()


main()
