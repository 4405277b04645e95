#!/usr/bin/python3
"""slixmpp with channels (its MIX-CORE, PRESENCE, ANON and PAM): found, made, joined, talked in,
administered and left by two people, each with devices that know MIX and one that does not, which
sees a contact in its roster and nothing else, as profanity does; the archives of the channel and
of each; kill -9."""

import datetime

import slix
from harness import TEXTS, Server, case, check, end, equal, require
from member import COVEN, NODE, NODES, SERVICE, Member, Plain, kept, namespaces, refused
from profanity import Profanity
from slix import SECONDS, Person
from slixmpp import ET
from turns import acknowledged, away, until

BURST = 50
SID = "{urn:xmpp:sid:0}stanza-id"
MIX, MISC = "{urn:xmpp:mix:core:1}", "{urn:xmpp:mix:misc:0}"


async def household(server):
    """alice's phone, laptop and television, bob's phone and television."""
    people = [Member(server, "alice", "phone"), Member(server, "alice", "laptop"),
              Plain(server, "alice", "tv"), Member(server, "bob", "phone"),
              Plain(server, "bob", "tv")]
    for person in people:
        await person.enter()
    return people


async def part(people):
    for person in people:
        await person.leave()


async def all_told(*people):
    for person in people:
        await acknowledged(person)


def features(info):
    return set(info["disco_info"]["features"])


def kind(info):
    return {identity[:2] for identity in info["disco_info"]["identities"]}


async def found(server):
    alice, _, _, bob, _ = people = await household(server)
    disco = alice.plugin["xep_0030"]
    items = (await disco.get_items("localhost", timeout=SECONDS))["disco_items"]["items"]
    check(SERVICE in {item[0] for item in items}, f"the service is not among {items}")
    info = await disco.get_info(SERVICE, timeout=SECONDS)
    equal(kind(info), {("conference", "mix")}, "what the service is")
    core = "urn:xmpp:mix:core:1"
    check({core, core + "#searchable", core + "#create-channel"} <= features(info), str(info))
    check(not any("mam" in name or "pubsub" in name for name in features(info)), str(info))
    check(await alice.core.can_create_channel(SERVICE), "no channel can be made")
    check(await alice.pam.check_server_capability(), "the account knows no MIX-PAM")
    equal(await alice.core.create_channel(SERVICE, "coven", timeout=SECONDS), "coven", "its name")
    hidden = await alice.core.create_channel(SERVICE, "", timeout=SECONDS)
    check(len(hidden) >= 16, f"the name {hidden!r} can be guessed")
    await refused(alice.core.create_channel(SERVICE, "coven", timeout=SECONDS), "conflict",
                  "cancel")
    for person in (alice, bob):
        channels = await person.core.list_channels(SERVICE, timeout=SECONDS)
        equal([jid for jid, _ in channels], [COVEN], "the channels")
    info = await disco.get_info(COVEN, timeout=SECONDS)
    equal(kind(info), {("conference", "mix")}, "what the channel is")
    check({core, "urn:xmpp:mam:2"} <= features(info), str(info))
    await refused(disco.get_info("heath@mix.localhost", timeout=SECONDS), "item-not-found")
    await part(people)


