"""For scripts where slixmpp takes turns with clients that make one wait."""

import asyncio

import slix
from harness import Failure


async def until(question, what):
    """Asks again and again, while slixmpp goes on."""
    for _ in range(slix.SECONDS * 20):
        if question():
            return
        await asyncio.sleep(0.05)
    raise Failure(f"waited {slix.SECONDS} s in vain for {what}")


def away(function, *words):
    """Runs what waits in a thread, while slixmpp goes on."""
    return asyncio.get_running_loop().run_in_executor(None, function, *words)


async def acknowledged(person):
    """Once a question is answered, what was said before it is stored or delivered (GR-2)."""
    await person.plugin["xep_0199"].send_ping("localhost", timeout=slix.SECONDS)
