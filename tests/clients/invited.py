#!/usr/bin/python3
"""aioxmpp opens invitations: without an account it shows the token and registers (XEP-0445), with
one it subscribes with the token (XEP-0379). romeo, who invited, uses slixmpp and agrees to
nothing by hand."""

import contextlib
import os
import re
import sys

import slix
from harness import Server, case, check, end, equal, password
from slix import Person
from turns import acknowledged, until

try:
    import aioxmpp
    from aioxmpp import ibr
    from aioxmpp.connector import STARTTLSConnector
    from aioxmpp.misc import Preauth
except ImportError:
    print(f"skipped {os.path.basename(sys.argv[0])}: python3-aioxmpp is not installed")
    sys.exit(0)

LINK = re.compile(r"^xmpp:(?:romeo@)?localhost\?(?:roster|register);preauth=(\w{26})(?:;ibr=y)?$")
ROMEO = aioxmpp.JID.fromstr("romeo@localhost")
aioxmpp.IQ.as_payload_class(Preauth)  # aioxmpp has it for presence only


def token_of(link):
    match = LINK.match(link)
    check(match, f"this is no link: {link}")
    return match.group(1)


def invite(server, *words):
    return token_of(server.command("invite", *words).stdout.splitlines()[0])


def preauth(token):
    shown = Preauth()
    shown.token = token
    return shown


class Romeo(Person):
    """Remembers what is pushed to him, and who asks."""

    def __init__(self, server):
        super().__init__(server, "romeo")
        self.roster.auto_authorize, self.roster.auto_subscribe = None, False
        self.pushes, self.asked = [], []
        self.add_event_handler("roster_update", self.note)
        self.add_event_handler("presence_subscribe", self.asked.append)
        for plugin in ("xep_0004", "xep_0050"):
            self.register_plugin(plugin)

    def note(self, iq):
        if iq["type"] == "set":
            self.pushes += [(str(jid), item["subscription"])
                            for jid, item in iq["roster"]["items"].items()]

    async def invite(self):
        """By the command that clients look for (XEP-0401)."""
        answer = await self["xep_0050"].send_command("localhost", "urn:xmpp:invite#invite",
                                                     timeout=slix.SECONDS)
        equal(answer["command"]["status"], "completed", "the invitation")
        return token_of(answer["command"]["form"].get_values()["uri"])


class Guest:
    """With aioxmpp."""

    def __init__(self, server, name):
        self.house = server
        self.name = name
        self.jid = aioxmpp.JID(name, "localhost", "aio")
        self.peers = [("127.0.0.1", server.port, STARTTLSConnector())]
        self.seen = {}

    def security(self):
        def trust():
            context = aioxmpp.security_layer.default_ssl_context()
            context.load_verify_locations(self.house.ca)
            return context

        return aioxmpp.make_security_layer(password(self.name), ssl_context_factory=trust)

    @contextlib.asynccontextmanager
    async def stranger(self):
        """A stream without a login."""
        _, stream, _ = await aioxmpp.node.connect_xmlstream(
            self.jid, self.security()._replace(sasl_providers=()), override_peer=self.peers)
        try:
            yield stream
        finally:
            stream.close()
            await stream.close_and_wait()

    @contextlib.asynccontextmanager
    async def client(self):
        client = aioxmpp.PresenceManagedClient(self.jid, self.security(),
                                               override_peer=self.peers)
        presences = client.summon(aioxmpp.PresenceClient)
        presences.on_available.connect(self.see)
        presences.on_unavailable.connect(self.see_go)
        self.roster = client.summon(aioxmpp.RosterClient)
        async with client.connected():
            yield client

    def see(self, jid, _presence):
        self.seen[jid] = True

    def see_go(self, jid, _presence):
        self.seen[jid] = False

    def subscription(self):
        return self.roster.items[ROMEO].subscription if ROMEO in self.roster.items else None

    async def open(self, client, token):
        """What an app does with a link where there is an account."""
        asking = aioxmpp.Presence(type_=aioxmpp.PresenceType.SUBSCRIBE, to=ROMEO)
        asking.xep0379_preauth = preauth(token)
        await client.send(asking)


async def ask(stream, payload):
    """The answer to an iq set before the login."""
    iq = aioxmpp.IQ(type_=aioxmpp.IQType.SET, to=aioxmpp.JID.fromstr("localhost"), payload=payload)
    iq.autoset_id()
    return await aioxmpp.protocol.send_and_wait_for(stream, [iq], [aioxmpp.IQ],
                                                    timeout=slix.SECONDS)


