#!/usr/bin/python3
"""Copies of the whole store: backup and dump while the server runs, restore and load of none that
runs. FOREIGN names a kith for another kind of machine and what runs it (tests/foreign)."""

import concurrent.futures
import os
import re
import shlex
import signal
import stat
import subprocess
import zlib

import slix
from harness import (KITH, Server, Skip, case, check, end, equal, password, read, wait_until,
                     write)
from slix import Person

FOREIGN = shlex.split(os.environ.get("FOREIGN", ""))


def done(server, *words, entry=""):
    """A command that must succeed; what it printed."""
    run = server.command(*words, entry=entry)
    equal(run.returncode, 0, f"kith {' '.join(words)} ({run.stderr.strip()})")
    return run.stdout


def refused(server, *words, about, entry=""):
    run = server.command(*words, entry=entry)
    equal(run.returncode, 1, f"the exit code of kith {' '.join(words)}")
    check(about in run.stderr, f"kith {' '.join(words)} said only: {run.stderr.strip()!r}")


def listed(server):
    return [line.split("@")[0] for line in server.user("list").splitlines()]


def path(server, name):
    return os.path.join(server.directory, name)


def mode(file):
    return stat.S_IMODE(os.stat(file).st_mode)


def hot(server):
    """Copies made while accounts are added: whole, of one moment, and the server goes on."""
    names = [f"p{number:02}" for number in range(30)]
    told = []

    def add():
        for name in names:
            server.people(name)
            told.append(name)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add)
        copies = []
        for turn in range(5):
            wait_until(lambda: len(told) >= turn * 5, 10, "accounts")
            before = len(told)
            done(server, "backup", path(server, f"hot{turn}"))
            done(server, "dump", path(server, f"hot{turn}.txt"))
            copies.append((turn, before, len(told) + 1))
        adding.result(30)
    equal(sorted(listed(server)), sorted(["alice"] + names), "the accounts in the end")
    check(copies[0][2] < len(names), "the accounts were there before the first copy was")
    for turn, least, most in copies:
        with Server() as other:
            for words in (("restore", path(server, f"hot{turn}")),
                          ("load", path(server, f"hot{turn}.txt"))):
                done(other, *words)
                done(other, "check")
                people = sorted(set(listed(other)) - {"alice"})
                equal(people, names[:len(people)], "the accounts of a copy")
                check(least <= len(people) <= most, f"{len(people)} of {least} to {most} accounts")
                os.remove(os.path.join(other.data, "kith.mdb"))


def careful(server):
    """Nothing is overwritten, what is written is for its owner, what is in use is left alone."""
    backup, dump = path(server, "backup"), path(server, "dump")
    done(server, "backup", backup)
    done(server, "dump", dump)
    equal((mode(backup), mode(dump)), (0o600, 0o600), "the modes of the files")
    for file, command in ((backup, "backup"), (dump, "dump")):
        held = open(file, "rb").read()
        refused(server, command, file, about="is there already")
        equal(open(file, "rb").read(), held, f"what {command} left of a file that was there")
        refused(server, command, path(server, "no/file"), about="does not exist")
    equal(done(server, "dump"), read(dump), "the dump on standard output")
    left = [name for name in os.listdir(server.directory) if ".new" in name or "-lock" in name]
    equal(left, [], "what lies about")
    refused(server, "restore", backup, about=f"process {server.process.pid}")
    refused(server, "load", dump, about=f"process {server.process.pid}")
    refused(server, "restore", os.path.join(server.data, "kith.mdb"), about="already uses")
    slix.run(server, visit)


async def visit(server):
    await (await Person(server, "alice").enter()).leave()


def restored(server):
    """What was deleted is there again; what was there is kept."""
    done(server, "backup", path(server, "before"))
    server.user("del", "alice")
    server.stop()
    old = open(os.path.join(server.data, "kith.mdb"), "rb").read()
    said = done(server, "restore", path(server, "before"))
    kept = os.path.join(server.data, "kith.mdb.old")
    check(kept in said, f"it said only: {said}")
    equal(open(kept, "rb").read(), old, "the store before")
    server.start()
    slix.run(server, visit)


def swollen(text, records):
    """The dump with so many accounts more, and the sum of it."""
    lines = text.splitlines()
    value = next(line for line in lines if line.startswith("accounts\t")).split("\t")[2]
    at = next(i for i, line in enumerate(lines) if line.startswith("end "))
    accounts = [i for i, line in enumerate(lines[:at]) if line.startswith("accounts\t")]
    more = [f"accounts\tzz{number:06}\t{value}" for number in range(records)]
    lines[accounts[-1] + 1:at] = more + lines[accounts[-1] + 1:at]
    body = "\n".join(lines[:-1]) + "\n"
    return body + f"end {len(lines) - 2} {zlib.crc32(body.encode()):08x}\n"


