"""Gajim (GTK 3, nbxmpp, GnuTLS) in a window nobody sees, told what to say over a D-Bus of its own. Its
account is written into its settings; what it heard is read in its history."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess

import harness
from harness import Skip, check, evidence, password, read, require, trusting, wait_until

ACCOUNT = "localhost"
OBJECT, INTERFACE = "/org/gajim/dbus/RemoteObject", "org.gajim.dbus.RemoteInterface"
START_SECONDS = 25
SETTINGS = """
    CREATE TABLE settings (name TEXT UNIQUE, settings TEXT);
    CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT);
    PRAGMA user_version=5;
"""


def require_omemo():
    if not os.path.isdir("/usr/share/gajim/plugins/omemo"):
        raise Skip("gajim-omemo is not installed")


def as_somebody():
    """It refuses to be root, so it is somebody else, in a user namespace; its D-Bus must be the same."""
    command = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    probe = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        raise Skip("no private user namespace here: " + probe.stderr.strip())
    return command


class Gajim:
    """Bob's, who writes to one friend in secret."""

    def __init__(self, server, screen, port, secret_friend):
        require("gajim")
        require("dbus-daemon")
        require("dbus-send")
        self.house = server
        self.screen = screen
        self.somebody = as_somebody()
        self.log = os.path.join(screen.home, "gajim.log")
        self.bus = os.path.join(screen.home, "bus")
        self.given = {**screen.given, "DBUS_SESSION_BUS_ADDRESS": "unix:path=" + self.bus}
        self.processes = []
        self.require_version()
        self.set_account("bob", port, secret_friend)

    def require_version(self):
        """The settings are known for one."""
        done = subprocess.run([*self.somebody, "gajim", "--version"], env=self.screen.given,
                              capture_output=True, text=True, timeout=20, check=False)
        if not done.stdout.strip().rpartition("\n")[2].startswith("1.7."):
            raise Skip(f"other settings than those of Gajim 1.7: {done.stdout.strip()}")

    def set_account(self, name, port, secret_friend):
        directory = os.path.join(self.screen.home, "config", "gajim")
        os.makedirs(directory)
        account = {
            "name": name, "hostname": "localhost", "resource": "gajim",
            "password": password(name), "active": True, "use_custom_host": True,
            "custom_host": "127.0.0.1", "custom_port": port, "custom_type": "START TLS",
        }
        kinds = {"app": {"use_keyring": False, "remote_control": True}, "soundevents": {},
                 "status_presets": {}, "proxies": {}, "plugins": {"omemo": {"active": True}},
                 "workspaces": {"0": {"name": "0"}}}
        contacts = {secret_friend: {"encryption": "OMEMO"}}
        with contextlib.closing(sqlite3.connect(os.path.join(directory, "settings.sqlite"))) as file:
            file.executescript(SETTINGS)
            file.executemany("INSERT INTO settings VALUES (?, ?)",
                             [(kind, json.dumps(value)) for kind, value in kinds.items()])
            file.execute("INSERT INTO account_settings VALUES (?, ?)",
                         (ACCOUNT, json.dumps({"account": account, "contact": contacts,
                                               "group_chat": {}})))
            file.commit()

    def spawn(self, *command):
        with open(self.log, "ab") as log:
            self.processes.append(subprocess.Popen(
                command, env=self.given, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def start(self):
        """Unless it runs."""
        if self.processes:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.bus)
        self.spawn(*self.somebody, "dbus-daemon", "--session", "--nofork", "--nopidfile",
                   "--address=unix:path=" + self.bus)
        wait_until(lambda: os.path.exists(self.bus), 8, "a D-Bus of its own")
        self.spawn(*trusting(self.house.ca, *self.somebody, require("gajim"), "-v"))
        wait_until(lambda: "online" in self.remote("get_status", ACCOUNT).stdout, START_SECONDS,
                   "Gajim to be online")

    def __enter__(self):
        """For a case; it goes on running after that."""
        evidence.append(("what Gajim says", lambda: read(self.log)))
        return self

    def __exit__(self, kind, *_):
        if kind:
            seen = self.screen.photograph()
            evidence.append(("Gajim's window", lambda: seen))

    def kill(self):
        """Gajim; its D-Bus may say goodbye to whom it has started."""
        while self.processes:
            process = self.processes.pop()
            process.send_signal(signal.SIGKILL if self.processes else signal.SIGTERM)
            process.wait()

    def remote(self, method, *words):
        """As gajim-remote does it, without a start of Python."""
        command = ["dbus-send", "--session", "--print-reply", "--dest=org.gajim.Gajim", OBJECT,
                   f"{INTERFACE}.{method}", *(f"string:{word}" for word in words)]
        return subprocess.run([*self.somebody, *command], env=self.given, capture_output=True,
                              text=True, timeout=20, check=False)

    def wait(self, word):
        wait_until(lambda: word in read(self.log), 8, f"Gajim to say {word}")

    def say(self, to, text):
        done = self.remote("send_chat_message", to, text, ACCOUNT)
        check("boolean true" in done.stdout, "Gajim does not say it: " + done.stdout + done.stderr)

    def history(self):
        """The texts that it keeps."""
        path = os.path.join(self.screen.home, "share", "gajim", "logs.db")
        with contextlib.suppress(sqlite3.OperationalError):
            with contextlib.closing(sqlite3.connect(path)) as file:
                return [row[0] for row in file.execute(
                    "SELECT message FROM logs WHERE message IS NOT NULL ORDER BY time")]
        return []

    def keeps(self, *texts):
        """Until it keeps each of them; then it must keep each once."""
        wait_until(lambda: set(texts) <= set(self.history()), 8, "Gajim to keep what it heard")
        kept = self.history()
        for text in texts:
            harness.equal(kept.count(text), 1, f"how often Gajim keeps {text!r}")
