// skyweb, unpatched: signs in with a password, receives messages by long poll and answers them.
// Usage: node skyweb_check.js USER PASSWORD; writes JSON lines for the check that started it.
"use strict";

const Skyweb = require("skyweb").default;

const [user, password] = process.argv.slice(2);
const say = (kind, value) => console.log(JSON.stringify({ kind, value }));
const skyweb = new Skyweb();

skyweb.on("error", (_name, reason) => say("error", String(reason)));
skyweb.messagesCallback = (messages) => {
  for (const { resource } of messages) {
    if (!resource.from.endsWith(":" + user) && resource.messagetype === "Text") {
      const conversation = resource.conversationLink.split("/").pop();
      say("message", { conversation, content: resource.content });
      skyweb.sendMessage(conversation, "skyweb heard: " + resource.content, "Text");
    }
  }
};
skyweb.login(user, password).then(async (account) => {
  say("ready", { host: account.messagesHost, endpoint: account.registrationTokenParams.endpointId });
  skyweb.setStatus("Online");
  const members = [{ id: "8:" + user, role: "Admin" }, { id: "8:joe.4", role: "User" }];
  say("thread", await skyweb.createThread(members));
}).catch((reason) => say("failed", String(reason)));
