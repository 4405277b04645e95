#!/usr/bin/python3
"""profanity in a terminal: logs in by STARTTLS and by direct TLS, chats with itself and with
slixmpp, is killed and comes back, is refused and refuses; it resumes when its connection is cut."""

import harness
import slix
from harness import Server, case, check, end, equal, require, stranger_ca
from profanity import Profanity
from slix import Person
from turns import acknowledged, away, befriend
from wire import Wire


def chat(server):
    """Two of them; what one types the other shows."""
    with Profanity(server, "alice") as alice, Profanity(server, "bob") as bob:
        alice.enter()
        bob.enter(how="legacy")
        for number, text in enumerate(harness.TEXTS[:2]):
            for one, other in ((alice, bob), (bob, alice)):
                said = f"{number} from {one.name}: {text}"
                one.type(f"/msg {other.name}@localhost {said}")
                other.wait(f"{one.name}@localhost")
                other.type(f"/msg {one.name}@localhost")
                other.wait(said)


def with_slixmpp(server):
    """To the letter, since slixmpp sees what came over the wire; then killed and back."""
    async def talk(_):
        loop = slix.asyncio.get_running_loop()

        def away(function, *words):
            return loop.run_in_executor(None, function, *words)

        carol = await Person(server, "carol").enter()
        for word in ("before", "after"):
            profanity = await away(Profanity, server, "dave")
            try:
                await away(profanity.enter)
                for text in (*harness.TEXTS, "long " * 300):
                    text = f"{word} {text.strip()}"
                    await away(profanity.type, f"/msg carol@localhost {text}")
                    heard = await carol.hear("dave@localhost")
                    equal(heard["body"], text, "what carol heard")
                carol.say(heard["from"].full, f"{word}: fine & <dandy>")
                await away(profanity.wait, f"{word}: fine & <dandy>")
                profanity.kill()
            finally:
                await away(profanity.__exit__)
        await carol.leave()

    slix.run(server, talk)


def resumes(server):
    """What it says while nothing arrives, profanity 0.13 does not say again: nothing of that here."""
    async def talk(_):
        wire = Wire(server)
        alice = await Person(server, "alice").enter()
        bob = await away(Profanity, server, "bob", None, wire.port)
        try:
            bob.type("/reconnect 1")
            await away(bob.enter)
            bob.type("/msg alice@localhost before")
            resource = (await alice.hear("bob@localhost"))["from"]
            while not alice.presences.empty():
                alice.presences.get_nowait()
            wire.lose()
            alice.say(resource, "lost on the way & <back>")
            await acknowledged(alice)
            wire.cut()
            await away(bob.logged, "Session resumed successfully")
            await away(bob.wait, "lost on the way & <back>")
            bob.type("/msg alice@localhost after that")
            heard = await alice.hear("bob@localhost")
            equal((heard["body"], heard["from"]), ("after that", resource), "what alice heard")
            equal(bob.screen().count("lost on the way"), 1, "how often bob sees it")
        finally:
            await away(bob.__exit__)
        seen = [alice.presences.get_nowait()["type"] for _ in range(alice.presences.qsize())]
        check("unavailable" not in seen, "alice saw bob go")
        await alice.leave()

    slix.run(server, befriend)
    slix.run(server, talk)


def requests(server):
    with Profanity(server, "alice") as alice:
        alice.enter()
        alice.type("/ping")
        alice.wait("Ping response from server")
        alice.type("/disco info localhost")
        alice.wait("urn:xmpp:ping")
        alice.type("/tls cert")
        alice.wait("Common name        : localhost")
        alice.type('/status set away "back soon"')
        alice.wait('Status set to away (priority 0), "back soon"')
        alice.type("/disconnect")
        alice.wait("logged out successfully")


def refused(server):
    for name in ("alice", "nobody"):
        with Profanity(server, name) as person:
            person.connect(secret="wrong")
            person.wait("Login failed")  # it says that of a server that is not there as well
            check("not-authorized" in person.log(), "it was not told that it is not authorized")


def unknown_ca(server):
    with Profanity(server, "alice", ca=stranger_ca(server.directory)) as alice:
        alice.connect()
        alice.wait("TLS certificate verification failed")
        alice.type("/tls deny")
        alice.wait("Login failed")
        check("logged in" not in alice.screen(), "it logged in")


with Server() as server:
    with case("profanity: a server", needed=True):
        require("profanity")
        server.start()
        server.people("alice", "bob", "carol", "dave")
    with case("profanity: two chat, STARTTLS and direct TLS"):
        chat(server)
    with case("profanity: with slixmpp, killed and back"):
        with_slixmpp(server)
    with case("profanity: its connection is cut, it resumes"):
        resumes(server)
    with case("profanity: ping, discovery, certificate, status"):
        requests(server)
    with case("profanity: wrong password, unknown user"):
        refused(server)
    with case("profanity: an unknown CA is refused by the client"):
        unknown_ca(server)
end()
