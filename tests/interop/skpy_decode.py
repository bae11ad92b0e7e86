"""Reads a page of messages with SkPy, as a bot would: JSON bytes to typed message and plain text. Prints messages a
second of processor time, best of three."""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")

from skpy import SkypeMsg  # noqa: E402


def run(data):
    started = time.process_time()
    letters = 0
    count = 0
    for raw in json.loads(data)["messages"]:
        message = SkypeMsg.fromRaw(None, raw)
        letters += len(getattr(message, "plain", None) or "")
        count += 1
    return count / (time.process_time() - started)


with open(sys.argv[1], "rb") as file:
    body = file.read()
print(max(run(body) for _ in range(3)))
