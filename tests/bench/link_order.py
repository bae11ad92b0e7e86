"""Which functions the program needs for a start and for ordinary use: writes assets/link_order.txt, which build.rs explains.

Usage: link_order.py V0 LEGACY, two release builds, one with each kind of symbols: -Csymbol-mangling-version=v0, which
.cargo/config.toml asks for, and RUSTFLAGS=-Csymbol-mangling-version=legacy. The file lists both. Needs valgrind and nm.
To be run when the figures of the start or of memory have become worse; a function that is missing or gone in the file does
no harm."""

import bisect
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "multiplexers"))
import windows  # noqa: E402

OUT = os.path.join(HERE, "..", "..", "assets", "link_order.txt")
ALT_DOWN, ALT_UP, PAGE_UP, PAGE_DOWN, QUIT = "\x1b[1;3B", "\x1b[1;3A", "\x1b[5~", "\x1b[6~", "\x11"
# The length of the shortest pattern, and the step in which longer ones are tried.
SHORTEST, STEP = 12, 6
# A pattern may match other functions of this size together, or of a tenth of the size of the one in use.
SMALL = 200


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
        # Hashes of crates, and back references, whose numbers depend on the length of the hashes.
        name = re.sub(r"Cs[0-9a-zA-Z]+_", "Cs*_", name)
        name = re.sub(r"B[0-9a-zA-Z]*_", "B*_", name)
    name = re.sub(r"17h[0-9a-f]{16}E.*", "17h*", name)
    return re.sub(r"\.(llvm\.)?\d+$", "*", name)


class Patterns:
    """Looks for the shortest beginnings of names in use that match hardly any other function."""

    def __init__(self, size, used):
        self.size, self.used, self.names = size, used, sorted(size)

    def matched(self, pattern):
        head = pattern.split("*")[0]
        first, last = (bisect.bisect_left(self.names, head + end) for end in ("", "\x7f"))
        fits = re.compile(".*".join(map(re.escape, pattern.split("*")))).fullmatch
        return [name for name in self.names[first:last] if fits(name)]

    def others(self, pattern):
        return sum(self.size[name] for name in self.matched(pattern) if name not in self.used)

    def find(self):
        found, done = [], set()
        for name in sorted(self.used):
            if name in done:
                continue
            whole = without_hash(name)
            most = self.others(whole) + max(SMALL, self.size[name] // 10)
            starts = (whole[:length].rstrip("*") + "*" for length in range(SHORTEST, len(whole), STEP))
            found.append(next((start for start in starts if self.others(start) <= most), whole))
            done.update(self.matched(found[-1]))
        return found, done


def patterns_of(skchat):
    with tempfile.TemporaryDirectory() as folder:
        profile = os.path.join(folder, "profile")
        use(skchat, folder, [windows.need("valgrind"), "--tool=callgrind", "--demangle=no", "--compress-strings=no",
                             "--callgrind-out-file=" + profile])
        names = called(profile)
    size = sizes(skchat)
    used = names & size.keys()
    found, matched = Patterns(size, used).find()
    kilobytes = lambda names: sum(map(size.get, names)) // 1000
    print("{0} functions in use, {1} kB; {2} patterns match {3} kB".format(
        len(used), kilobytes(used), len(found), kilobytes(matched)))
    return found


def main():
    builds = sys.argv[1:]
    if len(builds) != 2:
        sys.exit(__doc__)
    found = sorted({pattern for skchat in builds for pattern in patterns_of(os.path.abspath(skchat))})
    with open(OUT, "w") as out:
        out.write("".join(pattern + "\n" for pattern in found))


main()
