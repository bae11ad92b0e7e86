"""Reads pages of messages with SkPy, as a bot would: JSON bytes to typed message and plain text. Each line of the file
is a page. Prints messages a second of processor time, best of three."""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")

from skpy import SkypeMsg  # noqa: E402


def run(pages):
    started = time.process_time()
    letters = 0
    count = 0
    for page in pages:
        for raw in json.loads(page)["messages"]:
            message = SkypeMsg.fromRaw(None, raw)
            letters += len(getattr(message, "plain", None) or "")
            count += 1
    return count / (time.process_time() - started)


with open(sys.argv[1], "rb") as file:
    pages = file.read().splitlines()
print(max(run(pages) for _ in range(3)))
