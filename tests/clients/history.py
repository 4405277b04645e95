#!/usr/bin/python3
"""profanity as one of two devices: it shows what the other, slixmpp, hears and says (XEP-0280); with
an empty home it shows what was said before (XEP-0313)."""

import os
import shutil

import slix
from harness import Server, case, check, end, require
from profanity import Profanity
from slix import Person
from turns import acknowledged, away

BOB = "bob@localhost"


async def copies(server):
    other = await Person(server, "alice", resource="other").enter()
    bob = await Person(server, "bob").enter()
    with await away(Profanity, server, "alice") as alice:
        alice.type("/carbons on")
        await away(alice.enter)
        await until_carbons(alice)
        bob.say(other.boundjid.full, "to the other & <device>")
        await other.hear()
        await away(alice.wait, f"<< chat message: {BOB}/one")
        alice.type(f"/msg {BOB}")
        await away(alice.wait, "to the other & <device>")
        other.say(BOB, "from the other device")
        await bob.hear()
        await away(alice.wait, "me: from the other device")
        alice.type(f"/msg {BOB} from profanity")
        check((await bob.hear())["body"] == "from profanity", "what bob heard")
    for person in (other, bob):
        await person.leave()


async def until_carbons(profanity):
    """Its question was answered."""
    await away(profanity.logged, '<enable xmlns="urn:xmpp:carbons:2"')
    profanity.type("/ping")
    await away(profanity.wait, "Ping response from server")


async def before(server):
    """The account's other device heard it; this one has never been there."""
    other = await Person(server, "alice", resource="other").enter()
    bob = await Person(server, "bob").enter()
    for number in range(5):
        bob.say(other.boundjid.full, f"number {number} of what was said")
        await other.hear()
    await acknowledged(bob)
    alice = await away(Profanity, server, "alice")
    try:
        alice.type("/mam on")
        await away(alice.enter)
        alice.type(f"/msg {BOB}")
        for number in range(5):
            await away(alice.wait, f"number {number} of what was said")
    finally:
        await away(alice.__exit__)
    for person in (other, bob):
        await person.leave()


def forget(server):
    """All that profanity knows."""
    shutil.rmtree(os.path.join(server.directory, "profanity-alice", "share"))


with Server() as server:
    with case("history: a server with alice and bob", needed=True):
        require("profanity")
        server.start()
        server.people("alice", "bob")
    with case("history: profanity shows what its other device hears and says"):
        slix.run(server, copies)
    with case("history: profanity that knows nothing shows what was said before"):
        forget(server)
        slix.run(server, before)
end()
