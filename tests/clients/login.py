#!/usr/bin/python3
"""Who is let in and who is not: passwords, names, certificates, mechanisms."""

import slix
from harness import Server, case, check, end, equal, stranger_ca
from slix import Person, refusal


async def wrong_password(server):
    person = Person(server, "alice", "wrong")
    equal(await refusal(person), "password", "why alice is not let in")
    equal(set(person.refusals), {"not-authorized"}, "the server's words")
    alice = await Person(server, "alice").enter()  # the right one still opens
    await alice.leave()


async def unknown_user(server):
    known, unknown = Person(server, "bob", "wrong"), Person(server, "nobody", "wrong")
    for person in (known, unknown):
        equal(await refusal(person), "password", f"why {person.boundjid.bare} is not let in")
    equal(unknown.refusals, known.refusals, "what an unknown user is told")


async def unknown_ca(server):
    ca = stranger_ca(server.directory)
    for direct_tls in (False, True):
        said = await refusal(Person(server, "alice", ca=ca), direct_tls=direct_tls)
        check("certificate" in said.lower(), f"refused, but because of: {said}")


async def mechanisms(server):
    """Each one by itself, over TLS 1.2 at least."""
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"):
        person = Person(server, "alice")
        # Without a channel binding it says "n": it would refuse to if it knew tls-exporter.
        person["feature_mechanisms"].use_mech = mechanism
        person["feature_mechanisms"].sasl_callback = without_binding(person)
        await person.enter()
        check(person.socket.version() in ("TLSv1.2", "TLSv1.3"), person.socket.version())
        await person.leave()


def without_binding(person):
    ask = person["feature_mechanisms"].sasl_callback

    def credentials(required, optional):
        return {**ask(required, optional), "channel_binding": None}

    return credentials


async def names(server):
    """Names are prepared: Carol, written in another case, is carol."""
    person = await Person(server, "CaRoL", "pässword 🔑").enter()
    equal(person.boundjid.bare, "carol@localhost", "the bound address")
    await person.leave()


with Server() as server:
    with case("login: a server with alice, bob and carol", needed=True):
        server.start()
        server.people("alice", "bob")
        server.user("add", "carol", password="pässword 🔑")
    with case("login: SCRAM-SHA-256, SCRAM-SHA-1 and PLAIN each by itself"):
        slix.run(server, mechanisms)
    with case("login: a name in another case, a password beyond ASCII"):
        slix.run(server, names)
    with case("login: slixmpp refuses an unknown CA"):
        slix.run(server, unknown_ca)
    with case("login: a wrong password is told as such"):
        slix.run(server, wrong_password)
    with case("login: an unknown user is told the same"):
        slix.run(server, unknown_user)
end()
