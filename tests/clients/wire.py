"""A wire to a server's port: it passes on what it is given, loses it, or is cut."""

import contextlib
import selectors
import socket
import struct
import threading

RESET = struct.pack("ii", 1, 0)  # close() then says nothing more than RST


class Wire:
    def __init__(self, server, port=0):
        self.house = server
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.others = {}  # of each end of a connection, the other one
        self.clients = set()  # the ends to clients
        self.losing = self.losing_said = False
        self.count = 0  # connections that there were
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                with self.lock, contextlib.suppress(OSError, KeyError):
                    if key.fileobj is self.listener:
                        self.accept()
                    else:
                        self.carry(key.fileobj)

    def accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.house.port))
        except OSError:
            client.close()
            raise
        self.count += 1
        self.losing = self.losing_said = False
        self.clients.add(client)
        self.others.update({client: server, server: client})
        for end in (client, server):
            self.selector.register(end, selectors.EVENT_READ)

    def carry(self, end):
        other = self.others[end]
        try:
            data = end.recv(65536)
            if data and not (self.losing or (self.losing_said and end in self.clients)):
                other.sendall(data)
        except OSError:
            data = b""
        if not data:
            self.close(end)
            self.close(other)

    def close(self, end):
        self.others.pop(end, None)
        self.clients.discard(end)
        self.selector.unregister(end)
        end.close()

    def lose(self):
        """What is said from now on reaches nobody, until there is a new connection."""
        with self.lock:
            self.losing = True

    def lose_said(self):
        """The same of what clients say only."""
        with self.lock:
            self.losing_said = True

    def cut(self):
        """Ends what there is; nothing that is under way arrives."""
        with self.lock:
            for end in list(self.others):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                self.close(end)
