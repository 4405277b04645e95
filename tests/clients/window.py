#!/usr/bin/python3
"""Dino (GTK 4, GnuTLS) in a window nobody sees: adds slixmpp in its dialog, shows what it says,
answers by keyboard, is killed and comes back, refuses an unknown CA. It finds a server by its domain alone, so all is
done where localhost's port 5222 is ours: in a network namespace of its own."""

import contextlib
import fcntl
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zlib

import harness
import slix
from harness import (Server, Skip, case, check, end, equal, evidence, password, read,
                     require, stranger_ca, trusting, wait_until)
from slix import Person

PORT = 5222
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
INSIDE = "inside"


def go_inside():
    """Starts this script again in a network namespace where only loopback is."""
    if INSIDE not in sys.argv:
        unshare = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "-r", "--net"]
        probe = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
        if probe.returncode:
            raise Skip("no private network namespace here: " + probe.stderr.strip())
        os.execvp(unshare[0], [*unshare, sys.executable, os.path.abspath(__file__), INSIDE])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def png(xwd):
    """A screenshot of xwd, 32 bits a pixel, as PNG."""
    header = struct.unpack(">25I", xwd[:100])
    size, width, height, line_bytes, colors = (header[i] for i in (0, 4, 5, 12, 19))
    pixels = xwd[size + 12 * colors:]
    rows = bytearray()
    for y in range(height):
        line = pixels[y * line_bytes:y * line_bytes + 4 * width]
        row = bytearray(3 * width)
        row[0::3], row[1::3], row[2::3] = line[2::4], line[1::4], line[0::4]
        rows += b"\0" + row

    def chunk(kind, data):
        check_sum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check_sum)

    rgb = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", rgb)
            + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))


