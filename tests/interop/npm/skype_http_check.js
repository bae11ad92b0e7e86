// skype-http, unpatched: signs in with a password, receives messages by polling and answers them.
// Usage: node skype_http_check.js USER PASSWORD; writes JSON lines for the check that started it.
"use strict";

const { connect } = require("skype-http");

const [username, password] = process.argv.slice(2);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");
// skype-http prints what it sends, but standard output is for the check.
console.log = () => {};

async function run() {
  const api = await connect({ credentials: { username, password } });
  api.on("error", (error) => say("error", String(error.cause || error)));
  api.on("Text", async (resource) => {
    say("message", { conversation: resource.conversation, content: resource.content });
    const sent = await api.sendMessage({ textContent: "skype-http heard: " + resource.content }, resource.conversation);
    say("sent", sent);
  });
  await api.listen();
  await api.setStatus("Online");
  say("ready", { host: api.context.registrationToken.host, endpoint: api.context.registrationToken.endpointId });
  const thread = await api.createConversation({ admins: ["8:" + username], users: ["8:joe.4"] });
  say("thread", thread);
  await api.setConversationTopic(thread, "Set by skype-http");
  // skype-http swaps these two arguments, so they are swapped here, too.
  await api.addMemberToConversation("8:anna.7", thread);
  say("conversation", await api.getConversation(thread));
  say("conversations", (await api.getConversations()).map((c) => c.id));
}

run().catch((error) => say("failed", String(error)));
