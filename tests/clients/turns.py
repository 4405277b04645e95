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


async def befriend(server, one="alice", other="bob"):
    """slixmpp approves and answers requests by itself."""
    one, other = await Person(server, one).enter(), await Person(server, other).enter()
    one.send_presence_subscription(other.boundjid.bare)
    await one.presence(other.boundjid.full)
    await other.presence(one.boundjid.full)
    for person in (one, other):
        await person.leave()