async def joined(server):
    phone, laptop, tv, bob, bobs_tv = people = await household(server)
    wanted = NODES | {NODE + "presence"}
    missing = await phone.pam.join_channel(COVEN, "alice", set(wanted), timeout=SECONDS)
    equal(missing, {NODE + "presence"}, "the nodes that there are not")
    ids = {(await device.push(COVEN))["channel"]["participant-id"] for device in (phone, laptop)}
    equal(len(ids), 1, "alice's ids")
    item = await tv.push(COVEN)
    equal((item["name"], item["groups"]), ("", []), "what the television has")
    alice_id = ids.pop()
    for device in (phone, laptop):
        equal(await device.participant(), (alice_id, "alice"), "who is new")
    await refused(bob.pam.join_channel(COVEN, "ALICE ", timeout=SECONDS), "conflict", "cancel")
    bob_id = await bob.join("bob")
    await bobs_tv.push(COVEN)
    check(bob_id not in ("", alice_id), f"bob's id: {bob_id}")
    for device in (phone, laptop, bob):
        equal(await device.participant(), (bob_id, "bob"), "who is new")
        listed = await device.core.list_participants(COVEN, timeout=SECONDS)
        equal(sorted(listed), sorted([(alice_id, "alice", "alice@localhost"),
                                      (bob_id, "bob", "bob@localhost")]), "the participants")
        nodes = await device.core.list_mix_nodes(COVEN, timeout=SECONDS)
        check(NODES <= nodes and NODE + "presence" not in nodes, f"the nodes: {nodes}")
    info = await bob.core.get_channel_info(COVEN)
    check(isinstance(info["modified"], datetime.datetime), f"when it was changed: {info}")
    check({"Name", "Description"} <= set(info), f"the information: {info}")
    await all_told(*people)
    for person in people:
        check(person.pushes.empty(), f"{person.boundjid} has another push")
    for person in (tv, bobs_tv):
        person.saw_no_channel()
    await part(people)
    newcomer = await Member(server, "alice", "tablet").enter()
    equal([(item["jid"], item["channel"]["participant-id"]) for item in newcomer.channels],
          [(COVEN, alice_id)], "the channels in the roster")
    await newcomer.leave()


def stanza_ids(message):
    """by -> id, of which there must be one each."""
    found = [(one.get("by"), one.get("id")) for one in message.xml.iter(SID)]
    equal(len(dict(found)), len(found), f"stanza ids of {message}")
    return dict(found)


def facts(message):
    """What must be the same at each device."""
    return (message["id"], message["from"].resource, message["mix"]["nick"],
            str(message["mix"]["jid"]), message["body"])


async def hear(device, speaker, nick, text):
    """One message of the channel; returns its id in the device's own archive."""
    message = await device.listen()
    equal(facts(message)[2:], (nick, speaker.boundjid.bare, text), f"what {device.boundjid} heard")
    equal(message["to"].bare, device.boundjid.bare, "who is spoken to")
    ids = stanza_ids(message)
    equal(set(ids), {COVEN.bare, device.boundjid.bare}, "whose ids it has")
    equal(ids[COVEN.bare], message["id"], "the id of the channel")
    return ids[device.boundjid.bare]


async def talked(server):
    phone, laptop, tv, bob, bobs_tv = people = await household(server)
    devices = (phone, laptop, bob)
    for text in TEXTS:
        for speaker, nick in ((phone, "alice"), (bob, "bob"), (laptop, "alice")):
            message = speaker.make_message(COVEN, text, mtype="groupchat")
            message["id"] = submitted = speaker.new_id()
            message.send()
            for device in devices:
                await hear(device, speaker, nick, text)
            echo = next(m for m in reversed(speaker.got) if m.name == "message")
            equal(echo.xml.findtext(f"{MIX}mix/{MIX}submission-id"), submitted, "the id it had")
    for number in range(BURST):
        devices[number % 3].say(COVEN, f"{number} <&> 日本語", "groupchat")
    heard = [[facts(await device.listen()) for _ in range(BURST)] for device in devices]
    equal(len({one[0] for one in heard[0]}), BURST, "ids that differ")
    for device in (1, 2):
        equal(heard[device], heard[0], f"what {devices[device].boundjid} heard")
        mine = [f"{number} <&> 日本語" for number in range(device, BURST, 3)]
        equal([one[4] for one in heard[0] if one[4] in mine], mine, "the order of one speaker")
    await all_told(*people)
    for device in devices:
        check(device.said.empty(), f"{device.boundjid} heard something twice")
    for person in (tv, bobs_tv):
        person.saw_no_channel()
    await part(people)
    return heard[0]


