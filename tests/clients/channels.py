#!/usr/bin/python3
"""Channels by command: made, listed, destroyed, who is in them, links into them, and what each
refusal says; with and without a server. slixmpp is who joins."""

import re

import slix
from harness import Server, case, check, end, equal, refused
from member import SERVICE, Member
from slix import SECONDS
from slixmpp import JID

FAMILY = JID("family@mix.localhost")
LINK = re.compile(r"^xmpp:family@mix\.localhost\?mix;preauth=(d[a-z2-7]{26})$")
GONE = "the channel {} is not there; `kith channel list` shows all"


def done(server, *words):
    """What it printed; it must succeed."""
    did = server.command(*words)
    equal((did.returncode, did.stderr), (0, ""), f"kith {' '.join(words)}")
    return did.stdout


def listed(server):
    return done(server, "channel", "list").splitlines()


def without_data(server):
    refused(server, f"nothing is kept in {server.data} yet; `kith user add NAME` makes the first "
            "account", "channel", "list")


def without_server(server):
    server.people("anna", "ben")
    nobody = (f"no server runs (nobody answers at {server.data}/control); start it with "
              "`kith serve`")
    refused(server, nobody, "channel", "create", "family")
    refused(server, nobody, "channel", "destroy", "family")
    refused(server, GONE.format("family"), "channel", "invite", "family")
    refused(server, GONE.format("family"), "channel", "members", "family")
    equal(listed(server), ["there are no channels; `kith channel create NAME` makes one"], "a list")


def made(server):
    refused(server, "somebody must own the channel, and nobody administers the server; say who: "
            "--owner USER", "channel", "create", "family")
    refused(server, "there is no account carl; `kith user list` shows all",
            "channel", "create", "--owner", "carl", "family")
    equal(done(server, "channel", "create", "--private", "--owner=Anna", "Family"),
          "family@mix.localhost is there, for those who are invited\n", "making it")
    server.user("add", "--admin", "dora", password="secret of dora")
    server.user("add", "--admin", "emil", password="secret of emil")
    equal(done(server, "channel", "create", "garden@mix.localhost"),
          "garden@mix.localhost is there, for everybody who has an account\n", "making it")
    equal(listed(server), ["family  0 participants, private, owned by anna@localhost",
                           "garden  0 participants, open, owned by dora@localhost, emil@localhost"],
          "the list")
    equal(done(server, "channel", "members", "garden"), "", "who is in it")
    for name in ("family", "FAMILY@mix.localhost"):
        refused(server, "the channel family is there already, or was destroyed less than 30 days "
                "ago: take another name", "channel", "create", name)
    refused(server, "the channel attic is one too many; destroy another, or set `channels` in "
            "kith.conf", "channel", "create", "attic")


def bad_words(server):
    for name in ("a#b", "no body", "a@elsewhere.example", "@mix.localhost", "x" * 128, ""):
        for verb in ("create", "destroy", "invite", "members", "revoke"):
            refused(server, f"`{name}` cannot be the name of a channel; expected one such as "
                    "family", "channel", verb, name)
    for verb, arguments in (("create", "[--private] [--owner USER] NAME"), ("destroy", "NAME"),
                            ("invite", "[--uses N] [--days N] NAME"), ("members", "NAME"),
                            ("revoke", "NAME")):
        usage = f"usage: kith [--config FILE] channel {verb} {arguments}"
        refused(server, usage, "channel", verb, code=2)
        refused(server, usage, "channel", verb, "one", "two", code=2)
        refused(server, usage, "channel", verb, "--admin", "family", code=2)
    refused(server, "usage: kith [--config FILE] channel list", "channel", "list", "x", code=2)
    refused(server, "channel what? see `kith channel --help`", "channel", code=2)
    refused(server, "unknown command `channel close`; see `kith channel --help`", "channel", "close",
            code=2)
    said = done(server, "channel", "--help")
    check("--owner USER" in said and "--contact" not in said, f"other options: {said}")
    number = "expected a number from 1 to"
    refused(server, f"--uses 51; {number} 50", "channel", "invite", "--uses", "51", "family")
    refused(server, f"--days 0; {number} 365", "channel", "invite", "--days", "0", "family")
    refused(server, "`no body` cannot be the name of a channel; expected one such as family",
            "invite", "--channel", "garden,no body")
    refused(server, GONE.format("attic"),
            "invite", "--channel", "garden,attic")
    refused(server, "`` cannot be the name of a channel; expected one such as family",
            "invite", "--contact", "romeo", "--channel", "")
    refused(server, "--channel takes at most 4 names of channels",
            "invite", "--channel", "a,b,c,d,e")
    equal(done(server, "invite", "list"), "", "invitations")


