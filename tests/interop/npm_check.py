"""npm's `skyweb` and `skype-http`, unpatched, against `skchat serve` behind a TLS front.

Usage: npm_check.py PATH_TO_SKCHAT FOLDER_WITH_NODE_MODULES"""

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from front import CHAT, Front, Gateway, need, token

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60
TRIES = 20
checks = 0


def check(condition, what):
    global checks
    if not condition:
        raise SystemExit("FAILED: " + what)
    checks += 1


class Script:
    """A Node script and the JSON lines that it writes."""

    def __init__(self, name, modules, front, user):
        script = shutil.copy(os.path.join(HERE, "npm", name), modules)
        self.name = name
        self.process = subprocess.Popen([need("node", "run " + name), script, user, token(user)],
                                        env=front.environment(), stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put({"kind": "ended", "value": None})

    def until(self, kind, allowed=(), patience=None):
        """The value of the next line of this kind; before it, only lines of the kinds in `allowed` may come. Without such
        a line this fails, or returns None if the caller gave a `patience`."""
        end = time.monotonic() + (patience or PATIENCE)
        while True:
            try:
                line = self.lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                if patience:
                    return None
                raise SystemExit("FAILED: {0} never said {1}".format(self.name, kind))
            if line["kind"] == kind:
                check(True, kind)
                return line["value"]
            if line["kind"] not in allowed:
                raise SystemExit("FAILED: {0} said {1} before {2}".format(self.name, line, kind))

    def stop(self):
        self.process.kill()
        self.process.wait()


class Person:
    """The other person in a chat, who sends plain requests to the gateway itself."""

    def __init__(self, gateway, user):
        self.gateway, self.user = gateway, user

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            "http://" + self.gateway.listen + "/v1" + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authentication": "skypetoken=" + token(self.user)})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def say(self, to, text):
        self.ask("POST", "/users/ME/conversations/{0}/messages".format(to), {"messagetype": "Text", "content": text})

    def contents(self, chat):
        page = self.ask("GET", "/users/ME/conversations/{0}/messages?pageSize=50".format(chat))
        return [message["content"] for message in page["messages"]]


def talk(script, joe, user, prefix, text, allowed=()):
    """Joe says something, the script receives it and answers, and the answer arrives."""
    heard = None
    # skype-http drops all events of a response that has one it does not know, such as an event about a group.
    for attempt in range(TRIES):
        said = "{0} ({1})".format(text, attempt)
        joe.say("8:" + user, said)
        heard = script.until("message", allowed, PATIENCE / TRIES)
        if heard:
            break
    check(heard == {"conversation": "8:joe.4", "content": said}, "what was heard: " + str(heard))
    if prefix == "skype-http":
        sent = script.until("sent", allowed)
        check(sent["MessageId"].isdigit() and sent["arrivalTime"] == int(sent["MessageId"]), "what was sent: " + str(sent))
    expected = prefix + " heard: " + said
    for _ in range(600):
        if expected in joe.contents("8:" + user):
            return check(True, "the answer")
        # skyweb does not say when it has sent something.
        threading.Event().wait(0.1)
    check(False, "the answer to " + said + " never came")


def skyweb(gateway, front, modules, joe):
    script = Script("skyweb_check.js", modules, front, "anna.7")
    try:
        ready = script.until("ready")
        check(ready["host"] == CHAT and ready["endpoint"].startswith("{"), "signing in: " + str(ready))
        check(script.until("thread").endswith("@thread.skype"), "a group")
        talk(script, joe, "anna.7", "skyweb", "hello skyweb")
        # It never registers a second time, and reports the polls that fail while the gateway is down.
        gateway.restart()
        talk(script, joe, "anna.7", "skyweb", "and after a restart", allowed=("error",))
    finally:
        script.stop()


def skype_http(gateway, front, modules, joe):
    script = Script("skype_http_check.js", modules, front, "mia.tan")
    # It does not know events about groups, and reports them as errors.
    allowed = ("error",)
    try:
        ready = script.until("ready")
        check(ready["host"] == CHAT and ready["endpoint"].startswith("{"), "signing in: " + str(ready))
        thread = script.until("thread", allowed)
        seen = script.until("conversation", allowed)
        check(seen["id"] == thread and sorted(seen["members"]) == ["8:anna.7", "8:joe.4", "8:mia.tan"], "the group: " + str(seen))
        check(thread in script.until("conversations", allowed), "the list")
        check(joe.ask("GET", "/threads/" + thread)["properties"]["topic"] == "Set by skype-http", "the topic")
        talk(script, joe, "mia.tan", "skype-http", "hello skype-http", allowed)
        gateway.restart()
        talk(script, joe, "mia.tan", "skype-http", "and after a restart", allowed)
    finally:
        script.stop()


def main():
    modules = sys.argv[2]
    with tempfile.TemporaryDirectory() as home:
        gateway = Gateway(sys.argv[1], home)
        try:
            front = Front(gateway, home)
            joe = Person(gateway, "joe.4")
            skyweb(gateway, front, modules, joe)
            skype_http(gateway, front, modules, joe)
            registered = front.count("/users/ME/endpoints")
            check(registered == 2, "each registered once: {0}".format(registered))
        finally:
            gateway.stop()
    print("{0} checks of skyweb and skype-http against the gateway passed".format(checks))


if __name__ == "__main__":
    main()
