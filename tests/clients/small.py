#!/usr/bin/python3
"""Cards, photos, private XML, last activity, time, service discovery and capabilities, with
slixmpp's own plugins."""

import asyncio
import base64
import datetime
import hashlib
import xml.etree.ElementTree as ET

import slix
from harness import Server, case, check, end, equal
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0048 import Bookmarks
from slixmpp.xmlstream import register_stanza_plugin
from slixmpp.plugins.xep_0049 import PrivateXML

SECONDS = 5
PHOTO = bytes(range(256)) * 12  # in base64 longer than one line, shorter than any limit
PLUGINS = ("xep_0012", "xep_0048", "xep_0049", "xep_0054", "xep_0082", "xep_0202")


class Person(slix.Person):
    def __init__(self, server, name, *more, **how):
        super().__init__(server, name, **how)
        for plugin in (*PLUGINS, *more):
            self.register_plugin(plugin)


async def refused(request, condition, what):
    try:
        await request
    except IqError as error:
        equal(error.condition, condition, what)
    else:
        check(False, f"{what}: it was answered")


async def cards(server):
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    own = await alice["xep_0054"].get_vcard(
        "alice@localhost", cached=False, timeout=SECONDS)
    equal(own["vcard_temp"]["FN"], "", "the name on a card that was never set")
    await refused(bob["xep_0054"].get_vcard("alice@localhost", cached=False, timeout=SECONDS),
                  "service-unavailable", "the card of somebody who has none")
    card = alice["xep_0054"].make_vcard()
    card["FN"] = "Älice <of> Wonderland & 🍄"
    card["NICKNAME"] = "ali"
    await alice["xep_0054"].publish_vcard(card, timeout=SECONDS)
    for reader in (alice, bob):
        seen = (await reader["xep_0054"].get_vcard(
            "alice@localhost", cached=False, timeout=SECONDS))["vcard_temp"]
        equal(seen["FN"], "Älice <of> Wonderland & 🍄", f"the name as {reader.boundjid} reads it")
        equal(seen["NICKNAME"], ["ali"], "the nickname")
    await refused(bob["xep_0054"].publish_vcard(card, jid="alice@localhost", timeout=SECONDS),
                  "forbidden", "setting somebody else's card")
    card["FN"] = "x" * 70000
    await refused(alice["xep_0054"].publish_vcard(card, timeout=SECONDS), "not-acceptable",
                  "a card that is too big")
    for person in (alice, bob):
        await person.leave()


async def photo(server):
    """One client sets a photo; the presence of another one, that knows nothing of it, has its hash,
    and what is stored is the photo."""
    painter = await Person(server, "alice", "xep_0153", resource="painter").enter()
    await painter["xep_0153"].set_avatar(avatar=PHOTO, mtype="image/png", timeout=SECONDS)
    wanted = hashlib.sha1(PHOTO).hexdigest()
    plain = await Person(server, "alice", resource="plain").enter(presence=False)
    plain.send_presence()
    own = await plain.presence(plain.boundjid.full)
    hashes = own.xml.findall("{vcard-temp:x:update}x/{vcard-temp:x:update}photo")
    equal([each.text for each in hashes], [wanted], "the hashes in the presence")
    card = await plain["xep_0054"].get_vcard(
        "alice@localhost", cached=False, timeout=SECONDS)
    stored = [base64.b64decode(each.text) for each in card.xml.iter("{vcard-temp}BINVAL")]
    check(stored == [PHOTO], "the photo that is stored is not the one that was set")
    for person in (painter, plain):
        await person.leave()


async def private(server):
    alice = await Person(server, "alice").enter()
    register_stanza_plugin(PrivateXML, Bookmarks)
    bookmarks = Bookmarks()
    bookmarks.add_conference("room@rooms.example", "<ali>", name="Tea & cake", autojoin=True)
    await alice["xep_0049"].store(bookmarks, timeout=SECONDS)
    answer = await alice["xep_0049"].retrieve("bookmarks", timeout=SECONDS)
    kept = answer["private"]["bookmarks"]["conferences"]
    equal([(str(each["jid"]), each["nick"], each["name"]) for each in kept],
          [("room@rooms.example", "<ali>", "Tea & cake")], "the bookmarks")
    request = alice.make_iq_get(ito="bob@localhost")
    request.append(ET.fromstring("<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>"))
    await refused(request.send(timeout=SECONDS), "forbidden", "somebody else's private XML")
    await alice.leave()


async def befriend(one, other):
    """Both subscribe to each other; slixmpp approves by itself."""
    one.send_presence_subscription(other.boundjid.bare)
    await one.presence(other.boundjid.full)
    await other.presence(one.boundjid.full)


