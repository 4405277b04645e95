#!/usr/bin/python3
"""Personal eventing (XEP-0163) between two slixmpp clients who are friends: an avatar (XEP-0084) that
the friend is told of, fetches, and finds in the vCard too (XEP-0398), and the nodes of OMEMO
(XEP-0384, and as Conversations had them before): device lists with notification, bundles that also a
stranger may fetch."""

import hashlib
import xml.etree.ElementTree as ET

import slix
from harness import Server, case, check, end, equal
from slix import IqError, Person

PUBSUB = "{http://jabber.org/protocol/pubsub}"
EVENT = "{http://jabber.org/protocol/pubsub#event}"
OLD = "eu.siacs.conversations.axolotl"
NEW = "urn:xmpp:omemo:2"
LISTS = {f"{OLD}.devicelist": (OLD, "list"), f"{NEW}:devices": (NEW, "devices")}
IMAGE = bytes(range(256)) * 20


class Friend(Person):
    """Says that it wants to hear of avatars and device lists."""

    def __init__(self, server, name, resource="one"):
        super().__init__(server, name, resource=resource)
        for plugin in ("xep_0004", "xep_0054", "xep_0060", "xep_0115", "xep_0163", "xep_0084"):
            self.register_plugin(plugin)
        self.events = slix.asyncio.Queue()
        self.add_event_handler("pubsub_publish", self.events.put_nowait)
        self.pubsub = self.plugin["xep_0060"]
        for node in LISTS:
            self.plugin["xep_0163"].add_interest(node)

    async def told(self, node, owner):
        """The item of the next notification, which must be of this node."""
        message = await slix.within(self.events.get(), f"{self.boundjid} to hear of {node}")
        items = message.xml.find(f"{EVENT}event/{EVENT}items")
        equal((items.get("node"), message["from"].full, message["type"]),
              (node, owner, "headline"), "what was told")
        return items.find(f"{EVENT}item")

    def open(self, items="1"):
        """Publish-options as OMEMO clients give them."""
        form = self.plugin["xep_0004"].make_form(ftype="submit")
        form.add_field("FORM_TYPE", ftype="hidden",
                       value="http://jabber.org/protocol/pubsub#publish-options")
        form.add_field("pubsub#access_model", value="open")
        form.add_field("pubsub#persist_items", value="true")
        form.add_field("pubsub#max_items", value=items)
        return form

    async def publish(self, node, item, payload, items="1"):
        await self.pubsub.publish(None, node, id=item, payload=payload, options=self.open(items),
                                  timeout=slix.SECONDS)

    async def fetch(self, owner, node, item=None):
        """Payloads by the ids of their items."""
        answer = await self.pubsub.get_items(owner, node, item_ids=[item] if item else None,
                                             timeout=slix.SECONDS)
        return {item.get("id"): item[0] for item in answer.xml.iter(f"{PUBSUB}item")}


def device_list(node, *devices):
    space, name = LISTS[node]
    element = ET.Element(f"{{{space}}}{name}")
    for device in devices:
        ET.SubElement(element, f"{{{space}}}device", id=str(device))
    return element


def devices_of(element):
    return [int(device.get("id")) for device in element]


def bundle(space, keys=100):
    """As big as real ones."""
    element = ET.Element(f"{{{space}}}bundle")
    for number in range(1, keys + 1):
        key = ET.SubElement(element, f"{{{space}}}preKeyPublic", preKeyId=str(number))
        key.text = hashlib.sha256(str(number).encode()).hexdigest()[:44]
    return element


def texts(element):
    return [child.text for child in element]


