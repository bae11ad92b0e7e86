"""SkPy 0.11 against `skchat serve`: what bots do, done to our gateway. Usage: skpy_check.py PATH_TO_SKCHAT"""

import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta

import requests
from skpy import Skype, SkypeApiException
from skpy.conn import SkypeConnection, SkypeEndpoint

checks = 0
NAMES = {}


class Me:
    """The own profile, which lives on another host: a name is enough."""

    def __init__(self, name):
        self.name = name


Skype.user = property(lambda self: Me(NAMES[self.conn.userId]))


def check(condition, what):
    global checks
    if not condition:
        raise SystemExit("FAILED: " + what)
    checks += 1


def sign_in(origin, user, name):
    """SkPy's own registration insists on https in the Location, so this one request is made here."""
    token = user + "-token"
    answer = requests.post(
        origin + "/v1/users/ME/endpoints",
        headers={"Authentication": "skypetoken=" + token, "BehaviorOverride": "redirectAs404"},
        json={"endpointFeatures": "Agent"},
    )
    check(answer.status_code == 201, "registering an endpoint")
    header = answer.headers["Set-RegistrationToken"]
    reg = re.search(r"(registrationToken=[a-z0-9+/=]+)", header, re.I).group(1)
    check(int(re.search(r"expires=(\d+)", header).group(1)) > time.time(), "the token's expiry")
    endpoint = re.search(r"endpointId=({[a-z0-9\-]+})", header).group(1)
    sk = Skype(connect=False)
    sk.conn.userId = user
    sk.conn.msgsHost = origin + "/v1"
    expiry = datetime.now() + timedelta(hours=1)
    sk.conn.tokens = {"skype": token, "reg": reg}
    sk.conn.tokenExpiry = {"skype": expiry, "reg": expiry}
    sk.conn.endpoints["self"] = SkypeEndpoint(sk.conn, "SELF")
    check(endpoint in requests.utils.unquote(answer.headers["Location"]), "the endpoint's Location")

    NAMES[user] = name
    return sk