async def remembered(server):
    """Of the channel, of each participant; a device that knows no MIX is not shown it."""
    bob, tv = Member(server, "bob", "phone"), Plain(server, "bob", "tv")
    for person in (bob, tv):
        await person.enter()
    count = BURST + 3 * len(TEXTS)
    channel = await bob.archived(COVEN)
    equal(len(channel), count, "messages in the archive of the channel")
    for uid, _, message in channel:
        equal((message["id"], message["type"], stanza_ids(message)[COVEN.bare]),
              (uid, "groupchat", uid), "how it is kept")
        check(message["from"].bare == COVEN and message["from"].resource, str(message))
    mine = await bob.archived()
    equal([(body, facts(one)) for _, body, one in mine],
          [(body, facts(one)) for _, body, one in channel], "bob's own archive")
    equal(len({uid for uid, _, _ in mine}), count, "ids that differ")
    bob.say(COVEN, "and this", "groupchat")
    uid = await hear(bob, bob, "bob", "and this")
    equal((await bob.archived(with_jid=COVEN))[-1][:2], (uid, "and this"), "the last by its id")
    equal(await tv.archived(), [], "what the television is shown")
    tv.saw_no_channel()
    stranger = await Member(server, "carol").enter()
    await refused(stranger.plugin["xep_0313"].retrieve(COVEN, timeout=SECONDS), "forbidden", "auth")
    await part((bob, tv, stranger))


async def changed(server):
    """Nicks and subscriptions."""
    phone, laptop, tv, bob, bobs_tv = people = await household(server)
    bob_id = bob.channels[0]["channel"]["participant-id"]
    await refused(bob.core.set_nick(COVEN, "Alice", timeout=SECONDS), "conflict", "cancel")
    equal(await bob.core.set_nick(COVEN, "robert", timeout=SECONDS), "robert", "bob's nick")
    for device in (phone, laptop, bob):
        equal(await device.participant(), (bob_id, "robert"), "who has another nick")
    equal(await bob.core.set_nick(COVEN, "", timeout=SECONDS), "bob", "a nick that is found")
    for device in (phone, laptop, bob):
        equal(await device.participant(), (bob_id, "bob"), "who has another nick")
    messages = {NODE + "messages"}
    rest = await bob.core.update_subscription(COVEN, unsubscribe=set(messages), timeout=SECONDS)
    equal(rest, (set(), set()), "what could not be done")
    phone.say(COVEN, "without bob", "groupchat")
    for device in (phone, laptop):
        await hear(device, phone, "alice", "without bob")
    rest = await bob.core.update_subscription(COVEN, {NODE + "presence"} | messages,
                                              timeout=SECONDS)
    equal(rest, ({NODE + "presence"}, set()), "what could not be done")
    bob.say(COVEN, "with bob", "groupchat")
    for device in (phone, laptop, bob):
        await hear(device, bob, "bob", "with bob")
    carol = await Member(server, "carol").enter()
    await refused(carol.core.set_nick(COVEN, "carol", timeout=SECONDS), "forbidden", "auth")
    carol.say(COVEN, "let me in", "groupchat")
    await carol.unheard("forbidden")
    await part((*people, carol))


def form(device, kind, **fields):
    """Submitted; _ stands for a space."""
    made = device.plugin["xep_0004"].make_form(ftype="submit")
    made.add_field(var="FORM_TYPE", ftype="hidden", value="urn:xmpp:mix:" + kind)
    for name, value in fields.items():
        made.add_field(var=name.replace("_", " "), value=value)
    return made


def retraction(speaker, uid):
    message = speaker.make_message(COVEN, mtype="groupchat")
    ET.SubElement(message.xml, MISC + "retract", id=uid)
    return message


