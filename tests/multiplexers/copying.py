"""Copying inside tmux and GNU screen, attached to a terminal: the text that arrives there is that of the message.

Usage: copying.py PATH_TO_SKCHAT"""

import base64
import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import threading

from windows import config, need, wait

SELECT, UP, QUIT = "\x1b[1;5A", "k", "\x11"
NEXT_CHAT, HIGHLIGHT = "\x1b[1;3B", "\x1b[7m"
TEXTS = [
    "plain",
    "two\nlines",
    "name\tage",
    "-n leads",
    "'single' \"double\" `back` $HOME \\n %s #S",
    " spaces around ",
    "\u00fc \u65e5\u672c \U0001f469\U0001f3fd\u200d\U0001f52c e\u0301",
    "word " * 120 + "finished",
]


class Attached:
    """A program in an xterm-like pseudo-terminal, and everything that it has written there."""

    def __init__(self, command, environment):
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.execvpe(command[0], command, environment)
        self.pid = pid
        self.seen = b""
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                piece = os.read(self.terminal, 65536)
            except OSError:
                return
            if not piece:
                return
            self.seen += piece

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def wait_for(self, what):
        wait(what, lambda: what.encode() in self.seen, lambda: self.seen[-2000:].decode(errors="replace"))

    def end(self):
        self.reader.join(timeout=10)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def buffer(socket):
    return subprocess.run(["tmux", "-S", socket, "show-buffer"], capture_output=True).stdout.decode()


def check(name, attached, was_copied, says):
    attached.wait_for("live")
    attached.send(NEXT_CHAT)
    # Multiplexers do not redraw words that are on the screen already, so wait only for new ones.
    attached.wait_for("finished")
    attached.send(SELECT)
    attached.wait_for(HIGHLIGHT)
    for number, text in enumerate(reversed(TEXTS)):
        attached.seen = b""
        attached.send("y")
        wait("{0!r} in the clipboard of {1}".format(text, name), lambda: was_copied(text),
             lambda: attached.seen.decode(errors="replace"))
        encoded = base64.b64encode(text.encode())
        wait("{0!r} in the terminal around {1}".format(text, name),
             lambda: encoded in attached.seen, lambda: attached.seen.decode(errors="replace"))
        if number == 0:
            # Later the same words are on the screen already.
            attached.wait_for(says)
        attached.send(UP)
    attached.send("\x1b")
    attached.send(QUIT)
    attached.end()
    print("{0}: {1} texts copied".format(name, len(TEXTS)))


def main():
    skchat = os.path.abspath(sys.argv[1])
    for program in ("tmux", "screen"):
        need(program)
    with tempfile.TemporaryDirectory() as folder:
        gateway = subprocess.Popen(
            [skchat, "serve", "--listen", "127.0.0.1:0", "--db", os.path.join(folder, "gateway.db"),
             "--user", "8:anna=anna", "--user", "8:joe=joe"], stdout=subprocess.PIPE, text=True)
        try:
            origin = gateway.stdout.readline().strip().split("listening on ")[1]
            environment = config(folder, origin, "8:joe")
            for text in TEXTS:
                subprocess.run([skchat, "send", "8:anna", "--", text], env=environment, check=True,
                               stdout=subprocess.DEVNULL)
            # No other clipboard may be used than those of the multiplexers.
            for variable in ("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY"):
                environment.pop(variable, None)
            environment["TERM"] = "xterm-256color"
            socket = os.path.join(folder, "tmux")
            try:
                command = ["tmux", "-S", socket, "-f", os.devnull, "new-session", skchat]
                check("tmux", Attached(command, environment), lambda text: buffer(socket) == text, "(tmux)")
            finally:
                subprocess.run(["tmux", "-S", socket, "kill-server"], capture_output=True)
            sockets = os.path.join(folder, "sockets")
            os.mkdir(sockets, 0o700)
            rc = os.path.join(folder, "screenrc")
            with open(rc, "w") as file:
                file.write("defutf8 on\nstartup_message off\n")
            command = ["screen", "-c", rc, "-U", "-S", "copying", skchat]
            # Screen has no buffer to check; what the terminal around it has received is checked for both.
            check("screen", Attached(command, dict(environment, SCREENDIR=sockets)), lambda text: True,
                  "Sent")
        finally:
            gateway.terminate()
            gateway.wait()


main()
