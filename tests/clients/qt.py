#!/usr/bin/python3
"""Two people with QXmpp, a library for Qt: they add each other, see each other come and go, chat,
write to one who is away, part again; a wrong password is refused."""

from harness import Server, case, end, equal
from qxmpp import Qxmpp

LONG = "🙂 <&>'\"\n" * 600
ALICE, BOB = "alice@localhost", "bob@localhost"


def befriend(one, other, to_one, to_other):
    """one asks, other accepts."""
    one.do("subscribe", to_other)
    other.wait("request", to_one)
    other.do("accept", to_one)
    one.wait("contact", to_other, "to")
    one.wait("available", f"{to_other}/qt")


def friends(server):
    with Qxmpp(server, "alice") as alice, Qxmpp(server, "bob") as bob:
        alice.enter()
        bob.enter()
        befriend(alice, bob, ALICE, BOB)
        bob.do("subscribe", ALICE)
        alice.wait("request", BOB)
        alice.do("accept", BOB)
        alice.wait("contact", BOB, "both")
        bob.wait("contact", ALICE, "both")
        for text in ("hello <&> 'there'", LONG):
            alice.do("say", bob.address, text)
            equal(bob.wait("message"), ["message", alice.address, "live", text], "what bob heard")
            alice.wait("delivered", bob.address)
        bob.leave()
        alice.wait("unavailable", bob.address)
        alice.do("say", BOB, "until later")
        alice.do("version", "localhost")
        alice.wait("version", "localhost", "kith")
        with Qxmpp(server, "bob") as later:
            later.wait("online", bob.address)
            later.wait("contact", ALICE, "both")
            equal(later.wait("message"), ["message", alice.address, "late", "until later"],
                  "what bob heard when he came back")
            alice.wait("available", bob.address)
            later.kill()
            alice.wait("unavailable", bob.address)
        alice.do("remove", BOB)
        alice.wait("removed", BOB)
        alice.leave()


def refused(server):
    with Qxmpp(server, "alice", secret="wrong") as alice:
        equal(alice.wait("error")[:2], ["error", "stream"], "a wrong password")


with Server() as server:
    with case("qxmpp: a server with alice and bob", needed=True):
        server.start()
        server.people("alice", "bob")
    with case("qxmpp: friends"):
        friends(server)
    with case("qxmpp: a wrong password"):
        refused(server)
end()