async def administered(server):
    """By XEP-0060 to its nodes: another name, a message taken back, somebody banned."""
    phone, laptop, tv, bob, bobs_tv = people = await household(server)
    nodes = phone.plugin["xep_0060"]
    bob_id = bob.channels[0]["channel"]["participant-id"]
    named = form(bob, "core:1", Name="The Coven")
    await refused(bob.plugin["xep_0060"].publish(COVEN, NODE + "info", payload=named.xml,
                                                 timeout=SECONDS), "forbidden", "auth")
    await nodes.publish(COVEN, NODE + "info", payload=named.xml, timeout=SECONDS)
    for device in (phone, laptop, bob):
        event, _ = await slix.within(device.told.get(), "the new name")
        equal(event, "mix_channel_info_publish", "what is told")
        equal((await device.core.get_channel_info(COVEN))["Name"], "The Coven", "its name")
    equal(await bob.core.list_channels(SERVICE, timeout=SECONDS), [(COVEN, "The Coven")], "a list")
    bob.say(COVEN, "oops", "groupchat")
    uid = [(await device.listen())["id"] for device in (phone, laptop, bob)][0]
    retraction(bob, uid).send()
    await bob.unheard("forbidden")
    config = form(phone, "admin:0", User_Message_Retraction=True)
    await nodes.publish(COVEN, NODE + "config", payload=config.xml, timeout=SECONDS)
    retraction(bob, uid).send()
    for device in (phone, laptop, bob):
        message = await device.listen()
        equal(message.xml.find(MISC + "retract").get("id"), uid, "what is retracted")
    for device, archive in ((phone, COVEN), (laptop, None)):
        kept = await device.archived(archive)
        equal([body for _, body, _ in kept].count("oops"), 0, "how often it is in the archive")
        check(any(one["id"] == uid and one.xml.find(MISC + "retracted") is not None
                  for _, _, one in kept), "nothing says that something was there")
    await nodes.publish(COVEN, NODE + "banned", id="bob@localhost", timeout=SECONDS)
    for device in (bob, bobs_tv):
        await device.push(COVEN, "remove")
    for device in (phone, laptop, bob):
        equal(await device.participant("retract"), (bob_id, None), "who is out")
    await refused(bob.pam.join_channel(COVEN, "bob", timeout=SECONDS), "forbidden", "auth")
    equal(await bob.core.list_channels(SERVICE, timeout=SECONDS), [], "what bob sees")
    await nodes.retract(COVEN, NODE + "banned", "bob@localhost", timeout=SECONDS)
    equal(await bob.join("bob"), bob_id, "bob's id")
    for person in (tv, bobs_tv):
        person.saw_no_channel()
    await part(people)


class Capable(Member):
    """Says what it knows by its capabilities (XEP-0115) and not by how it asks for its roster."""

    def __init__(self, server, name, resource):
        super().__init__(server, name, resource)
        self.register_plugin("xep_0115")

    async def get_roster(self, timeout):
        await super(Person, self).get_roster(timeout=timeout)
        await self.plugin["xep_0115"].update_caps(broadcast=False)


async def capable(server):
    tablet, tv, bob = people = [Capable(server, "alice", "tablet"), Plain(server, "alice", "tv"),
                                Member(server, "bob", "phone")]
    for person in people:
        await person.enter()
    await until(lambda: any(one.name == "iq" and one["type"] == "get" for one in tablet.got),
                "the server to ask what the tablet knows")
    await acknowledged(tablet)
    bob.say(COVEN, "do you hear?", "groupchat")
    await hear(tablet, bob, "bob", "do you hear?")
    equal(str(tablet.client_roster[COVEN]["subscription"]), "none", "the channel in its roster")
    await all_told(*people)
    for stanza in tablet.got:
        check("urn:xmpp:mix:roster:0" not in namespaces(stanza), "its roster is annotated")
    tv.saw_no_channel()
    await part(people)


