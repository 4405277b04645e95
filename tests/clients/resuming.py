#!/usr/bin/python3
"""slixmpp on a wire that is cut: it resumes (XEP-0198), and what was said meanwhile, both ways,
arrives once, of a channel too; a server killed with -9 knows nothing of its stream, and yet nothing
is lost. And a client that nobody looks at is left in peace (XEP-0352)."""

import slix
from harness import Server, case, check, end, equal
from member import COVEN, SERVICE, Member
from slix import Person
from turns import acknowledged, until
from wire import Wire

COUNT = 7  # more than slixmpp waits for an acknowledgement


class Resumer(Person):
    """Reaches the server over a wire."""

    def __init__(self, server, name, wire):
        super().__init__(server, name)
        self.wire = wire
        for plugin in ("xep_0198", "xep_0280", "xep_0313", "xep_0352"):
            self.register_plugin(plugin)
        self.management = self.plugin["xep_0198"]
        self.news = slix.asyncio.Queue()
        for event in ("sm_enabled", "session_resumed", "sm_failed", "session_start"):
            self.add_event_handler(event, lambda _, event=event: self.news.put_nowait(event))
        self.add_filter("out_sync", self.remember)
        self.acked = []
        self.add_event_handler("stanza_acked", self.acked.append)

    def remember(self, stanza):
        """slixmpp 1.8.3 forgets what is not acknowledged when it asks to resume."""
        if isinstance(stanza, self.management.stanza.Resume):
            self.management.unacked_queue.extend(self.unacknowledged)
        return stanza

    def reach(self, direct_tls=False):
        self.default_port = self.wire.port
        self.connect(("localhost", self.wire.port))

    async def news_of(self, *events):
        for event in events:
            equal(await slix.within(self.news.get(), event), event, f"{self.boundjid}'s news")

    async def enter(self, direct_tls=False, presence=True):
        await super().enter(direct_tls, presence)
        await self.news_of("session_start", "sm_enabled")
        return self

    async def cut(self):
        self.unacknowledged = list(self.management.unacked_queue)
        self.wire.cut()
        await slix.within(self.gone, "the stream to end")
        self.gone = slix.asyncio.get_running_loop().create_future()

    async def settled(self):
        """Until the server has acknowledged all, and counts as slixmpp does."""
        await until(self.waiting_queue.empty, "all to be said")
        self.management.request_ack()
        await until(lambda: not self.management.unacked_queue, "all to be acknowledged")
        equal(self.management.last_ack, self.management.seq, "the server's count")


def numbered(speaker, word):
    return [f"{speaker} {word} {number}" for number in range(COUNT)]


def say_all(person, to, texts):
    for text in texts:
        person.say(to, text)


async def hear_all(person, sender, texts):
    equal([(await person.hear(sender))["body"] for _ in texts], texts, f"what {person.boundjid} heard")


def taken(queue):
    return [queue.get_nowait() for _ in range(queue.qsize())]


def bodies(person):
    return [message["body"] for message in taken(person.messages) if message["body"]]


def nothing_more(person):
    equal(bodies(person), [], f"what {person.boundjid} heard twice")


async def two(server, wire):
    """alice and bob, who see each other; bob on the wire."""
    alice, bob = await Person(server, "alice").enter(), await Resumer(server, "bob", wire).enter()
    if alice.client_roster["bob@localhost"]["subscription"] != "both":
        alice.send_presence_subscription("bob@localhost")
    await alice.presence(bob.boundjid.full)
    await bob.presence(alice.boundjid.full)
    return alice, bob


async def resumes(server):
    wire = Wire(server)
    alice, bob = await two(server, wire)
    for word in ("once", "again"):
        await bob.settled()
        wire.lose()
        say_all(alice, bob.boundjid.full, numbered("alice", word))
        say_all(bob, "alice@localhost", numbered("bob", word))
        await acknowledged(alice)
        await until(bob.waiting_queue.empty, "bob to say all")
        await bob.cut()
        say_all(alice, "bob@localhost", numbered("alice", word + " meanwhile"))
        await acknowledged(alice)
        bob.reach()
        await bob.news_of("session_resumed")
        await hear_all(bob, alice.boundjid.full,
                       numbered("alice", word) + numbered("alice", word + " meanwhile"))
        await hear_all(alice, bob.boundjid.full, numbered("bob", word))
        await bob.settled()
    await slix.converse(alice, bob, ("at last",))
    await acknowledged(bob)
    for person in (alice, bob):
        nothing_more(person)
    check("unavailable" not in [stanza["type"] for stanza in taken(alice.presences)],
          "alice saw bob go")
    equal(wire.count, 3, "connections")
    await bob.leave()
    await alice.presence(bob.boundjid.full, kind="unavailable")
    await alice.leave()