async def refused(stream, payload, condition):
    answer = await ask(stream, payload)
    equal(answer.type_, aioxmpp.IQType.ERROR, "the kind of answer")
    equal(answer.error.condition, condition, "the error")


async def register(guest, token):
    """A token that is none first; then this one."""
    async with guest.stranger() as stream:
        await refused(stream, preauth("a" * 26), aioxmpp.ErrorCondition.ITEM_NOT_FOUND)
        await refused(stream, ibr.Query(guest.name, password(guest.name)),
                      aioxmpp.ErrorCondition.NOT_ALLOWED)
        answer = await ask(stream, preauth(token))
        equal((answer.type_, answer.payload), (aioxmpp.IQType.RESULT, None), "the token")
        fields = await ibr.get_registration_fields(stream, timeout=slix.SECONDS)
        check({"username", "password"} <= {tag for _, tag in ibr.get_used_fields(fields)},
              "name and password are not asked for")
        answer = await ask(stream, ibr.Query(guest.name, password(guest.name)))
        equal((answer.type_, answer.payload), (aioxmpp.IQType.RESULT, None), "the registration")


async def see_each_other(romeo, guest):
    full = f"{guest.name}@localhost/aio"
    await romeo.presence(full)
    await until(lambda: guest.seen.get(aioxmpp.JID.fromstr(romeo.boundjid.full)),
                f"{guest.name} to see romeo")
    await until(lambda: guest.subscription() == "both", f"{guest.name}'s roster")
    equal(romeo.client_roster[f"{guest.name}@localhost"]["subscription"], "both", "romeo's roster")


async def without_account(server):
    romeo = await Romeo(server).enter()
    token = invite(server, "--contact", "romeo")
    juliet = Guest(server, "juliet")
    await register(juliet, token)
    await until(lambda: romeo.pushes, "romeo to be told")
    equal(romeo.pushes, [("juliet@localhost", "both")], "what romeo is told")
    async with juliet.client() as client:
        await see_each_other(romeo, juliet)
        await juliet.open(client, token)  # many apps do that as well (INV-23)
        await juliet.open(client, "a" * 26)
        message = aioxmpp.Message(type_=aioxmpp.MessageType.CHAT, to=ROMEO)
        message.body[None] = "that is all"
        await client.send(message)
        await romeo.hear("juliet@localhost")
        equal((juliet.subscription(), romeo.pushes, romeo.asked),
              ("both", [("juliet@localhost", "both")], []), "after the link was opened again")
    paris = Guest(server, "paris")
    async with paris.stranger() as stream:
        await refused(stream, preauth(token), aioxmpp.ErrorCondition.ITEM_NOT_FOUND)
    await romeo.presence("juliet@localhost/aio", kind="unavailable")
    await romeo.leave()


async def with_account(server):
    romeo = await Romeo(server).enter()
    token = await romeo.invite()
    nurse = Guest(server, "nurse")
    async with nurse.client() as client:
        await nurse.open(client, token)
        await see_each_other(romeo, nurse)
        equal(romeo.asked, [], "what romeo was asked")
    await romeo.leave()


async def while_away(server):
    """Nobody need be there who agrees (INV-12); the token works once."""
    romeo = await Romeo(server).enter()
    token = await romeo.invite()
    await romeo.leave()
    tybalt, paris = Guest(server, "tybalt"), Guest(server, "paris")
    async with tybalt.client() as client:
        await tybalt.open(client, token)
        await until(lambda: tybalt.subscription() == "both", "tybalt's roster")
        romeo = await Romeo(server).enter()
        await see_each_other(romeo, tybalt)
        async with paris.client() as client:
            await paris.open(client, token)
            await until(lambda: romeo.asked, "romeo to be asked, as by anybody")
            equal(str(romeo.asked[0]["from"]), "paris@localhost", "who asks")
            shown = romeo.asked[0].xml.find("{urn:xmpp:pars:0}preauth")
            check(shown is not None and shown.get("token") == token, "the token is passed on")
            await acknowledged(romeo)
            equal(paris.subscription(), "none", "paris' roster")
    await romeo.leave()


with Server(rate_limits="no") as server:
    with case("invited: a server where romeo is", needed=True):
        server.people("romeo", "nurse", "tybalt", "paris")
        server.start()
    with case("invited: aioxmpp registers with a token, is a contact at once"):
        slix.run(server, without_account)
    with case("invited: aioxmpp subscribes with a token of slixmpp's command"):
        slix.run(server, with_account)
    with case("invited: aioxmpp subscribes while slixmpp is away, once"):
        slix.run(server, while_away)
end()
