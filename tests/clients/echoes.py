#!/usr/bin/python3
"""Libraries that others wrote, as echoes of ours: libstrophe (strophe.c) and @xmpp/client
(xmppjs.mjs), which npm installs for the test. They say back what slixmpp says."""

import os
import re
import shutil
import subprocess

import harness
import slix
import strophe
from harness import (HERE, Server, Skip, case, check, end, equal, evidence, password, read,
                     require, stranger_ca, wait_until)
from slix import Person
from turns import acknowledged, away
from wire import Wire

INSTALL_SECONDS = 15
LONG = "🙂 <&>'\"\n" * 300


class Strophe:
    name = "strophe"
    resource = "{how}"  # as wished
    stranger = "ertificate"  # what its log says of an unknown CA

    def __init__(self, server):
        self.path = strophe.program(server.directory)

    def command(self, jid, secret, port, ca, how):
        return [self.path, jid, secret, str(port), ca, how], {}


class XmppJs:
    name = "xmpp.js"
    resource = "{how}/"  # a tag (XEP-0386)
    stranger = "unable to"

    def __init__(self, server):
        """What is installed is pinned by hash; from npm's cache if it is there."""
        self.node = require("node")
        self.directory = os.path.join(server.directory, "xmppjs")
        shutil.copytree(os.path.join(HERE, "xmppjs"), self.directory)
        words = ["ci", "--engine-strict", "--prefer-offline", "--ignore-scripts", "--no-audit"]
        try:
            done = subprocess.run([require("npm"), *words], cwd=self.directory, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Skip(f"npm did not install @xmpp/client in {INSTALL_SECONDS} s") from None
        if done.returncode:
            reason = done.stderr.strip().splitlines() or ["without a word"]
            raise Skip(f"npm did not install @xmpp/client: {reason[0]}")

    def command(self, jid, secret, port, ca, how):
        script = os.path.join(HERE, "xmppjs.mjs")
        trust = {"NODE_EXTRA_CA_CERTS": ca}  # the only way it takes a CA
        return [self.node, script, self.directory, jid, secret, str(port), how], trust


class Echo:
    """A running echo; lines of its output can be waited for."""

    def __init__(self, server, library, how, secret=None, ca=None, words=(), port=None):
        self.out = os.path.join(server.directory, f"{library.name}-{how}")
        port = port or (server.tls_port if how == "direct" else server.port)
        command, more = library.command(f"bob@localhost/{how}", secret or password("bob"), port,
                                        ca or server.ca, how)
        given = harness.environment(os.path.join(server.directory, "home"))
        with open(self.out, "wb") as out, open(self.out + ".log", "wb") as log:
            self.process = subprocess.Popen([*command, *words], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=log, env={**given, **more})
        evidence.append((f"{library.name} {how}", self.said))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def said(self):
        return read(self.out + ".log") + read(self.out)

    def wait(self, word):
        """The first line that begins with this word."""
        def found():
            return next((x for x in read(self.out).splitlines() if x.startswith(word)), None)

        return wait_until(found, 20, f"the echo to say {word}")


def echoes(server, library, how):
    async def talk(address):
        alice = await Person(server, "alice").enter()
        for text in (*harness.TEXTS, LONG):
            alice.say(address, text)
            heard = await alice.hear(address)
            equal(heard["body"], text, "what came back")
        await alice.leave()

    with Echo(server, library, how) as echo:
        _, address, secured = echo.wait("online").split()
        wanted = "bob@localhost/" + library.resource.format(how=how)
        check(address.startswith(wanted) and secured == "secured", "how it got in: " + address)
        slix.run(server, lambda _: talk(address))


def token(server, library):
    """The second time without the password and in one round trip (XEP-0388, 0386, 0484)."""
    with Echo(server, library, "direct", words=["again"]) as echo:
        wait_until(lambda: read(echo.out).count("online") == 2, 20, "the echo to come back")
        log = read(echo.out + ".log")
        logins = re.findall("said (<authenticate.*)", log)
        ways = [re.search('mechanism="([^"]*)"', login).group(1) for login in logins]
        equal(ways, ["SCRAM-SHA-1", "HT-SHA-256-NONE"], "how it logged in")
        for login in logins:
            check('<bind xmlns="urn:xmpp:bind:0"' in login and "<enable " in login,
                  f"it did not bind within its login: {login}")
        equal(len(re.findall("heard <success.*<bound.*<enabled ", log)), 2, "what it was answered")
        check("<auth " not in log and "xmpp-bind" not in "".join(re.findall("said .*", log)),
              "the first profile was used")


def resumed(server, library):
    """What it says is lost first, then what is said to it; it resumes within its login."""
    wire = Wire(server)

    async def talk(echo, address):
        alice = await Person(server, "alice").enter()
        wire.lose_said()
        alice.say(address, "whose answer is lost")
        await away(echo.wait, "message " + alice.boundjid.full)
        wire.lose()
        alice.say(address, "what is lost")
        await acknowledged(alice)
        wire.cut()
        await away(echo.wait, "resumed")
        came = sorted([(await alice.hear(address))["body"] for _ in range(2)])
        equal(came, ["what is lost", "whose answer is lost"], "what came back")
        alice.say(address, "after that")
        equal((await alice.hear(address))["body"], "after that", "what came back, nothing twice")
        await alice.leave()

    with Echo(server, library, "starttls", words=["stays"], port=wire.port) as echo:
        address = echo.wait("online").split()[1]
        slix.run(server, lambda _: talk(echo, address))
        login = re.findall("said (<authenticate.*)", read(echo.out + ".log"))[-1]
        check("<resume " in login, f"it resumed another way: {login}")


def killed(server, library):
    with Echo(server, library, "starttls") as echo:
        echo.wait("online")
        echo.kill()
    echoes(server, library, "starttls")


def refused(server, library, how, because, **with_what):
    with Echo(server, library, how, **with_what) as echo:
        echo.wait("offline")
        check("online" not in read(echo.out), "it was let in")
        check(because in echo.said(), "refused, but because of something else")


def shutdown(server, library):
    with Echo(server, library, "starttls") as echo:
        echo.wait("online")
        equal(server.stop(), 0, "the exit status after SIGTERM")
        echo.wait("offline")
        check("system-shutdown" in echo.said(), "no system-shutdown was seen")


def try_library(kind):
    ready = False
    with Server() as server:
        with case(f"{kind.name}: a server, a client"):
            library = kind(server)
            server.start()
            server.people("alice", "bob")
            ready = True
        if not ready:
            return
        with case(f"{kind.name}: echo over STARTTLS"):
            echoes(server, library, "starttls")
        with case(f"{kind.name}: echo over direct TLS"):
            echoes(server, library, "direct")
        with case(f"{kind.name}: killed and back"):
            killed(server, library)
        if kind is XmppJs:
            with case(f"{kind.name}: back with a token"):
                token(server, library)
            with case(f"{kind.name}: its connection is cut, it resumes, all of it once"):
                resumed(server, library)
        with case(f"{kind.name}: a wrong password"):
            refused(server, library, "starttls", "not-authorized", secret="wrong")
        with case(f"{kind.name}: an unknown CA is refused by the client"):
            for how in ("starttls", "direct"):
                refused(server, library, how, kind.stranger, ca=stranger_ca(server.directory))
        with case(f"{kind.name}: SIGTERM"):
            shutdown(server, library)


try_library(Strophe)
try_library(XmppJs)
end()
