#!/usr/bin/python3
"""STARTTLS and direct TLS as hostile and as careful clients use them (TLS-1 ... TLS-5), and SCRAM
bound to the channel (SA-8, SA-11, SA-12), spoken with Python's own TLS and hashes."""

import base64
import hashlib
import hmac
import os
import re
import socket
import ssl

from harness import Failure, Server, case, check, end, equal, password

HEADER = (b"<?xml version='1.0'?><stream:stream to='localhost' version='1.0'"
          b" xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
SASL = b"urn:ietf:params:xml:ns:xmpp-sasl"


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 5)


def until(stream, *marks):
    heard = b""
    try:
        while not any(mark in heard for mark in marks):
            read = stream.recv(4096)
            if not read:
                raise Failure(f"the server hung up after {heard[-200:]!r}")
            heard += read
    except socket.timeout:
        raise Failure(f"none of {marks!r} within 5 s, but {heard[-200:]!r}") from None
    return heard


def trusting(server, alpn=None):
    context = ssl.create_default_context(cafile=server.ca)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def secured(server, extra=b""):
    """A stream over STARTTLS; extra is sent in the clear, in one write with <starttls/>."""
    stream = connect(server.port)
    stream.sendall(HEADER)
    until(stream, b"</stream:features>")
    stream.sendall(STARTTLS + extra)
    heard = until(stream, b">")
    equal(heard, PROCEED, "the answer to <starttls/>, with nothing behind it")
    stream = trusting(server).wrap_socket(stream, server_hostname="localhost")
    stream.sendall(HEADER)
    return stream, until(stream, b"</stream:features>")


def injected(server):
    """What came in the clear behind <starttls/> must never be read as if it had come over TLS."""
    stream, heard = secured(server, b"<auth xmlns='" + SASL + b"' mechanism='X-INJECTED'/>" * 3)
    check(b"<failure" not in heard, "the injected element was answered")
    check(b"<starttls" not in heard, "STARTTLS is offered again")
    stream.sendall(b"<abort xmlns='" + SASL + b"'/>")
    answer = until(stream, b"</failure>")
    check(b"<aborted" in answer and b"invalid-mechanism" not in answer, f"{answer!r}")
    stream.close()


