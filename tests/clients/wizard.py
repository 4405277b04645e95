#!/usr/bin/python3
"""Registers with nbxmpp, Gajim's library, as Gajim's account wizard does: an error of type modify
that has a form is the next form; name and password are read off the last one. Moved by lines on
standard input, with percent-encoded words, like the answers. Arguments: jid, password, port, CA
file; what may be trusted is the system's affair."""

import os
import sys
import urllib.parse

from gi.repository import GLib
from nbxmpp.client import Client
from nbxmpp.const import ConnectionProtocol, ConnectionType, Mode
from nbxmpp.errors import RegisterStanzaError, StanzaError


def say(*words):
    print(*[urllib.parse.quote(str(word), safe="") for word in words], flush=True)


class Wizard:
    def __init__(self, address, _secret, port, _ca):
        self.port = port
        self.domain = address.partition("@")[2]
        self.form = None
        self.client = None
        self.input = ""
        self.loop = GLib.MainLoop()
        GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, self.obey)
        self.reach(Mode.REGISTER, self.ask)

    def reach(self, mode, connected):
        self.client = Client()
        self.client.set_mode(mode)
        self.client.set_domain(self.domain)
        self.client.set_custom_host(f"127.0.0.1:{self.port}", ConnectionProtocol.TCP,
                                    ConnectionType.START_TLS)
        self.client.subscribe("connected", connected)
        self.client.subscribe("connection-failed", self.ended)
        self.client.subscribe("disconnected", self.ended)
        self.client.connect()

    def ended(self, client, _signal, *_):
        if client == self.client:  # not the one that registered
            say("offline", *client.get_error())
            self.loop.quit()

    def ask(self, *_):
        register = self.client.get_module("Register")
        register.request_register_form(callback=self.asked)

    def asked(self, task):
        try:
            self.show(task.finish())
        except StanzaError as error:
            say("refused", error.type, error.condition, error.get_text())

    def show(self, data):
        self.form = data.form or data.fields_form
        say("form", *[field.label for field in self.form.iter_fields() if field.type_ != "hidden"])

    def fill(self, *words):
        values = dict(zip(words[::2], words[1::2]))
        for field in self.form.iter_fields():
            if field.label in values:
                field.value = values.pop(field.label)
        if values:
            say("missing", *values)
        self.form.type_ = "submit"
        register = self.client.get_module("Register")
        register.submit_register_form(self.form, callback=self.submitted)

    def submitted(self, task):
        try:
            task.finish()
        except RegisterStanzaError as error:
            say("refused", error.type, error.condition, error.get_text())
            if error.type == "modify" and error.get_data().form:
                self.show(error.get_data())
        except StanzaError as error:
            say("refused", error.type, error.condition, error.get_text())
        else:
            say("registered")

    def enter(self):
        """With what the last form says."""
        values = {field.var: field.value for field in self.form.iter_fields()}
        before = self.client
        self.reach(Mode.CLIENT, lambda client, *_: say("online", client.get_bound_jid()))
        self.client.set_username(values["username"])
        self.client.set_password(values["password"])
        before.disconnect()

    def leave(self):
        self.client.disconnect()

    def obey(self, *_):
        said = os.read(sys.stdin.fileno(), 65536)
        if not said:
            self.loop.quit()
        *lines, self.input = (self.input + said.decode()).split("\n")
        for line in lines:
            verb, *words = [urllib.parse.unquote(word) for word in line.split(" ")]
            {"fill": self.fill, "enter": self.enter, "leave": self.leave}[verb](*words)
        return bool(said)


Wizard(*sys.argv[1:]).loop.run()
