#!/usr/bin/python3
"""Dino in a window nobody sees: adds slixmpp in its dialog, shows what it says, answers by
keyboard, is killed and comes back, refuses an unknown CA; its connection is cut, it resumes."""

import contextlib

import slix
from dino import PORT, Dino, Screen, go_inside
from harness import Server, case, check, end, equal, free_ports, require, stranger_ca
from slix import Person
from turns import acknowledged, befriend
from wire import Wire

RECONNECT_SECONDS = 20  # Dino takes 10


class Alice(Person):
    def __init__(self, server):
        super().__init__(server, "alice")
        self.register_plugin("xep_0333")
        self.displayed = slix.asyncio.Queue()
        self.add_event_handler("marker_displayed", self.displayed.put_nowait)

    async def show(self, body):
        """Says it, and waits until it was displayed in a window that has the focus."""
        message = self.make_message("bob@localhost", body, mtype="chat")
        message["id"] = self.new_id()
        message.enable("markable")
        message.send()
        return message["id"]

    async def shown(self, message_id):
        marker = await slix.within(self.displayed.get(), "Dino to display a message")
        equal(marker["displayed"]["id"], message_id, "what Dino displayed")


def with_alice(server, dino, words):
    async def talk(_):
        loop = slix.asyncio.get_running_loop()
        alice = await Alice(server).enter()

        async def away(function, *arguments):
            await loop.run_in_executor(None, function, *arguments)

        with dino:
            await words(alice, dino, away)
        await alice.leave()

    slix.run(server, talk)


async def add(alice, dino, away):
    """alice only agrees: to be asked back, Dino shows a button that no key leads to."""
    dino.require_dialogs()
    alice.roster.auto_subscribe = False
    await away(dino.start)
    await away(dino.hear, "to='bob@localhost/dino'", "jabber:iq:roster")
    await away(dino.focus)
    await away(dino.add, "alice@localhost")
    await alice.presence("bob@localhost", kind="subscribe")
    await away(dino.hear, "jid='alice@localhost'", "subscription='to'")
    await away(dino.hear, ":presence ", "from='alice@localhost/one'")
    await alice.leave()
    await away(dino.hear, ":presence ", "from='alice@localhost/one'", "type='unavailable'")


async def talk(alice, dino, away):
    await away(dino.start)
    await alice.presence("bob@localhost/dino")
    await away(dino.focus)
    await alice.shown(await alice.show("Hello <Dino> & grüße 👋🏽"))
    await away(dino.type, "An answer <from> Dino & co.")
    heard = await alice.hear("bob@localhost/dino")
    equal(heard["body"], "An answer <from> Dino & co.", "what alice heard")


async def come_back(alice, dino, away):
    """Killed while online: alice sees it go; what she says meanwhile is displayed later."""
    await away(dino.start)
    await alice.presence("bob@localhost/dino")
    await away(dino.kill)
    await alice.presence("bob@localhost/dino", kind="unavailable")
    said = await alice.show("While you were away")
    await away(dino.start)
    await alice.presence("bob@localhost/dino")
    await away(dino.focus)
    await alice.shown(said)
    await away(dino.type, "Back again")
    equal((await alice.hear("bob@localhost/dino"))["body"], "Back again", "what alice heard")


async def cut(alice, dino, away, wire):
    """What both say while nothing arrives is displayed and heard once; alice sees nothing of it."""
    await away(dino.start)
    await alice.presence("bob@localhost/dino")
    await away(dino.focus)
    await alice.shown(await alice.show("before"))
    wire.lose()
    said = await alice.show("lost on the way to Dino")
    await acknowledged(alice)
    await away(dino.type, "lost on the way from Dino")
    await away(dino.wait, "lost on the way from Dino")
    wire.cut()
    await away(dino.wait, ":resumed ", RECONNECT_SECONDS)
    await alice.shown(said)
    equal((await alice.hear("bob@localhost/dino"))["body"], "lost on the way from Dino",
          "what alice heard")
    await away(dino.type, "after that")
    equal((await alice.hear("bob@localhost/dino"))["body"], "after that", "what alice heard next")
    seen = [alice.presences.get_nowait()["type"] for _ in range(alice.presences.qsize())]
    check("unavailable" not in seen, "alice saw Dino go")
    for text in ("lost on the way to Dino", "lost on the way from Dino"):
        equal(dino.messages(text), 1, f"in Dino's database {text}")


async def never_there(alice):
    """All that waits for alice is here when her ping is answered."""
    alice.send_presence()
    await alice.presence(alice.boundjid.full)
    while not alice.presences.empty():
        presence = alice.presences.get_nowait()
        check(presence["from"].bare != "bob@localhost", "bob is there")


async def wrong_password(alice, dino, away):
    await away(lambda: dino.start(secret="wrong"))
    await away(dino.wait, "not-authorized")
    await never_there(alice)


async def unknown_ca(alice, dino, away):
    ca = stranger_ca(dino.house.directory)
    await away(lambda: dino.start(ca=ca))
    await away(dino.wait, "G_TLS_CERTIFICATE_UNKNOWN_CA")
    await never_there(alice)


def all_cases():
    with contextlib.ExitStack() as stack:
        with case("dino: a server, a screen", needed=True):
            go_inside()
            server = stack.enter_context(Server(listen=f"127.0.0.1:{PORT}", resume_seconds="1"))
            server.port = PORT
            server.start()
            server.people("alice", "bob")
            require("dino-im")
            require("xdotool")
            require("xwd")
            screen = stack.enter_context(Screen(server))
            dino = Dino(server, screen)
            dino.make_database()
        with case("dino: adds alice, sees her come and go"):
            with_alice(server, dino, add)
        with case("dino: alice and bob are friends", needed=True):
            slix.run(server, befriend)
        with case("dino: displays what it hears, says what is typed"):
            with_alice(server, dino, talk)
        with case("dino: killed and back, with what was said meanwhile"):
            with_alice(server, dino, come_back)
        with case("dino: a wrong password"):
            with_alice(server, dino, wrong_password)
        with case("dino: an unknown CA is refused by the client"):
            with_alice(server, dino, unknown_ca)
        with case("dino: its connection is cut, it resumes, all of it once"):
            server.stop()
            server.port = free_ports(1)[0]
            server.configure(listen=f"127.0.0.1:{server.port}", resume_seconds="60")
            server.start()
            wire = Wire(server, PORT)
            with_alice(server, dino, lambda *words: cut(*words, wire))


all_cases()
end()
