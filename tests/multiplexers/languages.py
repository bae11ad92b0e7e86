"""Text in many languages, scrolled at random inside tmux and GNU screen: the screen is always the same as after Ctrl-L.

Usage: languages.py PATH_TO_SKCHAT [SEED]"""

import os
import random
import subprocess
import sys
import tempfile

from windows import Screen, Tmux, config, wait

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 12
UP, DOWN, PAGE_UP, PAGE_DOWN, REDRAW, QUIT = "\x1b[1;5A", "\x1b[1;5B", "\x1b[5~", "\x1b[6~", "\x0c", "\x11"
DAMAGE = "damaged"


def steady(window):
    """The screen, once it has been the same three times in a row."""
    seen = []

    def same():
        seen.append(window.text())
        return len(seen) >= 3 and seen[-1] == seen[-2] == seen[-3]
    wait("a steady screen", same)
    return seen[-1]


def check(kind, skchat, origin, folder, texts, chance):
    # The client of the sender: nothing is unread, so nothing else on the screen changes.
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
            raise SystemExit("FAILED: letters that never appeared: " + " ".join(map(ascii, sorted(lost))))
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
