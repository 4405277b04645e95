#!/usr/bin/python3
"""slixmpp: two people add each other, see each other come and go, rename, and part again
(RFC 6121 2, 3, 4), also when one of them is killed; then three with three clients."""

import re

import slix
from harness import Server, case, check, end, equal
from profanity import Profanity
from qxmpp import Qxmpp
from slix import Person
from turns import acknowledged, away, until

ALICE, BOB, CAROL = "alice@localhost", "bob@localhost", "carol@localhost"


def subscription(person, contact):
    return person.client_roster[contact]["subscription"]


def seen(person, contact):
    return person.client_roster.presence(contact)


async def friends(server):
    alice, bob = Person(server, "alice"), Person(server, "bob")
    for person in (alice, bob):
        await person.enter()
        person.roster.auto_authorize = person.roster.auto_subscribe = True
    alice.send_presence_subscription(BOB)
    await until(lambda: subscription(alice, BOB) == subscription(bob, ALICE) == "both",
                "both to be subscribed to both")
    await until(lambda: "one" in seen(alice, BOB) and "one" in seen(bob, ALICE),
                "both to see each other")
    bob.send_presence(pshow="away", pstatus="lunch")
    await until(lambda: seen(alice, BOB)["one"]["status"] == "lunch", "alice to see bob's lunch")
    await bob.leave()
    await until(lambda: not seen(alice, BOB), "alice to see bob leave")

    bob = await Person(server, "bob").enter()
    await until(lambda: "one" in seen(alice, BOB) and "one" in seen(bob, ALICE),
                "both to see each other again")
    equal(subscription(bob, ALICE), "both", "what bob's roster says after his return")
    bob.abort()
    await until(lambda: not seen(alice, BOB), "alice to see that bob was cut off")

    bob = await Person(server, "bob").enter()
    await alice.update_roster(BOB, name="Bøb <&>", groups=["A", "B & C"])
    await until(lambda: alice.client_roster[BOB]["name"] == "Bøb <&>", "the new name")
    alice.del_roster_item(BOB)
    await until(lambda: subscription(bob, ALICE) == "none", "bob to be alone again")
    await alice.leave()
    await bob.leave()


async def ask_each_other(alice, bob, carol):
    """alice agrees to all; bob and carol are told to. Returns carol's full address."""
    screen = carol.screen()
    full = re.search(r"(carol@localhost/\S+) logged in", screen).group(1)
    alice.send_presence_subscription(BOB)
    await away(bob.wait, "request", ALICE)
    bob.do("accept", ALICE)
    bob.do("subscribe", ALICE)
    await away(bob.wait, "contact", ALICE, "both")
    await alice.presence(bob.address)
    carol.type("/presence console all")
    carol.type(f"/sub request {BOB}")
    await away(bob.wait, "request", CAROL)
    bob.do("accept", CAROL)
    bob.do("subscribe", CAROL)
    carol.type(f"/sub request {ALICE}")
    for contact, resource in ((BOB, "qt"), (ALICE, "one")):
        await away(carol.wait, f"Received authorization request from {contact}")
        carol.type(f"/sub allow {contact}")
        await away(carol.wait, f"++ {contact} ({resource}) is online")
    await away(bob.wait, "available", full)
    await alice.presence(full)
    return full


async def bob_dies_and_returns(alice, bob, carol, server):
    bob.kill()
    await alice.presence(bob.address, kind="unavailable")
    await away(carol.wait, f"-- {BOB} (qt) is offline")
    carol.type(f"/msg {BOB} from carol")
    carol.type("/win 1")
    carol.type("/clear")
    carol.type("/ping")
    await away(carol.wait, "Ping response from server")
    alice.say(BOB, "from alice")
    await acknowledged(alice)
    bob = Qxmpp(server, "bob")
    await away(bob.wait, "online", bob.address)
    for text in ("from carol", "from alice"):
        equal((await away(bob.wait, "message"))[2:], ["late", text], "what bob missed")
    await alice.presence(bob.address)
    await away(carol.wait, f"++ {BOB} (qt) is online")
    return bob


async def carol_dies_and_returns(alice, bob, carol, full, server):
    carol.kill()
    await away(bob.wait, "unavailable", full)
    await alice.presence(full, kind="unavailable")
    bob.do("say", CAROL, "while you were away")
    bob.do("version", "localhost")
    await away(bob.wait, "version", "localhost")
    with await away(Profanity, server, "carol") as back:
        await away(back.enter)
        await away(back.wait, f"<< chat message: {BOB}/qt")
        back.type(f"/msg {BOB}")
        await away(back.wait, "while you were away")


async def three(server):
    """slixmpp, QXmpp and profanity; the last two are killed with -9."""
    alice = await Person(server, "alice").enter()
    with Qxmpp(server, "bob") as bob, await away(Profanity, server, "carol") as carol:
        await away(bob.enter)
        await away(carol.enter)
        full = await ask_each_other(alice, bob, carol)
        with await bob_dies_and_returns(alice, bob, carol, server) as bob:
            await carol_dies_and_returns(alice, bob, carol, full, server)
            await away(bob.leave)
    await alice.leave()


async def roster_answers(server, version):
    """What alice is answered who has this version of her roster, and what she is pushed."""
    alice = Person(server, "alice", resource="versions")
    queries = []

    def note(stanza):
        query = stanza.xml.find("{jabber:iq:roster}query")  # before slixmpp makes one to look into
        if query is not None:
            queries.append(query)
        return stanza

    alice.add_filter("in", note)
    alice.client_roster.version = version
    await alice.enter()
    await acknowledged(alice)
    await alice.leave()
    return queries, alice


async def versions(server):
    """RFC 6121 2.6: who has all of it is not sent it again; who has not sees what is new."""
    alice = await Person(server, "alice").enter()
    check("rosterver" in alice.features, "roster versioning is not offered")
    await alice.update_roster("dave@example.com", name="Dave")
    await until(lambda: alice.client_roster["dave@example.com"]["name"] == "Dave", "the name")
    version = alice.client_roster.version
    check(version, "a roster without a version")
    queries, _ = await roster_answers(server, version)
    equal(queries, [], "what is sent of a roster that is known")
    await alice.update_roster("dave@example.com", name="David")
    await until(lambda: alice.client_roster["dave@example.com"]["name"] == "David", "the name")
    queries, later = await roster_answers(server, version)
    names = [item.get("name") for query in queries for item in query
             if item.get("jid") == "dave@example.com"]
    equal(names, ["David"], "what is sent of a roster that has changed")
    equal(later.client_roster.version, alice.client_roster.version, "the version after that")
    await alice.leave()


with Server() as server:
    with case("friends: a server with alice, bob and carol", needed=True):
        server.start()
        server.people("alice", "bob", "carol")
    with case("friends: slixmpp and slixmpp"):
        slix.run(server, friends)
    with case("friends: slixmpp, QXmpp and profanity"):
        slix.run(server, three)
    with case("friends: versions of a roster"):
        slix.run(server, versions)
end()
