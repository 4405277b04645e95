#!/usr/bin/python3
"""slixmpp registers (XEP-0077): by form, by plain fields, refused for each reason; the server may
be closed, or want an invitation; then the password is changed and the account removed."""

import slix
from harness import Server, case, check, equal, end, password
from newcomer import CPE, Newcomer, is_empty, refused
from slix import Person, refusal

WEAK = "The password is too weak"
TAKEN = "Username/email/msisdn already taken"


async def by_form(server):
    """What is registered can be used at once, on this stream and on others."""
    romeo = Newcomer(server, "romeo")
    shown = await romeo.arrive()
    equal(shown["register"]["fields"], {"username", "password"}, "the plain fields")
    form = shown["register"]["form"]
    labels = {var: field["label"] for var, field in form.get_fields().items()}
    equal(labels, {"FORM_TYPE": "", "username": "User name", "password": "Password"}, "the form")
    answer = await romeo.fill(shown, User_name="romeo", Password=password("romeo"))
    check(is_empty(answer), f"the name is as it was typed: {answer}")
    await refused(romeo.tell(username="second", password=password("second")),
                  "not-acceptable", "modify")
    await romeo.go_on()
    again = await Person(server, "romeo", resource="two").enter(direct_tls=True)
    await slix.converse(romeo, again, ("here I am",))
    await again.leave()
    await romeo.leave()
    equal(await refusal(Person(server, "second")), "password", "who was refused")


async def by_fields(server):
    """Registers and closes, as profanity and Conversations do."""
    juliet = Newcomer(server, "juliet")
    await juliet.arrive()
    answer = await juliet.tell(username="JuLiEt", password=password("juliet"))
    check(answer["register"]["registered"], f"not registered: {answer}")
    equal(answer["register"]["username"], "juliet", "the name as the server has it")
    await juliet.leave()
    juliet = await Person(server, "juliet").enter()
    await juliet.leave()


async def errors(server):
    """Each in words that clients know; after all of them the stream is as good as new."""
    person = Newcomer(server, "paris")
    shown = await person.arrive()

    async def form(name, secret):
        await person.fill(shown, User_name=name, Password=secret)

    good = password("paris")
    await refused(form("romeo", good), "conflict", "cancel", TAKEN, CPE + "id_exists")
    await refused(form("postmaster", good), "conflict", "cancel", TAKEN, CPE + "id_exists")
    await refused(form("paris", "short"), "not-acceptable", "modify", WEAK)
    await refused(form("no body", good), "not-acceptable", "modify")
    await refused(person.tell(username="ROMEO", password=good), "conflict", "cancel", TAKEN)
    await refused(person.tell(username="paris", password="a\nb\nc\nd"), "not-acceptable", "modify",
                  WEAK)
    await refused(person.tell(username="paris"), "not-acceptable", "modify")
    await refused(person.tell(password=good), "not-acceptable", "modify")
    await refused(person["xep_0077"].cancel_registration(timeout=slix.SECONDS),
                  "unexpected-request", "modify")
    equal(await refusal(Person(server, "paris")), "password", "who was refused")
    check(is_empty(await person.tell(username="paris", password=good)), "there was no account")
    await person.go_on()
    await person.leave()


async def enter(server, name, secret=None):
    person = Person(server, name, secret)
    person.register_plugin("xep_0077")
    return await person.enter()


async def change_password(server):
    paris = await enter(server, "paris")
    other = await Person(server, "paris", resource="two").enter()
    plugin = paris["xep_0077"]
    await refused(plugin.change_password("short", timeout=slix.SECONDS), "not-acceptable",
                  "modify", WEAK)
    asked = (await plugin.get_registration(timeout=slix.SECONDS))["register"]
    equal((asked["registered"], asked["username"], asked["password"]), (True, "paris", ""),
          "what the server tells of the account")
    await plugin.change_password("something new", timeout=slix.SECONDS)
    equal(await refusal(Person(server, "paris")), "password", "the old password")
    await slix.converse(paris, other, ("both still here",))
    await other.leave()
    await paris.leave()
    await (await Person(server, "paris", "something new").enter()).leave()


