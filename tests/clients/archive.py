#!/usr/bin/python3
"""slixmpp: what is said to one device and by one is known to the other, at once (XEP-0280) and later
(XEP-0313): an archive of 120 messages by pages, both ways, of a person, of a time, by ids."""

import slix
from harness import Server, case, check, end, equal
from slix import IqError, Person
from slixmpp.xmlstream.handler import Collector
from slixmpp.xmlstream.matcher import StanzaPath
from turns import acknowledged

COUNT = 120
PAGE = 50
BY_CAROL = 3  # every third
BOB = "bob@localhost"


class Device(Person):
    def __init__(self, server, name, resource="one"):
        super().__init__(server, name, resource=resource)
        for plugin in ("xep_0280", "xep_0313"):
            self.register_plugin(plugin)
        self.archive = self.plugin["xep_0313"]
        self.copies = slix.asyncio.Queue()
        for kind in ("carbon_received", "carbon_sent"):
            self.add_event_handler(kind, lambda m, kind=kind: self.copies.put_nowait((kind, m)))

    async def copy(self):
        """Of the next carbon its kind, and of what is in it sender, receiver and body."""
        kind, message = await slix.within(self.copies.get(), f"{self.boundjid} to get a copy")
        inner = message[kind]
        equal(message["from"], self.boundjid.bare, "who sent the copy")
        return kind, str(inner["from"]), str(inner["to"]), inner["body"]

    async def ask(self, page, **fields):
        """One page: its messages, whether it is the last, how many there are."""
        iq = self.make_iq_set()
        for name, value in fields.items():
            iq["mam"][name] = value
        for name, value in page.items():
            iq["mam"]["rsm"][name] = value
        collector = Collector("page", StanzaPath("message/mam_result"))
        self.register_handler(collector)
        try:
            answer = await iq.send(timeout=slix.SECONDS)
        finally:
            results = collector.stop()
        last = answer["mam_fin"].xml.get("complete") == "true"
        return results, last, int(answer["mam_fin"]["rsm"]["count"])


def body(message):
    return message["mam_result"]["forwarded"]["stanza"]["body"]


def identifier(message):
    return message["mam_result"]["id"]


def stamp(message):
    return message["mam_result"]["forwarded"]["delay"].xml.get("stamp")


def bodies(messages):
    return [body(message) for message in messages]


def private(sender, to, text):
    message = sender.make_message(to, text, mtype="chat")
    message.enable("carbon_private")
    message.send()


async def carbons(server):
    phone, laptop = [await Device(server, "alice", resource=r).enter() for r in ("phone", "laptop")]
    bob = await Device(server, "bob").enter()
    for device in (phone, laptop):
        await device.plugin["xep_0280"].enable(timeout=slix.SECONDS)
    bob.say(phone.boundjid.full, "to the phone & <more>")
    equal((await phone.hear())["body"], "to the phone & <more>", "what the phone heard")
    equal(await laptop.copy(), ("carbon_received", bob.boundjid.full, phone.boundjid.full,
                                "to the phone & <more>"), "the laptop's copy")
    laptop.say(BOB, "from the laptop")
    equal((await bob.hear())["body"], "from the laptop", "what bob heard")
    equal(await phone.copy(), ("carbon_sent", laptop.boundjid.full, BOB, "from the laptop"),
          "the phone's copy")
    bob.say("alice@localhost", "to all")
    for device in (phone, laptop):
        equal((await device.hear())["body"], "to all", f"what {device.boundjid} heard")
    private(bob, phone.boundjid.full, "to the phone alone")
    private(phone, bob.boundjid.full, "to bob alone")
    equal((await phone.hear())["body"], "to the phone alone", "what the phone heard")
    equal((await bob.hear())["body"], "to bob alone", "what bob heard")
    await laptop.plugin["xep_0280"].disable(timeout=slix.SECONDS)
    bob.say(phone.boundjid.full, "after that")
    equal((await phone.hear())["body"], "after that", "what the phone heard")
    for device in (phone, laptop):
        await acknowledged(device)
        check(device.copies.empty() and device.messages.empty(),
              f"{device.boundjid} heard what is not for it")
    for person in (phone, laptop, bob):
        await person.leave()


def text_of(number):
    return f"{number} 日本語 <&>"


async def fill(server):
    """alice, bob, carol, in turns, to bob or from him."""
    alice, bob, carol = [await Device(server, n).enter() for n in ("alice", "dave", "carol")]
    for number in range(COUNT):
        one = carol if number % BY_CAROL == 2 else alice
        one.say(bob.boundjid.bare, text_of(number))
        await bob.hear(one.boundjid.full)
    for person in (alice, bob, carol):
        await person.leave()


