"""A person who uses libstrophe, a library in C: strophe.c."""

from driven import Driven, compiled


def program(directory):
    return compiled(directory, "strophe.c", ("cc", "-std=c11"), ("libstrophe",), "libstrophe-dev")


class Strophe(Driven):
    def __init__(self, server, name, secret=None, ca=None):
        super().__init__(server, f"{name}@localhost/c", program(server.directory), "starttls",
                         "moved", secret=secret, ca=ca)

    def enter(self):
        self.wait("online", self.address, "secured")
        self.wait("done", "roster")
        return self

    def settle(self):
        """What it said before is stored or delivered."""
        self.do("ping")
        self.wait("done", "ping")

    def befriend(self, address, full):
        """Who has this address agrees and asks back by itself."""
        self.do("subscribe", address)
        self.wait("contact", address, "to")
        self.wait("available", full)
        self.wait("subscribe", address)
        self.do("accept", address)
        self.wait("contact", address, "both")
