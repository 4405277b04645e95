#!/usr/bin/python3
"""One round trip over TLS, word by word: SCRAM with a channel binding in XEP-0388, binding within
it, tokens (XEP-0484) that are bound to the server's certificate, and what makes them void."""

import base64
import hashlib
import hmac
import os
import socket
import ssl
import xml.etree.ElementTree as xml

from harness import Failure, Server, Skip, case, check, end, equal, password

HEADER = ("<?xml version='1.0'?><stream:stream to='localhost' from='alice@localhost' version='1.0'"
          " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
STREAMS = "{http://etherx.jabber.org/streams}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
SASL2 = "{urn:xmpp:sasl:2}"
FAST = "{urn:xmpp:fast:0}"
AGENT = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>"


def text_of(data):
    return base64.b64encode(data).decode()


class Stream:
    """Over direct TLS, as alice; elements are parsed by the library."""

    def __init__(self, server):
        self.connect(socket.create_connection(("127.0.0.1", server.tls_port), 5), server.ca)
        self.parser = xml.XMLPullParser(("start", "end"))
        self.depth = 0
        self.say(HEADER)
        self.features = self.next()

    def connect(self, plain, ca):
        context = ssl.create_default_context(cafile=ca)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        # RFC 5929 4.1; our certificates are signed with SHA-256.
        self.end_point = hashlib.sha256(self.socket.getpeercert(binary_form=True)).digest()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, text):
        self.socket.sendall(text.encode())

    def next(self):
        while True:
            for event, element in self.parser.read_events():
                self.depth += 1 if event == "start" else -1
                if event == "end" and self.depth == 1:
                    return element
            read = self.socket.recv(4096)
            if not read:
                raise Failure("the server has closed")
            self.parser.feed(read)

    def authenticate(self, mechanism, data, asks):
        self.say(f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>"
                 f"<initial-response>{text_of(data)}</initial-response>{AGENT}{asks}"
                 "</authenticate>")
        return self.next()

    def scram(self, asks, secret=None):
        """SCRAM-SHA-256-PLUS with tls-server-end-point; the <success/>."""
        header, bare = b"p=tls-server-end-point,,", b"n=alice,r=nonceofclient"
        asked = self.authenticate("SCRAM-SHA-256-PLUS", header + bare, asks)
        equal(asked.tag, SASL2 + "challenge", "the answer")
        first = base64.b64decode(asked.text)
        fields = dict(field.split(b"=", 1) for field in first.split(b","))
        secret = secret or password("alice")
        salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), base64.b64decode(fields[b"s"]),
                                     int(fields[b"i"]))
        final = b"c=" + base64.b64encode(header + self.end_point) + b",r=" + fields[b"r"]
        signed = bare + b"," + first + b"," + final
        key = hmac.digest(salted, b"Client Key", "sha256")
        mask = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, mask)))
        self.say(f"<response xmlns='urn:xmpp:sasl:2'>{text_of(final + b',p=' + proof)}</response>")
        answer = self.next()
        equal(answer.tag, SASL2 + "success", "the answer")
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        equal(base64.b64decode(answer.find(SASL2 + "additional-data").text),
              b"v=" + base64.b64encode(hmac.digest(server_key, signed, "sha256")),
              "the server's signature")
        names = sorted(each.text for each in
                       self.features.find(SASL2 + "authentication").findall(SASL2 + "mechanism"))
        kinds = sorted(each.get("type") for each in
                       self.features.find("{urn:xmpp:sasl-cb:0}sasl-channel-binding"))
        listed = "\x1e".join(names) + "\x1f" + "\x1e".join(kinds)  # XEP-0474
        equal(base64.b64decode(fields[b"h"]), hashlib.sha256(listed.encode()).digest(),
              "the hash of what is offered")
        return answer

    def token(self, mechanism, token, binding, asks=""):
        """Logs in with a token; the answer, whose proof was checked, or the failure's name."""
        proof = hmac.digest(token.encode(), b"Initiator" + binding, "sha256")
        answer = self.authenticate(mechanism, b"alice\0" + proof,
                                   "<fast xmlns='urn:xmpp:fast:0'/>" + asks)
        if answer.tag == SASL2 + "failure":
            return answer[0].tag
        equal(answer.tag, SASL2 + "success", "the answer")
        equal(base64.b64decode(answer.find(SASL2 + "additional-data").text),
              hmac.digest(token.encode(), b"Responder" + binding, "sha256"), "the server's proof")
        return answer


