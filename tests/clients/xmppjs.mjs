// xmppjs.mjs: an echo over @xmpp/client. Logs in, sends every chat message back to its sender,
// says on standard output what happens: online, message, offline REASON. Ends with the stream.
// Arguments: the directory that has node_modules, jid, password, port, "starttls" or "direct"; with
// "again" behind them it leaves when it is online and comes back once, with the token it was given;
// with "stays" it goes on when its connection is cut.
import { createRequire } from "node:module";

const [, , directory, jid, password, port, how, mode] = process.argv;
const stays = mode === "stays";
let left = mode !== "again";
const { client, xml } = createRequire(directory + "/")("@xmpp/client");
const [, username, domain, resource] = /^(.*)@(.*)\/(.*)$/.exec(jid);
const service = (how === "direct" ? "xmpps" : "xmpp") + "://localhost:" + port;
const xmpp = client({ service, domain, resource, username, password });

function leave(reason) {
  console.log("offline " + reason);
  process.exit(0);
}

xmpp.on("error", (error) => stays || leave(`${error.condition ?? error.code} ${error.message}`));
xmpp.on("disconnect", () => left && !stays && leave("the stream ended"));
xmpp.streamManagement.on("resumed", () => console.log("resumed"));
xmpp.on("element", (element) => console.error("heard " + element));
xmpp.on("send", (element) => console.error("said " + element));
xmpp.on("online", async (address) => {
  await xmpp.send(xml("presence"));
  console.log(`online ${address} ${xmpp.isSecure() ? "secured" : "in the clear"}`);
  if (left) return;
  await xmpp.stop();
  left = true;
  await xmpp.start();
});
xmpp.on("stanza", async (stanza) => {
  const body = stanza.is("message") && stanza.getChildText("body");
  if (!body) return;
  console.log(`message ${stanza.attrs.from} ${Buffer.byteLength(body)}`);
  await xmpp.send(xml("message", { to: stanza.attrs.from, type: "chat" }, xml("body", {}, body)));
});
xmpp.start().catch((error) => leave(`${error.condition ?? error.code} ${error.message}`));
