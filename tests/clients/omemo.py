#!/usr/bin/python3
"""OMEMO between two profanity clients, over kith's personal eventing: keys are made, found and used
without anything but two commands; what is said stays unknown to the server, and is read later too."""

import glob
import os
import subprocess

from harness import TEXTS, Server, Skip, case, check, end, environment, require, wait_until
from profanity import Profanity

OPEN = "what anybody may know"
SECRET = "a secret & <nothing> else"


class Reader(Profanity):
    def generate(self):
        self.type("/omemo trustmode blind")
        self.type("/omemo gen")
        self.wait("OMEMO crytographic materials generated")
        self.logged("publish device list")

    def befriend(self, other):
        """Both ask each other, both allow it."""
        for one, two in ((self, other), (other, self)):
            one.type(f"/sub request {two.name}@localhost")
            two.wait(f"Received authorization request from {one.name}@localhost")
            two.type(f"/sub allow {one.name}@localhost")
        for one, two in ((self, other), (other, self)):
            one.wait(f"++ {two.name}@localhost")

    def open(self, other):
        self.type(f"/msg {other}@localhost")
        self.type("/omemo start")
        self.wait("[OMEMO]")

    def quit(self):
        self.type("/quit")
        wait_until(lambda: self.run("display-message", "-p", "#{pane_dead}").strip() == "1", 8,
                   "profanity to end")


def kept(server):
    """All bytes of all its files."""
    parts = []
    for path in glob.glob(os.path.join(server.data, "**"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                parts.append(file.read())
    return b"\n".join(parts)


def secretly(server):
    with Reader(server, "alice") as alice, Reader(server, "bob") as bob:
        for person in (alice, bob):
            person.enter()
        alice.befriend(bob)
        for person in (alice, bob):
            person.generate()
        alice.type(f"/msg bob@localhost {OPEN}")
        bob.wait("<< chat message: alice@localhost")
        alice.open("bob")
        bob.open("alice")
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
    with Reader(server, "bob") as bob:
        bob.enter()
        bob.wait("<< chat message: alice@localhost")
        bob.type("/msg alice@localhost")
        bob.wait(f"for later: {SECRET}")
    known = kept(server)
    check(OPEN.encode() in known, "the archive does not hold what was said in the open")
    check(b"eu.siacs.conversations.axolotl" in known, "the archive holds nothing encrypted")
    for text in (SECRET, SECRET.replace("&", "&amp;").replace("<", "&lt;"), "for later"):
        check(text.encode() not in known, f"the server holds {text}")


def require_omemo(directory):
    done = subprocess.run([require("profanity"), "--version"], env=environment(directory),
                          capture_output=True, text=True, timeout=10, check=False)
    if "OMEMO support: Enabled" not in done.stdout:
        raise Skip("profanity was built without OMEMO")


with Server() as server:
    with case("omemo: a server with alice and bob", needed=True):
        require_omemo(server.directory)
        server.start()
        server.people("alice", "bob")
    with case("omemo: two profanity, both ways, and for later; nothing of it in the server's files"):
        secretly(server)
end()
