"""A leech that believes what it is sent: bad_leech.py TORRENT FOLDER

It compares no SHA-1, and does not tell the tracker when it has the file. It reads the graders' torrents only.
"""
import hashlib
import re
import socket
import struct
import sys
import urllib.parse
import urllib.request

torrent = open(sys.argv[1], "rb").read()
info = torrent[torrent.index(b"4:info") + 6:-1]
announce = re.search(rb"8:announce\d+:(http://[^/]+/announce)", torrent)[1].decode()
size = int(re.search(rb"6:lengthi(\d+)e", info)[1])
info_hash = hashlib.sha1(info).digest()
me = b"-BAD000-000000000001"
PIECE, BLOCK = 0x10000, 0x4000


def take(connection, count):
    taken = b""
    while len(taken) < count:
        got = connection.recv(count - len(taken))
        if not got:
            raise ConnectionError
        taken += got
    return taken


def until(connection, kind):
    while True:
        length, = struct.unpack(">I", take(connection, 4))
        message = take(connection, length)
        if message[:1] == kind:
            return message[1:]


query = urllib.parse.urlencode({
    "info_hash": info_hash, "peer_id": me, "port": 6881, "uploaded": 0, "downloaded": 0,
    "left": size, "compact": 1, "event": "started",
})
answer = urllib.request.urlopen(f"{announce}?{query}").read()
length = re.search(rb"5:peers(\d+):", answer)
peers = answer[length.end():length.end() + int(length[1])]
content = bytearray(size)
missing = set(range((size + PIECE - 1) // PIECE))
for at in range(0, len(peers), 6):
    host, port = socket.inet_ntoa(peers[at:at + 4]), struct.unpack(">H", peers[at + 4:at + 6])[0]
    try:
        with socket.create_connection((host, port)) as seed:
            seed.sendall(b"\x13BitTorrent protocol" + bytes(8) + info_hash + me)
            take(seed, 68)
            bits = until(seed, b"\5")[0]
            wanted = [index for index in sorted(missing) if bits & (0x80 >> index)]
            if not wanted:
                continue
            seed.sendall(b"\0\0\0\1\2")
            until(seed, b"\1")
            for index in wanted:
                for begin in range(index * PIECE, min(size, (index + 1) * PIECE), BLOCK):
                    block = min(BLOCK, size - begin)
                    seed.sendall(struct.pack(">IBIII", 13, 6, index, begin - index * PIECE, block))
                    content[begin:begin + block] = until(seed, b"\7")[8:]
                missing.remove(index)
    except ConnectionError:
        pass
with open(f"{sys.argv[2]}/grading.bin", "wb") as file:
    file.write(content)
