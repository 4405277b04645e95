#!/usr/bin/python3
"""slixmpp registers in stages: a code goes to a telephone by verify_command, or to the admins. By
form and by plain fields, on one stream and on several, with wrong codes; who has not finished is
told so at the login. An admin approves and refuses in their client (XEP-0050) or by command."""

import re

import slix
from harness import Server, case, check, end, equal, password
from newcomer import OWN, Newcomer, Post, is_empty, refused, wrong
from slix import Person, refusal

URL = "https://localhost/registering"
PHONE = "+491701234567"


async def not_finished(server, name):
    """Only who knows the password learns that there is something to finish."""
    person = Newcomer(server, name)
    person["xep_0077"].create_account = False
    equal(await refusal(person), "password", f"why {name} is not let in")
    equal([str(each["condition"]) for each in person.failures][-1], "account-disabled", "because")
    text = person.failures[-1]["text"]
    check(text.startswith("Registration is not finished: enter the code we sent you. "), text)
    check(URL in text, f"the page that helps is not named: {text}")
    person = Person(server, name, "wrong")
    equal(await refusal(person), "password", f"why {name} is not let in")
    equal(set(person.refusals), {"not-authorized"}, "with a wrong password")


async def by_form(server):
    """The next stage is an error with a form in it (REG-14b); the code is typed as people do."""
    romeo = Newcomer(server, "romeo")
    shown = await romeo.arrive()
    check(URL in shown["register"]["instructions"], f"the page that helps is not named: {shown}")
    check("jabber:x:oob" not in str(shown), "clients would hide the form")
    stage = await refused(
        romeo.fill(shown, User_name="romeo", Password=password("romeo"), Phone="+49 170 123-4567"),
        "not-acceptable", "modify", own=OWN + "next-stage")
    equal(stage["error"]["text"], "Enter the code you received via SMS", "what the person reads")
    code = server.post.next("phone", PHONE)
    await not_finished(server, "romeo")
    again = {"User_name": "romeo", "Password": password("romeo")}
    stage = await refused(romeo.fill(stage, **again, Code=wrong(code)), "not-acceptable", "modify",
                          "That code is not right. 4 tries left.", OWN + "wrong-code")
    stage = await refused(romeo.fill(stage, **again, Code="0123"), "not-acceptable", "modify",
                          "That code is not right. 3 tries left.", OWN + "wrong-code")
    await refused(romeo.fill(stage, **again, Code=code, Send="1"), "resource-constraint", "wait",
                  own=OWN + "rate-limited")
    answer = await romeo.fill(stage, **again, Code=f" {code[:3]}-{code[3:]} ")
    check(is_empty(answer), f"registered: {answer}")
    await romeo.go_on()
    await romeo.leave()
    server.post.none_left()


async def by_fields(server):
    """As the seed has it: each result holds the next stage, also on another stream."""
    juliet = Newcomer(server, "juliet")
    equal((await juliet.arrive())["register"]["fields"], {"username", "password"}, "asked first")
    keys = {"username": "juliet", "password": password("juliet")}
    stage = (await juliet.tell(**keys))["register"]
    equal((stage["fields"], stage["registered"]), ({"phone"}, False), "asked then")
    stage = (await juliet.tell(phone="+49 170 7654321"))["register"]
    check("text" in stage["fields"] and not stage["registered"], f"asked at last: {stage}")
    equal(stage["instructions"], "Enter the code you received via SMS", "what the person reads")
    code = server.post.next("phone", "+491707654321")
    await refused(juliet.tell(text=wrong(code)), "not-acceptable", "modify",
                  own=OWN + "wrong-code")
    await juliet.leave()
    await not_finished(server, "juliet")
    juliet = Newcomer(server, "juliet")
    await juliet.arrive()
    stage = (await juliet.tell(**keys))["register"]
    check("text" in stage["fields"], f"asked again (D3): {stage}")
    await refused(juliet.tell(username="juliet", password="another one"), "conflict", "cancel")
    await juliet.leave()
    juliet = Newcomer(server, "juliet")
    await juliet.arrive()
    check(is_empty(await juliet.tell(**keys, text=code)), "registered (D2)")
    await juliet.go_on()
    await juliet.leave()
    server.post.none_left()


