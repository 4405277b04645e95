#!/usr/bin/python3
"""The smallest profile, router-8m, filled by real connections over TLS: who comes too many is told
so, nobody else notices, and the process does not grow (GR-1; design, idea 2)."""

import base64
import re
import socket
import ssl

from harness import Failure, Server, Skip, case, check, end, equal, password, read, wait_until

HEADER = ("<?xml version='1.0'?><stream:stream to='localhost' version='1.0'"
          " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
PATIENCE = 5  # seconds for an answer
BODY_BYTES = 900
MESSAGES_MAX = 2000  # until one who does not read must have been ended


class Guest:
    """One connection; what it hears is kept as text."""

    def __init__(self, server, direct, host="127.0.0.1", receive_buffer=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, server.tls_port if direct else server.port))
        self.ca = server.ca
        self.heard = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, text):
        self.socket.sendall(text.encode())

    def hear(self, *words):
        """Until one of these comes; returns everything up to there and forgets it."""
        while not (found := [self.heard.index(word) + len(word) for word in words
                             if word in self.heard]):
            try:
                got = self.socket.recv(16384)
            except socket.timeout:
                raise Failure(f"{PATIENCE} s without {words}: {self.heard[-300:]!r}") from None
            if not got:
                raise Failure(f"the stream ended without {words}: {self.heard[-300:]!r}")
            self.heard += got.decode()
        before, self.heard = self.heard[:min(found)], self.heard[min(found):]
        return before

    def rest(self):
        """Everything until the server closes."""
        try:
            while got := self.socket.recv(16384):
                self.heard += got.decode()
        except (ConnectionResetError, ssl.SSLError):
            pass
        except socket.timeout:
            raise Failure(f"not closed for {PATIENCE} s: {self.heard[-300:]!r}") from None
        return self.heard

    def secure(self):
        context = ssl.create_default_context(cafile=self.ca)
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def starttls(self):
        self.say(HEADER)
        self.hear("</stream:features>")
        self.say(f"<starttls xmlns='{TLS}'/>")
        self.hear("<proceed")
        self.hear("/>")
        self.secure()

    def login(self, name):
        token = base64.b64encode(f"\0{name}\0{password(name)}".encode()).decode()
        self.say(HEADER)
        self.hear("</stream:features>")
        self.say(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{token}</auth>")
        self.hear("<success")
        self.hear(">")
        self.say(HEADER)
        self.hear("</stream:features>")

    def bind(self, resource):
        self.say(f"<iq type='set' id='bind'><bind xmlns='{BIND}'>"
                 f"<resource>{resource}</resource></bind></iq>")
        return self.hear("</iq>")


def enter(server, name, resource, direct=True, host="127.0.0.1", receive_buffer=None):
    guest = Guest(server, direct, host, receive_buffer)
    if direct:
        guest.secure()
    else:
        guest.starttls()
    guest.login(name)
    check(f"{name}@localhost/{resource}" in guest.bind(resource), f"{name} was not bound")
    guest.say("<presence/>")
    guest.hear(f"from='{name}@localhost/{resource}'")
    return guest


def chat(sender, receiver, jid, text):
    sender.say(f"<message type='chat' to='{jid}'><body>{text}</body></message>")
    receiver.hear(f"<body>{text}</body>")


def status(server):
    done = server.command("status")
    equal(done.returncode, 0, f"kith status ({done.stderr.strip()})")
    return done.stdout


def pool(server, name):
    """In use, most ever, in all, refused."""
    found = re.search(rf"^ +{name} +(\d+) in use +(\d+) most +(\d+) in all +(\d+) refused",
                      status(server), re.MULTILINE)
    check(found, f"kith status says nothing of {name}")
    return tuple(map(int, found.groups()))


def virtual_size(server):
    return int(re.search(r"^VmSize:\s+(\d+) kB", read(f"/proc/{server.process.pid}/status"),
                         re.MULTILINE).group(1))


class House:
    """The server and everybody in it."""

    def __init__(self, server):
        self.server = server
        plan = server.command("plan").stdout
        self.streams = int(re.search(r"(\d+) streams at once", plan).group(1))
        self.resources = 5  # boards/router-8m/profile
        self.guests = []
        self.size = 0

    def fill(self):
        """By turns over the two ports, each account with all its devices."""
        while len(self.guests) < self.streams:
            n = len(self.guests)
            self.guests.append(enter(self.server, f"user{n // self.resources}",
                                     f"device{n % self.resources}", direct=n % 2 == 0))

    def chat(self, text):
        first, last = self.guests[0], self.guests[-1]
        n = len(self.guests) - 1
        chat(first, last, f"user{n // self.resources}@localhost/device{n % self.resources}", text)
        chat(last, first, "user0@localhost/device0", text + " too")

    def leave(self, count):
        for _ in range(count):
            with self.guests.pop() as guest:
                guest.say("</stream:stream>")
                guest.hear("</stream:stream>")


def frozen(house):
    """No room to grow, from before the first client."""
    house.size = virtual_size(house.server)
    limits = read(f"/proc/{house.server.process.pid}/limits")
    limit = re.search(r"^Max address space\s+(\S+)", limits, re.MULTILINE).group(1)
    check(limit.isdigit(), f"the address space may grow: {limit}")
    check(int(limit) <= (house.size + 64) * 1024, f"it may grow to {limit}, now {house.size} KB")


def fill(house):
    house.fill()
    in_use, most, in_all, _ = pool(house.server, "sessions")
    equal((in_use, most, in_all), (house.streams,) * 3, "sessions in use, most, in all")
    house.chat("full")


def one_too_many(house):
    refused = pool(house.server, "sessions")[3]
    with Guest(house.server, direct=False) as guest:
        guest.say(HEADER)
        said = guest.rest()
    parts = ("<stream:stream ", "<stream:error><resource-constraint ", "</stream:stream>")
    check(all(part in said for part in parts), f"the one too many is told {said!r}")
    equal(sorted(parts, key=said.index), list(parts), "the order of what it is told")
    house.chat("not disturbed")
    equal(pool(house.server, "sessions")[3], refused + 1, "sessions refused")


def one_too_many_direct(house):
    with Guest(house.server, direct=True) as guest:
        equal(guest.rest(), "", "what the one too many hears before TLS")
    house.chat("still not disturbed")


def resource_too_many(house):
    house.leave(2)
    with Guest(house.server, direct=True) as guest:
        guest.secure()
        guest.login("user0")
        said = guest.bind("more")
        check("type='wait'" in said and "<resource-constraint " in said, f"it is told {said!r}")
        house.chat("all resources are taken")


def handshakes_waited_for(house):
    """Two that do not speak hold both places; when they leave, the third has its turn."""
    house.leave(4)
    idle = [Guest(house.server, direct=True) for _ in range(2)]
    with Guest(house.server, direct=True) as third:
        house.chat("while handshakes stand still")
        for guest in idle:
            guest.socket.close()
        third.secure()
        third.login("user0")


def slow_reader(house):
    """Ended when what waits for it is too much; who talks to it goes on."""
    slow = enter(house.server, "user9", "slow", receive_buffer=4096)
    talker = house.guests[1]
    message = (f"<message to='user9@localhost/slow'><body>{'x' * BODY_BYTES}</body></message>"
               "<iq type='get' id='there'><ping xmlns='urn:xmpp:ping'/></iq>")
    before = pool(house.server, "sessions")[0]
    for _ in range(MESSAGES_MAX):
        talker.say(message)
        if "<service-unavailable " in talker.hear("id='there'"):
            break
    else:
        raise Failure(f"{MESSAGES_MAX} messages wait for one who does not read")
    house.chat("without the slow one")
    wait_until(lambda: pool(house.server, "sessions")[0] < before, PATIENCE,
               "the end of one who does not read")
    slow.socket.close()


def over_ipv6(house):
    if not house.server.ipv6:
        raise Skip("no IPv6 here")
    with enter(house.server, "user9", "six", host="::1") as guest:
        chat(house.guests[0], guest, "user9@localhost/six", "over IPv6")
    with Guest(house.server, direct=False, host="::1") as guest:
        guest.starttls()
        guest.login("user9")


def empty(house):
    house.leave(len(house.guests))
    wait_until(lambda: pool(house.server, "sessions")[0] == 0, 5, "all sessions to be free")
    for name in ("inputs", "leases", "exchanges", "chunks", "segments", "tls"):
        equal(pool(house.server, name)[0], 0, f"{name} in use when all have left")
    equal(pool(house.server, "sessions")[1], house.streams, "the high-water mark of sessions")
    check(re.search(r"heap calls \d+, refused 0$", status(house.server), re.MULTILINE),
          "the heap of a full house was too small")
    equal(virtual_size(house.server), house.size, "VmSize in KB")


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


with Server(profile="router-8m", rate_limits="no") as server:
    server.ipv6 = has_ipv6()
    if server.ipv6:
        server.configure(listen=f"127.0.0.1:{server.port}, [::1]:{server.port}",
                         listen_tls=f"127.0.0.1:{server.tls_port}, [::1]:{server.tls_port}")
    house = House(server)
    with case("limits: router-8m cannot grow", needed=True):
        server.start()
        frozen(house)
        server.people(*(f"user{n}" for n in range(10)))
    with case("limits: every stream over TLS, and a chat", needed=True):
        fill(house)
    with case("limits: one stream too many is told so"):
        one_too_many(house)
    with case("limits: one too many on the TLS port is closed"):
        one_too_many_direct(house)
    with case("limits: one resource too many is told to wait"):
        resource_too_many(house)
    with case("limits: a handshake that has to wait has its turn"):
        handshakes_waited_for(house)
    with case("limits: who does not read is ended"):
        slow_reader(house)
    with case("limits: IPv6"):
        over_ipv6(house)
    with case("limits: all is given back, nothing has grown"):
        empty(house)
end()
