#!/usr/bin/python3
"""QXmpp and profanity register as their users do: QXmpp by form, profanity by `/register`, which
knows plain fields only. Where a registration waits for a code or an admin both believe that it is
over, are told at their login that it is not, and are let in once it is."""

import os

import slix
from harness import Server, case, check, end, equal, password, read, require, wait_until, write
from newcomer import Newcomer, Post, is_empty
from profanity import Profanity
from qxmpp import Qxmpp

CONFLICT, NOT_ACCEPTABLE = "1", "8"  # QXmppStanza::Error::Condition


def qxmpp(server):
    with Qxmpp(server, "alice", None, None, "register") as alice:
        equal(alice.wait("form")[1:], ["User name", "Password"], "the form as QXmpp shows it")
        alice.do("fill", "User name", "alice", "Password", "short")
        equal(alice.wait("refused")[1:], ["refused", NOT_ACCEPTABLE, "The password is too weak"][1:],
              "a weak password")
        alice.do("fill", "User name", "alice", "Password", password("alice"))
        alice.wait("registered")
    with Qxmpp(server, "alice", None, None, "register") as other:
        other.wait("form")
        other.do("fill", "User name", "Alice", "Password", "something else")
        equal(other.wait("refused")[1:], [CONFLICT, "Username/email/msisdn already taken"],
              "a name that is taken")
    with Qxmpp(server, "alice") as alice:
        alice.enter()
        alice.do("password", "quite another")
        alice.wait("changed", "quite another")
        alice.leave()
    with Qxmpp(server, "alice", "quite another") as alice:
        alice.enter()
        alice.do("delete")
        alice.wait("deleted")
        alice.wait("offline")
    with Qxmpp(server, "alice", "quite another") as alice:
        equal(alice.wait("error")[:2], ["error", "stream"], "an account that is no more")
        alice.wait("offline")


def register(person, secret=None):
    person.type(f"/register {person.name} localhost port {person.house.port} "
                "tls force")
    for _ in range(2):
        person.wait("Enter password:", "Confirm password:")
        person.type(secret or password(person.name))


def profanity(server):
    with Profanity(server, "bob") as bob:
        register(bob)
        bob.wait("Registration successful")
        bob.enter()
    with Profanity(server, "bobs") as other:
        other.name = "bob"
        register(other)
        other.wait("conflict", "already taken")


with Server(registration="open", rate_limits="no") as server:
    with case("registrants: a server that is open to all", needed=True):
        server.start()
    with case("registrants: QXmpp by form, changes the password, deletes the account"):
        qxmpp(server)
    with case("registrants: profanity by plain fields"):
        require("profanity")
        profanity(server)
end()
