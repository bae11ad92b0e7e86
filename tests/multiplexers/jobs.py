"""Stopping and continuing inside tmux and GNU screen: the shell gets its terminal back, and fg restores the screen.

Usage: jobs.py PATH_TO_SKCHAT"""

import os
import signal
import sys
import tempfile

from windows import Screen, Tmux, wait

DRAFT = "a draft to keep"
QUIT, STOP = "\x11", "\x1a"


def check(kind, skchat, folder):
    environment = dict(os.environ, SKCHAT_DATA_DIR=folder, SKCHAT_CONFIG=os.path.join(folder, "none.toml"),
                       PS1="ready> ", LC_ALL="C.UTF-8", COLORTERM="")
    window = kind(folder, ["bash", "--norc", "--noprofile", "-i"], environment)
    shown = lambda: "\n".join(window.text())

    def has_prompt():
        return shown().rstrip(" \n\x00").endswith("ready>")

    try:
        if kind is Screen:
            window.run("altscreen", "on")
        wait("the shell", has_prompt, shown)
        place = os.path.join(folder, "pid")
        window.send("sh -c 'echo $$ > {0}; exec {1} demo'\r".format(place, skchat))
        wait("the demo", lambda: "To Joe Bloggs" in shown() and "live" in shown(), shown)
        with open(place) as file:
            process = int(file.read())
        typed = DRAFT
        window.send(typed)
        wait("the draft", lambda: typed in shown(), shown)
        ways = [
            ("Ctrl-Z", lambda: window.send(STOP)),
            ("SIGTSTP", lambda: os.kill(process, signal.SIGTSTP)),
            ("SIGSTOP", lambda: os.kill(process, signal.SIGSTOP)),
        ]
        for number, (way, stop) in enumerate(ways):
            stop()
            wait("the prompt after " + way, lambda: "ready>" in shown(), shown)
            window.send("clear\r")
            # The shell reads a line, so the terminal is not in raw mode.
            window.send("echo answer-$((40+{0}))\r".format(number))
            wait("an echo after " + way, lambda: "answer-4{0}".format(number) in shown(), shown)
            window.send("fg\r")
            wait("the draft after " + way, lambda: typed in shown() and "live" in shown(), shown)
            # A terminal that is not in raw mode would delete this character and wait for the end of the line.
            window.send("x\x7f" + str(number))
            typed += str(number)
            wait("a key after " + way, lambda: typed in shown(), shown)
        window.send(QUIT)
        wait("the shell at the end", has_prompt, shown)
    finally:
        window.close()
    print("{0}: stopped and continued in {1} ways".format(kind.name, len(ways)))


def main():
    skchat = os.path.abspath(sys.argv[1])
    for kind in (Tmux, Screen):
        with tempfile.TemporaryDirectory() as folder:
            check(kind, skchat, folder)


main()