async def avatar(alice, bob):
    identifier = hashlib.sha1(IMAGE).hexdigest()
    plugin = alice.plugin["xep_0084"]
    await plugin.publish_avatar(IMAGE, options=alice.open(), timeout=slix.SECONDS)
    info = {"id": identifier, "type": "image/png", "bytes": str(len(IMAGE))}
    await plugin.publish_avatar_metadata([info], options=alice.open(), timeout=slix.SECONDS)
    for person in (alice, bob):
        item = await person.told("urn:xmpp:avatar:metadata", "alice@localhost")
        equal((item.get("id"), item[0][0].get("id")), (identifier, identifier), "the avatar's id")
    answer = await bob.plugin["xep_0084"].retrieve_avatar("alice@localhost", identifier,
                                                          timeout=slix.SECONDS)
    data = answer["pubsub"]["items"]["item"]["avatar_data"]["value"]
    equal(data, IMAGE, "the image that bob fetched")
    card = await bob.plugin["xep_0054"].get_vcard("alice@localhost", timeout=slix.SECONDS)
    equal(card["vcard_temp"]["PHOTO"]["BINVAL"], IMAGE, "the photo of alice's vCard")
    alice.send_presence(pshow="chat")
    presence = await bob.presence(alice.boundjid.full, kind="chat")
    equal(presence.xml.find("{vcard-temp:x:update}x/{vcard-temp:x:update}photo").text, identifier,
          "the hash in presence")


async def omemo(alice, bob, carol):
    for node in LISTS:
        await alice.publish(node, "current", device_list(node, 1, 27))
        for person in (alice, bob):
            equal(devices_of((await person.told(node, "alice@localhost"))[0]), [1, 27], node)
        equal(devices_of((await carol.fetch("alice@localhost", node))["current"]), [1, 27],
              f"{node} for a stranger")
    await alice.publish(f"{OLD}.bundles:27", "current", bundle(OLD))
    for device in ("1", "27"):
        await alice.publish(f"{NEW}:bundles", device, bundle(NEW), items="max")
    for person in (bob, carol):
        got = await person.fetch("alice@localhost", f"{OLD}.bundles:27")
        equal(texts(got["current"]), texts(bundle(OLD)), "the bundle")
        got = await person.fetch("alice@localhost", f"{NEW}:bundles", "27")
        equal({key: texts(value) for key, value in got.items()}, {"27": texts(bundle(NEW))},
              "one of the bundles")
        equal(sorted(await person.fetch("alice@localhost", f"{NEW}:bundles")), ["1", "27"],
              "all bundles")
    try:
        await carol.fetch("alice@localhost", "urn:xmpp:avatar:nothing")
        check(False, "carol learnt of what is not hers to know")
    except IqError as error:
        equal(error.condition, "not-authorized", "what a stranger is told")


async def returns(server, bob):
    """A device that comes back is told the last of each, its own account's too."""
    other = await Friend(server, "bob", resource="two").enter()
    nodes = set()
    for _ in range(3):
        message = await slix.within(other.events.get(), "bob's other device to hear")
        items = message.xml.find(f"{EVENT}event/{EVENT}items")
        equal(message["from"].full, "alice@localhost", "whose it is")
        check(message.xml.find("{urn:xmpp:delay}delay") is not None, "an old item without its time")
        nodes.add(items.get("node"))
    equal(nodes, {"urn:xmpp:avatar:metadata", *LISTS}, "what bob's other device was told")
    check(other.events.empty() and bob.events.empty(), "something was told twice")
    await other.leave()


async def conversation(server):
    alice, bob, carol = [await Friend(server, name).enter() for name in ("alice", "bob", "carol")]
    bob.send_presence_subscription("alice@localhost")
    await bob.presence(alice.boundjid.full)
    await alice.presence(bob.boundjid.full)
    await avatar(alice, bob)
    await omemo(alice, bob, carol)
    await returns(server, bob)
    check(carol.events.empty(), "a stranger was told something")
    for person in (alice, bob, carol):
        await person.leave()


with Server() as server:
    with case("pep: a server with alice, bob and carol", needed=True):
        server.start()
        server.people("alice", "bob", "carol")
    with case("pep: an avatar, OMEMO's nodes"):
        slix.run(server, conversation)
end()