async def last_activity(server):
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    await refused(bob["xep_0012"].get_last_activity("alice@localhost", timeout=SECONDS),
                  "service-unavailable", "the last activity of a stranger")
    await befriend(alice, bob)
    answer = await bob["xep_0012"].get_last_activity("alice@localhost", timeout=SECONDS)
    equal(answer["last_activity"]["seconds"], 0, "for how long somebody who is there is away")
    info = await bob["xep_0030"].get_info("alice@localhost", timeout=SECONDS)
    equal({identity[:2] for identity in info["disco_info"]["identities"]},
          {("account", "registered"), ("pubsub", "pep")}, "what an account says it is")
    alice.send_presence(ptype="unavailable", pstatus="to <bed> & away")
    await bob.presence(alice.boundjid.full, kind="unavailable")
    await asyncio.sleep(1.2)
    answer = await bob["xep_0012"].get_last_activity("alice@localhost", timeout=SECONDS)
    check(1 <= answer["last_activity"]["seconds"] <= 3, f"away for {answer}")
    equal(answer["last_activity"]["status"], "to <bed> & away", "the status that was left")
    answer = await bob["xep_0012"].get_last_activity("localhost", timeout=SECONDS)
    check(1 <= answer["last_activity"]["seconds"] <= 60, f"up for {answer}")
    for person in (alice, bob):
        await person.leave()


async def time(server):
    alice = await Person(server, "alice").enter()
    answer = await alice["xep_0202"].get_entity_time("localhost", timeout=SECONDS)
    # Its own reading of <utc/> adds a second Z.
    text = answer.xml.find("{urn:xmpp:time}time/{urn:xmpp:time}utc").text
    there = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    apart = datetime.datetime.utcnow() - there
    check(abs(apart.total_seconds()) < 5, f"the server's clock is {apart} from ours")
    await alice.leave()


def questions(person):
    """What it is asked by disco#info, from now on."""
    asked = []
    query = "{http://jabber.org/protocol/disco#info}query"

    def note(stanza):
        if stanza.xml.get("type") == "get" and stanza.xml.find(query) is not None:
            asked.append(stanza)
        return stanza

    person.add_filter("in", note)
    return asked


async def capabilities(server):
    """slixmpp compares our string with our answer before it believes it, and we do the same with
    its own: a second one that has the same string is not asked."""
    alice = slix.Person(server, "alice")
    bob = slix.Person(server, "bob")
    asked = {}
    for person in (alice, bob):
        person.register_plugin("xep_0115")
        asked[person] = questions(person)
        await person.enter(presence=False)
        await person["xep_0115"].update_caps(broadcast=False)
        for _ in range(50):
            if await person["xep_0115"].get_verstring("localhost"):
                break
            await asyncio.sleep(0.1)
        check(await person["xep_0115"].get_verstring("localhost"),
              "slixmpp did not find our capabilities true")
        person.send_presence()
        own = await person.presence(person.boundjid.full)
        check(own["caps"]["ver"], "slixmpp has no capabilities")
        for _ in range(2):  # one question and its answer may be under way
            await person["xep_0199"].send_ping("localhost", timeout=SECONDS)
    equal((len(asked[alice]), len(asked[bob])), (1, 0), "how often each was asked what it can")
    for person in (alice, bob):
        await person.leave()


async def contacts(server):
    alice = await Person(server, "alice").enter()
    info = await alice["xep_0030"].get_info("localhost", timeout=SECONDS)
    values = [value.text for value in info.xml.iter("{jabber:x:data}value")]
    equal(values, ["http://jabber.org/network/serverinfo", *["mailto:root@localhost"] * 2],
          "the addresses of whoever runs the server")
    await alice.leave()


with Server(contact="mailto:root@localhost") as server:
    with case("small: a server with alice and bob", needed=True):
        server.start()
        server.people("alice", "bob")
    for name, conversation in (
            ("cards", cards), ("the photo's hash in presence", photo), ("private XML", private),
            ("last activity", last_activity), ("time", time), ("capabilities", capabilities),
            ("contact addresses", contacts)):
        with case(f"small: {name}"):
            slix.run(server, conversation)
    with case("small: a deleted account leaves nothing to the next of its name"):
        server.user("del", "alice")

        async def nothing(server):
            alice = await Person(server, "alice").enter()
            card = (await alice["xep_0054"].get_vcard(
        "alice@localhost", cached=False, timeout=SECONDS))["vcard_temp"]
            equal(card["FN"], "", "the name on the card")
            answer = await alice["xep_0049"].retrieve("bookmarks", timeout=SECONDS)
            equal(list(answer["private"]["bookmarks"]["conferences"]), [], "the bookmarks")
            await alice.leave()

        server.people("alice")
        slix.run(server, nothing)
end()
