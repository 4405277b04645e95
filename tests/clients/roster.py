#!/usr/bin/python3
"""libstrophe with slixmpp, then with QXmpp: they add each other, see each other come and go, chat,
write to one who is away, part again (RFC 6121 2 to 5)."""

import slix
from harness import TEXTS, Server, case, end, equal
from qxmpp import Qxmpp
from slix import Person
from strophe import Strophe
from turns import acknowledged, away, until

ALICE, BOB, CAROL = "alice@localhost", "bob@localhost", "carol@localhost"


def subscription(person, contact):
    return person.client_roster[contact]["subscription"]


async def chat(alice, bob):
    for text in TEXTS:
        bob.do("say", ALICE, text)
        equal((await alice.hear(bob.address))["body"], text, "what alice heard")
        alice.say(bob.address, text)
        equal((await away(bob.wait, "message"))[1:], [alice.boundjid.full, "live", text],
              "what bob heard")


async def alice_goes_and_returns(alice, bob, server):
    """bob sees it, and writes to her meanwhile."""
    full = alice.boundjid.full
    alice.send_presence(pshow="away", pstatus="out for lunch")
    await away(bob.wait, "available", full, "out for lunch")
    await alice.leave()
    await away(bob.wait, "unavailable", full)
    bob.do("say", ALICE, "one")
    bob.do("say", ALICE, "two")
    await away(bob.settle)
    alice = await Person(server, "alice").enter()
    await away(bob.wait, "available", full)
    await alice.presence(bob.address)
    for text in ("one", "two"):
        message = await alice.hear(bob.address)
        equal(message["body"], text, "what alice missed")
        equal(message.xml.find("{urn:xmpp:delay}delay").get("from"), "localhost", "its delay")
    return alice


async def bob_dies_and_returns(alice, bob, server):
    bob.kill()
    await alice.presence(bob.address, kind="unavailable")
    alice.say(BOB, "while you were away")
    await acknowledged(alice)
    bob = Strophe(server, "bob")
    await away(bob.wait, "online", bob.address)
    await away(bob.wait, "contact", ALICE, "both")
    equal(await away(bob.wait, "message"),
          ["message", alice.boundjid.full, "late", "while you were away"], "what bob missed")
    await alice.presence(bob.address)
    return bob


async def with_slixmpp(server):
    """It agrees to all and asks back."""
    alice = await Person(server, "alice").enter()
    with Strophe(server, "bob") as bob:
        await away(bob.enter)
        await away(bob.befriend, ALICE, alice.boundjid.full)
        await alice.presence(bob.address)
        await until(lambda: subscription(alice, BOB) == "both", "alice to have bob")
        await chat(alice, bob)
        alice = await alice_goes_and_returns(alice, bob, server)
        with await bob_dies_and_returns(alice, bob, server) as bob:
            await chat(alice, bob)
            bob.do("remove", ALICE)
            await away(bob.wait, "contact", ALICE, "remove")
            await alice.presence(bob.address, kind="unavailable")
            await until(lambda: subscription(alice, BOB) == "none", "alice to be alone again")
            await away(bob.leave)
    await alice.leave()


def with_qxmpp(server):
    """It asks first."""
    with Qxmpp(server, "carol") as carol, Strophe(server, "bob") as bob:
        carol.enter()
        bob.enter()
        carol.do("subscribe", BOB)
        bob.wait("subscribe", CAROL)
        bob.do("accept", CAROL)
        carol.wait("contact", BOB, "to")
        carol.wait("available", bob.address)
        bob.do("subscribe", CAROL)
        carol.wait("request", BOB)
        carol.do("accept", BOB)
        bob.wait("contact", CAROL, "both")
        bob.wait("available", carol.address)
        for text in TEXTS:
            carol.do("say", BOB, text)
            equal(bob.wait("message"), ["message", carol.address, "live", text], "to bob")
            bob.do("say", carol.address, text)
            equal(carol.wait("message"), ["message", bob.address, "live", text], "to carol")
        bob.leave()
        carol.wait("unavailable", bob.address)
        carol.leave()


with Server(resume_seconds="1") as server:  # who is killed is missed soon
    with case("roster: a server with alice, bob and carol", needed=True):
        server.start()
        server.people("alice", "bob", "carol")
    with case("roster: libstrophe and slixmpp"):
        slix.run(server, with_slixmpp)
    with case("roster: libstrophe and QXmpp"):
        with_qxmpp(server)
end()
