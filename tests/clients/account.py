#!/usr/bin/python3
"""An account in the hands of its owner, with slixmpp over TLS: what the server knows of it, a new
password, a phone number to verify, its removal, of which every device and every contact hears."""

import slix
from harness import Server, case, check, end, equal, password
from newcomer import Post
from slix import IqError, Person, refusal

SECRET = "Wherefore art thou?"


class Owner(Person):
    def __init__(self, server, resource, secret=None):
        super().__init__(server, "alice", secret, resource=resource)
        self.register_plugin("xep_0077")
        self.account = self.plugin["xep_0077"]

    async def fill(self, **fields):
        """What the server says to plain fields."""
        iq = self.make_iq_set(ito="localhost")
        for name, value in fields.items():
            iq["register"][name] = value
        return (await iq.send())["register"]


async def passwords(server):
    owner = await Owner(server, "one").enter()
    other = await Owner(server, "two").enter()
    for jid in ("localhost", None):
        shown = (await owner.account.get_registration(jid))["register"]
        equal((shown["registered"], shown["username"], shown["password"]), (True, "alice", ""),
              "what the server tells of the account")
    try:
        await owner.account.change_password("weak")
        check(False, "a weak password was taken")
    except IqError as error:
        equal((error.condition, error.text), ("not-acceptable", "The password is too weak"),
              "the answer to a weak password")
    await owner.account.change_password(SECRET)
    equal(await refusal(Owner(server, "three")), "password", "the old password")
    third = await Owner(server, "three", SECRET).enter()
    await slix.converse(other, third)
    await owner.account.change_password(password("alice"), "localhost")
    for person in (owner, other, third):
        await person.leave()


async def telephone(server):
    """The seed's own example."""
    owner = await Owner(server, "one").enter()
    shown = (await owner.account.get_registration("localhost"))["register"]
    equal(shown["instructions"], "We will send you a code to verify your phone number.", "asked")
    stage = await owner.fill(phone="+1 234-567-8901")
    equal(stage["instructions"], "Enter the code you received via SMS", "the next stage")
    equal((stage["registered"], "text" in stage["fields"]), (False, True), "its fields")
    code = server.post.next("phone", "+12345678901")
    stage = (await owner.account.get_registration("localhost"))["register"]
    equal(stage["instructions"], "Enter the code you received via SMS", "in mid-flow")
    await owner.fill(text=f"{code[:3]} {code[3:]}")
    shown = (await owner.account.get_registration("localhost"))["register"]
    equal((shown["registered"], shown["phone"]), (True, "+12345678901"), "what is known")
    server.post.none_left()
    await owner.leave()


async def removal(server):
    owner = await Owner(server, "one").enter()
    other = await Owner(server, "two").enter()
    bob = await Person(server, "bob").enter()
    bob.send_presence_subscription("alice@localhost", ptype="subscribe")
    await bob.presence("alice@localhost", kind="subscribed")  # slixmpp agrees by itself
    await bob.presence(owner.boundjid.full)
    await owner.account.cancel_registration()
    for person in (owner, other):
        await slix.within(person.gone, f"{person.boundjid} to be sent away")
        equal(person.stream_errors, ["not-authorized"], "the stream error")
    await bob.presence(owner.boundjid.full, kind="unavailable")
    await bob.presence("alice@localhost", kind="unsubscribed")
    equal(await refusal(Owner(server, "three")), "password", "why alice is not let in any more")
    await bob.leave()


with Server(verify="phone") as server:
    with case("account: a server with alice and bob", needed=True):
        server.post = Post(server)
        server.start()
        server.people("alice", "bob")
    with case("account: a new password, and the old one back"):
        slix.run(server, passwords)
    with case("account: a phone number, as the seed has it"):
        slix.run(server, telephone)
    with case("account: removal"):
        slix.run(server, removal)
end()