async def killed(server):
    """What came back to who said it is kept, in that order."""
    alice, bob = people = [Member(server, name, "phone") for name in ("alice", "bob")]
    for person in people:
        await person.enter()
    count = len(await alice.archived(COVEN))
    for number in range(BURST):
        people[number % 2].say(COVEN, f"{number} and then?", "groupchat")
    echoes = []
    while sum(one[3] == "alice@localhost" for one in echoes) < BURST // 2:
        echoes.append(facts(await alice.listen()))
    server.kill()
    for person in people:
        await slix.within(person.gone, "the stream to end with the server")
    server.start()
    alice = await Member(server, "alice", "phone").enter()
    kept = [facts(one) for _, _, one in await alice.archived(COVEN)][count:]
    last = max(n for n, one in enumerate(echoes) if one[3] == "alice@localhost") + 1
    equal(kept[:last], echoes[:last], "what the channel has kept")
    mine = [facts(one) for _, _, one in await alice.archived(with_jid=COVEN)]
    equal(mine[-len(kept):], kept, "alice's own archive")
    bob = await Member(server, "bob", "phone").enter()
    bob.say(COVEN, "at last", "groupchat")
    for device in (alice, bob):
        await hear(device, bob, "bob", "at last")
        check(device.said.empty(), f"{device.boundjid} hears old things")
    await part((alice, bob))


async def profanity(server):
    """It knows no MIX: it has a contact more, who says nothing and does not answer."""
    alice, bob = [await Member(server, name, "phone").enter() for name in ("alice", "bob")]
    terminal = await away(Profanity, server, "bob")
    try:
        await away(terminal.enter)
        await away(terminal.type, "/roster")
        await away(terminal.wait, COVEN.bare)
        alice.say(COVEN, "not for terminals", "groupchat")
        for device in (alice, bob):
            await hear(device, alice, "alice", "not for terminals")
        alice.say("bob@localhost", "for all of bob's")
        await away(terminal.wait, "alice@localhost")
        await away(terminal.type, "/msg alice@localhost")
        await away(terminal.wait, "for all of bob's")
        await away(terminal.type, f"/msg {COVEN} is somebody there?")
        await away(terminal.logged, "bad-request")
        await acknowledged(alice)
        check(alice.said.empty(), "the channel heard what is no groupchat")
        log = terminal.log()
        check("for all of bob" in log and "urn:xmpp:mix:roster" not in log, "its roster")
        check("not for terminals" not in log, "profanity heard the channel")
    finally:
        await away(terminal.__exit__)
    await part((alice, bob))


async def presence_and_hidden(server):
    """What slixmpp asks for that a channel of this server has not: presence, hidden addresses."""
    phone, laptop, tv, bob, bobs_tv = people = await household(server)
    for kind in ("available", "subscribe", "subscribed", "unavailable"):
        phone.send_presence(pto=COVEN, ptype=kind)
    anon = phone.plugin["xep_0404"]
    await refused(anon.get_anon_raw(COVEN, timeout=SECONDS), "bad-request", "modify")
    await refused(anon.get_preferences(COVEN, timeout=SECONDS), "service-unavailable", "cancel")
    await all_told(*people)
    for person in people:
        check(person.pushes.empty(), f"{person.boundjid} has a push")
        check(all(p["from"].server != SERVICE for p in kept(person.presences)),
              f"{person.boundjid} got presence of the channel")
    await part(people)


async def left(server):
    phone, laptop, tv, bob, bobs_tv = people = await household(server)
    bob_id = bob.channels[0]["channel"]["participant-id"]
    answer = await bob.pam.leave_channel(COVEN, timeout=SECONDS)
    equal(namespaces(answer), {"urn:xmpp:mix:pam:2", "urn:xmpp:mix:core:1"}, "the answer")
    for device in (bob, bobs_tv):
        await device.push(COVEN, "remove")
    for device in (phone, laptop):
        equal(await device.participant("retract"), (bob_id, None), "who has left")
    phone.say(COVEN, "he is away", "groupchat")
    await hear(phone, phone, "alice", "he is away")
    equal((await bob.archived(with_jid=COVEN))[-1][1], "at last", "the last that bob may read")
    equal(await bob.join("bob"), bob_id, "bob's id, as he comes again")
    equal(await bob.participant(), (bob_id, "bob"), "who is new")
    await part(people)


