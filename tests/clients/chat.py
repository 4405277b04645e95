#!/usr/bin/python3
"""Two people of slixmpp chat over every kind of connection."""

import slix
from harness import TEXTS, Server, case, check, end, equal
from slix import Person

LINE = "Lorem ipsum – 🙂 <&>'\" and so on. "  # 64 bytes on the wire
LONG = LINE * 170  # 11 KB, more than a session's own buffer, on any board
HUGE = LINE * 1600  # 100 KB, many TLS records
TOO_BIG = LINE * 5000  # 320 KB, over what the server announces


async def starttls(server):
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    await slix.converse(alice, bob)
    for person in (alice, bob):
        await person.leave()


async def direct_tls(server):
    alice = await Person(server, "alice").enter(direct_tls=True)
    bob = await Person(server, "bob").enter()
    await slix.converse(alice, bob)
    for person in (alice, bob):
        await person.leave()


async def long_text(server):
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    await slix.converse(alice, bob, (LONG, "x", HUGE, "y"))
    for person in (alice, bob):
        await person.leave()


async def too_big(server):
    """RFC 6120 13.12: who says too much is told so; nobody else notices."""
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    alice.say("bob@localhost", TOO_BIG)
    await slix.within(alice.gone, "the stream to end")
    equal(alice.stream_errors, ["policy-violation"], "what the stream was told")
    alice = await Person(server, "alice").enter()
    await slix.converse(alice, bob, ("x",))
    for person in (alice, bob):
        await person.leave()


async def in_order(server):
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter(direct_tls=True)
    count = 200
    for number in range(count):
        alice.say("bob@localhost", f"{number} {TEXTS[number % len(TEXTS)]}")
    heard = [(await bob.hear("alice@localhost"))["body"] for _ in range(count)]
    equal(heard, [f"{number} {TEXTS[number % len(TEXTS)]}" for number in range(count)], "heard")
    for person in (alice, bob):
        await person.leave()


async def cut(server):
    """Alice's connection dies without a word; bob stays, she comes back, they go on."""
    bob = await Person(server, "bob").enter()
    alice = await Person(server, "alice").enter()
    await slix.converse(alice, bob, ("before",))
    alice.abort()
    alice = await Person(server, "alice").enter()
    await slix.converse(alice, bob, ("after",))
    check(not bob.gone.done(), "bob lost his stream when alice's died")
    for person in (alice, bob):
        await person.leave()


with Server() as server:
    with case("slixmpp: a server with alice and bob", needed=True):
        server.start()
        server.people("alice", "bob")
    with case("slixmpp: chat over STARTTLS"):
        slix.run(server, starttls)
    with case("slixmpp: chat, direct TLS with STARTTLS"):
        slix.run(server, direct_tls)
    with case("slixmpp: long text both ways"):
        slix.run(server, long_text)
    with case("slixmpp: a text that is too big"):
        slix.run(server, too_big)
    with case("slixmpp: 200 messages arrive in order"):
        slix.run(server, in_order)
    with case("slixmpp: a cut connection, back again"):
        slix.run(server, cut)
end()