async def same_telephone(server):
    """It is verified for somebody else."""
    person = Newcomer(server, "paris")
    await refused(person.fill(await person.arrive(), User_name="paris",
                              Password=password("paris"), Phone=PHONE), "conflict", "cancel")
    await person.leave()
    server.post.none_left()


class Admin(Person):
    def __init__(self, server):
        super().__init__(server, "carol")
        for plugin in ("xep_0004", "xep_0050"):
            self.register_plugin(plugin)

    async def run(self, name, **values):
        """The command's <command/>, its form filled in where it has one."""
        plugin, node = self["xep_0050"], f"urn:kith:register#{name}"
        answer = (await plugin.send_command("localhost", node, timeout=slix.SECONDS))["command"]
        if not values:
            return answer
        offered = answer["form"].get_fields()["username"]["options"]
        form = self["xep_0004"].make_form(ftype="submit")
        for var, value in values.items():
            check(value in [option["value"] for option in offered], f"{value} is not offered")
            form.add_field(var=var, value=value)
        answer = await plugin.send_command("localhost", node, payload=form, action="complete",
                                           sessionid=answer["sessionid"], timeout=slix.SECONDS)
        return answer["command"]

    async def names(self):
        form = (await self.run("pending"))["form"]
        return {item["username"]: item for item in form["items"]}


async def ask(server, carol, name, reason):
    """A pending registration, and the code that carol reads."""
    person = Newcomer(server, name)
    shown = await person.arrive()
    stage = await refused(person.fill(shown, User_name=name, Password=password(name),
                                      Who_are_you=reason), "not-acceptable", "modify",
                          own=OWN + "next-stage")
    heard = (await carol.hear())["body"]
    check(heard.startswith(f"{name} asks for an account: {reason}. Code "), heard)
    return person, stage, re.search(r"Code (\d{3} \d{3})", heard).group(1)


async def admins(server):
    carol = await Admin(server).enter()
    equal(await carol.names(), {}, "who waits at first")
    people = {}
    for name in ("romeo", "juliet", "paris", "tybalt"):
        people[name] = await ask(server, carol, name, f"I am {name}")
    waiting = await carol.names()
    equal({name: each["reason"] for name, each in waiting.items()},
          {name: f"I am {name}" for name in people}, "who waits")
    equal({each["waits-for"] for each in waiting.values()}, {"admin"}, "for whom they wait")

    equal((await carol.run("approve", username="romeo"))["status"], "completed", "approving")
    equal((await carol.run("refuse", username="juliet"))["status"], "completed", "refusing")
    equal(set(await carol.names()), {"paris", "tybalt"}, "who still waits")
    romeo = people["romeo"][0]
    await romeo.go_on()
    await romeo.leave()
    equal(await refusal(Person(server, "juliet")), "password", "who was refused")
    juliet, stage, code = people["juliet"]
    await refused(juliet.fill(stage, User_name="juliet", Password=password("juliet"), Code=code),
                  "item-not-found", "cancel", own=OWN + "registration-expired")
    await juliet.leave()

    paris, stage, code = people["paris"]
    answer = await paris.fill(stage, User_name="paris", Password=password("paris"), Code=code)
    check(is_empty(answer), f"registered with the code: {answer}")
    await paris.go_on()
    await slix.converse(paris, carol, ("thank you",))
    await paris.leave()
    equal(set(await carol.names()), {"tybalt"}, "who still waits")
    await people["tybalt"][0].leave()
    await carol.leave()


with Server(registration="open", verify="phone", rate_limits="no",
            registration_url=URL) as server:
    with case("stages: a server that sends codes by telephone", needed=True):
        server.post = Post(server)
        server.start()
    with case("stages: slixmpp by form, on one stream"):
        slix.run(server, by_form)
    with case("stages: slixmpp by plain fields, on several streams"):
        slix.run(server, by_fields)
    with case("stages: the telephone of somebody else"):
        slix.run(server, same_telephone)
with Server(registration="open", verify="admin", rate_limits="no") as server:
    with case("stages: slixmpp asks, an admin's slixmpp approves and refuses"):
        server.user("add", "--admin", "carol", password=password("carol"))
        server.start()
        slix.run(server, admins)
end()
