"""A name server as a student writes it in an afternoon: each question for NAME gets the next edge, over UDP.

python3 dns_edges.py HOST PORT NAME EDGE,EDGE [FAULT,...] leaves something out: id, aa, aaaa, others, turns, ttl, qr, cut
"""
import socket
import struct
import sys

host, port, name, edges = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4].split(",")
faults = set(sys.argv[5].split(",")) if len(sys.argv) > 5 else set()


def read_question(message):
    """The labels of the name, the type, and where the question ends."""
    at, labels = 12, []
    while message[at] != 0:
        if message[at] > 63:
            raise ValueError("no pointers in a question")
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    kind, class_ = struct.unpack_from("!HH", message, at + 1)
    return ".".join(labels), kind, at + 5


turn = 0


def answer(message):
    global turn
    identity, flags, questions = struct.unpack_from("!HHH", message)
    if flags & 0x8000 and "qr" not in faults:
        return None
    if "id" in faults:
        identity = 1
    asked, kind, end = read_question(message)
    question = message[12:end]
    reply = 0x8000 if "aa" in faults else 0x8400

    def say(rcode, *addresses):
        ttl = 86400 if "ttl" in faults else 20
        records = b"".join(
            struct.pack("!HHHIH", 0xC00C, 1, 1, ttl, 4) + socket.inet_aton(a) for a in addresses)
        return struct.pack("!HHHHHH", identity, reply | rcode, 1, len(addresses), 0, 0) + question + records

    if (flags >> 11) & 15 != 0:
        return say(4)
    if struct.unpack_from("!H", message, 10)[0] != 0:
        return say(1)  # EDNS is not spoken here
    if asked.lower() != name.lower() and "others" not in faults:
        return say(3)
    if kind != 1 and "aaaa" not in faults:
        return say(0)
    if "turns" in faults:
        return say(0, *edges)
    turn += 1
    return say(0, edges[turn % len(edges)])


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((host, port))
print("ready", port, flush=True)
while True:
    message, client = server.recvfrom(2048)
    try:
        said = answer(message)
    except (IndexError, ValueError, struct.error):
        if "cut" in faults:
            raise
        continue
    if said is not None:
        server.sendto(said, client)
