#!/usr/bin/python3
"""Two people with QXmpp, a library for Qt: they add each other, see each other come and go, chat,
write to one who is away, part again, ask the server what it is; a wrong password and an unknown
CA are refused."""

from harness import TEXTS, Server, case, check, end, equal, read, stranger_ca
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
        for text in (*TEXTS, LONG):
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


def discover(server):
    with Qxmpp(server, "alice") as alice:
        alice.enter()
        alice.do("info", "localhost")
        features = alice.wait("info", "localhost")[2:]
        for feature in ("urn:xmpp:ping", "jabber:iq:version", "vcard-temp"):
            check(feature in features, f"{feature} is not among {features}")
        alice.leave()


def refused(server):
    for name in ("alice", "nobody"):
        with Qxmpp(server, name, secret="wrong") as person:
            equal(person.wait("error")[:2], ["error", "stream"], "a wrong password")
            person.wait("offline")
            check("<not-authorized" in read(person.out + ".log"), "it was refused another way")


def unknown_ca(server):
    with Qxmpp(server, "alice", ca=stranger_ca(server.directory)) as alice:
        alice.wait("certificate")
        equal(alice.wait("error")[:2], ["error", "socket"], "an unknown CA")
        alice.wait("offline")
        check("online" not in read(alice.out), "it was let in")


with Server(resume_seconds="1") as server:  # who is killed is missed soon
    with case("qxmpp: a server with alice and bob", needed=True):
        server.start()
        server.people("alice", "bob")
    with case("qxmpp: friends"):
        friends(server)
    with case("qxmpp: discovery"):
        discover(server)
    with case("qxmpp: wrong password, unknown user"):
        refused(server)
    with case("qxmpp: an unknown CA is refused by the client"):
        unknown_ca(server)
end()
