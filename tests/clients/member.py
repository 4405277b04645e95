"""A person who uses slixmpp where there are channels (MIX): what is said and told there is kept,
and each stanza that comes is looked at, whether or not somebody waits for it."""

import re

import slix
from harness import Failure, check, equal
from slix import IqError, Person
from slixmpp import JID

SERVICE = JID("mix.localhost")
COVEN = JID("coven@mix.localhost")
NAMESPACES = {"urn:xmpp:mix:" + name
              for name in ("core:1", "pam:2", "roster:0", "misc:0", "admin:0")}
NODE = "urn:xmpp:mix:nodes:"
NODES = {NODE + name for name in ("messages", "participants", "info")}
PLUGINS = ("xep_0359", "xep_0313", "xep_0369", "xep_0403", "xep_0404", "xep_0405")


def namespaces(stanza):
    """Those of MIX in it, whether they name an element, a feature or a form."""
    return set(re.findall(r"urn:xmpp:mix:[a-z]+:\d+", str(stanza)))


def preauth(token):
    return slix.slixmpp.ET.Element("{urn:xmpp:pars:0}preauth", token=token)


def kept(queue):
    return [queue.get_nowait() for _ in range(queue.qsize())]


class Plain(Person):
    """Knows nothing of channels; what it got is kept."""

    def __init__(self, server, name, resource):
        super().__init__(server, name, resource=resource)
        self.roster.auto_authorize, self.roster.auto_subscribe = None, False
        self.register_plugin("xep_0313")
        self.got, self.pushes, self.errors = [], slix.asyncio.Queue(), slix.asyncio.Queue()
        self.add_filter("in", self.look)
        self.add_event_handler("roster_update", self.note)
        self.add_event_handler("message_error", self.errors.put_nowait)

    def look(self, stanza):
        self.got.append(stanza)
        return stanza

    def note(self, iq):
        if iq["type"] == "set":
            for item in iq["roster"]:
                self.pushes.put_nowait(item)

    async def push(self, jid, subscription="none"):
        """The next one of the roster, which must be this."""
        item = await slix.within(self.pushes.get(), f"a roster push at {self.boundjid}")
        equal((item["jid"], item["subscription"]), (jid, subscription), f"{self.boundjid}'s push")
        return item

    async def archived(self, channel=None, **fields):
        """Of each message in the archive its id there, what was said, and the message."""
        archive = self.plugin["xep_0313"].iterate(jid=channel, rsm={"max": 20}, **fields)
        results = [message["mam_result"] async for message in archive]
        inner = [result["forwarded"]["stanza"] for result in results]
        return [(result["id"], one["body"], one) for result, one in zip(results, inner)]

    def saw_no_channel(self):
        """But as a contact in its roster."""
        for stanza in self.got:
            equal(namespaces(stanza), set(), f"what {self.boundjid} got of MIX")
            check(JID(stanza.xml.get("from")).server != SERVICE, f"{self.boundjid} got {stanza}")


class Member(Plain):
    """Knows MIX, and says so by how it asks for its roster."""

    def __init__(self, server, name, resource="one"):
        super().__init__(server, name, resource)
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self.core, self.pam = self.plugin["xep_0369"], self.plugin["xep_0405"]
        self.said = slix.asyncio.Queue()
        self.told = slix.asyncio.Queue()
        self.wrong = []
        self.add_event_handler("mix_message", self.said.put_nowait)
        for event in ("mix_participant_info_publish", "mix_participant_info_retract",
                      "mix_channel_info_publish", "pubsub_delete"):
            self.add_event_handler(event, lambda m, event=event: self.told.put_nowait((event, m)))

    def look(self, stanza):
        if not namespaces(stanza) <= NAMESPACES:
            self.wrong.append(str(stanza))
        return super().look(stanza)

    async def get_roster(self, timeout):
        self.contacts, self.channels = await self.pam.get_mix_roster(timeout=timeout)

    async def join(self, nick, channel=COVEN, nodes=frozenset(NODES)):
        """Returns its id there, from the push, which comes before the answer."""
        missing = await self.pam.join_channel(channel, nick, set(nodes), timeout=slix.SECONDS)
        equal(missing, set(), "nodes that were not subscribed to")
        return (await self.push(channel))["channel"]["participant-id"]

    async def ask_in(self, channel, nick, *shown):
        """Asks to join with what lets in; slixmpp has no words for that."""
        iq = self.make_iq_set(ito=self.boundjid.bare)
        iq["client_join"]["channel"] = channel
        join = iq["client_join"]["mix_join"]
        join["nick"] = nick
        for node in sorted(NODES):
            subscribe = self.core.stanza.Subscribe()
            subscribe["node"] = node
            join.append(subscribe)
        for xml in shown:
            join.xml.append(xml)
        return await iq.send(timeout=slix.SECONDS)

    async def enter_with(self, channel, nick, token):
        """By a token for whoever has it (XEP-0379); returns its id there."""
        answer = await self.ask_in(channel, nick, preauth(token))
        item = await self.push(channel)
        equal(answer["client_join"]["mix_join"]["id"], item["channel"]["participant-id"], "its id")
        return item["channel"]["participant-id"]

    async def refused_with(self, channel, nick, token):
        await refused(self.ask_in(channel, nick, preauth(token)), "forbidden", "auth")

    async def listen(self, channel=COVEN):
        """The next message of the channel."""
        message = await slix.within(self.said.get(), f"{self.boundjid} to hear the channel")
        equal(message["from"].bare, channel, "who speaks")
        return message

    async def unheard(self, condition):
        """What was said comes back."""
        message = await slix.within(self.errors.get(), f"an error at {self.boundjid}")
        equal((message["from"], message["error"]["condition"]), (COVEN, condition), "the error")

    async def participant(self, event="publish"):
        """Of the next event its participant's id and nick."""
        name, message = await slix.within(self.told.get(), f"{event} at {self.boundjid}")
        equal(name, "mix_participant_info_" + event, f"what {self.boundjid} is told")
        item = message["pubsub_event"]["items"]["item" if event == "publish" else "retract"]
        return item["id"], item["mix_participant"]["nick"] if event == "publish" else None

    async def leave(self):
        equal(self.wrong, [], f"stanzas at {self.boundjid} with other namespaces of MIX")
        await super().leave()


async def refused(awaitable, condition, kind=None):
    try:
        await awaitable
    except IqError as error:
        equal(error.condition, condition, "the error")
        check(kind in (None, error.etype), f"the error's type is {error.etype}")
        return error
    raise Failure(f"nothing was refused; expected {condition}")
