"""Which functions the program needs for a typed key, for a start, and for other ordinary use: writes
assets/link_order.txt, which build.rs explains.

Usage: link_order.py SKCHAT, a release build. Needs valgrind and nm, and no other run of callgrind at the same time.
To be run when the figures for the start, a key or memory have become worse; functions that the file lacks, or that no
longer exist, do no harm."""

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
# The number of letters that are typed while the program is profiled.
KEYS = 40
# A pattern may match other functions of this total size, or of a tenth of the size of the function in use.
SMALL = 200


def use(skchat, folder, profile):
    """An account with a few chats: starts, shows them, writes, receives and quits. The profile has parts: PROFILE.1 is
    for the start, PROFILE.3 for typed keys, and the others are for the rest."""
    valgrind = [windows.need("valgrind"), "--tool=callgrind", "--demangle=no", "--compress-strings=no", "--combine-dumps=no",
                "--callgrind-out-file=" + profile]
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
        # Once to fill the store, once to be profiled.
        for command in ([skchat], [*valgrind, skchat]):
            window = windows.Tmux(folder, command, anna)
            shown = lambda: "\n".join(window.text())
            quiet = lambda: windows.wait("the screen", lambda: window.text() == window.text() == window.text(), shown)
            if command == [skchat]:
                windows.wait("the chats", lambda: "live" in shown(), shown)
                window.send(ALT_DOWN)
            windows.wait("a message", lambda: "Message" in shown(), shown)
            if command != [skchat]:
                end_part(profile, 1)
                windows.wait("the chats", lambda: "live" in shown(), shown)
                # The first key causes work that later ones do not.
                window.send("a")
                windows.wait("the key", lambda: "› a" in shown(), shown)
                quiet()
                end_part(profile, 2)
                for count in range(KEYS):
                    window.send("a")
                    windows.wait("the keys", lambda: "› a" + "a" * (count + 1) in shown(), shown)
                end_part(profile, 3)
                window.send("\x7f" * (KEYS + 1))
                windows.wait("an empty box", lambda: "› a" not in shown(), shown)
            for keys in (ALT_DOWN, ALT_UP, PAGE_UP, PAGE_DOWN, "h", "ello @", "j", "\x7f\x7f", "\r"):
                window.send(keys)
                quiet()
            for sender in ("8:joe", "8:mia"):
                send(sender, "the last one")
            windows.wait("what was sent", lambda: "the last one" in shown(), shown)
            window.send(QUIT)
            windows.wait("the end", lambda: not os.path.exists(window.socket) or not alive(window), shown)
    finally:
        gateway.terminate()
        gateway.wait()


def end_part(profile, number):
    subprocess.run([windows.need("callgrind_control"), "--dump"], check=True, stdout=subprocess.DEVNULL)
    windows.wait("a part of the profile", lambda: os.path.exists("{0}.{1}".format(profile, number)))


def alive(window):
    return subprocess.run(["tmux", "-S", window.socket, "list-sessions"], capture_output=True).returncode == 0


def calls(profile):
    """How often functions were called, by their linker names."""
    found = Counter()
    with open(profile) as lines:
        for line in lines:
            if line.startswith("fn="):
                found[name_of(line[3:])] += 0
            elif line.startswith("cfn="):
                name = name_of(line[4:])
            elif line.startswith("calls="):
                found[name] += int(line[6:].split()[0])
    return found


def name_of(text):
    return re.sub(r"'\d+$", "", text.strip())


def sizes(skchat):
    found = Counter()
    for line in subprocess.run([windows.need("nm"), "-S", skchat], capture_output=True, text=True, check=True).stdout.split("\n"):
        parts = line.split()
        if len(parts) == 4 and parts[2] in "tTwW":
            found[parts[3]] += int(parts[1], 16)
    return found


def without_hash(name):
    """A name as a pattern that still matches with other versions of the compiler and of libraries."""
    if name.startswith("_R"):
        # Hashes of crates, and back references, whose numbers depend on the length of the hashes.
        name = re.sub(r"Cs[0-9a-zA-Z]+_", "Cs*_", name)
        name = re.sub(r"B[0-9a-zA-Z]*_", "B*_", name)
    return re.sub(r"\.(llvm\.)?\d+$", "*", name)


class Patterns:
    """Looks for the shortest prefixes of names in use that match hardly any other functions."""

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


def groups_of(skchat):
    """The functions used by a typed key, by a start, and by the rest."""
    with tempfile.TemporaryDirectory() as folder:
        profile = os.path.join(folder, "profile")
        use(skchat, folder, profile)
        typed = {name for name, count in calls(profile + ".3").items() if count >= KEYS // 10}
        start = set(calls(profile + ".1"))
        others = set().union(*(calls(part) for part in (profile, profile + ".2", profile + ".3")))
    return typed, start - typed, others - start - typed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    skchat = os.path.abspath(sys.argv[1])
    size = sizes(skchat)
    kilobytes = lambda names: sum(map(size.get, names)) // 1000
    groups = []
    for what, names in zip(("a typed key", "a start", "other use"), groups_of(skchat)):
        used = names & size.keys()
        found, matched = Patterns(size, used).find()
        print("{0}: {1} functions, {2} kB; {3} patterns match {4} kB".format(
            what, len(used), kilobytes(used), len(found), kilobytes(matched)))
        groups.append("".join(pattern + "\n" for pattern in sorted(set(found))))
    with open(OUT, "w") as out:
        out.write("\n".join(groups))


main()
