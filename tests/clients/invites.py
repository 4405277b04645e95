#!/usr/bin/python3
"""Invitations by command: what is made, listed and revoked, with and without a server; what stands
on a terminal, its QR code read by zbarimg."""

import contextlib
import os
import pty
import re
import select
import subprocess
import time

from harness import KITH, Server, case, check, end, equal, refused, require

LINK = re.compile(r"^xmpp:(?:([^@?]+)@)?localhost\?(register|roster)"
                  r";preauth=([a-z2-7]{26})(;ibr=y)?$")
ROW = re.compile("\x1b\\[30;47m([ ▀▄█]+)\x1b\\[0m")
SCALE = 6  # pixels a module
QUIET = 2


def invite(server, *words):
    """What it printed; it must succeed."""
    done = server.command("invite", *words)
    equal((done.returncode, done.stderr), (0, ""), f"kith invite {' '.join(words)}")
    return done.stdout


def parts(text):
    """Local part, action, token and ibr=y of the first line."""
    match = LINK.match(text.splitlines()[0])
    check(match, f"the first line is no link: {text.splitlines()[0]!r}")
    return match.groups()


def typed(text):
    """The code below, without its spaces."""
    return "".join(text[text.index("Code, "):].splitlines()[1].split())


def listed(server):
    """id -> the rest of its line"""
    lines = invite(server, "list").splitlines()
    return dict(line.split("  ", 1) for line in lines)


def commands(server):
    text = invite(server)
    local, action, token, ibr = parts(text)
    equal((local, action, ibr), (None, "register", None), "a link for anybody")
    equal(typed(text), token, "the code to be typed")
    check("makes an account on localhost.\nIt works once, until 20" in text, text)
    check("\x1b" not in text, "there are colours where there is no terminal")
    text = invite(server, "--for", "Juliet", "--admin", "--note", "for Jule, née C.")
    equal(parts(text)[:2], ("juliet", "register"), "a link for one name")
    text = invite(server, "--contact", "anna", "--uses=3", "--days", "30")
    equal((parts(text)[:2], parts(text)[3]), (("anna", "roster"), ";ibr=y"), "a link by anna")
    check("whose owner becomes a contact of anna.\nIt works 3 times, until " in text, text)
    rows = listed(server)
    equal(len(rows), 3, "the number of invitations")
    said = "\n".join(rows.values())
    check(all(each not in said for each in (token, parts(text)[2])), "the list shows tokens")
    check(f"{token[:4]}…  makes an account on localhost; 1 use left, until 20" in said, said)
    check("makes the account juliet@localhost, whose owner may administer the server" in said, said)
    check("; for Jule, née C." in said and "; 3 uses left" in said, said)
    for each in rows:
        equal(invite(server, "revoke", each), f"the invitation {each} is revoked\n", "revoking")
        refused(server, f"there is no invitation {each}; `kith invite list` shows all",
                "invite", "revoke", each)
    equal(listed(server), {}, "what is left")


def bad_options(server):
    usage = ("usage: kith [--config FILE] invite [--for NAME] [--admin] [--uses N] [--days N] "
             "[--contact USER] [--channel NAMES] [--note TEXT]")
    number = "expected a number from 1 to"
    refused(server, f"--uses 0; {number} 50", "invite", "--uses", "0")
    refused(server, f"--uses 51; {number} 50", "invite", "--uses", "51")
    refused(server, f"--days x; {number} 365", "invite", "--days", "x")
    refused(server, "--for keeps one name, so that --uses can only be 1",
            "invite", "--for", "ben", "--uses", "2")
    refused(server, "there is no account ben; `kith user list` shows all",
            "invite", "--contact", "ben")
    refused(server, "ben@elsewhere.example is not an address of this server, whose domain is "
            "localhost", "invite", "--for", "ben@elsewhere.example")
    refused(server, "the name anna is taken: by an account, another invitation, a registration "
            "that waits, or as a reserved name", "invite", "--for", "anna")
    for note in ("two\nlines", "\x1b[31m", "x" * 257):
        refused(server, "--note takes one line of UTF-8, at most 256 bytes",
                "invite", "--note", note)
    refused(server, "`12345` is not the id of an invitation, which has 8 digits of 0-9 and a-f; "
            "`kith invite list` shows them", "invite", "revoke", "12345")
    refused(server, usage, "invite", "ben", code=2)
    refused(server, usage, "invite", "--memory", "8M", code=2)
    refused(server, "usage: kith [--config FILE] invite revoke ID", "invite", "revoke", code=2)
    refused(server, "usage: kith [--config FILE] invite list", "invite", "list", "--admin", code=2)
    equal(listed(server), {}, "what was made")


