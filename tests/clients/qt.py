#!/usr/bin/python3
"""QXmpp, a library for Qt, with slixmpp: login over STARTTLS, roster, subscriptions both ways,
text, receipts, discovery; is killed and comes back, is refused and refuses."""

import harness
import qxmpp
import slix
from harness import Server, case, check, end, equal, stranger_ca
from qxmpp import Qxmpp
from slix import Person

LONG = "🙂 <&>'\"\n" * 600


def with_slixmpp(server, words):
    """In a thread of its own, since it waits; what a person of slixmpp does is asked of his loop."""
    async def talk(_):
        loop = slix.asyncio.get_running_loop()
        alice = await Person(server, "alice").enter()

        def ask(coroutine):
            return slix.asyncio.run_coroutine_threadsafe(coroutine, loop).result()

        with Qxmpp(server, "bob") as bob:
            await loop.run_in_executor(None, words, alice, bob.enter(), ask)
        await alice.leave()

    slix.run(server, talk)


def talk(alice, bob, ask):
    for text in (*harness.TEXTS, LONG):
        alice.say(bob.address, text)
        equal(bob.wait("message"), ["message", alice.boundjid.full, "live", text], "heard")
        bob.do("say", alice.boundjid.full, text)
        heard = ask(alice.hear(bob.address))
        equal(heard["body"], text, "what alice heard")
        equal(heard["request_receipt"], True, "that a receipt is asked for")
        bob.wait("delivered", alice.boundjid.full)
    bob.leave()