def run(origin):
    SkypeConnection.API_MSGSHOST = origin + "/v1"
    SkypeConnection.API_JOIN_CREATE = origin + "/v1"
    external = SkypeConnection.externalCall.__func__

    def redirected(cls, method, url, **kwargs):
        return external(cls, method, url.replace("https://join.skype.com", origin + "/join"), **kwargs)

    SkypeConnection.externalCall = classmethod(redirected)
    anna = sign_in(origin, "anna.7", "Anna Lindqvist")
    joe = sign_in(origin, "joe.4", "Joe Bloggs")

    # Events, from the first poll on.
    joe.conn.endpoints["self"].config()
    joe.conn.endpoints["self"].ping()
    joe.conn.endpoints["self"].subscribe()

    # Creating a group.
    group = anna.chats.create(members=("joe.4",), admins=())
    check(group.id.startswith("19:") and sorted(group.userIds) == ["anna.7", "joe.4"], "creating a group")
    check(group.adminIds == ["anna.7"] and group.creatorId == "anna.7", "the group's admin")
    group.setTopic("Bots & <friends>")
    again = anna.chats.chat(group.id)
    check(again.topic == "Bots & <friends>", "the topic")

    # Sending, over several pages.
    sent = [group.sendMsg("message {0}".format(i)) for i in range(70)]
    check(all(m.id for m in sent) and len({m.id for m in sent}) == 70, "ids of sent messages")
    reader = joe.chats.chat(group.id)
    pages = []
    for _ in range(5):
        page = reader.getMsgs()
        if not page:
            break
        pages.append([m.content for m in page])
    contents = [c for page in pages for c in page if c and c.startswith("message ")]
    check(len(pages) >= 3 and contents == ["message {0}".format(i) for i in range(69, -1, -1)], "messages over several pages")
    group.sendMsg("one more")
    check(reader.getMsgs()[0].content == "one more", "new messages come first")

    # Edit, delete, rich text, typing.
    m = group.sendMsg("teh")
    edited = m.edit("the")
    check(edited.content == "the", "editing")
    m2 = group.sendMsg("gone soon")
    m2.delete()
    latest = joe.chats.chat(group.id)
    joe.conn.syncStates.clear()
    found = {x.id: x for x in latest.getMsgs()}
    check(found[m.id].content == "the", "the edit is read back")
    check(not found[m2.id].content, "the deletion is read back")
    rich = group.sendMsg("<b>bold</b> <at id=\"8:joe.4\">Joe</at>", rich=True)
    check(rich.type == "RichText", "rich text")
    group.setTyping()
    group.setTyping(False)
    me = group.sendMsg("waves", me=True)
    check(me.content == "Anna Lindqvist waves", "an action")

    # Events as the other one sees them.
    events = joe.getEvents()
    kinds = {type(e).__name__ for e in events}
    for kind in ("SkypeNewMessageEvent", "SkypeTypingEvent", "SkypeChatMemberEvent"):
        check(kind in kinds, "an event of kind " + kind + " in " + str(sorted(kinds)))
    check("MessageUpdate" in {e.type for e in events}, "an event for the edit")
    news = [e.msg.content for e in events if type(e).__name__ == "SkypeNewMessageEvent" and e.msg.content]
    check("one more" in news, "the event's message")
    events[-1].ack() if hasattr(events[-1], "ack") else None

    # Members and settings.
    group.addMember("mia.tan")
    check("mia.tan" in anna.chats.chat(group.id).userIds, "adding a member")
    group.addMember("mia.tan", admin=True)
    check("mia.tan" in anna.chats.chat(group.id).adminIds, "making an admin")
    group.removeMember("mia.tan")
    check("mia.tan" not in anna.chats.chat(group.id).userIds, "removing a member")
    group.setOpen(True)
    check(anna.chats.chat(group.id).open is True, "opening for joining")
    url = anna.chats.chat(group.id).joinUrl
    check(url and url.startswith(origin + "/join/"), "the join URL")
    ids = anna.chats.urlToIds(url)
    check(ids["id"] == group.id and ids["long"] and ids["blob"], "resolving the join URL")
    group.setHistory(False)
    check(anna.chats.chat(group.id).history is False, "hiding the history")
    group.setHistory(True)
    group.setOpen(False)
    try:
        joe.chats.chat(group.id).setOpen(True)
        check(False, "a user opened the group")
    except SkypeApiException as e:
        check(e.args[1].status_code == 403, "a user may not open the group")

    # One to one, recent chats, read marks, alerts, leaving, clearing.
    joe.conn("POST", "{0}/users/ME/conversations/8:anna.7/messages".format(joe.conn.msgsHost),
             auth=SkypeConnection.Auth.RegToken,
             json={"contenttype": "text", "messagetype": "Text", "content": "psst", "clientmessageid": "1"})
    recent = anna.chats.recent()
    check(set(recent) == {group.id, "8:joe.4"}, "recent chats: " + str(sorted(recent)))
    check(not anna.chats.recent(), "each recent chat is listed once")
    chat = recent["8:joe.4"]
    message = chat.getMsgs()[0]
    check(message.content == "psst" and message.userId == "joe.4", "a one-to-one message")
    chat.setConsumption("{0};{1};{0}".format(message.id, int(time.time() * 1000)))
    chat.setAlerts(False)
    check(anna.chats.chat("8:joe.4").alerts is False, "muting")
    chat.delete()
    anna.conn.syncStates.clear()
    check(not anna.chats.chat("8:joe.4").getMsgs(), "deleting the history for oneself")
    joe.chats.chat(group.id).leave()
    check(joe.chats.chat(group.id).active is False, "leaving")
    print("{0} checks of SkPy against the gateway passed".format(checks))


def main():
    with tempfile.TemporaryDirectory() as home:
        users = [("anna.7", "Anna Lindqvist"), ("joe.4", "Joe Bloggs"), ("mia.tan", "Mia Tan")]
        path = os.path.join(home, "users")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            for user, name in users:
                out.write("8:{0} {0}-token {1}\n".format(user, name))
        server = subprocess.Popen(
            [sys.argv[1], "serve", "--listen", "127.0.0.1:0", "--db", os.path.join(home, "gateway.db"), "--users", path],
            stdout=subprocess.PIPE, text=True,
        )
        try:
            line = server.stdout.readline().strip()
            check(line.startswith("listening on http://127.0.0.1:"), "the agreed line")
            run(line.split(" ")[-1])
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