@contextlib.contextmanager
def on_terminal(server, *words, **given):
    """Gives a function that reads what was printed until a pattern, or the end."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **given}
    process = subprocess.Popen([KITH, "--config", server.config, *words], stdout=theirs,
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=environment)
    os.close(theirs)

    def read(until="(?!)", seconds=10):  # no text has that
        printed = b""
        deadline = time.monotonic() + seconds
        while not re.search(until, printed.decode(errors="ignore")):
            check(time.monotonic() < deadline, f"{until} was not printed: {printed.decode()}")
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    printed += os.read(ours, 65536)
                except OSError:  # the other end is closed
                    break
        return printed.decode().replace("\r\n", "\n")

    try:
        yield read
    finally:
        process.terminate()
        process.wait(10)
        os.close(ours)


def scanned(server, text):
    """What a camera reads off the screen."""
    zbarimg = require("zbarimg")
    rows = []
    for blocks in ROW.findall(text):
        rows.append([block in "▀█" for block in blocks])
        rows.append([block in "▄█" for block in blocks])
    check(rows and len({len(row) for row in rows}) == 1, f"no rectangle of blocks: {text}")
    check(not any(any(row[:QUIET] + row[-QUIET:]) for row in rows), "no quiet zone at the sides")
    check(not any(map(any, rows[:QUIET] + rows[-QUIET:])), "no quiet zone above or below")
    picture = os.path.join(server.directory, "screen.pgm")
    with open(picture, "wb") as file:
        file.write(f"P5 {len(rows[0]) * SCALE} {len(rows) * SCALE} 255\n".encode())
        for row in rows:
            file.write(b"".join((b"\0" if dark else b"\xff") * SCALE for dark in row) * SCALE)
    done = subprocess.run([zbarimg, "-q", "--raw", picture], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip()


def qr_code(server):
    with on_terminal(server, "invite", "--contact", "anna") as read:
        text = read()
    parts(text)
    equal(scanned(server, text), text.splitlines()[0], "what the QR code says")
    for given in ({"LC_ALL": "de_DE.ISO-8859-1"}, {"TERM": "dumb"}):
        with on_terminal(server, "invite", **given) as read:
            text = read()
        equal(typed(text), parts(text)[2], "the code to be typed")
        check("█" not in text and "\x1b" not in text, f"{given}: there are blocks or colours")
    for each in listed(server):
        invite(server, "revoke", each)


def first_start(server):
    """Each start without accounts invites the administrator, and there is one such invitation."""
    tokens = set()
    for _ in range(2):
        with on_terminal(server, "serve") as read:
            text = read("Ctrl-C stops the server")
        text = text[text.index("xmpp:"):]
        local, action, token, _ = parts(text)
        equal((local, action, typed(text)), (None, "register", token), "the first invitation")
        equal(scanned(server, text), text.splitlines()[0], "what the QR code says")
        tokens.add(token)
        rows = list(listed(server).values())
        equal(len(rows), 1, "the number of invitations")
        check(rows[0].startswith(f"{token[:4]}…  makes an account on localhost, whose owner may "
                                 "administer the server; 1 use left"), rows[0])
    equal(len(tokens), 2, "the number of tokens")


def second_start(server):
    """Somebody was added otherwise: the invitation of the first start is no more."""
    server.people("anna")
    with on_terminal(server, "serve") as read:
        text = read("Ctrl-C stops the server")
    check("preauth=" not in text, f"an invitation is shown: {text}")
    check("This is kith, chat server of localhost, with 1 account.\n" in text, text)
    check("/kith --config" in text and " invite\n" in text, "no word of `kith invite`")
    equal(listed(server), {}, "what is left")


with Server() as server:
    with case("invites: the administrator's own, at the first start"):
        first_start(server)
    with case("invites: nothing of it once there is an account", needed=True):
        second_start(server)
    with case("invites: made, listed and revoked without a server"):
        commands(server)
    with case("invites: what cannot be, without a server"):
        bad_options(server)
    server.start()
    with case("invites: made, listed and revoked while the server runs"):
        commands(server)
    with case("invites: what cannot be, while the server runs"):
        bad_options(server)
    with case("invites: the QR code on a terminal"):
        qr_code(server)
with Server(registration="closed") as server:
    with case("invites: none where registration is closed"):
        server.people("anna")
        refused(server, "nobody could use it, since kith.conf has `registration = closed`; say "
                "`invite` there and restart the server", "invite")
        with on_terminal(server, "serve") as read:
            check("invite" not in read("Ctrl-C stops the server"), "invitations are spoken of")
end()