class Screen:
    """An X server without a screen, with a number nobody else has."""

    def __init__(self, server):
        self.home = os.path.join(server.directory, "home")
        self.given = {
            **harness.environment(self.home),
            "GDK_BACKEND": "x11",
            "GSK_RENDERER": "cairo",
            "GSETTINGS_BACKEND": "memory",
            "XDG_RUNTIME_DIR": self.home,
        }
        numbers, write_end = os.pipe()
        self.process = subprocess.Popen(
            [require("Xvfb"), "-displayfd", str(write_end), "-screen", "0", "800x600x24",
             "-nolisten", "tcp", "-noreset"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(numbers) as file:
            number = file.readline().strip()
        check(number, "Xvfb did not start")
        self.given["DISPLAY"] = ":" + number

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def xdotool(self, *words):
        done = subprocess.run([require("xdotool"), *words], env=self.given, capture_output=True,
                              text=True, timeout=10, check=False)
        return done.stdout.split()

    def photograph(self):
        done = subprocess.run(["xwd", "-root", "-silent"], env=self.given, capture_output=True,
                              timeout=10, check=False)
        if done.returncode:
            return "no screenshot: " + done.stderr.decode(errors="replace").strip()
        path = os.path.join(tempfile.gettempdir(), f"kith-window-{os.getpid()}.png")
        with open(path, "wb") as file:
            file.write(png(done.stdout))
        return "a screenshot is in " + path


class Dino:
    """Bob's. Its account is written into its database; its first start makes that."""

    def __init__(self, server, screen):
        self.screen = screen
        self.house = server
        self.database = os.path.join(screen.home, "share", "dino", "dino.db")
        self.log = os.path.join(screen.home, "dino.log")
        self.process = None

    def spawn(self, *command):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, env=self.screen.given, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)

    def make_database(self):
        def made():
            with contextlib.suppress(sqlite3.OperationalError):
                with contextlib.closing(sqlite3.connect(self.database)) as database:
                    return database.execute("SELECT int_val FROM _meta").fetchall()
            return None

        os.makedirs(os.path.dirname(self.database))
        self.spawn(require("dino-im"))
        wait_until(made, 15, "Dino to make its database")
        wait_until(lambda: self.window() is not None, 15, "Dino's first window")
        self.kill()

    def set_account(self, name, secret):
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            database.execute("DELETE FROM account")
            database.execute("INSERT INTO account (bare_jid, resourcepart, password, enabled)"
                             " VALUES (?, 'dino', ?, 1)", (f"{name}@localhost", secret))
            database.commit()

    def start(self, ca=None, secret=None):
        """With the conversation with alice open."""
        self.set_account("bob", secret or password("bob"))
        self.spawn(*trusting(ca or self.house.ca, require("dino-im"), "--print-xmpp=all",
                             "xmpp:alice@localhost?message"))
        return self

    def __enter__(self):
        evidence.append(("what Dino says", lambda: read(self.log)))
        return self

    def __exit__(self, kind, *_):
        if kind:
            seen = self.screen.photograph()
            evidence.append(("Dino's window", lambda: seen))
        self.kill()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def windows(self):
        return self.screen.xdotool("search", "--onlyvisible", "--class", "dino")

    def window(self):
        found = self.windows()
        return found[-1] if found else None

    def press(self, *keys, windows):
        """Until that many windows are there; the newest gets the focus."""
        self.screen.xdotool("key", *keys)
        wait_until(lambda: len(self.windows()) == windows, 8, f"Dino to have {windows} windows")
        self.focus()

    def add(self, address):
        """From its window to the list of contacts, there to `+`, there past the account."""
        self.press("ctrl+t", windows=2)
        self.press("Tab", "Tab", "space", windows=3)
        self.screen.xdotool("key", "Tab")
        self.screen.xdotool("type", "--delay", "5", address)
        self.press("Return", windows=2)
        self.press("Escape", windows=1)

    def focus(self):
        """There is no window manager that would."""
        window = wait_until(self.window, 8, "Dino's window")
        self.screen.xdotool("windowfocus", "--sync", window)

    def type(self, text):
        self.screen.xdotool("type", "--delay", "5", text)
        self.screen.xdotool("key", "Return")

    def wait(self, word):
        wait_until(lambda: word in read(self.log), 8, f"Dino to say {word}")

    def hear(self, *words):
        """A stanza with all of these."""
        def heard():
            stanzas = read(self.log).split("\nXMPP ")
            return any(stanza.startswith("IN") and all(word in stanza for word in words)
                       for stanza in stanzas)

        wait_until(heard, 8, f"Dino to hear {words}")


class Alice(Person):
    def __init__(self, server):
        super().__init__(server, "alice")
        self.register_plugin("xep_0333")
        self.displayed = slix.asyncio.Queue()
        self.add_event_handler("marker_displayed", self.displayed.put_nowait)

    async def show(self, body):
        """Says it, and waits until it was displayed in a window that has the focus."""
        message = self.make_message("bob@localhost", body, mtype="chat")
        message["id"] = self.new_id()
        message.enable("markable")
        message.send()
        return message["id"]

    async def shown(self, message_id):
        marker = await slix.within(self.displayed.get(), "Dino to display a message")
        equal(marker["displayed"]["id"], message_id, "what Dino displayed")


async def befriend(server):
    """slixmpp approves and answers requests by itself."""
    alice = await Person(server, "alice").enter()
    bob = await Person(server, "bob").enter()
    alice.send_presence_subscription("bob@localhost")
    await alice.presence(bob.boundjid.full)
    await bob.presence(alice.boundjid.full)
    for person in (alice, bob):
        await person.leave()


def with_alice(server, dino, words):
    async def talk(_):
        loop = slix.asyncio.get_running_loop()
        alice = await Alice(server).enter()

        async def away(function, *arguments):
            await loop.run_in_executor(None, function, *arguments)

        with dino:
            await words(alice, dino, away)
        await alice.leave()

    slix.run(server, talk)


async def add(alice, dino, away):
    """alice only agrees: to be asked back, Dino shows a button that no key leads to."""
    done = subprocess.run(["dino-im", "--version"], env=dino.screen.given, capture_output=True,
                          text=True, timeout=10, check=False)
    if not done.stdout.startswith("Dino 0.4"):
        raise Skip(f"another dialog than that of Dino 0.4: {done.stdout.strip()}")
    alice.roster.auto_subscribe = False
    await away(dino.start)
    await away(dino.hear, "to='bob@localhost/dino'", "jabber:iq:roster")
    await away(dino.focus)
    await away(dino.add, "alice@localhost")
    await alice.presence("bob@localhost", kind="subscribe")
    await away(dino.hear, "jid='alice@localhost'", "subscription='to'")
    await away(dino.hear, ":presence ", "from='alice@localhost/one'")
    await alice.leave()
    await away(dino.hear, ":presence ", "from='alice@localhost/one'", "type='unavailable'")


async def talk(alice, dino, away):
    await away(dino.start)
    await alice.presence("bob@localhost/dino")
    await away(dino.focus)
    await alice.shown(await alice.show("Hello <Dino> & grüße 👋🏽"))
    await away(dino.type, "An answer <from> Dino & co.")
    heard = await alice.hear("bob@localhost/dino")
    equal(heard["body"], "An answer <from> Dino & co.", "what alice heard")


async def come_back(alice, dino, away):
    """Killed while online: alice sees it go; what she says meanwhile is displayed later."""
    await away(dino.start)
    await alice.presence("bob@localhost/dino")
    await away(dino.kill)
    await alice.presence("bob@localhost/dino", kind="unavailable")
    said = await alice.show("While you were away")
    await away(dino.start)
    await alice.presence("bob@localhost/dino")
    await away(dino.focus)
    await alice.shown(said)
    await away(dino.type, "Back again")
    equal((await alice.hear("bob@localhost/dino"))["body"], "Back again", "what alice heard")


async def never_there(alice):
    """All that waits for alice is here when her ping is answered."""
    alice.send_presence()
    await alice.presence(alice.boundjid.full)
    while not alice.presences.empty():
        presence = alice.presences.get_nowait()
        check(presence["from"].bare != "bob@localhost", "bob is there")


async def wrong_password(alice, dino, away):
    await away(lambda: dino.start(secret="wrong"))
    await away(dino.wait, "not-authorized")
    await never_there(alice)


async def unknown_ca(alice, dino, away):
    ca = stranger_ca(dino.house.directory)
    await away(lambda: dino.start(ca=ca))
    await away(dino.wait, "G_TLS_CERTIFICATE_UNKNOWN_CA")
    await never_there(alice)


def all_cases():
    with contextlib.ExitStack() as stack:
        with case("dino: a server, a screen", needed=True):
            go_inside()
            server = stack.enter_context(Server(listen=f"127.0.0.1:{PORT}"))
            server.port = PORT
            server.start()
            server.people("alice", "bob")
            require("dino-im")
            require("xdotool")
            require("xwd")
            screen = stack.enter_context(Screen(server))
            dino = Dino(server, screen)
            dino.make_database()
        with case("dino: adds alice, sees her come and go"):
            with_alice(server, dino, add)
        with case("dino: alice and bob are friends", needed=True):
            slix.run(server, befriend)
        with case("dino: displays what it hears, says what is typed"):
            with_alice(server, dino, talk)
        with case("dino: killed and back, with what was said meanwhile"):
            with_alice(server, dino, come_back)
        with case("dino: a wrong password"):
            with_alice(server, dino, wrong_password)
        with case("dino: an unknown CA is refused by the client"):
            with_alice(server, dino, unknown_ca)


all_cases()
end()
