#!/usr/bin/python3
"""slixmpp: two people add each other, see each other come and go, rename, and part again
(RFC 6121 2, 3, 4), also when one of them is killed."""

import slix
from harness import Server, case, end, equal, wait_until
from slix import Person

ALICE, BOB = "alice@localhost", "bob@localhost"


async def until(question, what):
    """Asks again and again, while slixmpp goes on."""
    for _ in range(80):
        if question():
            return
        await slix.asyncio.sleep(0.1)
    wait_until(question, 0.1, what)


def subscription(person, contact):
    return person.client_roster[contact]["subscription"]


def seen(person, contact):
    return person.client_roster.presence(contact)


async def friends(server):
    alice, bob = Person(server, "alice"), Person(server, "bob")
    for person in (alice, bob):
        await person.enter()
        person.roster.auto_authorize = person.roster.auto_subscribe = True
    alice.send_presence_subscription(BOB)
    await until(lambda: subscription(alice, BOB) == subscription(bob, ALICE) == "both",
                "both to be subscribed to both")
    await until(lambda: "one" in seen(alice, BOB) and "one" in seen(bob, ALICE),
                "both to see each other")
    bob.send_presence(pshow="away", pstatus="lunch")
    await until(lambda: seen(alice, BOB)["one"]["status"] == "lunch", "alice to see bob's lunch")
    await bob.leave()
    await until(lambda: not seen(alice, BOB), "alice to see bob leave")

    bob = await Person(server, "bob").enter()
    await until(lambda: "one" in seen(alice, BOB) and "one" in seen(bob, ALICE),
                "both to see each other again")
    equal(subscription(bob, ALICE), "both", "what bob's roster says after his return")
    bob.abort()
    await until(lambda: not seen(alice, BOB), "alice to see that bob was cut off")

    bob = await Person(server, "bob").enter()
    await alice.update_roster(BOB, name="Bøb <&>", groups=["A", "B & C"])
    await until(lambda: alice.client_roster[BOB]["name"] == "Bøb <&>", "the new name")
    alice.del_roster_item(BOB)
    await until(lambda: subscription(bob, ALICE) == "none", "bob to be alone again")
    await alice.leave()
    await bob.leave()


with Server() as server:
    with case("friends: a server with alice and bob", needed=True):
        server.start()
        server.people("alice", "bob")
    with case("friends: slixmpp and slixmpp"):
        slix.run(server, friends)
end()
