#!/usr/bin/python3
"""Dino makes an account in its dialog, by keyboard: the code of an invitation is typed into the
form that the server shows; who invited is there at once."""

import contextlib
import os

import slix
from dino import PORT, Dino, Screen, go_inside
from harness import Server, case, end, equal, password, require, trusting, wait_until
from slix import Person
from turns import until


class Newcomer(Dino):
    def start(self):
        """Without an account."""
        os.makedirs(os.path.dirname(self.database), exist_ok=True)
        self.spawn(*trusting(self.house.ca, require("dino-im"), "--print-xmpp=all"))
        return self

    def key(self, *names):
        self.screen.xdotool("key", *names)

    def dialog(self):
        found = self.screen.xdotool("search", "--onlyvisible", "--name", "^Add Account$")
        return found[-1] if found else None

    def size(self):
        """Another for each page of the dialog."""
        return self.screen.xdotool("getwindowgeometry", self.dialog())[-1]

    def ask_for_form(self):
        self.focus()
        self.key("Tab", "Return")  # Set up account
        window = wait_until(self.dialog, 8, "Dino's dialog")
        self.screen.xdotool("windowmove", window, "150", "100", "windowfocus", "--sync", window)
        for keys in (("Tab", "Return"), ("Return",)):  # Create account; Next
            before = self.size()
            self.key(*keys)
            wait_until(lambda: self.size() != before, 8, "the next page")
            if keys[0] == "Tab":
                self.screen.xdotool("type", "--delay", "5", "localhost")
        self.hear("Choose a user name and a password, and enter your invitation code.")

    def fill(self, *values):
        """The focus is in the first of them, and the form ends with the last one."""
        for value in values:
            self.key("ctrl+a")
            self.screen.xdotool("type", "--delay", "5", value)
            self.key("Tab")
        self.key("Tab", "Return")  # Pick another server, Register


async def make_account(server, dino):
    def away(function, *words):
        return slix.asyncio.get_running_loop().run_in_executor(None, function, *words)

    link = server.command("invite", "--contact", "romeo").stdout.splitlines()[0]
    romeo = await Person(server, "romeo").enter()
    await away(dino.start)
    await away(dino.ask_for_form)
    await away(dino.fill, "juliet", password("juliet"), "a" * 26)
    await away(dino.hear, "not-allowed", "this code is not valid")
    equal(romeo.client_roster["juliet@localhost"]["subscription"], "none", "romeo's roster")
    await away(dino.key, "Tab", "Tab", "Tab")  # the focus was nowhere
    await away(dino.fill, link.partition("preauth=")[2].partition(";")[0])
    await until(lambda: romeo.client_roster["juliet@localhost"]["subscription"] == "both",
                "romeo to be told")
    await away(dino.key, "Return")  # Finish
    await until(lambda: romeo.client_roster.presence("juliet@localhost"), "romeo to see juliet")
    await romeo.leave()


def all_cases():
    with contextlib.ExitStack() as stack:
        with case("moving in: a server, a screen, romeo's invitation", needed=True):
            go_inside()
            server = stack.enter_context(Server(listen=f"127.0.0.1:{PORT}", rate_limits="no"))
            server.port = PORT
            server.start()
            server.people("romeo")
            for program in ("dino-im", "xdotool", "xwd"):
                require(program)
            screen = stack.enter_context(Screen(server))
            Dino(server, screen).require_dialogs()
        with case("moving in: Dino makes an account"):
            with Newcomer(server, screen) as dino:
                slix.run(server, lambda _: make_account(server, dino))


all_cases()
end()