async def remove(server):
    """Whoever had it as a contact is told; nobody gets the name so soon."""
    juliet = await Person(server, "juliet").enter()
    paris = await enter(server, "paris", "something new")
    juliet.send_presence_subscription("paris@localhost")
    await juliet.presence(paris.boundjid.full)
    other = await Person(server, "paris", "something new", resource="two").enter()
    answer = await paris["xep_0077"].cancel_registration(timeout=slix.SECONDS)
    equal(answer["type"], "result", "the answer to <remove/>")
    for each in (paris, other):
        await slix.within(each.gone, f"the stream of {each.boundjid} to end")
        equal(each.stream_errors, ["not-authorized"], "what the stream was told")
    await juliet.presence(paris.boundjid.full, kind="unavailable")
    equal(await refusal(Person(server, "paris", "something new")), "password", "the account")
    person = Newcomer(server, "paris")
    await person.arrive()
    await refused(person.tell(username="paris", password=password("paris")), "conflict", "cancel",
                  TAKEN)
    await person.leave()
    await juliet.leave()


async def code_of_an_invitation(server):
    """For clients that know nothing of invitations: typed into the first form."""
    token = server.command("invite").stdout.splitlines()[0].partition("preauth=")[2]
    person = Newcomer(server, "romeo")
    shown = await person.arrive()
    equal(shown["register"]["fields"], set(), "plain fields, which have none for a code")
    filled = {"User_name": "romeo", "Password": password("romeo")}
    await refused(person.fill(shown, **filled, Invitation_code="a" * 26), "not-allowed", "cancel",
                  own=CPE + "reg_disabled")
    await refused(person.tell(username="romeo", password=password("romeo")), "not-allowed",
                  "cancel", own=CPE + "reg_disabled")
    typed = " ".join(token[i:i + 4] for i in range(0, len(token), 4)).upper()
    check(is_empty(await person.fill(shown, **filled, Invitation_code=typed)), "not registered")
    await person.go_on()
    await person.leave()
    person = Newcomer(server, "paris")
    await refused(person.fill(await person.arrive(), User_name="paris", Password=password("paris"),
                              Invitation_code=token), "not-allowed", "cancel")
    await person.leave()


async def closed(server):
    """Not offered; who asks all the same is told why not."""
    person = Newcomer(server, "romeo")
    seen = []
    person.add_filter("in", lambda stanza: seen.append(str(stanza)) or stanza)
    equal(await refusal(person), "password", "why romeo is not let in")
    check(any("SCRAM" in each for each in seen), "the features were not seen")
    check(not any("register" in each for each in seen), "registration is offered")
    person = Newcomer(server, "romeo")
    answered = slix.asyncio.get_running_loop().create_future()

    async def ask(_):
        answered.set_result(await refused(
            person["xep_0077"].get_registration(timeout=slix.SECONDS), "service-unavailable",
            "cancel", own=CPE + "reg_disabled"))

    person.register_feature("mechanisms", ask, restart=True, order=1)
    person.reach()
    await slix.within(answered, "an answer")
    await person.leave()


with Server(registration="open", rate_limits="no") as server:
    with case("registering: a server that is open to all", needed=True):
        server.start()
    with case("registering: slixmpp by form, logs in on the same stream"):
        slix.run(server, by_form)
    with case("registering: slixmpp by plain fields, logs in on another stream"):
        slix.run(server, by_fields)
    with case("registering: a name that is taken or none, a weak password, missing fields"):
        slix.run(server, errors)
    with case("registering: another password"):
        slix.run(server, change_password)
    with case("registering: an account is removed"):
        slix.run(server, remove)
with Server(rate_limits="no") as server:
    with case("registering: the code of an invitation, typed into the form"):
        server.people("anna")
        server.start()
        slix.run(server, code_of_an_invitation)
with Server(registration="closed") as server:
    with case("registering: closed"):
        server.start()
        slix.run(server, closed)
end()
