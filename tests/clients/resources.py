#!/usr/bin/python3
"""One account, two resources; and what the domain says about itself."""

import slix
from harness import Server, case, check, end, equal
from slix import Person


async def presence(server):
    phone = await Person(server, "alice", resource="phone").enter()
    laptop = await Person(server, "alice", resource="laptop").enter()
    await phone.presence("alice@localhost/laptop")
    await laptop.presence("alice@localhost/phone")
    phone.send_presence(pshow="away", pstatus="at <tea> & 🍪")
    seen = await laptop.presence("alice@localhost/phone", kind="away")
    equal(seen["status"], "at <tea> & 🍪", "the status seen")
    await phone.leave()
    await laptop.presence("alice@localhost/phone", kind="unavailable")
    await laptop.leave()


async def bare_address(server):
    phone = await Person(server, "alice", resource="phone").enter()
    laptop = await Person(server, "alice", resource="laptop").enter()
    bob = await Person(server, "bob").enter()
    for text in ("one", "two"):
        bob.say("alice@localhost", text)
        for person in (phone, laptop):
            message = await person.hear("bob@localhost/one")
            equal(message["body"], text, f"what {person.boundjid} heard")
            equal(message["to"].bare, "alice@localhost", "its receiver")
    bob.say(laptop.boundjid.full, "for the laptop")
    equal((await laptop.hear())["body"], "for the laptop", "what the laptop heard")
    bob.say("alice@localhost", "for both")
    equal((await phone.hear())["body"], "for both", "what the phone heard next")
    for person in (phone, laptop, bob):
        await person.leave()


async def own_resource(server):
    phone = await Person(server, "alice", resource="phone").enter()
    laptop = await Person(server, "alice", resource="laptop").enter()
    laptop["xep_0092"].software_name = "laptop's own"
    answer = await phone["xep_0092"].get_version(laptop.boundjid, ifrom=phone.boundjid, timeout=5)
    equal(answer["software_version"]["name"], "laptop's own", "the version of the other resource")
    equal(answer["from"].full, "alice@localhost/laptop", "who answered")
    await laptop["xep_0199"].send_ping(phone.boundjid, timeout=5)
    for person in (phone, laptop):
        await person.leave()


async def same_resource(server):
    """RFC 6120 7.7.2.2: a resource that is taken; whoever stays, one of them chats."""
    first = await Person(server, "alice", resource="same").enter()
    second = await Person(server, "alice", resource="same").enter()
    bob = await Person(server, "bob").enter()
    await slix.converse(second, bob, ("hello",))
    if second.boundjid == first.boundjid:
        await slix.within(first.gone, "the older stream to end")
        equal(first.stream_errors, ["conflict"], "what the older stream was told")
    for person in (first, second, bob):
        await person.leave()


async def made_resource(server):
    """No resource asked for: the server makes one."""
    person = await Person(server, "alice", resource="").enter()
    check(person.boundjid.resource, "no resource was made")
    await person.leave()


async def discovery(server):
    alice = await Person(server, "alice").enter()
    info = (await alice["xep_0030"].get_info("localhost", timeout=5))["disco_info"]
    kinds = {(identity[0], identity[1]) for identity in info["identities"]}
    check(("server", "im") in kinds, f"no identity server/im among {kinds}")
    disco = "http://jabber.org/protocol/disco#"
    for feature in (disco + "info", disco + "items", "urn:xmpp:ping", "jabber:iq:version"):
        check(feature in info["features"], f"{feature} is not announced")
    await alice["xep_0030"].get_items("localhost", timeout=5)
    await alice["xep_0199"].send_ping("localhost", timeout=5)
    version = (await alice["xep_0092"].get_version("localhost", timeout=5))["software_version"]
    check(version["name"] and version["version"], "the server tells no name or no version")
    await alice.leave()


async def unknown_request(server):
    """RFC 6120 8.4: what nobody knows is answered with service-unavailable."""
    alice = await Person(server, "alice").enter()
    for receiver in ("localhost", "alice@localhost", "nobody@localhost", "bob@localhost/one"):
        request = alice.make_iq_get(queryxmlns="urn:example:unknown", ito=receiver)
        try:
            await request.send(timeout=5)
            check(False, f"{receiver} answered a request that nobody knows")
        except slix.IqError as error:
            equal(error.condition, "service-unavailable", f"the error from {receiver}")
    await alice.leave()


with Server() as server:
    with case("resources: a server with alice and bob", needed=True):
        server.start()
        server.people("alice", "bob")
    with case("resources: each sees the other's presence"):
        slix.run(server, presence)
    with case("resources: a message to the bare address reaches both"):
        slix.run(server, bare_address)
    with case("resources: version and ping between own resources"):
        slix.run(server, own_resource)
    with case("resources: the same resource twice"):
        slix.run(server, same_resource)
    with case("resources: none asked for"):
        slix.run(server, made_resource)
    with case("domain: service discovery, ping, version"):
        slix.run(server, discovery)
    with case("domain: an unknown request"):
        slix.run(server, unknown_request)
end()
