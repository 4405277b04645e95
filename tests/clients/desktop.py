#!/usr/bin/python3
"""Gajim in a window nobody sees, on a wire: hears and says, resumes when its connection is cut, is
killed and comes back to what was said meanwhile; each message once in its history; with its plugin
for OMEMO it shares secrets with profanity."""

import contextlib

import gtk_gajim
import slix
from dino import Screen
from gtk_gajim import Gajim
from harness import TEXTS, Server, case, check, end, equal, read
from profanity import Profanity, require_omemo
from slix import Person
from turns import acknowledged, away, befriend, until
from wire import Wire

BOB = "bob@localhost"
CAROL = "carol@localhost"
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
    await away(gajim.kill)
    texts = [f"{number} while you were away" for number in range(3)]
    for text in texts:
        alice.say(BOB, text)
    await acknowledged(alice)
    await away(gajim.start)
    await away(gajim.keeps, *texts)
    await away(gajim.say, "alice@localhost", "back again")
    equal((await alice.hear(GAJIM))["body"], "back again", "what alice heard")


def secretly(server, gajim):
    """With OMEMO, its plugin and profanity."""
    with Profanity(server, "carol") as carol, gajim:
        carol.enter()
        carol.generate_keys()
        gajim.start()
        gajim.wait(f"Session created for: {CAROL}")
        carol.encrypt("bob")
        carol.type("a secret of carol")
        gajim.keeps("a secret of carol")
        gajim.say(CAROL, "a secret of bob")
        carol.wait("~ " + GAJIM + ": a secret of bob")
    kept = server.kept()
    check(b"while you were away" in kept, "the archive does not hold what was said in the open")
    check(b"a secret of" not in kept, "the server holds a secret")


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
            server.people("alice", "bob", "carol")
            wire = Wire(server)
            screen = stack.enter_context(Screen(server))
            gajim = Gajim(server, screen, wire.port, CAROL)
            stack.callback(gajim.kill)
            slix.run(server, befriend)
            slix.run(server, lambda _: befriend(server, "carol", "bob"))
        with case("gajim: hears and says; its connection is cut, it resumes, all of it once"):
            with_alice(server, gajim, talk, lambda *who: cut(*who, wire))
        with case("gajim: killed and back, with what was said meanwhile"):
            with_alice(server, gajim, come_back)
        with case("gajim: OMEMO with profanity, nothing of it in the server's files"):
            require_omemo(server.directory)
            gtk_gajim.require_omemo()
            secretly(server, gajim)


all_cases()
end()
