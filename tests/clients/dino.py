"""Dino (GTK 4, GnuTLS) in a window nobody sees. It finds a server by its domain alone, so all is
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
from harness import Skip, check, evidence, password, read, require, trusting, wait_until

PORT = 5222
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
INSIDE = "inside"


def go_inside():
    """Starts the script again in a network namespace where only loopback is."""
    if INSIDE not in sys.argv:
        unshare = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "-r", "--net"]
        probe = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
        if probe.returncode:
            raise Skip("no private network namespace here: " + probe.stderr.strip())
        os.execvp(unshare[0], [*unshare, sys.executable, os.path.abspath(sys.argv[0]), INSIDE])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def png(xwd):
    """A screenshot of xwd, 24 or 32 bits a pixel, as PNG."""
    header = struct.unpack(">25I", xwd[:100])
    size, width, height, bits, line_bytes, colors = (header[i] for i in (0, 4, 5, 11, 12, 19))
    step = bits // 8
    pixels = xwd[size + 12 * colors:]
    rows = bytearray()
    for y in range(height):
        line = pixels[y * line_bytes:y * line_bytes + step * width]
        row = bytearray(3 * width)
        row[0::3], row[1::3], row[2::3] = line[2::step], line[1::step], line[0::step]
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
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",  # else one is started that nobody ends
            "NO_AT_BRIDGE": "1",
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

    def require_dialogs(self):
        """What is pressed in them is known for one version."""
        done = subprocess.run(["dino-im", "--version"], env=self.screen.given,
                              capture_output=True, text=True, timeout=10, check=False)
        if not done.stdout.startswith("Dino 0.4"):
            raise Skip(f"other dialogs than those of Dino 0.4: {done.stdout.strip()}")

    def make_database(self):
        def made():
            with contextlib.suppress(sqlite3.OperationalError):
                with contextlib.closing(sqlite3.connect(self.database)) as database:
                    return database.execute("SELECT int_val FROM _meta").fetchall()
            return None

        os.makedirs(os.path.dirname(self.database), exist_ok=True)
        evidence.append(("what Dino says at first", lambda: read(self.log)))
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

    def wait(self, word, seconds=8):
        wait_until(lambda: word in read(self.log), seconds, f"Dino to say {word}")

    def messages(self, body):
        """How many of them it keeps."""
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            rows = database.execute("SELECT count(*) FROM message WHERE body = ?", (body,))
            return rows.fetchone()[0]

    def hear(self, *words):
        """A stanza with all of these."""
        def heard():
            stanzas = read(self.log).split("\nXMPP ")
            return any(stanza.startswith("IN") and all(word in stanza for word in words)
                       for stanza in stanzas)

        wait_until(heard, 8, f"Dino to hear {words}")
