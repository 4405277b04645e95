#!/usr/bin/python3
"""go-sendxmpp (Go's TLS; STARTTLS and direct) and sendxmpp (Perl, IO::Socket::SSL): programs
that send a text and leave, by PLAIN. slixmpp hears them; go-sendxmpp also listens."""

import os
import subprocess

import harness
import slix
from harness import (Server, case, check, end, equal, evidence, password, read, require,
                     stranger_ca, tail, wait_until)
from slix import Person

LONG = "🙂 <&>'\"\n" * 300 + "end"


def by_go(server, name, *words, secret=None, direct_tls=False):
    port = server.tls_port if direct_tls else server.port
    return [require("go-sendxmpp"), "-d", *(["-t"] if direct_tls else []), "--timeout", "8",
            "-u", f"{name}@localhost", "-p", secret or password(name),
            "-j", f"127.0.0.1:{port}", *words]


def by_perl(server, name, *words, secret=None, ca=None, direct_tls=False):
    port = server.tls_port if direct_tls else server.port
    return [require("sendxmpp"), "-d", "-e" if direct_tls else "-t", "-a", ca or server.ca,
            "-u", name, "-p", secret or password(name), "-j", f"localhost:{port}", *words]


def send(server, command, text, ca=None):
    given = harness.environment(os.path.join(server.directory, "sender"), ca or server.ca)
    done = subprocess.run(command, env=given, input=text.encode(), capture_output=True, timeout=15,
                          check=False)
    output = (done.stdout + done.stderr).decode(errors="replace")
    evidence.append((os.path.basename(command[0]), lambda: output))
    return done.returncode, output


def heard(server, sender, texts, **how):
    """What a program sends, slixmpp hears unchanged."""
    async def talk(_):
        loop = slix.asyncio.get_running_loop()
        carol = await Person(server, "carol").enter()
        for text in texts:
            command = sender(server, "alice", "carol@localhost", **how)
            status, output = await loop.run_in_executor(None, send, server, command, text)
            equal(status, 0, f"the exit status ({tail(output)[-200:]})")
            message = await carol.hear("alice@localhost")
            equal(message["body"], text, "what carol heard")
        await carol.leave()

    slix.run(server, talk)


def listens(server):
    """go-sendxmpp as a listener, killed and back."""
    given = harness.environment(os.path.join(server.directory, "listener"), server.ca)
    out = os.path.join(server.directory, "listener.out")
    evidence.append(("go-sendxmpp, listening", lambda: read(out)))

    async def talk(_):
        loop = slix.asyncio.get_running_loop()
        carol = await Person(server, "carol").enter()
        for word in ("before", "after"):
            with open(out, "wb") as file:
                listener = subprocess.Popen(by_go(server, "bob", "-l"), env=given, stdout=file,
                                            stderr=file, stdin=subprocess.DEVNULL)
            try:
                await loop.run_in_executor(None, wait_until, lambda: "<presence" in read(out), 8,
                                           "go-sendxmpp to be online")
                for text in harness.TEXTS:
                    carol.say("bob@localhost", f"{word}: {text}")
                    shown = f"carol@localhost: {word}: {text}"
                    await loop.run_in_executor(None, wait_until, lambda: shown in read(out), 8,
                                               f"go-sendxmpp to print {shown!r}")
            finally:
                listener.kill()
                listener.wait()
        await carol.leave()

    slix.run(server, talk)


def refused(server, command, *reasons, ca=None):
    status, output = send(server, command, "never to be heard", ca)
    check(status != 0, "it claims to have sent")
    check(any(reason in output for reason in reasons), f"refused, but: {tail(output)[-300:]}")
    return output


with Server() as server:
    with case("senders: a server", needed=True):
        server.start()
        server.people("alice", "bob", "carol")
        stranger = stranger_ca(server.directory)
    with case("go-sendxmpp: sends over STARTTLS"):
        heard(server, by_go, (*harness.TEXTS, LONG))
    with case("go-sendxmpp: sends over direct TLS"):
        heard(server, by_go, harness.TEXTS[1:2], direct_tls=True)
    with case("go-sendxmpp: listens, killed and back"):
        listens(server)
    with case("go-sendxmpp: wrong password, unknown user, unknown CA"):
        for name in ("alice", "nobody"):
            refused(server, by_go(server, name, "carol@localhost", secret="wrong"),
                    "not-authorized", "auth failure")
        refused(server, by_go(server, "alice", "carol@localhost"), "x509", ca=stranger)
    with case("sendxmpp: sends over STARTTLS"):
        heard(server, by_perl, harness.TEXTS[1:])
    with case("sendxmpp: sends over direct TLS"):
        heard(server, by_perl, harness.TEXTS[1:2], direct_tls=True)
    with case("sendxmpp: wrong password, unknown CA"):
        refused(server, by_perl(server, "alice", "carol@localhost", secret="wrong"),
                "not-authorized")
        # It does not say why; what counts is that it sent no password.
        output = refused(server, by_perl(server, "alice", "carol@localhost", ca=stranger),
                         "Error 'AuthSend'")
        check("<auth " not in output, "it sent its password to a stranger")
end()
