"""A seed with mistakes: bad_seed.py HOST PORT FILE

It takes every info-hash for its own, serves who is choked, and has a wrong byte in piece 1. Six pieces of 64 KiB.
"""
import socketserver
import struct
import sys

with open(sys.argv[3], "rb") as file:
    content = bytearray(file.read())
content[0x10000 + 20_000] ^= 1


class Handler(socketserver.BaseRequestHandler):
    def take(self, count):
        taken = b""
        while len(taken) < count:
            got = self.request.recv(count - len(taken))
            if not got:
                raise ConnectionError
            taken += got
        return taken

    def handle(self):
        try:
            self.talk()
        except (ConnectionError, struct.error):
            pass

    def talk(self):
        hello = self.take(68)
        if hello[:20] != b"\x13BitTorrent protocol":
            return
        self.request.sendall(hello[:48] + b"-BAD000-000000000000" + b"\0\0\0\2\5\xfc")
        while True:
            length, = struct.unpack(">I", self.take(4))
            if length > 100:
                return
            message = self.take(length)
            if message[:1] == b"\2":
                self.request.sendall(b"\0\0\0\1\1")
            if message[:1] == b"\6":
                index, begin, size = struct.unpack(">III", message[1:])
                at = index * 0x10000 + begin
                block = content[at:at + size]
                self.request.sendall(struct.pack(">IBII", 9 + len(block), 7, index, begin) + block)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
