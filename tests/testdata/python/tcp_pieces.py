"""Sends TEXT in segments of SIZE bytes, closes its side and prints all that comes back: tcp_pieces.py HOST PORT SIZE PAUSE_MS TEXT"""
import socket
import sys
import time

host, port, size, pause_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
data = sys.argv[5].encode("utf-8", "surrogateescape")
client = socket.create_connection((host, port))
client.settimeout(20)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
try:
    for at in range(0, len(data), size):
        client.send(data[at:at + size])
        time.sleep(pause_ms / 1000)
    client.shutdown(socket.SHUT_WR)
except OSError as error:
    print("stopped sending:", error, file=sys.stderr)
answer = b""
try:
    while part := client.recv(65536):
        answer += part
except OSError as error:
    print("stopped receiving:", error, file=sys.stderr)
sys.stdout.buffer.write(answer)
