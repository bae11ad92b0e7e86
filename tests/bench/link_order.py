"""Which functions the program needs for a start and for ordinary use: writes assets/link_order.ld, which build.rs explains.

Usage: link_order.py PATH_TO_SKCHAT, a release build. Needs valgrind and nm. To be run when the figures of the start or of
memory have become worse; a function that is missing or gone in the file does no harm."""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "multiplexers"))
import windows  # noqa: E402

OUT = os.path.join(HERE, "..", "..", "assets", "link_order.ld")
ALT_DOWN, ALT_UP, PAGE_UP, PAGE_DOWN, QUIT = "\x1b[1;3B", "\x1b[1;3A", "\x1b[5~", "\x1b[6~", "\x11"
# Functions that share a pattern and are at most this large together are all listed first.
SMALL = 600
# Longer names are written as patterns.
LONGEST = 60
HEAD = """/*
 * The functions of a start and of ordinary use, side by side, so that few pages of the program are in memory (build.rs).
 * Written by tests/bench/link_order.py.
 */
SECTIONS
{
  .text.start : {
    /* Patterns that match mostly functions in use. */
    *(
"""
MIDDLE = """    )
    /* Patterns that match many others, too. */
    *(
"""
END = """    )
  }
}
INSERT BEFORE .text;
"""


def use(skchat, folder, valgrind):
    """An account with a few chats: starts, shows them, writes, receives and quits."""
    gateway = subprocess.Popen(
        [skchat, "serve", "--listen", "127.0.0.1:0", "--db", os.path.join(folder, "gateway.db"), "--user", "8:anna=anna",
         "--user", "8:joe=joe", "--user", "8:mia=mia"], stdout=subprocess.PIPE, text=True)
    try:
        origin = gateway.stdout.readline().strip().split("listening on ")[1]
        # A time zone is read from a file.
        anna = dict(windows.config(folder, origin, "8:anna"), TZ="Europe/Berlin")

        def send(sender, text):
            subprocess.run([skchat, "send", "--markup", "8:anna", text], env=windows.config(folder, origin, sender), check=True,
                           stdout=subprocess.DEVNULL)

        for number in range(60):
            send(("8:joe", "8:mia")[number % 2], "Message *{0}*: http://example.org/{0} 🙂".format(number))
        # Once to fill the store, once to be watched.
        for command in ([skchat], [*valgrind, skchat]):
            window = windows.Tmux(folder, command, anna)
            shown = lambda: "\n".join(window.text())
            windows.wait("the chats", lambda: "live" in shown(), shown)
            window.send(ALT_DOWN)
            windows.wait("a message", lambda: "Message" in shown(), shown)
            for keys in (ALT_DOWN, ALT_UP, PAGE_UP, PAGE_DOWN, "h", "ello @", "j", "\x7f\x7f", "\r"):
                window.send(keys)
                windows.wait("the screen", lambda: window.text() == window.text() == window.text(), shown)
            for sender in ("8:joe", "8:mia"):
                send(sender, "the last one")
            windows.wait("what was sent", lambda: "the last one" in shown(), shown)
            window.send(QUIT)
            windows.wait("the end", lambda: not os.path.exists(window.socket) or not alive(window), shown)
    finally:
        gateway.terminate()
        gateway.wait()


def alive(window):
    return subprocess.run(["tmux", "-S", window.socket, "list-sessions"], capture_output=True).returncode == 0


def called(profile):
    """The functions that were called, by their names for the linker."""
    with open(profile) as lines:
        return {re.sub(r"'\d+$", "", line[3:].strip()) for line in lines if line.startswith("fn=")}


def sizes(skchat):
    found = Counter()
    for line in subprocess.run([windows.need("nm"), "-S", skchat], capture_output=True, text=True, check=True).stdout.split("\n"):
        parts = line.split()
        if len(parts) == 4 and parts[2] in "tTwW":
            found[parts[3]] += int(parts[1], 16)
    return found


def without_hash(name):
    """A name as a pattern that other versions of the compiler and of libraries still fit."""
    if name.startswith("_R"):
        name = re.sub(r"Cs[0-9a-zA-Z]+_", "Cs*_", name)
    name = re.sub(r"17h[0-9a-f]{16}E.*", "17h*", name)
    return re.sub(r"\.(llvm\.)?\d+$", "*", name)


def shortened(name):
    """A pattern without the end of a long name."""
    return name if len(name) <= LONGEST else name[:LONGEST].rstrip("*") + "*"


def main():
    skchat = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        profile = os.path.join(folder, "profile")
        use(skchat, folder, [windows.need("valgrind"), "--tool=callgrind", "--demangle=no", "--compress-strings=no",
                             "--callgrind-out-file=" + profile])
        names = called(profile)
    size = sizes(skchat)
    used, known = Counter(), Counter()
    for name, bytes_ in size.items():
        known[without_hash(name)] += bytes_
    for name in names & size.keys():
        used[without_hash(name)] += size[name]
    own = {name for name in used if used[name] * 3 >= known[name] or known[name] <= SMALL}
    shared = used.keys() - own
    rows = lambda names: "".join("      .text.{0} .text.unlikely.{0}\n".format(name)
                                 for name in sorted(set(map(shortened, names))))
    with open(OUT, "w") as out:
        out.write(HEAD + rows(own) + MIDDLE + rows(shared) + END)
    print("{0} functions in use, {1} kB; {2} kB match the first patterns, {3} kB the others".format(
        len(names & size.keys()), sum(used.values()) // 1000, sum(known[name] for name in own) // 1000,
        sum(known[name] for name in shared) // 1000))


main()
