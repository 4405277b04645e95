#!/usr/bin/python3
"""nbxmpp registers as Gajim's account wizard does: the code of an invitation in the first form; a
code by telephone in the form of an error, once wrong; a name that is taken."""

import importlib.util
import os

from driven import Driven
from harness import HERE, Server, Skip, case, check, end, equal, password, trusting
from newcomer import Post, wrong


class Gajim(Driven):
    def __init__(self, server, name):
        super().__init__(server, f"{name}@localhost", os.path.join(HERE, "wizard.py"),
                         wrap=lambda command: trusting(server.ca, *command))


def account(name, **more):
    values = {"User name": name, "Password": password(name), **more}
    return [word for pair in values.items() for word in pair]


def invited(server):
    token = server.command("invite").stdout.splitlines()[0].partition("preauth=")[2]
    with Gajim(server, "alice") as alice:
        equal(alice.wait("form")[1:], ["User name", "Password", "Invitation code"], "the form")
        alice.do("fill", *account("alice", **{"Invitation code": "a" * 26}))
        equal(alice.wait("refused")[1:3], ["cancel", "not-allowed"], "a wrong code")
        alice.do("fill", *account("anna", **{"Invitation code": token}))
        equal(alice.wait("refused")[1:3], ["cancel", "conflict"], "a name that is taken")
        alice.do("fill", *account("alice", **{"Invitation code": token}))
        alice.wait("registered")
        alice.do("enter")
        alice.wait("online")
        alice.leave()


def by_code(server):
    with Gajim(server, "bob") as bob:
        bob.wait("form", "User name", "Password")
        bob.do("fill", *account("bob", **{"Phone number, +…": "+491701234567"}))
        refusal = bob.wait("refused")
        equal(refusal[1:], ["modify", "not-acceptable", "Enter the code you received via SMS"],
              "how the next stage comes")
        form = bob.wait("form")
        check("Code" in form and "Password" in form, f"the next form: {form}")
        code = server.post.next("phone", "+491701234567")
        bob.do("fill", *account("bob", Code=wrong(code)))
        equal(bob.wait("refused")[3], "That code is not right. 4 tries left.", "a wrong code")
        bob.wait("form")
        bob.do("fill", *account("bob", Code=code))
        bob.wait("registered")
        bob.do("enter")
        bob.wait("online")
        bob.leave()


def there():
    if not importlib.util.find_spec("nbxmpp"):
        raise Skip("python3-nbxmpp is not installed")


with Server(rate_limits="no") as server:
    with case("gajim: nbxmpp with the code of an invitation"):
        there()
        server.people("anna")
        server.start()
        invited(server)
with Server(registration="open", verify="phone", rate_limits="no") as server:
    with case("gajim: nbxmpp goes on with the form of an error"):
        there()
        server.post = Post(server)
        server.start()
        by_code(server)
end()