async def paging(server):
    wanted = [text_of(number) for number in range(COUNT)]
    dave = await Device(server, "dave", resource="new").enter()
    ahead = [message async for message in dave.archive.iterate(rsm={"max": PAGE})]
    equal(bodies(ahead), wanted, "the whole archive")
    equal(len({identifier(m) for m in ahead}), COUNT, "ids that differ")
    for way, cursor, seen in (("after", None, 0), ("before", True, COUNT)):  # True: the end
        for size in (PAGE, PAGE, COUNT - 2 * PAGE):
            page = {"max": str(PAGE), **({way: cursor} if cursor else {})}
            results, last, count = await dave.ask(page)
            begin = seen if way == "after" else seen - size
            equal(bodies(results), wanted[begin:begin + size], f"the page {page}")
            seen = begin + size if way == "after" else begin
            equal((last, count), (seen in (0, COUNT), COUNT), "complete, count")
            cursor = identifier(results[-1 if way == "after" else 0])
    results, last, count = await dave.ask({"max": "0"})
    equal((results, count), ([], COUNT), "only a count")
    await dave.leave()


async def some_of_it(server):
    """Of a person, of a time, between ids, by ids; for each what slixmpp has a field for."""
    dave = await Device(server, "dave", resource="new").enter()
    everything = [message async for message in dave.archive.iterate(rsm={"max": PAGE})]
    names = set((await dave.archive.get_fields(timeout=slix.SECONDS)).get_fields())
    check({"with", "start", "end", "before-id", "after-id", "ids"} <= names, f"fields: {names}")

    async def equals(wanted, **how):
        got = [message async for message in dave.archive.iterate(rsm={"max": 20}, **how)]
        equal(bodies(got), bodies(wanted), str(how))

    by_carol = everything[2::BY_CAROL]
    await equals(by_carol, with_jid="carol@localhost")
    await equals(by_carol, with_jid="carol@localhost/one")
    # Of the whole archive slixmpp 1.8.3 takes the first page backwards for the last, by its index.
    await equals(reversed(by_carol), with_jid="carol@localhost", reverse=True)
    await equals([], with_jid="bob@localhost")
    first, last = stamp(everything[40]), stamp(everything[79])
    await equals([m for m in everything if first <= stamp(m)], start=first)
    await equals([m for m in everything if stamp(m) <= last], end=last)
    await equals([m for m in by_carol if first <= stamp(m) <= last], start=first, end=last,
                 with_jid="carol@localhost")
    ids = [identifier(message) for message in everything]
    results, last, _ = await dave.ask({}, after_id=ids[9], before_id=ids[20])
    equal((bodies(results), last), (bodies(everything[10:20]), True), "between two ids")
    results, last, _ = await dave.ask({}, ids=[ids[100], ids[3], ids[50]])
    equal((bodies(results), last), (bodies(everything[n] for n in (3, 50, 100)), True), "by ids")
    metadata = (await dave.archive.get_archive_metadata(timeout=slix.SECONDS))["mam_metadata"].xml
    equal([end.get("id") for end in metadata], [ids[0], ids[-1]], "the ends of the archive")
    for page, fields in (({"after": "nothing"}, {}), ({}, {"ids": ["nothing"]})):
        try:
            await dave.ask(page, **fields)
            check(False, "an unknown id was found")
        except IqError as error:
            equal(error.condition, "item-not-found", "an unknown id")
    await dave.leave()


async def not_ones_own(server):
    carol = await Device(server, "carol", resource="new").enter()
    try:
        await carol.archive.retrieve(jid="dave@localhost", timeout=slix.SECONDS)
        check(False, "carol may read dave's archive")
    except IqError as error:
        check(error.condition in ("forbidden", "service-unavailable"), error.condition)
    mine = [message async for message in carol.archive.iterate(rsm={"max": PAGE})]
    equal(bodies(mine), [text_of(n) for n in range(2, COUNT, BY_CAROL)], "carol's archive")
    await carol.leave()


with Server() as server:
    with case("archive: a server with four people", needed=True):
        server.start()
        server.people("alice", "bob", "carol", "dave")
    with case("archive: carbons"):
        slix.run(server, carbons)
    with case(f"archive: {COUNT} messages", needed=True):
        slix.run(server, fill)
    with case("archive: by pages, both ways"):
        slix.run(server, paging)
    with case("archive: of a person, of a time, by ids"):
        slix.run(server, some_of_it)
    with case("archive: each reads one's own"):
        slix.run(server, not_ones_own)
end()