async def without_pam(server):
    """By slixmpp's words for it, whose own request subscribes to a node without a name."""
    carol, tv = Member(server, "carol", "phone"), Plain(server, "carol", "tv")
    for person in (carol, tv):
        await person.enter()
    await refused(carol.core.join_channel(COVEN, "carol", timeout=SECONDS), "item-not-found")
    iq = carol.make_iq_set(ito=COVEN)
    iq["mix_join"]["nick"] = "carol"
    answer = await iq.send(timeout=SECONDS)
    equal((answer["from"], answer["mix_join"]["nick"]), (COVEN, "carol"), "the answer")
    for device in (carol, tv):
        await device.push(COVEN)
    rest = await carol.core.update_subscription(COVEN, set(NODES), timeout=SECONDS)
    equal(rest, (set(), set()), "what could not be done")
    carol.say(COVEN, "here I am", "groupchat")
    await hear(carol, carol, "carol", "here I am")
    await carol.core.leave_channel(COVEN, timeout=SECONDS)
    for device in (carol, tv):
        await device.push(COVEN, "remove")
    tv.saw_no_channel()
    await part((carol, tv))


async def destroyed(server):
    phone, laptop, tv, bob, bobs_tv = people = await household(server)
    await refused(phone.core.destroy_channel(COVEN, timeout=SECONDS), "bad-request")  # is empty
    destroy = bob.core.stanza.Destroy()
    destroy["channel"] = COVEN.user
    for person in (bob, phone):
        iq = person.make_iq_set(ito=SERVICE)
        iq.append(destroy)
        if person is bob:
            await refused(iq.send(timeout=SECONDS), "forbidden", "auth")
        else:
            await iq.send(timeout=SECONDS)
    for person in people:
        await person.push(COVEN, "remove")
    for device in (phone, laptop, bob):
        gone = [await slix.within(device.told.get(), "nodes to go") for _ in NODES]
        equal({(event, m["from"], m["pubsub_event"]["delete"]["node"]) for event, m in gone},
              {("pubsub_delete", COVEN, node) for node in NODES}, "what was deleted")
    await refused(phone.plugin["xep_0030"].get_info(COVEN, timeout=SECONDS), "item-not-found")
    phone.say(COVEN, "hello?", "groupchat")
    await phone.unheard("item-not-found")
    check("he is away" in [body for _, body, _ in await phone.archived()],
          "what was said there is lost to those who were there")
    for person in (tv, bobs_tv):
        person.saw_no_channel()
    await part(people)


with Server() as server:
    with case("mix: a server with alice, bob and carol", needed=True):
        server.start()
        server.people("alice", "bob", "carol")
    with case("mix: the service found, channels made and listed", needed=True):
        slix.run(server, found)
    with case("mix: joined, told to each device in its own way", needed=True):
        slix.run(server, joined)
    with case(f"mix: talked, {BURST} messages in one order for all"):
        slix.run(server, talked)
    with case("mix: the archives of the channel and of each"):
        slix.run(server, remembered)
    with case("mix: nicks, subscriptions, who is not in it"):
        slix.run(server, changed)
    with case("mix: administered: a name, a retraction, a ban"):
        slix.run(server, administered)
    with case("mix: known by its capabilities alone"):
        slix.run(server, capable)
    with case("mix: kill -9 in the middle of a talk"):
        slix.run(server, killed)
    with case("mix: presence and hidden addresses, which there are not"):
        slix.run(server, presence_and_hidden)
    with case("mix: left, and back with the same id"):
        slix.run(server, left)
    with case("mix: profanity, which knows nothing of it"):
        require("profanity")
        slix.run(server, profanity)
    with case("mix: joined and left without PAM"):
        slix.run(server, without_pam)
    with case("mix: destroyed; its history stays"):
        slix.run(server, destroyed)
end()
