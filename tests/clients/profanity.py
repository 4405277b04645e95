"""A person who uses profanity in a terminal, with a home of its own."""

import os
import subprocess

import harness
from harness import Skip, Terminal, password, read, require, write

PREFERENCES = """
[ui]
splash=false
intro=false
tips=false
[notifications]
message=off
[connection]
account=
[logging]
chlog=true
[omemo]
policy=manual
"""


FEATURES = "connection_features_received"


class Profanity(Terminal):
    """A home of its own for each name, kept when it is started again."""

    def __init__(self, server, name, ca=None, port=None):
        self.house = server
        self.name = name
        self.port = port  # where it reaches the server, if not at the server's own
        home = os.path.join(server.directory, "profanity-" + name)
        given = harness.environment(home, ca or server.ca)
        self.home = home
        settings = os.path.join(home, "config", "profanity")
        os.makedirs(settings, exist_ok=True)
        write(os.path.join(settings, "profrc"), PREFERENCES)
        super().__init__(home, given, require("profanity"), "--log", "DEBUG")
        harness.evidence.append((f"profanity's log of {name}", self.log))
        self.wait("Profanity", "/help")

    def log(self):
        logs = os.path.join(self.home, "share", "profanity", "logs")
        names = sorted(os.listdir(logs)) if os.path.isdir(logs) else []
        return "".join(read(os.path.join(logs, name)) for name in names)

    def logged(self, text):
        harness.wait_until(lambda: text in self.log(), 8, f"profanity to log {text}")

    def connect(self, secret=None, how="force"):
        port = self.port or (self.house.tls_port if how == "legacy" else self.house.port)
        self.type(f"/connect {self.name}@localhost server 127.0.0.1 port {port} tls {how}")
        self.wait("Enter password:")
        self.type(secret or password(self.name))

    def enter(self, how="force"):
        """Until it knows what the server can: before that it refuses to ping it."""
        learned = self.log().count(FEATURES)
        self.connect(how=how)
        self.wait("logged in successfully")
        harness.wait_until(lambda: self.log().count(FEATURES) > learned, 8,
                           "profanity to learn what the server can")
        return self

    def generate_keys(self):
        """Of OMEMO; it trusts whoever it is given."""
        self.type("/omemo trustmode blind")
        self.type("/omemo gen")
        self.wait("OMEMO crytographic materials generated")
        self.logged("publish device list")

    def encrypt(self, other):
        self.type(f"/msg {other}@localhost")
        self.type("/omemo start")
        self.wait("[OMEMO]")
        self.logged(f"session with {other}@localhost")

    def quit(self):
        self.type("/quit")
        harness.wait_until(
            lambda: self.run("display-message", "-p", "#{pane_dead}").strip() == "1", 8,
            "profanity to end")


def require_omemo(directory):
    done = subprocess.run([require("profanity"), "--version"],
                          env=harness.environment(directory), capture_output=True, text=True,
                          timeout=10, check=False)
    if "OMEMO support: Enabled" not in done.stdout:
        raise Skip("profanity was built without OMEMO")
