"""A person who uses QXmpp, a library for Qt: qxmpp.cpp."""

from driven import Driven, compiled

MODULES = ("qxmpp", "Qt5Core", "Qt5Network", "Qt5Xml")
COMPILER = ("g++", "-std=c++17", "-fPIC")


class Qxmpp(Driven):
    def __init__(self, server, name, secret=None, ca=None, *more):
        program = compiled(server.directory, "qxmpp.cpp", COMPILER, MODULES,
                           "libqxmpp-dev or qtbase5-dev")
        super().__init__(server, f"{name}@localhost/qt", program, *more,
                         secret=secret, ca=ca)

    def enter(self):
        self.wait("online", self.address)
        self.wait("roster")
        return self