class Roamer(Resumer, Member):
    """In channels."""


async def in_a_channel(server):
    """What bob could not know to have arrived he says again; nobody hears it twice."""
    alice, bob = Member(server, "alice"), Roamer(server, "bob", Wire(server))
    for person in (alice, bob):
        await person.enter()
    await alice.core.create_channel(SERVICE, "coven", timeout=slix.SECONDS)
    for person in (alice, bob):
        await person.join(person.boundjid.user)
    await bob.settled()
    bob.wire.lose()
    for number in range(COUNT):
        alice.say(COVEN, f"alice {number}", "groupchat")
        bob.say(COVEN, f"bob {number}", "groupchat")
    await acknowledged(alice)
    await until(bob.waiting_queue.empty, "bob to say all")
    await bob.cut()
    alice.say(COVEN, "meanwhile", "groupchat")
    await acknowledged(alice)
    bob.reach()
    await bob.news_of("session_resumed")
    heard = [[(m["id"], m["body"]) for m in [await person.listen() for _ in range(2 * COUNT + 1)]]
             for person in (alice, bob)]
    equal(heard[1], heard[0], "what bob heard")
    for name in ("alice", "bob"):
        equal([body for _, body in heard[0] if body.startswith(name)],
              [f"{name} {number}" for number in range(COUNT)], f"the order of {name}'s")
    await bob.settled()
    await acknowledged(alice)
    for person in (alice, bob):
        check(person.said.empty(), f"{person.boundjid} heard something twice")
        await person.leave()


async def archived(person):
    """All bodies of its archive, each once."""
    texts = {}
    async for message in person.plugin["xep_0313"].iterate(rsm={"max": 50}):
        result = message["mam_result"]
        check(result["id"] not in texts, "the archive tells something twice")
        texts[result["id"]] = result["forwarded"]["stanza"]["body"]
    return list(texts.values())


async def begins_anew(server):
    """carol is away; what is said to her makes all safe that was said before."""
    wire = Wire(server)
    alice, bob = await two(server, wire)
    say_all(bob, "carol@localhost", numbered("bob", "to carol"))
    await bob.settled()
    wire.lose()
    say_all(alice, bob.boundjid.full, numbered("alice", "to bob"))
    alice.say("carol@localhost", "the last of all")
    await acknowledged(alice)
    server.kill()
    await slix.within(alice.gone, "alice's stream to end")
    server.start()
    await bob.cut()
    bob.reach()
    await bob.news_of("sm_failed", "session_start", "sm_enabled")
    bob.send_presence()
    wanted = numbered("bob", "to carol") + numbered("alice", "to bob")
    equal((await archived(bob))[-len(wanted):], wanted, "the end of bob's archive")
    carol = await Person(server, "carol").enter()
    await hear_all(carol, None, numbered("bob", "to carol") + ["the last of all"])
    await slix.converse(bob, carol, ("at last",))
    await bob.settled()
    nothing_more(carol)
    heard = bodies(bob)
    for text in numbered("alice", "to bob"):
        check(heard.count(text) < 2, f"bob heard {text} twice")
    for person in (bob, carol):
        await person.leave()


async def left_in_peace(server):
    """Others' presence is held until there is something to say, or until it is looked at."""
    alice, bob = await two(server, Wire(server))
    check(bob.plugin["xep_0352"].enabled, "client state indication is not offered")
    bob.plugin["xep_0352"].send_inactive()
    await acknowledged(bob)
    taken(bob.presences)
    for show in ("away", "dnd", "xa"):
        alice.send_presence(pshow=show)
        await alice.presence(alice.boundjid.full, kind=show)
    await bob.settled()  # which is no stanza
    check(bob.presences.empty(), "bob heard of presence")
    alice.say("bob@localhost", "look")
    await bob.hear()
    equal(bob.presences.qsize(), 1, "presences that bob heard before the message")
    await bob.presence(alice.boundjid.full, kind="xa")
    alice.send_presence(pshow="chat")
    await alice.presence(alice.boundjid.full, kind="chat")
    await bob.settled()
    check(bob.presences.empty(), "bob heard of presence")
    bob.plugin["xep_0352"].send_active()
    await bob.presence(alice.boundjid.full, kind="chat")
    for person in (alice, bob):
        await person.leave()


with Server() as server:
    with case("resuming: a server with alice, bob and carol", needed=True):
        server.start()
        server.people("alice", "bob", "carol")
    with case("resuming: cut twice, resumed, all of it once, both ways"):
        slix.run(server, resumes)
    with case("resuming: in a channel, all of it once, in one order"):
        slix.run(server, in_a_channel)
    with case("resuming: kill -9, a new stream, nothing lost"):
        slix.run(server, begins_anew)
    with case("resuming: client state, presence is held"):
        slix.run(server, left_in_peace)
end()