def invited(server):
    """Returns the token of a link into family."""
    said = done(server, "invite", "--contact", "anna", "--channel", "family,garden", "--uses", "2")
    check("This makes an account on localhost, whose owner becomes a contact of anna and takes "
          "part in family@mix.localhost, garden@mix.localhost.\nIt works 2 times" in said, said)
    said = done(server, "invite", "--channel", "family", "--for", "jule")
    check("This makes the account jule@localhost, whose owner takes part in family@mix.localhost."
          in said, said)
    rows = done(server, "invite", "list")
    for text in ("anna and takes part in family@mix.localhost, garden@mix.localhost; 2 uses left",
                 "jule@localhost, whose owner takes part in family@mix.localhost; 1 use left"):
        check(text in rows, rows)
    for row in rows.splitlines():
        done(server, "invite", "revoke", row.split()[0])
    said = done(server, "channel", "invite", "family", "--uses", "2", "--days=1")
    link = LINK.match(said.splitlines()[0])
    check(link, f"the first line is no link: {said}")
    check("This lets whoever opens it into family@mix.localhost.\nIt works 2 times" in said, said)
    check("Code, " not in said, "there is a code that no client takes")
    rows = done(server, "invite", "list")
    check("lets whoever opens it into family@mix.localhost; 2 uses left" in rows, rows)
    check(f"  {link[1][:5]}\u2026  lets whoever" in rows, f"not as its link begins: {rows}")
    check(link[1][1:] not in rows, "the list shows a token")
    return link[1]


async def opened(server):
    """By who has an account; once it is revoked by nobody."""
    token = invited(server)
    ben = await Member(server, "ben").enter()
    seen = await ben.core.list_channels(SERVICE, timeout=SECONDS)
    equal([channel for channel, _ in seen], ["garden@mix.localhost"], "what ben sees")
    await ben.enter_with(FAMILY, "ben \u2764", token)
    equal(done(server, "channel", "members", "family"), 'ben@localhost  "ben \u2764"\n',
          "who is in it")
    check("; 1 use left" in done(server, "invite", "list"), "a use is not spent")
    equal(listed(server)[0], "family  1 participant, private, owned by anna@localhost", "the list")
    row = done(server, "invite", "list").split()[0]
    done(server, "invite", "revoke", row)
    dora = await Member(server, "dora").enter()
    await dora.refused_with(FAMILY, "dora", token)
    token = LINK.match(done(server, "channel", "invite", "family").splitlines()[0])[1]
    equal(done(server, "channel", "revoke", "family"),
          "no invitation lets anybody into family any more\n", "revoking all")
    equal(done(server, "invite", "list"), "", "invitations")
    await dora.refused_with(FAMILY, "dora", token)
    for person in (ben, dora):
        await person.leave()


async def destroyed(server):
    ben = await Member(server, "ben").enter()
    equal([item["jid"] for item in ben.channels], [FAMILY], "ben's channels")
    equal(done(server, "channel", "destroy", "Family"),
          "the channel family is gone; those who were in it keep what they read\n", "destroying it")
    await ben.push(FAMILY, "remove")
    for verb in ("destroy", "members", "invite", "revoke"):
        refused(server, GONE.format("family"), "channel", verb, "family")
    refused(server, "the channel family is there already, or was destroyed less than 30 days ago: "
            "take another name", "channel", "create", "family")
    await ben.leave()


def after_it(server):
    equal(server.stop(), 0, "the exit status")
    equal(listed(server), ["garden  0 participants, open, owned by dora@localhost, emil@localhost"],
          "the list")
    said = done(server, "channel", "invite", "garden")
    check(said.startswith("xmpp:garden@mix.localhost?mix;preauth=d"), said)


with Server(channels="2") as server:
    with case("channels: before there is anything"):
        without_data(server)
    with case("channels: without a server", needed=True):
        without_server(server)
    server.start()
    with case("channels: made and listed", needed=True):
        made(server)
    with case("channels: words that cannot be"):
        bad_words(server)
    with case("channels: a link, opened by slixmpp"):
        slix.run(server, opened)
    with case("channels: destroyed, its name kept"):
        slix.run(server, destroyed)
    with case("channels: after the server has ended"):
        after_it(server)
end()