def late(server):
    """Time is up (SIGALRM) while nobody reads the dump: it ends, and the server has no reader."""
    with Server(listen="none", listen_tls="none") as big:
        text = swollen(done(server, "dump"), 2000)
        done(big, "load", entry=text)
        equal(done(big, "dump"), text, "the dump of what was loaded")
        process = subprocess.Popen([KITH, "--config", big.config, "dump"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(1)
        check(process.poll() is None, "it did not wait for who reads")
        status = read(f"/proc/{process.pid}/status")
        caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)
        check(caught >> signal.SIGALRM - 1 & 1, "no deadline is set")
        process.send_signal(signal.SIGALRM)
        _, said = process.communicate(timeout=5)
        equal(process.returncode, 1, "the exit code")
        check(b"takes too long" in said, f"it said only: {said}")
        equal(len(listed(big)), len(re.findall("^accounts\t", text, re.M)), "accounts afterwards")


def with_records(text, *records):
    """The dump with these records more, and the sum of it."""
    body = text[:text.rindex("end ")] + "".join("\t".join(record) + "\n" for record in records)
    return body + f"end {body.count(chr(10)) - 1} {zlib.crc32(body.encode()):08x}\n"


def rooms(server):
    """A channel's records travel, are counted, and are read to the end by check."""
    number = "\\00" * 7 + "\\07"
    channel = ("channels", "coven", "\\01" + "\\07" + "\\00" * 82 + "\\12\\00" + "\\00" * 4 +
               "alice@localhost\\00.\\00")
    people = [("participants", number + digit * 20, "\\01\\01\\0f\\00alice@localhost")
              for digit in "ab"]
    stay = ("memberships", "alice\\00coven",
            "\\01\\07" + "\\00" * 7 + "a" * 20 + "\\00" * 8 + "\\ff" * 8)
    text = done(server, "dump")
    for records, wrong in (((channel, *people, stay), False),
                           ((channel, people[0], (*people[1][:2], "\\02"), stay), True),
                           ((channel, *people, (*stay[:2], "\\02")), True),
                           (((*channel[:2], "\\02"), *people, stay), True),
                           ((channel, ("channel_lists", number + "\\01x", "\\02")), True)):
        with Server(listen="none", listen_tls="none") as other:
            loaded = with_records(text, *records)
            done(other, "load", entry=loaded)
            equal(sorted(done(other, "dump").splitlines()), sorted(loaded.splitlines()), "dumps")
            run = other.command("check")
            said = run.stdout + run.stderr
            equal("and 1 damaged records" in said, wrong, f"whether it saw the damage: {said}")
            check(wrong or "channels     1, and 0 damaged records\n" in said, f"it said: {said}")


def foreign(server):
    """From here to there and back: the same text, and people log in with their passwords."""
    if not FOREIGN:
        raise Skip("no kith for another kind of machine; tests/foreign makes one")

    def abroad(*words, entry=""):
        run = subprocess.run([*FOREIGN, "--config", config, *words], input=entry, text=True,
                             capture_output=True, timeout=60, check=False)
        equal(run.returncode, 0, f"{' '.join(words)} there ({run.stderr.strip()})")
        return run.stdout

    config = write(path(server, "abroad.conf"),
                   f"domain = localhost\nlisten = none\nlisten_tls = none\nprofile = router-16m\n"
                   f"data = {path(server, 'abroad')}\n")
    here = done(server, "dump")
    abroad("load", entry=here)
    equal(abroad("dump"), here, "the dump from there")
    abroad("user", "add", "dörte", entry=password("dörte") + "\n")
    with Server() as other:
        refused(other, "restore", path(server, "abroad/kith.mdb"), about="kith.mdb-lock is beside")
        abroad("backup", path(server, "abroad.mdb"))
        refused(other, "restore", path(server, "abroad.mdb"), about="another kind of machine")
        there = abroad("dump")
        done(other, "load", entry=there)
        equal(done(other, "dump"), there, "the dump of what came from there")
        other.start()

        async def both(_):
            persons = [await Person(other, name).enter() for name in ("alice", "dörte")]
            await slix.converse(*persons, ("we have moved",))
            for person in persons:
                await person.leave()

        slix.run(other, both)


with Server() as server:
    with case("backup: a server with an account", needed=True):
        server.people("alice")
        server.start()
    with case("backup: copies while accounts are added, restored, loaded and checked"):
        hot(server)
    with case("backup: nothing is overwritten, a store in use is left alone"):
        careful(server)
    with case("backup: restore brings back what was deleted"):
        restored(server)
    with case("backup: a channel's records are dumped, loaded and checked"):
        rooms(server)
    with case("backup: a dump that nobody reads ends at its deadline"):
        late(server)
    with case("backup: moved to another word size and byte order and back"):
        foreign(server)
end()
