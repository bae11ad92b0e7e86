"""An exported page in headless Chromium: it shows every message and its picture, runs no script and makes no request.

Usage: page.py PATH_TO_SKCHAT [PICTURE_OF_THE_PAGE]"""

import html
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import zlib

BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
OWNER, PEER = "8:live:anna", "8:live:joe"
OBJECT = "0-weu-d3-0123456789abcdef0123456789abcdef"
# A colour that occurs nowhere else on the page.
COLOUR = (200, 30, 90)
WIDTH, HEIGHT = 900, 1400


def fail(why):
    raise SystemExit("FAILED: {0}".format(why))


def png(width, height, colour):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def count_pixels(path, colour):
    """How many pixels of a PNG with eight bits per channel have this colour."""
    data = open(path, "rb").read()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    size = {2: 3, 6: 4}.get(kind)
    if depth != 8 or size is None:
        fail("the browser's picture has bit depth {0} and colour type {1}".format(depth, kind))
    packed, at = b"", 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += length + 12
    raw, stride = zlib.decompress(packed), width * size
    before, found = bytearray(stride), 0
    for row in range(height):
        start = row * (stride + 1)
        line = bytearray(raw[start + 1:start + 1 + stride])
        way = raw[start]
        for i in range(stride):
            left = line[i - size] if i >= size else 0
            above = before[i]
            corner = before[i - size] if i >= size else 0
            if way == 1:
                add = left
            elif way == 2:
                add = above
            elif way == 3:
                add = (left + above) // 2
            elif way == 4:
                guess = left + above - corner
                add = min((abs(guess - left), 0, left), (abs(guess - above), 1, above),
                          (abs(guess - corner), 2, corner))[2]
            else:
                add = 0
            line[i] = (line[i] + add) & 255
        found += sum(tuple(line[i:i + 3]) == colour for i in range(0, stride, size))
        before = line
    return found


class Listener:
    """A server that counts connections; the page must make none."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


def messages(port):
    """The messages, and the text of each that must be on the page."""
    there = "http://127.0.0.1:{0}".format(port)
    said = [
        ("RichText", "<b>bold</b> and <i>italic</i>", "bold and italic"),
        ("RichText", "<pre>fn main() {\n\tlet x = 1;\n}</pre>", "fn main() {\n\tlet x = 1;\n}"),
        ("RichText", "<quote authorname=\"Joe\">Who asked?</quote>My answer", "My answer"),
        ("Text", "<script>document.title = 'ran'</script>", "<script>document.title = 'ran'</script>"),
        ("RichText", "&lt;img src=x onerror=\"document.title='ran'\"&gt;", "<img src=x onerror=\"document.title='ran'\">"),
        ("RichText", "</div></article><script>document.title = 'ran'</script>after", "after"),
        ("RichText/Html", "<img src=\"{0}/a.png\"><p>picture elsewhere</p>".format(there), "picture elsewhere"),
        ("RichText/Html", "<style>@import '{0}/a.css'; body {{ display: none }}</style><p>styled</p>".format(there), "styled"),
        ("RichText/Html", "<iframe src=\"{0}/frame\"></iframe><p>framed</p>".format(there), "framed"),
        ("RichText", "<a href=\"{0}/page\">{0}/page</a>".format(there), there + "/page"),
        ("RichText", "\u65e5\u672c\u8a9e \u0639\u0631\u0628\u064a \U0001f469\U0001f3fd\u200d\U0001f52c", "\u65e5\u672c\u8a9e \u0639\u0631\u0628\u064a \U0001f469\U0001f3fd\u200d\U0001f52c"),
        ("RichText/UriObject", "<URIObject type=\"Picture.1\" uri=\"https://api.asm.skype.com/v1/objects/{0}\" "
         "doc_id=\"{0}\"><OriginalName v=\"bread.png\"/></URIObject>".format(OBJECT), "bread.png"),
    ]
    items = [{"id": str(1594000000000 + n * 61000), "messagetype": kind, "content": content,
              "from": PEER if n % 2 else OWNER} for n, (kind, content, _) in enumerate(said)]
    return items, [shown for _, _, shown in said]


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        fail("{0}: {1}".format(command[0], done.stderr[-2000:]))
    return done.stdout


def export(skchat, folder, port):
    items, shown = messages(port)
    media = os.path.join(folder, "export", "media")
    os.makedirs(media)
    with open(os.path.join(media, OBJECT + ".1.png"), "wb") as file:
        file.write(png(60, 40, COLOUR))
    chats = [{"id": PEER, "displayName": "Joe", "MessageList": items}]
    with open(os.path.join(folder, "export", "messages.json"), "w") as file:
        json.dump({"userId": OWNER, "conversations": chats}, file)
    page, pictures = os.path.join(folder, "page.html"), os.path.join(folder, "pictures & more")
    environment = dict(os.environ, HOME=folder, SKCHAT_DATA_DIR=os.path.join(folder, "data"), TZ="UTC")
    run(skchat, "import", os.path.join(folder, "export"), env=environment)
    run(skchat, "export", "Joe", "--format", "html", "-o", page, "--media", pictures, env=environment)
    return page, shown


def browse(browser, folder, page, *options):
    # No host name resolves, so that any request of the page fails instead of leaving this machine.
    return run(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync",
               "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--user-data-dir=" + os.path.join(folder, "profile"),
               "--hide-scrollbars", "--window-size={0},{1}".format(WIDTH, HEIGHT), "--virtual-time-budget=5000",
               *options, "file://" + page, timeout=120)


def text_of(tree):
    tree = re.sub(r"<style>.*?</style>", "", tree, flags=re.S)
    return html.unescape(re.sub(r"<[^>]*>", "", tree))


def main():
    skchat = os.path.abspath(sys.argv[1])
    browser = next(filter(None, map(shutil.which, BROWSERS)), None) or fail("no Chromium is installed")
    listener = Listener()
    with tempfile.TemporaryDirectory() as folder:
        control = os.path.join(folder, "control.html")
        with open(control, "w") as file:
            file.write("<img src=\"http://127.0.0.1:{0}/control.png\">".format(listener.port))
        browse(browser, folder, control, "--dump-dom")
        if not listener.connections:
            fail("the browser cannot reach the server, so requests of the page would go unnoticed")
        listener.connections = 0
        page, shown = export(skchat, folder, listener.port)
        tree = browse(browser, folder, page, "--dump-dom")
        picture = os.path.join(folder, "page.png")
        browse(browser, folder, page, "--screenshot=" + picture)
        if len(sys.argv) > 2:
            shutil.copy(picture, sys.argv[2])
        pixels = count_pixels(picture, COLOUR)
    if "<title>Conversations</title>" not in tree:
        fail("a script on the page ran")
    text = text_of(tree)
    for line in [*shown, "Who asked?"]:
        if line not in text:
            fail("the page does not show: {0!r}".format(line))
    articles = tree.count("<article>")
    if articles != len(shown):
        fail("{0} messages became {1} articles".format(len(shown), articles))
    if pixels < 60 * 40:
        fail("the picture is not on the page: {0} pixels of its colour".format(pixels))
    if listener.connections:
        fail("the page made a request")
    print("{0} messages and a picture of {1} pixels on a page in {2}; no script ran, no request was made".format(
        len(shown), pixels, os.path.basename(browser)))


main()
