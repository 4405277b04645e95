"""A person without an account yet, who uses slixmpp: registers, and logs in on the same stream or
on another. Fills in forms as a person does, by the labels."""

import asyncio
import copy
import os

import slix
from harness import check, equal, read, wait_until, write
from slix import IqError, Person

OWN = "{urn:kith:register:0}"
CPE = "{urn:cadmium:profile:register}"


class Newcomer(Person):
    def __init__(self, server, name, secret=None):
        super().__init__(server, name, secret)
        self._always_send_everything = True  # slixmpp 1.8.3 keeps what is not a login's
        for plugin in ("xep_0004", "xep_0066", "xep_0077"):
            self.register_plugin(plugin)
        self.first = asyncio.get_running_loop().create_future()
        self.leaving = asyncio.get_running_loop().create_future()
        self.failures = []  # of logins, whole
        self.add_event_handler("register", self.register)
        self.add_event_handler("failed_auth", self.failures.append)

    async def register(self, answer):
        """slixmpp holds the login back until this returns."""
        self.first.set_result(answer)
        await self.leaving

    async def arrive(self):
        """Returns the answer to the first question."""
        self.reach()
        return await slix.within(self.first, f"{self.requested_jid} to be shown what to fill in")

    async def go_on(self):
        """Logs in on the stream on which it registered."""
        self.leaving.set_result(None)
        return await self.settle()

    async def leave(self):
        if not self.leaving.done():
            self.leaving.cancel()
        if not self.outcome.done():
            self.outcome.cancel()
        await super().leave()

    async def fill(self, answer, **values):
        """Submits the form of this answer: label, with _ for what is not a letter -> value."""
        form = copy.copy(answer["register"]["form"])
        labels = {}
        needed = set()
        for var, field in form.get_fields().items():
            if field["type"] not in ("hidden", "fixed"):
                labels["".join(c if c.isalpha() else "_" for c in field["label"])] = var
            if field["required"] and not field["value"]:
                needed.add(var)
        for label, value in values.items():
            found = [var for shown, var in labels.items() if shown.startswith(label)]
            equal(len(found), 1, f"the fields that are called {label}, of {set(labels)}")
            form.get_fields()[found[0]]["value"] = value
            needed.discard(found[0])
        equal(needed, set(), "what is not filled in")
        form["type"] = "submit"
        return await self.submit(form)

    async def submit(self, form):
        iq = self.make_iq_set(ito="localhost")
        iq["register"].append(form)
        return await iq.send(timeout=slix.SECONDS)

    async def tell(self, **values):
        """Plain fields, without a form, as old clients do."""
        iq = self.make_iq_set()
        for name, value in values.items():
            iq["register"][name] = value
        return await iq.send(timeout=slix.SECONDS)


def is_empty(answer):
    return len(answer.xml) == 0


async def refused(awaitable, condition, kind, text=None, own=None):
    """The error, which must be exactly this one."""
    try:
        answer = await awaitable
    except IqError as error:
        said = error.iq["error"]
        equal((error.condition, said["type"]), (condition, kind), "the error")
        equal(said.xml[0].tag.partition("}")[2], condition, "the first child of <error/>")
        if text:
            equal(said["text"], text, "what the person reads")
        if own:
            check(said.xml.find(own) is not None, f"{own} is missing: {said}")
        return error.iq
    check(False, f"it was accepted: {answer}")


def wrong(code):
    """Another one."""
    return f"{(int(code) + 1) % 1000000:06}"


class Post:
    """What verify_command of this server is given, one letter after the other."""

    def __init__(self, server):
        program = write(os.path.join(server.directory, "telephone"),
                        "#!/bin/sh\ncat >> \"$0.said\"\n")
        os.chmod(program, 0o700)
        server.configure(verify_command=program)
        self.path = program + ".said"
        self.taken = 0

    def next(self, channel, address):
        """The code that was sent there."""
        def letter():
            lines = read(self.path).splitlines()[3 * self.taken:3 * self.taken + 3]
            return lines if len(lines) == 3 else None

        *where, code = wait_until(letter, slix.SECONDS, f"a code to be sent to {address}")
        equal(where, [channel, address], "where the code was sent")
        check(len(code) == 6 and code.isdigit(), f"this is no code: {code}")
        self.taken += 1
        return code

    def none_left(self):
        equal(len(read(self.path).splitlines()), 3 * self.taken, "the lines of codes sent")
