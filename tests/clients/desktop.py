#!/usr/bin/python3
"""Gajim in a window nobody sees, on a wire: hears and says, resumes when its connection is cut, is
killed and comes back to what was said meanwhile; each message once in its history."""

import contextlib

import slix
from dino import Screen
from gtk_gajim import Gajim
from harness import TEXTS, Server, case, check, end, equal, read
from slix import Person
from turns import acknowledged, away, befriend, until
from wire import Wire

BOB = "bob@localhost"
GAJIM = BOB + "/gajim"
RESUMED = "<resumed"
RECONNECT_SECONDS = 15  # Gajim takes 3


async def talk(alice, gajim):
    await away(gajim.start)
    await alice.presence(GAJIM)
    for text in TEXTS:
        alice.say(BOB, "alice: " + text)
        await away(gajim.say, "alice@localhost", "gajim: " + text)
        equal((await alice.hear(GAJIM))["body"], "gajim: " + text, "what alice heard")
    await away(gajim.keeps, *("alice: " + text for text in TEXTS))


async def cut(alice, gajim, wire):
    resumed = read(gajim.log).count(RESUMED)
    wire.lose()
    alice.say(BOB, "lost on the way to Gajim")
    await acknowledged(alice)
    await away(gajim.say, "alice@localhost", "lost on the way from Gajim")
    wire.cut()
    await until(lambda: read(gajim.log).count(RESUMED) > resumed, "Gajim to resume",
                RECONNECT_SECONDS)
    equal((await alice.hear(GAJIM))["body"], "lost on the way from Gajim", "what alice heard")
    await away(gajim.say, "alice@localhost", "after that")
    equal((await alice.hear(GAJIM))["body"], "after that", "what alice heard next")
    await away(gajim.keeps, "lost on the way to Gajim", "lost on the way from Gajim")
    seen = [alice.presences.get_nowait()["type"] for _ in range(alice.presences.qsize())]
    check("unavailable" not in seen, "alice saw Gajim go")


async def come_back(alice, gajim):
    """Killed; it finds the same in the archive and in what its old stream had not acknowledged."""
    texts = [f"{number} while you were away" for number in range(3)]
    for text in texts:
        alice.say(BOB, text)
    await acknowledged(alice)
    await away(gajim.start)
    await away(gajim.keeps, *texts)
    await away(gajim.say, "alice@localhost", "back again")
    equal((await alice.hear(GAJIM))["body"], "back again", "what alice heard")


def with_alice(server, gajim, *acts):
    async def conversation(_):
        alice = await Person(server, "alice").enter()
        with gajim:
            for act in acts:
                await act(alice, gajim)
        await alice.leave()

    slix.run(server, conversation)


def all_cases():
    with contextlib.ExitStack() as stack:
        with case("gajim: a server, a screen", needed=True):
            server = stack.enter_context(Server())
            server.start()
            server.people("alice", "bob")
            wire = Wire(server)
            screen = stack.enter_context(Screen(server))
            gajim = Gajim(server, screen, wire.port)
            slix.run(server, befriend)
        with case("gajim: hears and says; its connection is cut, it resumes, all of it once"):
            with_alice(server, gajim, talk, lambda *who: cut(*who, wire))
        with case("gajim: killed and back, with what was said meanwhile"):
            with_alice(server, gajim, come_back)


all_cases()
end()
