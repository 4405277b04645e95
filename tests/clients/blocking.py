#!/usr/bin/python3
"""Blocking (XEP-0191) between clients of different kinds who are friends: slixmpp, libstrophe and
profanity. Who is blocked sees the other go and is told of each message that it cannot be
delivered; who blocks may not write either; unblocked, all is as before."""

import re

import slix
from harness import Server, case, check, end, equal
from profanity import Profanity
from slix import Person
from strophe import Strophe
from turns import away

ALICE, BOB, CAROL = "alice@localhost", "bob@localhost", "carol@localhost"


class Alice(Person):
    def __init__(self, server):
        super().__init__(server, "alice")
        self.register_plugin("xep_0191")
        self.block = self.plugin["xep_0191"]
        self.errors = slix.asyncio.Queue()
        self.add_event_handler("message_error", self.errors.put_nowait)


async def bounced(alice, to):
    """What alice says comes back."""
    alice.say(to, "hidden")
    message = await slix.within(alice.errors.get(), f"{to}'s server to refuse a message")
    equal((message["from"].full, message["error"]["condition"]), (to, "service-unavailable"),
          "what came back")


async def both_ways(alice, bob, text):
    """alice's is the next message that bob hears: none that was refused came through."""
    alice.say(bob.address, text)
    equal((await away(bob.wait, "message"))[1:], [alice.boundjid.full, "live", text],
          "what bob heard")
    bob.do("say", ALICE, text)
    equal((await alice.hear(bob.address))["body"], text, "what alice heard")


async def bob_blocks_alice(alice, bob):
    bob.do("blocklist")
    await away(bob.wait, "done", "blocklist")
    bob.do("block", ALICE)
    await away(bob.wait, "done", "block")
    await away(bob.wait, "blocked", ALICE)
    await alice.presence(bob.address, kind="unavailable")
    await bounced(alice, bob.address)
    await bounced(alice, BOB)
    bob.do("say", ALICE, "to whom I block")
    equal(await away(bob.wait, "bounced"), ["bounced", ALICE, "not-acceptable"], "bob's message")
    bob.do("blocklist")
    await away(bob.wait, "blocked", ALICE)
    await away(bob.wait, "done", "blocklist")
    bob.do("unblock", ALICE)
    await away(bob.wait, "done", "unblock")
    await away(bob.wait, "unblocked", ALICE)
    await alice.presence(bob.address)
    await both_ways(alice, bob, "bob is in a good mood again")


async def alice_blocks_bob(alice, bob):
    await alice.block.block(BOB, timeout=slix.SECONDS)
    await away(bob.wait, "unavailable", alice.boundjid.full)
    for to in (ALICE, alice.boundjid.full):
        bob.do("say", to, "hidden")
        equal(await away(bob.wait, "bounced"), ["bounced", to, "service-unavailable"],
              "bob's message")
    check(alice.messages.empty(), "alice heard whom she blocks")
    await alice.block.unblock(BOB, timeout=slix.SECONDS)
    await away(bob.wait, "available", alice.boundjid.full)
    await both_ways(alice, bob, "alice is in a good mood again")


async def with_libstrophe(server):
    alice = await Alice(server).enter()
    with Strophe(server, "bob") as bob:
        await away(bob.enter)
        await away(bob.befriend, ALICE, alice.boundjid.full)
        await alice.presence(bob.address)
        await bob_blocks_alice(alice, bob)
        await alice_blocks_bob(alice, bob)
        await away(bob.leave)
    await alice.leave()


def empty_console(carol):
    """In front, without what was shown before."""
    carol.type("/win 1")
    carol.type("/clear")
    carol.type("/ping")
    carol.wait("Ping response from server")


async def carol_befriends(carol, contact, resource):
    """Who agrees and asks back by itself."""
    carol.type(f"/sub request {contact}")
    await away(carol.wait, f"Received authorization request from {contact}")
    carol.type(f"/sub allow {contact}")
    await away(carol.wait, f"++ {contact} ({resource}) is online")


async def carol_blocks_alice(alice, carol, full):
    carol.type(f"/blocked add {ALICE}")
    await away(carol.wait, f"User {ALICE} successfully blocked.")
    await alice.presence(full, kind="unavailable")
    await bounced(alice, full)
    await bounced(alice, CAROL)
    carol.type(f"/msg {ALICE} to whom I block")
    await away(carol.wait, f"Error from {ALICE}: not-acceptable")
    await away(empty_console, carol)
    carol.type("/blocked")
    await away(carol.wait, "Blocked users:")
    await away(carol.wait, f"-   {ALICE}")
    carol.type(f"/blocked remove {ALICE}")
    await away(carol.wait, f"User {ALICE} successfully unblocked.")
    await alice.presence(full)
    carol.type(f"/msg {ALICE} from carol")
    equal((await alice.hear(full))["body"], "from carol", "what alice heard")
    alice.say(full, "from alice")
    await away(carol.wait, "from alice")
    check("hidden" not in carol.screen(), "carol heard whom she blocked")


async def alice_blocks_carol(alice, carol, full):
    await away(empty_console, carol)
    await alice.block.block(CAROL, timeout=slix.SECONDS)
    await away(carol.wait, f"-- {ALICE} (one) is offline")
    carol.type(f"/msg {ALICE} hidden")
    await away(carol.wait, f"Error from {ALICE}: service-unavailable")
    check(alice.messages.empty(), "alice heard whom she blocks")
    carol.type("/win 1")
    await alice.block.unblock(CAROL, timeout=slix.SECONDS)
    await away(carol.wait, f"++ {ALICE} (one) is online")
    carol.type(f"/msg {ALICE} once more")
    equal((await alice.hear(full))["body"], "once more", "what alice heard")


async def with_profanity(server):
    alice = await Alice(server).enter()
    with await away(Profanity, server, "carol") as carol:
        await away(carol.enter)
        full = re.search(r"(carol@localhost/\S+) logged in", carol.screen()).group(1)
        carol.type("/presence console all")
        await carol_befriends(carol, ALICE, "one")
        await alice.presence(full)
        await carol_blocks_alice(alice, carol, full)
        await alice_blocks_carol(alice, carol, full)
    await alice.leave()


with Server() as server:
    with case("blocking: a server with alice, bob and carol", needed=True):
        server.start()
        server.people("alice", "bob", "carol")
    with case("blocking: libstrophe and slixmpp, each the other"):
        slix.run(server, with_libstrophe)
    with case("blocking: profanity and slixmpp, each the other"):
        slix.run(server, with_profanity)
end()
