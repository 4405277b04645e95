"""For scripts where slixmpp takes turns with clients that make one wait."""

import asyncio

import slix
from harness import Failure
from slix import Person


async def until(question, what, seconds=slix.SECONDS):
    """Asks again and again, while slixmpp goes on."""
    for _ in range(seconds * 20):
        if question():
            return
        await asyncio.sleep(0.05)
    raise Failure(f"waited {seconds} s in vain for {what}")


def away(function, *words):
    """Runs what waits in a thread, while slixmpp goes on."""
    return asyncio.get_running_loop().run_in_executor(None, function, *words)


async def acknowledged(person):
    """Once a question is answered, what was said before it is stored or delivered (GR-2)."""
    await person.plugin["xep_0199"].send_ping("localhost", timeout=slix.SECONDS)


async def befriend(server):
    """alice and bob: slixmpp approves and answers requests by itself."""
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    alice.send_presence_subscription("bob@localhost")
    await alice.presence(bob.boundjid.full)
    await bob.presence(alice.boundjid.full)
    for person in (alice, bob):
        await person.leave()
