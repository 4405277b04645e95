#!/usr/bin/python3
"""OMEMO between two profanity clients, over kith's personal eventing: keys are made, found and used
without anything but two commands; what is said stays unknown to the server, and is read later too."""

import slix
from harness import TEXTS, Server, case, check, end
from profanity import Profanity, require_omemo
from turns import befriend

OPEN = "what anybody may know"
SECRET = "a secret & <nothing> else"


def secretly(server):
    with Profanity(server, "alice") as alice, Profanity(server, "bob") as bob:
        for person in (alice, bob):
            person.enter()
        for person in (alice, bob):
            person.generate_keys()
        alice.type(f"/msg bob@localhost {OPEN}")
        bob.wait("<< chat message: alice@localhost")
        alice.encrypt("bob")
        bob.encrypt("alice")
        for number, text in enumerate((SECRET, TEXTS[1])):
            for one, other in ((alice, bob), (bob, alice)):
                one.type(f"{number} of {one.name}: {text}")
                other.wait(f"{number} of {one.name}: {text}")
        check("~" in alice.screen(), "it is not shown as encrypted")
        bob.quit()
        alice.wait("[offline]")
        alice.type(f"for later: {SECRET}")
        alice.wait(f"~ me: for later: {SECRET}")
        alice.type("/ping")
        alice.quit()
    with Profanity(server, "bob") as bob:
        bob.enter()
        bob.wait("<< chat message: alice@localhost")
        bob.type("/msg alice@localhost")
        bob.wait(f"for later: {SECRET}")
    known = server.kept()
    check(OPEN.encode() in known, "the archive does not hold what was said in the open")
    check(b"eu.siacs.conversations.axolotl" in known, "the archive holds nothing encrypted")
    for text in (SECRET, SECRET.replace("&", "&amp;").replace("<", "&lt;"), "for later"):
        check(text.encode() not in known, f"the server holds {text}")


with Server() as server:
    with case("omemo: a server with alice and bob", needed=True):
        require_omemo(server.directory)
        server.start()
        server.people("alice", "bob")
        slix.run(server, befriend)
    with case("omemo: two profanity, both ways, and for later; nothing of it in the server's files"):
        secretly(server)
end()
