#!/usr/bin/python3
"""slixmpp's ad-hoc commands (XEP-0050, XEP-0401): lists them, invites by one click, fills in forms,
is refused; the server's own command line sees what was made."""

import re

import slix
from harness import Server, case, check, end, equal, password
from slix import IqError, Person

LIST = "http://jabber.org/protocol/commands"
LINK = re.compile(r"^xmpp:alice@localhost\?roster;preauth=[a-z2-7]{26};ibr=y$")


async def enter(server, name):
    person = Person(server, name)
    for plugin in ("xep_0004", "xep_0050"):
        person.register_plugin(plugin)
    return await person.enter()


async def nodes(person):
    items = await person["xep_0030"].get_items("localhost", node=LIST)
    return {node for _, node, _ in items["disco_items"]["items"]}


async def execute(person, node, session=None, action="execute", **values):
    """The answer's <command/>; with a session the form filled in."""
    form = None
    if session:
        form = person["xep_0004"].make_form(ftype="submit")
        for var, value in values.items():
            form.add_field(var=var.replace("_", "-"), value=value)
    answer = await person["xep_0050"].send_command("localhost", node, action=action, payload=form,
                                                   sessionid=session, timeout=slix.SECONDS)
    return answer["command"]


async def refused(person, condition, node, **how):
    try:
        await execute(person, node, **how)
    except IqError as error:
        equal(error.condition, condition, f"the error of {node}")
        return
    check(False, f"{node} was carried out")


async def invite(server):
    alice, carol = await enter(server, "alice"), await enter(server, "carol")
    for_users = {"urn:xmpp:invite#invite"} | {f"urn:kith:invite#{name}"
                                              for name in ("create", "list", "revoke")}
    equal(await nodes(alice), for_users, "the commands of a user")
    check(for_users < await nodes(carol), "an admin has more")
    await refused(alice, "forbidden", "urn:xmpp:invite#create-account")
    await refused(alice, "item-not-found", "urn:xmpp:invite#nothing")

    done = await execute(alice, "urn:xmpp:invite#invite")
    equal(done["status"], "completed", "the status")
    values = done["form"].get_values()
    equal(values["FORM_TYPE"], ["urn:xmpp:invite#invitation"], "the kind of form")
    check(LINK.match(values["uri"]), f"this is no link: {values['uri']}")

    asked = await execute(carol, "urn:xmpp:invite#create-account")
    equal((asked["status"], set(asked["actions"])), ("executing", {"complete"}), "what is asked")
    how = {"session": asked["sessionid"], "action": "complete", "roster_subscription": True}
    await refused(carol, "conflict", "urn:xmpp:invite#create-account", username="alice", **how)
    done = await execute(carol, "urn:xmpp:invite#create-account", username="dora", **how)
    link = done["form"].get_values()["uri"]
    check(link.startswith("xmpp:dora@localhost?register;preauth="), link)
    check("dora" in server.command("invite", "list").stdout, "the command line sees it")

    listed = (await execute(carol, "urn:kith:invite#list"))["form"]
    rows = {item["username"]: item for item in listed["items"]}
    equal(len(rows), 2, "what an admin sees")
    check(link.split("preauth=")[1].startswith(rows["dora"]["start"]), "how the token begins")
    equal(len(rows["dora"]["start"]), 4, "and no more of it")
    asked = await execute(carol, "urn:kith:invite#revoke")
    done = await execute(carol, "urn:kith:invite#revoke", session=asked["sessionid"],
                         ids=[rows["dora"]["id"]])
    equal(done["status"], "completed", "the revoking")
    check("dora" not in server.command("invite", "list").stdout, "it is gone")
    for person in (alice, carol):
        await person.leave()


with Server() as server:
    with case("adhoc: a server with alice, and carol who administers it", needed=True):
        server.start()
        server.people("alice")
        server.user("add", "--admin", "carol", password=password("carol"))
    with case("adhoc: slixmpp invites, lists and revokes"):
        slix.run(server, invite)
end()
