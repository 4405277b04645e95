#!/usr/bin/python3
"""mcabber (loudmouth, GnuTLS) in a terminal: knows PLAIN and STARTTLS only, trusts only the
system's CA bundle, which is ours in a mount namespace of its own."""

import os

import harness
import slix
from harness import (Server, Terminal, case, check, end, equal, password, read, require,
                     stranger_ca, trusting, wait_until, write)
from slix import Person

CONFIG = """
set jid = {name}@localhost
set resource = mcabber
set password = {secret}
set server = 127.0.0.1
set port = {port}
set tls = 1
set ssl_ignore_checks = 0
set log_win_height = 20
set tracelog_level = 2
set tracelog_file = {home}/trace
set disable_random_resource = 1
set logging = 1
set logging_dir = {home}/history
"""

ONLINE = "Your status has been set: [_>o]"


class Mcabber(Terminal):
    def __init__(self, server, name, secret=None, ca=None):
        home = os.path.join(server.directory, "mcabber-" + name)
        given = harness.environment(home)
        self.history = os.path.join(home, "history", "carol@localhost")
        os.makedirs(os.path.dirname(self.history), exist_ok=True)
        config = write(os.path.join(home, "mcabberrc"), CONFIG.format(
            name=name, secret=secret or password(name), port=server.port, home=home))
        command = trusting(ca or server.ca, require("mcabber"), "-f", config)
        super().__init__(home, given, *command)
        harness.evidence.append(
            (f"mcabber's log of {name}", lambda: read(os.path.join(home, "trace"))))

    def wait_history(self, text):
        wait_until(lambda: text in read(self.history), 8, f"mcabber to note {text!r}")


def talk_with(server, word):
    async def talk(_):
        loop = slix.asyncio.get_running_loop()

        def away(function, *words):
            return loop.run_in_executor(None, function, *words)

        carol = await Person(server, "carol").enter()
        alice = await away(Mcabber, server, "alice")
        try:
            await away(alice.wait, ONLINE)
            for text in (*harness.TEXTS, "long " * 100):
                text = f"{word} {text.strip()}"
                await away(alice.type, f"/say_to carol@localhost {text}")
                heard = await carol.hear("alice@localhost/mcabber")
                equal(heard["body"], text, "what carol heard")
            for text in harness.TEXTS:
                carol.say("alice@localhost", f"{word} back {text}")
                await away(alice.wait_history, f"{word} back {text}")
            alice.kill()
        finally:
            await away(alice.__exit__)
        await carol.leave()

    slix.run(server, talk)


with Server() as server:
    with case("mcabber: a server", needed=True):
        require("mcabber")
        server.start()
        server.people("alice", "bob", "carol")
    with case("mcabber: with slixmpp, over STARTTLS with PLAIN"):
        talk_with(server, "before")
    with case("mcabber: killed and back"):
        talk_with(server, "after")
    with case("mcabber: wrong password, unknown user"):
        for name in ("alice", "nobody"):
            with Mcabber(server, name, secret="wrong") as mcabber:
                mcabber.wait("Authentication failed")
                check(ONLINE not in mcabber.screen(), "it logged in")
    with case("mcabber: an unknown CA is refused by the client"):
        with Mcabber(server, "alice", ca=stranger_ca(server.directory)) as mcabber:
            mcabber.wait("Certificate is not trusted!")
            check(ONLINE not in mcabber.screen(), "it logged in")
end()