def twice(server):
    stream, _ = secured(server)
    stream.sendall(STARTTLS)
    answer = until(stream, b"</stream:stream>")
    check(b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" in answer, f"{answer!r}")
    stream.close()


def direct(server, alpn):
    stream = trusting(server, alpn).wrap_socket(connect(server.tls_port),
                                                server_hostname="localhost")
    stream.sendall(HEADER)
    heard = until(stream, b"</stream:features>")
    check(b"<starttls" not in heard, "STARTTLS is offered inside of TLS")
    chosen = stream.selected_alpn_protocol()
    stream.close()
    return chosen


def alpn_refused(server):
    try:
        direct(server, ["h2", "http/1.1"])
    except ssl.SSLError as error:
        check("NO_APPLICATION_PROTOCOL" in str(error).upper().replace(" ", "_"), f"another alert: {error}")
    else:
        raise Failure("a client of another protocol was let in")


def closes(server):
    """Our end tag is answered by theirs and a close_notify (TLS-5, ST-24)."""
    stream, _ = secured(server)
    stream.sendall(b"</stream:stream>")
    until(stream, b"</stream:stream>")
    equal(stream.recv(100), b"", "what follows the end tag")  # SSLEOFError without close_notify
    stream.close()


def old_tls(server):
    context = trusting(server)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        context.wrap_socket(connect(server.tls_port), server_hostname="localhost").close()
    except (ssl.SSLError, ConnectionResetError):
        return
    raise Failure("TLS 1.1 was accepted")


def b64(data):
    return base64.b64encode(data)


class Scram:
    """RFC 5802 by hashlib and hmac."""

    def __init__(self, server, mechanism, gs2, binding=b""):
        self.stream, self.features = secured(server)
        self.mechanism, self.gs2, self.binding = mechanism, gs2, binding
        self.hash = "sha256" if b"256" in mechanism else "sha1"

    def hmac(self, key, data):
        return hmac.new(key, data, self.hash).digest()

    def leaf(self):
        return hashlib.sha256(self.stream.getpeercert(binary_form=True)).digest()

    def answer(self, name, secret):
        nonce = b64(os.urandom(12))
        bare = b"n=" + name + b",r=" + nonce
        self.stream.sendall(b"<auth xmlns='" + SASL + b"' mechanism='" + self.mechanism + b"'>" +
                            b64(self.gs2 + bare) + b"</auth>")
        heard = until(self.stream, b"</challenge>", b"</failure>")
        if b"<failure" in heard:
            return heard
        first = base64.b64decode(re.search(rb"<challenge[^>]*>([^<]*)", heard).group(1))
        fields = dict(item.split(b"=", 1) for item in first.split(b","))
        salted = hashlib.pbkdf2_hmac(self.hash, secret, base64.b64decode(fields[b"s"]),
                                     int(fields[b"i"]))
        final = b"c=" + b64(self.gs2 + self.binding) + b",r=" + fields[b"r"]
        message = bare + b"," + first + b"," + final
        client_key = self.hmac(salted, b"Client Key")
        signature = self.hmac(hashlib.new(self.hash, client_key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.stream.sendall(b"<response xmlns='" + SASL + b"'>" + b64(final + b",p=" + b64(proof)) +
                            b"</response>")
        heard = until(self.stream, b"</success>", b"</failure>")
        if b"<success" in heard:
            told = base64.b64decode(re.search(rb"<success[^>]*>([^<]*)", heard).group(1))
            server_key = self.hmac(salted, b"Server Key")
            equal(told, b"v=" + b64(self.hmac(server_key, message)), "the server's signature")
        return heard


def bound(server, mechanism, tamper=False):
    scram = Scram(server, mechanism, b"p=tls-server-end-point,,")
    check(b"type='tls-server-end-point'" in scram.features, "end-point is not announced")
    check(b"<mechanism>" + mechanism + b"</mechanism>" in scram.features, "it is not offered")
    scram.binding = bytes(32) if tamper else scram.leaf()
    heard = scram.answer(b"alice", password("alice").encode())
    check((b"<not-authorized" if tamper else b"<success") in heard, f"{heard!r}")
    scram.stream.close()


def downgraded(server):
    """SA-8: `y` although -PLUS was offered: somebody took it out of the list."""
    scram = Scram(server, b"SCRAM-SHA-256", b"y,,")
    heard = scram.answer(b"alice", password("alice").encode())
    check(b"<not-authorized" in heard, f"{heard!r}")
    scram.stream.close()


with Server() as server:
    with case("tls: a server with alice", needed=True):
        server.start()
        server.people("alice")
    with case("tls: plain text behind <starttls/> is thrown away"):
        injected(server)
    with case("tls: <starttls/> inside of TLS"):
        twice(server)
    with case("tls: ALPN xmpp-client, absent, foreign"):
        equal(direct(server, ["xmpp-client"]), "xmpp-client", "the protocol")
        equal(direct(server, None), None, "the protocol")
        equal(direct(server, ["h2", "xmpp-client"]), "xmpp-client", "the protocol")
        alpn_refused(server)
    with case("tls: an orderly end"):
        closes(server)
    with case("tls: TLS 1.1 is refused"):
        old_tls(server)
    with case("tls: SCRAM-SHA-256-PLUS and SCRAM-SHA-1-PLUS"):
        bound(server, b"SCRAM-SHA-256-PLUS")
        bound(server, b"SCRAM-SHA-1-PLUS")
    with case("tls: a binding to another channel is refused"):
        bound(server, b"SCRAM-SHA-256-PLUS", tamper=True)
    with case("tls: a downgrade is noticed"):
        downgraded(server)
end()
