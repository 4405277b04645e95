#!/usr/bin/python3
"""slixmpp: messages for who is not there (XEP-0160, 0203), over kill -9 too; blocking (XEP-0191);
an account that was deleted leaves nothing to the next one of that name."""

import asyncio

import slix
from harness import Server, case, check, end, equal, password, wait_until
from slix import Person
from turns import acknowledged


async def heard(person, count):
    messages = [await person.hear() for _ in range(count)]
    for message in messages:
        delay = message.xml.find("{urn:xmpp:delay}delay")
        mark = message.xml.find("{urn:xmpp:sid:0}stanza-id")
        check(delay is not None and delay.get("from") == "localhost", "it has no <delay/>")
        check(mark is not None and mark.get("by") == person.boundjid.bare, "it has no <stanza-id/>")
        equal(str(message["to"]), person.boundjid.bare, "its `to`")
    return [message["body"] for message in messages]


async def offline(server):
    alice = await Person(server, "alice").enter()
    texts = [f"{number} {'x' * (number * 100)}" for number in range(50)]
    for text in texts:
        alice.say("bob@localhost", text)
    await acknowledged(alice)
    server.kill()
    await slix.within(alice.gone, "alice's stream to end")
    server.start()
    bob = await Person(server, "bob").enter()
    equal(await heard(bob, len(texts)), texts, "what bob heard")
    await acknowledged(bob)
    await bob.leave()
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    await slix.converse(alice, bob, ("nothing in between",))
    for person in (alice, bob):
        await person.leave()


async def blocking(server):
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    bob.register_plugin("xep_0191")
    block = bob.plugin["xep_0191"]
    await block.block("alice@localhost", timeout=slix.SECONDS)
    blocked = (await block.get_blocked(timeout=slix.SECONDS))["blocklist"]["items"]
    equal({str(jid) for jid in blocked}, {"alice@localhost"}, "whom bob blocks")
    errors = asyncio.Queue()
    alice.add_event_handler("message_error", errors.put_nowait)
    alice.say("bob@localhost", "hidden")
    message = await slix.within(errors.get(), "an error")
    equal((message["type"], message["error"]["condition"]), ("error", "service-unavailable"),
          "what came back")
    await block.unblock("alice@localhost", timeout=slix.SECONDS)
    await slix.converse(alice, bob, ("again",))
    for person in (alice, bob):
        await person.leave()


async def namesake(server):
    alice = await Person(server, "alice").enter()
    alice.say("carol@localhost", "for the first carol")
    await acknowledged(alice)
    server.user("del", "carol")
    entry = password("carol") + "\n"
    wait_until(lambda: server.command("user", "add", "carol", entry=entry).returncode == 0, 5,
               "carol's name to be free again")
    carol = await Person(server, "carol").enter()
    alice.say("carol@localhost", "for the second carol")
    equal((await carol.hear())["body"], "for the second carol", "what the second carol heard")
    for person in (alice, carol):
        await person.leave()


with Server() as server:
    with case("stored: a server with alice, bob and carol", needed=True):
        server.start()
        server.people("alice", "bob", "carol")
    with case("stored: 50 messages, kill -9, all of them in order, once"):
        slix.run(server, offline)
    with case("stored: blocking"):
        slix.run(server, blocking)
    with case("stored: a deleted account's messages are not for its namesake"):
        slix.run(server, namesake)
end()
