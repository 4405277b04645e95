#!/usr/bin/python3
"""The server's process: accounts by command, restart, signals, starts that must be refused."""

import asyncio
import os
import re
import socket
import ssl
import subprocess

import harness
import slix
from harness import Server, Skip, case, check, end, equal, openssl, wait_until, write
from slix import Person, refusal


def listed(server):
    return server.user("list").split()


def refused(server, *words, about, entry=""):
    done = server.command("user", *words, entry=entry)
    check(done.returncode != 0, f"kith user {' '.join(words)} was accepted")
    check(about in done.stderr, f"kith user {' '.join(words)} said only: {done.stderr.strip()!r}")


def accounts(server):
    """With the server running or stopped: the same words do the same."""
    server.people("dora", "emil")
    names = " ".join(listed(server))
    check("dora" in names and "emil" in names, f"dora and emil are not both listed: {names}")
    refused(server, "add", "dora", entry="again\n", about="dora")
    refused(server, "add", "no body", entry="secret\n", about="no body")
    refused(server, "add", "fritz", entry="\n", about="password")
    server.user("password", "dora", password="a new one")
    refused(server, "password", "nobody", entry="secret\n", about="nobody")
    server.user("del", "emil")
    refused(server, "del", "emil", about="emil")
    names = " ".join(listed(server))
    check("dora" in names and "emil" not in names, f"emil is still listed: {names}")


async def after_accounts(server):
    equal(await refusal(Person(server, "dora")), "password", "dora's old password")
    equal(await refusal(Person(server, "emil")), "password", "emil, who was deleted")
    dora = await Person(server, "dora", "a new one").enter()
    await dora.leave()


async def deleted_while_online(server):
    server.people("gone")
    person = await Person(server, "gone").enter()
    server.user("del", "gone")
    await slix.within(person.gone, "the deleted account's stream to end")
    equal(await refusal(Person(server, "gone")), "password", "why the deleted one is not let in")


async def meet(server):
    dora = await Person(server, "dora", "a new one").enter()
    alice = await Person(server, "alice").enter(direct_tls=True)
    await slix.converse(dora, alice, ("still here",))
    return dora, alice


async def killed(server):
    persons = await meet(server)
    server.kill()
    for person in persons:
        await slix.within(person.gone, "the stream to end with the server")
    server.start()
    for person in await meet(server):
        await person.leave()


async def terminated(server):
    persons = await meet(server)
    loop = asyncio.get_running_loop()
    status = await loop.run_in_executor(None, server.stop)
    equal(status, 0, "the exit status after SIGTERM")
    for person in persons:
        reason = await slix.within(person.gone, "the stream to end")
        equal(person.stream_errors, ["system-shutdown"], "what the stream was told")
        equal(reason, "End of stream", "how the stream ended")


def sign(server, serial):
    """A leaf for localhost, with this serial number, by a CA of the test."""
    path = os.path.join(server.directory, "own-")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    if not os.path.exists(path + "ca.pem"):
        openssl("req", "-x509", *curve, "-days", "7", "-subj", "/CN=own CA",
                "-keyout", path + "ca.key", "-out", path + "ca.pem")
    openssl("req", *curve, "-subj", "/CN=localhost", "-keyout", path + "new.key",
            "-out", path + "request.pem")
    names = write(path + "names", "subjectAltName = DNS:localhost\n")
    openssl("x509", "-req", "-in", path + "request.pem", "-CA", path + "ca.pem",
            "-CAkey", path + "ca.key", "-set_serial", str(serial), "-days", "7",
            "-extfile", names, "-out", path + "new.pem")
    os.rename(path + "new.key", path + "key.pem")
    os.rename(path + "new.pem", path + "certificate.pem")
    server.ca = path + "ca.pem"
    return {"certificate": path + "certificate.pem", "key": path + "key.pem"}


def serial_shown(server):
    trust = ssl.create_default_context(cafile=server.ca)
    with socket.create_connection(("127.0.0.1", server.tls_port), 5) as plain:
        with trust.wrap_socket(plain, server_hostname="localhost") as secure:
            return int(secure.getpeercert()["serialNumber"], 16)


async def reloaded(server):
    equal(serial_shown(server), 1001, "the serial number of the first certificate")
    persons = await meet(server)
    sign(server, 1002)
    server.reload()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(
        None, wait_until, lambda: serial_shown(server) == 1002, 5, "the new certificate")
    await slix.converse(*persons, ("nobody was dropped",))
    newcomer = await Person(server, "alice", resource="new").enter()  # STARTTLS has it as well
    pem = write(os.path.join(server.directory, "shown.pem"), newcomer.certificates[-1])
    shown = openssl("x509", "-noout", "-serial", "-in", pem).strip()
    equal(shown, f"serial={1002:04X}", "the certificate shown after STARTTLS")
    await slix.converse(newcomer, persons[0], ("hello",))
    for person in (newcomer, *persons):
        check(not person.gone.done(), f"{person.boundjid} was dropped")
        await person.leave()