class ExporterStream(Stream):
    """By a library that tells tls-exporter (RFC 9266)."""

    def connect(self, plain, ca):
        try:
            from OpenSSL import SSL
        except ImportError:
            raise Skip("python3-openssl is not installed") from None
        context = SSL.Context(SSL.TLS_METHOD)
        context.load_verify_locations(ca)
        context.set_verify(SSL.VERIFY_PEER)
        plain.settimeout(None)  # what it expects
        self.socket = SSL.Connection(context, plain)
        self.socket.set_connect_state()
        self.socket.do_handshake()
        self.exporter = self.socket.export_keying_material(b"EXPORTER-Channel-Binding", 32)


def wish(mechanism):
    return f"<request-token xmlns='urn:xmpp:fast:0' mechanism='{mechanism}'/>"


def new_token(server, mechanism):
    with Stream(server) as stream:
        return stream.scram(wish(mechanism)).find(FAST + "token").get("token")


def offered(server):
    with Stream(server) as stream:
        fast = stream.features.find(SASL2 + "authentication").find(SASL2 + "inline").find(
            FAST + "fast")
        names = {each.text for each in fast}
    check({"HT-SHA-256-ENDP", "HT-SHA-256-NONE"} <= names, f"what is offered: {names}")


def one_round_trip(server):
    token = new_token(server, "HT-SHA-256-ENDP")
    with Stream(server) as stream:
        answer = stream.token("HT-SHA-256-ENDP", token, stream.end_point,
                              "<bind xmlns='urn:xmpp:bind:0'><tag>tokens</tag></bind>")
        jid = answer.find(SASL2 + "authorization-identifier").text
        check(jid.startswith("alice@localhost/tokens/"), jid)
        equal(stream.next().tag, STREAMS + "features", "what follows success")
        stream.say(f"<message to='{jid}' id='here'/>")
        equal(stream.next().get("from"), jid, "where the message is from")


def exported(server):
    """A token for tls-exporter is of use on any connection, its proof on one only."""
    with ExporterStream(server) as first, ExporterStream(server) as second:
        token = new_token(server, "HT-SHA-256-EXPR")
        equal(second.token("HT-SHA-256-EXPR", token, first.exporter), SASL + "not-authorized",
              "the proof of another connection")
        for stream in (first, second):
            check(not isinstance(stream.token("HT-SHA-256-EXPR", token, stream.exporter), str),
                  "the token was refused")


def bound(server):
    """A token for one mechanism is good for no other, and for no other certificate."""
    token = new_token(server, "HT-SHA-256-ENDP")
    with Stream(server) as stream:
        for mechanism, binding in (("HT-SHA-256-NONE", b""), ("HT-SHA-256-ENDP", b""),
                                   ("HT-SHA-256-ENDP", bytes(32))):
            equal(stream.token(mechanism, token, binding), SASL + "not-authorized", mechanism)
        check(not isinstance(stream.token("HT-SHA-256-ENDP", token, stream.end_point), str),
              "the token itself was refused")


def password_changed(server):
    token = new_token(server, "HT-SHA-256-NONE")
    server.user("password", "alice", password=password("alice"))
    with Stream(server) as stream:
        equal(stream.token("HT-SHA-256-NONE", token, b""), SASL + "not-authorized", "the token")


def key_lost(server):
    """The key is outside of the database; without it tokens are void, with it they stay."""
    token = new_token(server, "HT-SHA-256-NONE")
    key = os.path.join(server.data, "token-key")
    equal(os.stat(key).st_mode & 0o7777, 0o600, "who may read the key")
    server.stop()
    server.start()
    with Stream(server) as stream:
        check(not isinstance(stream.token("HT-SHA-256-NONE", token, b""), str), "after a restart")
    server.stop()
    os.unlink(key)
    server.start()
    with Stream(server) as stream:
        equal(stream.token("HT-SHA-256-NONE", token, b""), SASL + "not-authorized", "the token")
        stream.scram("")


with Server() as server:
    with case("tokens: a server with alice", needed=True):
        server.start()
        server.people("alice")
    with case("tokens: mechanisms for them"):
        offered(server)
    with case("tokens: logged in and bound in one round trip"):
        one_round_trip(server)
    with case("tokens: bound to a connection"):
        exported(server)
    with case("tokens: bound to mechanism and certificate"):
        bound(server)
    with case("tokens: a new password ends them"):
        password_changed(server)
    with case("tokens: without their key they are void"):
        key_lost(server)
end()
