"""Connects COUNT times and resets each connection at once: tcp_reset.py HOST PORT COUNT [TEXT]"""
import socket
import struct
import sys

host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
text = sys.argv[4].encode() if len(sys.argv) > 4 else b""
for _ in range(count):
    client = socket.create_connection((host, port))
    if text:
        client.send(text)
    # Lingering for 0 seconds: close() sends RST instead of FIN.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
print("reset", count)