async def reloaded_broken(server):
    """A certificate that cannot be read: the old one stays, and a line says so."""
    persons = await meet(server)
    before = os.path.getsize(server.log)
    write(server.settings["certificate"], "nonsense\n")
    server.reload()
    await asyncio.get_running_loop().run_in_executor(
        None, wait_until, lambda: os.path.getsize(server.log) > before, 5, "a line about it")
    equal(serial_shown(server), 1002, "the certificate shown")
    for person in persons:
        await person.leave()


def second_server(server):
    with Server(data=server.data) as second:
        status, said = second.start_refused()
        check(status > 0, f"its exit status is {status}")
        check(server.data in said, f"it said only: {said.strip()!r}")


def port_taken(server):
    for key, port in (("listen", server.port), ("listen_tls", server.tls_port)):
        with Server(**{key: f"127.0.0.1:{port}"}) as second:
            status, said = second.start_refused()
            check(status > 0, f"its exit status is {status}")
            check(str(port) in said, f"it said only: {said.strip()!r}")
            check("kith: listening" not in said, "it said that it listens")


def bad_settings(server):
    for key, value in (("domain", "not a domain"), ("listen", "127.0.0.1:seven"),
                       ("sasl_plain", "perhaps"), ("colour", "blue")):
        with Server(**{key: value}) as second:
            status, said = second.start_refused()
            check(status > 0, f"{key} = {value}: its exit status is {status}")
            check(key in said, f"{key} = {value}: it said only: {said.strip()!r}")


def look(server, code, *before):
    """What kith check says, on standard error where it is not content."""
    done = subprocess.run([*before, harness.KITH, "--config", server.config, "check"],
                          capture_output=True, text=True, check=False)
    if done.stderr.startswith(("mount", "unshare")):
        raise Skip("no private mount namespace here: " + done.stderr.strip())
    said = done.stdout + done.stderr
    equal(done.returncode, code, f"its exit code, and it said {said}")
    return said


def looked_at(server):
    said = look(server, 0)
    check(re.search("^disk +[0-9]+ MB left for `data`$", said, re.M), said)
    check("channel      at most 200 participants\n" in said, said)
    with Server(profile="router-8m") as small:
        os.mkdir(small.data)
        check("channel      at most 50 participants\n" in look(small, 0), "not the profile's")
        mount = f"mount -t tmpfs -o size=900k kith {small.data} && exec \"$@\""
        said = look(small, 1, "unshare", "--mount", "sh", "-c", mount, "sh")
        check("-> make room: with less than 256 KB nothing more is stored\n" in said, said)
        small.configure(data=os.path.join(small.data, "none", "data"))
        above = os.path.dirname(small.settings["data"])
        said = look(small, 1)
        check(f"disk         {above}\n             -> nothing can be written there: make it, or give "
              "another `data`\n" in said, said)
        equal(small.start_refused(), (1, f"kith: {small.settings['data']}: the directory above it "
                                      "does not exist; make it, or give another `data`\n"),
              "what the start says")
        small.configure(offline_messages="101", data=small.data)
        said = look(small, 1)
        check("-> `offline_messages` asks for more: give a profile that has as many\n" in said,
              said)


def still_serves(server):
    async def visit(_):
        for person in await meet(server):
            await person.leave()

    slix.run(server, visit)


with Server() as server:
    with case("commands: accounts before the first start", needed=True):
        server.people("alice")
        accounts(server)
    with case("commands: what they did is so"):
        server.start()
        slix.run(server, after_accounts)
    with case("commands: accounts while the server runs"):
        server.user("del", "dora")
        accounts(server)
        slix.run(server, after_accounts)
    with case("commands: an account deleted while it is online"):
        slix.run(server, deleted_while_online)
    with case("process: a second server on the same data is refused"):
        second_server(server)
        still_serves(server)
    with case("process: a port that is taken"):
        port_taken(server)
        still_serves(server)
    with case("process: settings that mean nothing are refused"):
        bad_settings(server)
    with case("commands: kith check looks at the disk, and at what a profile has"):
        looked_at(server)
    with case("process: killed, started again, accounts are there"):
        slix.run(server, killed)
    with case("process: SIGTERM tells every stream system-shutdown"):
        slix.run(server, terminated)
    with case("commands: accounts after the stop"):
        server.user("del", "dora")
        accounts(server)
    with case("process: a certificate of one's own", needed=True):
        server.configure(**sign(server, 1001))
        server.start()
    with case("process: SIGHUP takes a new certificate and drops nobody"):
        slix.run(server, reloaded)
    with case("process: SIGHUP with a broken certificate keeps the old one"):
        slix.run(server, reloaded_broken)
end()
