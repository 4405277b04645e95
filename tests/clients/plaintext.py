#!/usr/bin/python3
"""A TCP client without TLS: it is offered STARTTLS and nothing else."""

import base64
import socket
import xml.etree.ElementTree as xml

from harness import Failure, Server, case, check, end, equal, password

HEADER = ("<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xml:lang='en'"
          " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
STREAMS = "{http://etherx.jabber.org/streams}"
TLS = "{urn:ietf:params:xml:ns:xmpp-tls}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
STREAM_ERRORS = "{urn:ietf:params:xml:ns:xmpp-streams}"


class Stream:
    """Words in, elements out; parsed by the library, not by us."""

    def __init__(self, port, header=HEADER):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.parser = xml.XMLPullParser(("start", "end"))
        self.depth = 0
        self.root = None
        self.say(header)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, text):
        self.socket.sendall(text.encode())

    def next(self):
        """The next whole child of the stream; None at its end."""
        while True:
            for event, element in self.parser.read_events():
                self.depth += 1 if event == "start" else -1
                if event == "start" and self.depth == 1:
                    self.root = element
                if event == "end" and self.depth == 1:
                    return element
            try:
                read = self.socket.recv(4096)
            except socket.timeout:
                raise Failure("the server said nothing for 5 s") from None
            if not read:
                return None
            self.parser.feed(read)


def features(stream):
    element = stream.next()
    equal(element.tag, STREAMS + "features", "the first element")
    return [child.tag for child in element]


def only_starttls(server):
    with Stream(server.port) as stream:
        equal(features(stream), [TLS + "starttls"], "the features before TLS")
        equal(stream.root.get("from"), "localhost", "who answers")
        equal(stream.root.get("version"), "1.0", "the version of the stream")
        check(stream.root.get("id"), "the stream has no id")
        check(not stream.root.get("id") in password("alice"), "the id is no id")


def no_password(server):
    """A password sent in the clear is not even looked at."""
    token = base64.b64encode(f"\0alice\0{password('alice')}".encode()).decode()
    with Stream(server.port) as stream:
        features(stream)
        stream.say(f"<auth xmlns='{SASL[1:-1]}' mechanism='PLAIN'>{token}</auth>")
        answer = stream.next()
        check(answer is not None, "the stream ended without a word")
        equal(answer.tag, SASL + "failure", "the answer to a password in the clear")
        equal(answer[0].tag, SASL + "encryption-required", "its reason")


def no_stanza(server):
    with Stream(server.port) as stream:
        features(stream)
        stream.say("<message to='alice@localhost'><body>hello</body></message>")
        answer = stream.next()
        check(answer is not None, "the stream ended without a word")
        equal(answer.tag, STREAMS + "error", "the answer to a stanza before TLS")
        check(answer.find(STREAM_ERRORS + "not-authorized") is not None
              or answer.find(STREAM_ERRORS + "policy-violation") is not None, "its reason")
        equal(stream.next(), None, "what follows")


def wrong_domain(server):
    with Stream(server.port, HEADER.replace("to='localhost'", "to='example.net'")) as stream:
        answer = stream.next()
        equal(answer.tag, STREAMS + "error", "the answer to a foreign domain")
        equal(answer[0].tag, STREAM_ERRORS + "host-unknown", "its reason")


def shut_out(port, words):
    """What a port answers until it hangs up on these words; it must within 5 s."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), 5) as stream:
        try:
            stream.sendall(words)
            while read := stream.recv(4096):
                heard += read
        except ConnectionResetError:
            pass
        except socket.timeout:
            raise Failure(f"{words[:16]!r} was listened to for 5 s") from None
    return heard


def garbage(server):
    """Whoever talks something else is shut out; the others do not notice."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    for words in (b"GET / HTTP/1.0\r\n\r\n", hello, b"\0" * 64, b"<a>" * 64):
        shut_out(server.port, words)
    heard = shut_out(server.tls_port, HEADER.encode())  # TLS is expected from the first byte
    check(b"<" not in heard, f"XML came out of the TLS port: {heard[:80]}")
    only_starttls(server)


with Server() as server:
    with case("plaintext: a server with alice", needed=True):
        server.start()
        server.people("alice")
    with case("plaintext: only STARTTLS is offered"):
        only_starttls(server)
    with case("plaintext: a password in the clear is refused"):
        no_password(server)
    with case("plaintext: a stanza in the clear ends the stream"):
        no_stanza(server)
    with case("plaintext: a foreign domain is host-unknown"):
        wrong_domain(server)
    with case("plaintext: garbage on either port"):
        garbage(server)
end()
