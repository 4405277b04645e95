#!/usr/bin/python3
"""slixmpp is let into private channels by invitations (XEP-0407 6, XEP-0379): one that is bound to
who was named, passed on in a message to one who is away, and one for whoever has the link. And one
link that makes an account, a contact and a participant; kill -9 takes none of it back."""

import copy
import re

import slix
from harness import Server, case, check, end, equal, password
from member import COVEN, NODE, SERVICE, Member, preauth, refused
from newcomer import Newcomer, is_empty
from slix import SECONDS
from slixmpp import ET, JID
from turns import acknowledged, until

MISC = "{urn:xmpp:mix:misc:0}"
FAMILY = JID("family@mix.localhost")
LINK = re.compile(r"^xmpp:romeo@localhost\?roster;preauth=([a-z2-7]{26});ibr=y$")
ROMEO, JULIET, NURSE = "romeo@localhost", "juliet@localhost", "nurse@localhost"


async def invite(person, invitee=None):
    """The channel's answer."""
    iq = person.make_iq_get(ito=COVEN)
    wish = ET.SubElement(iq.xml, MISC + "invite")
    if invitee:
        ET.SubElement(wish, MISC + "invitee").text = invitee
    return (await iq.send(timeout=SECONDS)).xml.find(MISC + "invite")


def invitation(xml):
    """The element and its parts."""
    found = xml.find(MISC + "invitation")
    check(found is not None, f"there is no invitation in {ET.tostring(xml)}")
    return found, {child.tag.removeprefix(MISC): child.text for child in found}


async def not_let_in(awaitable, text=""):
    error = await refused(awaitable, "forbidden", "auth")
    equal(error.iq["error"]["text"], text, "what is said about it")


async def private_channel(alice):
    await alice.core.create_channel(COVEN, "coven", timeout=SECONDS)
    pubsub = alice.plugin["xep_0060"]
    await pubsub.create_node(COVEN, NODE + "allowed", timeout=SECONDS)
    await alice.join("alice")
    await pubsub.get_items(COVEN, NODE + "allowed", timeout=SECONDS)


async def bound(server):
    """carol, who is away, is invited by alice; nobody else can use it, nor is it changed."""
    alice, bob = [await Member(server, name).enter() for name in ("alice", "bob")]
    await private_channel(alice)
    equal(await bob.core.list_channels(SERVICE, timeout=SECONDS), [], "what bob sees")
    await not_let_in(bob.pam.join_channel(COVEN, "bob", timeout=SECONDS))
    given, parts = invitation(await invite(alice, "carol@localhost"))
    check(parts.pop("token").startswith("s"), "its token has another kind")
    equal(parts, {"inviter": "alice@localhost", "invitee": "carol@localhost",
                  "channel": COVEN.bare}, "the invitation")
    message = alice.make_message("carol@localhost", "Come in!", mtype="chat")
    message.xml.append(given)
    message.send()
    await acknowledged(alice)
    await not_let_in(bob.ask_in(COVEN, "bob", given), "invitation invalid or expired")
    carol = await Member(server, "carol").enter()
    heard = await carol.hear("alice@localhost")
    kept = [one for _, body, one in await carol.archived() if body == "Come in!"]
    for got in (heard, *kept):
        equal(invitation(got.xml)[1], invitation(message.xml)[1], "what carol has of it")
    equal(len(kept), 1, "how often it is in her archive")
    shown = invitation(heard.xml)[0]
    for part in shown:
        wrong = copy.deepcopy(shown)
        other = wrong.find(part.tag)
        other.text = other.text.replace("a", "e", 1) if "a" in other.text else "s" + "a" * 40
        await not_let_in(carol.ask_in(COVEN, "carol", wrong), "invitation invalid or expired")
    await not_let_in(carol.pam.join_channel(COVEN, "carol", timeout=SECONDS))
    await carol.ask_in(COVEN, "carol", shown)
    await carol.push(COVEN)
    await not_let_in(invite(carol, "bob@localhost"))  # she may not
    answer = carol.make_message("alice@localhost", mtype="chat")
    ack = ET.SubElement(answer.xml, MISC + "invitation-ack")
    ET.SubElement(ack, MISC + "value").text = "Joined"
    answer.xml.append(shown)
    answer.send()
    await until(lambda: any(one.xml.find(MISC + "invitation-ack") is not None for one in alice.got),
                "alice to hear of it")
    await alice.participant()
    equal((await alice.participant())[1], "carol", "who is new")
    for person in (alice, bob, carol):
        await person.leave()


