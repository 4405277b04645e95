#!/usr/bin/python3
"""Two people with QXmpp, a library for Qt: they add each other, see each other come and go, chat,
write to one who is away, part again, ask the server what it is; talk in a channel (MIX), into which
one invites the other; a wrong password and an unknown CA are refused."""

import re

from harness import TEXTS, Server, case, check, end, equal, read, stranger_ca
from qxmpp import Qxmpp

FORBIDDEN = "3"  # QXmppStanza::Error::Condition
LONG = "🙂 <&>'\"\n" * 600
ALICE, BOB, COVEN = "alice@localhost", "bob@localhost", "coven@mix.localhost"


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


def rooms(server):
    """QXmpp 1.4 joins in an older namespace of MIX-PAM, and is answered in it."""
    nodes = "info messages participants"
    with Qxmpp(server, "alice") as alice, Qxmpp(server, "bob") as bob:
        alice.enter()
        bob.enter()
        alice.do("create", "mix.localhost", "coven")
        alice.wait("created", "mix.localhost", "coven")
        ids = {}
        for person in (alice, bob):
            name = person.address.partition("@")[0]
            person.do("join", COVEN, name)
            person.wait("contact", COVEN, "none")
            ids[person] = person.wait("room", COVEN)[2]
            joined = person.wait("joined")
            equal(joined[2:], [f"{ids[person]}#{COVEN}", name, nodes], "the answer")
        bob.do("items", COVEN, "participants")
        people = {tuple(bob.wait("participant")[1:]) for _ in ids}
        equal(people, {(ids[alice], "alice", ALICE), (ids[bob], "bob", BOB)}, "the participants")
        bob.do("items", COVEN, "info")
        equal(bob.wait("about")[3], ALICE, "whom to ask about the channel")
        bob.do("nick", COVEN, "alice")
        bob.wait("no", COVEN, "conflict")
        bob.do("nick", COVEN, "robert")
        equal(bob.wait("named")[3], "robert", "bob's nick")
        for speaker, nick in ((alice, "alice"), (bob, "robert")):
            for text in TEXTS:
                speaker.do("speak", COVEN, text)
                heard = [person.wait("said") for person in (alice, bob)]
                sender = f"{COVEN}/{ids[speaker]}"
                bare = speaker.address.partition("/")[0]
                equal(heard[0], ["said", sender, nick, bare, heard[0][4], text], "what was heard")
                equal(heard[1], heard[0], "what bob heard")
        bob.do("part", COVEN)
        bob.wait("removed", COVEN)
        bob.wait("left")
        alice.do("speak", COVEN, "is bob away?")
        alice.wait("said")
        bob.do("speak", COVEN, "no")
        bob.wait("unheard", COVEN, FORBIDDEN)
        check("is bob away?" not in read(bob.out), "bob heard it")
        alice.do("destroy", "mix.localhost", "coven")
        alice.wait("removed", COVEN)
        for person in (alice, bob):
            person.leave()
            names = set(re.findall(r"urn:xmpp:mix:[a-z]+:\d+", read(person.out + ".log")))
            equal(names, {"urn:xmpp:mix:" + name for name in ("core:1", "pam:1", "roster:0")},
                  "the namespaces of MIX on its wire")


def invited(server):
    """QXmpp reads the channel's invitation, passes it on and shows it, each in its own words."""
    made = server.command("channel", "create", "--private", "--owner", "alice", "heath")
    equal((made.returncode, made.stderr), (0, ""), "kith channel create")
    heath = "heath@mix.localhost"
    with Qxmpp(server, "alice") as alice, Qxmpp(server, "bob") as bob:
        alice.enter()
        bob.enter()
        bob.do("join", heath, "bob")
        bob.wait("no", "", "forbidden")
        alice.do("invite", heath, BOB)
        alice.wait("invited", BOB)
        equal(bob.wait("invitation"), ["invitation", ALICE, BOB, heath, "s"], "the invitation")
        bob.do("enter", "bob")
        bob.wait("room", heath)
        bob.wait("joined")
        bob.do("speak", heath, "here I am")
        equal(bob.wait("said")[2:4], ["bob", BOB], "who spoke")
        for person in (alice, bob):
            person.leave()


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
    with case("qxmpp: a channel"):
        rooms(server)
    with case("qxmpp: invited into a private channel"):
        invited(server)
    with case("qxmpp: wrong password, unknown user"):
        refused(server)
    with case("qxmpp: an unknown CA is refused by the client"):
        unknown_ca(server)
end()
