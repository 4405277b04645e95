#!/usr/bin/python3
"""QXmpp and profanity register as their users do: QXmpp by form, profanity by `/register`, which
knows plain fields only. Where a registration waits for a code or an admin both believe that it is
over, are told at their login that it is not, and are let in once it is."""

import slix
from harness import Server, case, check, end, equal, password, require
from newcomer import Newcomer, Post, is_empty
from profanity import Profanity
from qxmpp import Qxmpp

CONFLICT, NOT_ACCEPTABLE = "1", "8"  # QXmppStanza::Error::Condition
SUCCESS = "Registration successful."  # what profanity shows
TAKEN = "Server error: Username/email/msisdn already taken"


def qxmpp(server):
    with Qxmpp(server, "alice", None, None, "register") as alice:
        equal(alice.wait("form")[1:], ["User name", "Password"], "the form as QXmpp shows it")
        alice.do("fill", "User name", "alice", "Password", "short")
        equal(alice.wait("refused")[1:], [NOT_ACCEPTABLE, "The password is too weak"],
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


def register(server, name, home=None):
    """profanity must be started again before it can log in: 0.13.1 would go on without TLS."""
    with Profanity(server, home or name) as person:
        person.type(f"/register {name} localhost port {server.port} tls force")
        for _ in range(2):
            person.wait("Enter password:", "Confirm password:")
            person.type(password(name))
        return person.wait(SUCCESS, TAKEN)


def log_in(server, name):
    with Profanity(server, name) as person:
        person.enter()
        person.type("/ping")
        person.wait("Ping response from server")


def profanity(server):
    equal(register(server, "bob"), SUCCESS, "bob's registration")
    log_in(server, "bob")
    equal(register(server, "bob", "other"), TAKEN, "that of another bob")


def not_yet(server, name, why):
    """It believes that it has an account."""
    equal(register(server, name), SUCCESS, f"{name}'s registration")
    with Profanity(server, name) as person:
        person.connect()
        person.wait("Login failed")
        log = person.log()
        check("<account-disabled/>" in log, "it was not told that the account is disabled")
        check(f"Registration is not finished{why}" in log, "it was not told why")


def approved(server):
    not_yet(server, "carol", ": an administrator has not approved it yet")
    equal(register(server, "carol"), SUCCESS, "the registration once more")
    listed = server.command("pending", "list").stdout.splitlines()
    equal([line.split()[0] for line in listed], ["carol"], "who waits")
    equal(server.command("pending", "approve", "carol").returncode, 0, "approving")
    log_in(server, "carol")
    equal(server.command("pending", "list").stdout, "no registration waits\n", "who waits at last")


async def finish(server):
    """With another client: what is asked for, then the code."""
    dave = Newcomer(server, "dave")
    await dave.arrive()
    stage = await dave.tell(username="dave", password=password("dave"))
    check("phone" in stage["register"]["fields"], f"the telephone is not asked for: {stage}")
    await dave.tell(phone="+491701234567")
    code = server.post.next("phone", "+491701234567")
    check(is_empty(await dave.tell(text=code)), "it is not over")
    await dave.leave()


def by_code(server):
    not_yet(server, "dave", ". Register again with the same user name and password")
    slix.run(server, finish)
    log_in(server, "dave")


with Server(registration="open", rate_limits="no") as server:
    with case("registrants: a server that is open to all", needed=True):
        server.start()
    with case("registrants: QXmpp by form, changes the password, deletes the account"):
        qxmpp(server)
    with case("registrants: profanity by plain fields"):
        require("profanity")
        profanity(server)
with Server(registration="open", verify="admin", rate_limits="no") as server:
    with case("registrants: profanity registers, `kith pending approve` lets it in"):
        require("profanity")
        server.user("add", "--admin", "anna", password=password("anna"))
        server.start()
        approved(server)
with Server(registration="open", verify="phone", rate_limits="no") as server:
    with case("registrants: profanity registers, slixmpp enters the code"):
        require("profanity")
        server.post = Post(server)
        server.start()
        by_code(server)
end()
