"""A person who uses slixmpp: logs in, chats, keeps what arrives. A script that imports this is
skipped with a line where python3-slixmpp is missing."""

import asyncio
import logging
import os
import sys
import warnings

import harness
from harness import Failure, check, equal, evidence, password, read

warnings.simplefilter("ignore")
try:
    logging.disable(logging.WARNING)
    import slixmpp
    from slixmpp.exceptions import IqError
except ImportError:
    print(f"skipped {os.path.basename(sys.argv[0])}: python3-slixmpp is not installed")
    sys.exit(0)
logging.disable(logging.NOTSET)

SECONDS = 8


class Refused(Exception):
    """The server, or our check of its certificate, did not let us in."""


def log_to(server):
    """What all persons say and hear goes to a file beside the server's."""
    path = os.path.join(server.directory, "slixmpp")
    logging.basicConfig(filename=path, filemode="w", level=logging.DEBUG, force=True,
                        format="%(relativeCreated)d %(message)s")
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    return ("slixmpp's log", lambda: read(path))


class Person(slixmpp.ClientXMPP):
    def __init__(self, server, name, secret=None, resource="one", ca=None):
        address = f"{name}@localhost/{resource}" if resource else f"{name}@localhost"
        super().__init__(address, secret or password(name))
        self.house = server
        self.ca_certs = ca or server.ca
        self.use_ipv6 = self.use_aiodns = False
        self.messages = asyncio.Queue()
        self.presences = asyncio.Queue()
        self.stream_errors = []
        self.certificates = []
        self.refusals = []
        self.outcome = asyncio.get_running_loop().create_future()
        self.gone = asyncio.get_running_loop().create_future()
        for plugin in ("xep_0030", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", lambda _: self.decide(None))
        self.add_event_handler("failed_auth", lambda f: self.refusals.append(f["condition"]))
        self.add_event_handler("failed_all_auth", lambda _: self.decide("password"))
        self.add_event_handler("ssl_invalid_chain", lambda e: self.decide(f"certificate: {e}"))
        self.add_event_handler("connection_failed", self.connection_failed)
        self.add_event_handler("stream_error", lambda e: self.stream_errors.append(e["condition"]))
        self.add_event_handler("ssl_cert", self.certificates.append)
        self.add_event_handler("message", self.messages.put_nowait)
        self.add_event_handler("presence", self.presences.put_nowait)
        self.add_event_handler("disconnected", self.disconnected_now)

    def decide(self, refusal):
        if not self.outcome.done():
            self.outcome.set_result(refusal)

    def connection_failed(self, reason):
        self.cancel_connection_attempt()  # it would try again for ever
        self.decide(f"certificate: {reason}" if "CERTIFICATE" in str(reason) else str(reason))

    def disconnected_now(self, reason):
        self.decide(f"the stream ended: {reason} {self.stream_errors}")
        if not self.gone.done():
            self.gone.set_result(reason)

    def reach(self, direct_tls=False):
        """Connects; the rest goes by itself."""
        port = self.house.tls_port if direct_tls else self.house.port
        self.default_port = port  # its resolver forgets the port of connect()
        self.connect(("localhost", port), use_ssl=direct_tls)

    async def enter(self, direct_tls=False, presence=True):
        """Connects and logs in. Raises Refused with the reason if that fails."""
        self.reach(direct_tls)
        return await self.settle(presence)

    async def settle(self, presence=True):
        refusal = await within(self.outcome, f"{self.requested_jid} to get in")
        if refusal:
            self.cancel_connection_attempt()
            self.abort()
            raise Refused(refusal)
        try:
            await self.get_roster(timeout=SECONDS)
        except IqError as error:
            equal(error.condition, "service-unavailable", "the roster's error")
        if presence:
            self.send_presence()
            await self.presence(self.boundjid.full)  # RFC 6121 4.2.2: sent to oneself as well
        return self

    async def leave(self):
        if not self.gone.done():
            self.disconnect()
            await within(self.gone, f"{self.boundjid} to leave")

    def say(self, to, body, kind="chat"):
        self.send_message(mto=to, mbody=body, mtype=kind)

    async def hear(self, sender=None):
        """The next message with a body (of this sender's bare or full address)."""
        while True:
            message = await within(self.messages.get(), f"{self.boundjid} to hear something")
            check(message["type"] != "error", f"an error came back: {message}")
            if message["body"] and sender in (None, message["from"].bare, message["from"].full):
                return message

    async def presence(self, sender, kind="available"):
        while True:
            presence = await within(self.presences.get(), f"{kind} presence of {sender}")
            if presence["from"].full == sender and presence["type"] == kind:
                return presence


async def within(awaitable, what, seconds=SECONDS):
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        raise Failure(f"waited {seconds} s in vain for {what}") from None


async def refusal(person, **how):
    """Why this person is not let in; that it is let in is a failure."""
    try:
        await person.enter(**how)
    except Refused as reason:
        return str(reason)
    raise Failure(f"{person.boundjid} was let in")


async def converse(one, other, texts=harness.TEXTS):
    """Each text there and back, unchanged."""
    for text in texts:
        for speaker, listener in ((one, other), (other, one)):
            speaker.say(listener.boundjid.full, text)
            message = await listener.hear(speaker.boundjid.full)
            equal(message["body"], text, f"what {listener.boundjid} heard")


def run(server, conversation):
    """Runs a coroutine that is given the server, with slixmpp's log as evidence."""
    log = log_to(server)
    evidence.append(log)

    async def bounded():
        await asyncio.wait_for(conversation(server), 30)

    asyncio.run(bounded())
    evidence.remove(log)
