"""SkPy 0.11, unpatched, against `skchat serve` behind a TLS front: does what bots do.

Usage: skpy_check.py PATH_TO_SKCHAT"""

import os
import sys
import tempfile
import time

from front import CHAT, Front, Gateway, token
from skpy import Skype, SkypeApiException, SkypeEventLoop
from skpy.conn import SkypeConnection

checks = 0


def check(condition, what):
    global checks
    if not condition:
        raise SystemExit("FAILED: " + what)
    checks += 1


def token_file(home, user):
    """A token file of SkPy, with a valid Skype token and an expired registration, so that SkPy registers."""
    path = os.path.join(home, user + ".tokens")
    later = str(int(time.time()) + 86400)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
        out.write("\n".join([user, token(user), later, "registrationToken=old", "0", "https://" + CHAT + "/v1"]) + "\n")
    return path


class Bot(SkypeEventLoop):
    """Keeps the events it receives, which SkPy acknowledges by itself."""

    def __init__(self, path):
        self.seen = []
        super().__init__(tokenFile=path, autoAck=True)

    def onEvent(self, event):
        self.seen.append(event)

    def until(self, what, found):
        for _ in range(20):
            if any(found(event) for event in self.seen):
                return check(True, what)
            self.cycle()
        check(False, what)


def says(text):
    return lambda event: type(event).__name__ == "SkypeNewMessageEvent" and event.msg.content == text


def loop(gateway, front, home, joe):
    """The event loop of bots: events, their acknowledgement, and a restart of the gateway."""
    bot = Bot(token_file(home, "mia.tan"))
    acks = front.count("/ack")
    chat = joe.chats["8:mia.tan"]
    bot.conn.endpoints["self"].subscribe()
    chat.sendMsg("are you there?")
    bot.until("an event in the loop", says("are you there?"))
    acks = front.count("/ack") - acks
    check(acks == len(bot.seen), "every event is acknowledged: {0} of {1}".format(acks, len(bot.seen)))
    registrations = front.count("/users/ME/endpoints")
    gateway.restart()
    chat.sendMsg("and now?")
    bot.until("an event after a restart", says("and now?"))
    check(front.count("/users/ME/endpoints") == registrations, "nobody had to register again")


def run(gateway, front, home):
    anna, joe = (Skype(tokenFile=token_file(home, user)) for user in ("anna.7", "joe.4"))
    check(anna.conn.connected and anna.conn.msgsHost == "https://" + CHAT + "/v1", "signing in")
    check("main" in anna.conn.endpoints and str(anna.user.name) == "Anna Lindqvist", "the endpoint and the profile")

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

    # Events as the other user sees them.
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
    check(url and url.startswith("https://api.join.skype.com/join/"), "the join URL")
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
    loop(gateway, front, home, joe)
    print("{0} checks of SkPy against the gateway passed".format(checks))


def main():
    with tempfile.TemporaryDirectory() as home:
        gateway = Gateway(sys.argv[1], home)
        try:
            front = Front(gateway, home)
            environment = front.environment()
            os.environ.clear()
            os.environ.update(environment)
            run(gateway, front, home)
        finally:
            gateway.stop()


if __name__ == "__main__":
    main()