async def bearer(server):
    """Once, by whoever has the link."""
    alice, bob, dave = [await Member(server, name).enter() for name in ("alice", "bob", "dave")]
    answer = await invite(alice)
    given, parts = invitation(answer)
    token = parts.pop("token")
    equal(parts, {"inviter": "alice@localhost", "channel": COVEN.bare}, "the invitation")
    links = [url.text for url in answer.iter("{jabber:x:oob}url")]
    equal(links, [f"xmpp:{COVEN}?mix;preauth={token}"], "the links")
    await bob.enter_with(COVEN, "bob", token)
    await dave.refused_with(COVEN, "dave", token)
    given, _ = invitation(await invite(alice))
    await dave.ask_in(COVEN, "dave", given)
    alice.say(COVEN, "all are here", "groupchat")
    for person in (alice, bob, dave):
        equal((await person.listen())["body"], "all are here", f"what {person.boundjid} heard")
        await person.leave()


# --- one link ---


async def register(server, name, token):
    """By XEP-0445, on a stream of its own, as apps do."""
    guest = Newcomer(server, name)
    await guest.arrive()
    iq = guest.make_iq_set(ito="localhost")
    iq.xml.append(preauth(token))
    await iq.send(timeout=SECONDS)
    check(is_empty(await guest.tell(username=name, password=password(name))), "not registered")
    await guest.leave()


def contacts(person):
    return {str(item["jid"]): item["subscription"] for item in person.contacts}


def channels(person):
    return {item["jid"]: item["channel"]["participant-id"] for item in person.channels}


async def say(speaker, text, *listeners):
    speaker.say(FAMILY, text, "groupchat")
    for person in (speaker, *listeners):
        equal((await person.listen(FAMILY))["body"], text, f"what {person.boundjid} heard")


async def new_account(server):
    romeo = await Member(server, "romeo").enter()
    await romeo.join("romeo", FAMILY)
    await romeo.participant()
    said = server.command("invite", "--contact", "romeo", "--channel", "family", "--uses", "2")
    link = LINK.match(said.stdout.splitlines()[0])
    check(link, f"this is no link: {said.stdout} {said.stderr}")
    server.token = link[1]
    await register(server, "juliet", server.token)
    await romeo.push(JULIET, "both")
    identifier, nick = await romeo.participant()
    equal(nick, "juliet", "who is new in the channel")
    juliet = await Member(server, "juliet").enter()
    equal((contacts(juliet), channels(juliet)), ({ROMEO: "both"}, {FAMILY: identifier}),
          "juliet's roster")
    await romeo.presence(juliet.boundjid.full)
    await say(romeo, "Welcome", juliet)
    server.kill()
    for person in (romeo, juliet):
        await slix.within(person.gone, "the stream to end")
    server.start()
    romeo, juliet = [await Member(server, name).enter() for name in ("romeo", "juliet")]
    equal((contacts(juliet), channels(juliet)), ({ROMEO: "both"}, {FAMILY: identifier}),
          "juliet's roster after kill -9")
    equal(contacts(romeo), {JULIET: "both"}, "romeo's contacts")
    equal([(one, jid) for one, _, jid in await juliet.core.list_participants(FAMILY)
           if jid == JULIET], [(identifier, JULIET)], "juliet in the channel")
    await say(juliet, "Thanks", romeo)
    equal([body for _, body, _ in await juliet.archived(with_jid=FAMILY)], ["Welcome", "Thanks"],
          "juliet's archive")
    for person in (romeo, juliet):
        await person.leave()


async def old_account(server):
    """The same link; nurse is there already, and asks romeo with what it holds."""
    romeo, nurse = [await Member(server, name).enter() for name in ("romeo", "nurse")]
    asking = nurse.make_presence(pto=ROMEO, ptype="subscribe")
    asking.xml.append(preauth(server.token))
    asking.send()
    await romeo.push(NURSE, "both")
    await nurse.push(ROMEO)
    await nurse.push(ROMEO, "both")
    item = await nurse.push(FAMILY)
    identifier = item["channel"]["participant-id"]
    for person in (nurse, romeo):
        equal(await person.participant(), (identifier, "nurse"), "who is new in the channel")
    await say(romeo, "You too", nurse)
    for person in (romeo, nurse):
        await person.leave()
    equal(server.command("invite", "list").stdout, "", "the invitations that are left")


with Server(rate_limits="no") as server:
    with case("mix invited: a server with people", needed=True):
        server.people("alice", "bob", "carol", "dave", "romeo", "nurse")
        server.start()
        made = server.command("channel", "create", "--private", "--owner", "romeo", "family")
        equal((made.returncode, made.stderr), (0, ""), "kith channel create")
    with case("mix invited: who was named, and away, by the invitation in a message"):
        slix.run(server, bound)
    with case("mix invited: whoever has the link, once"):
        slix.run(server, bearer)
    with case("mix invited: one link: an account, a friend, a room, also after kill -9"):
        slix.run(server, new_account)
    with case("mix invited: the same link, for one who has an account"):
        slix.run(server, old_account)
end()
