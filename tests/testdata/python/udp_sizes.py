"""Sends datagrams of the given sizes, one after the other, and prints the size and the letters of each answer: udp_sizes.py HOST PORT SIZE..."""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
client = socket.socket(family, socket.SOCK_DGRAM)
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 65536)
client.settimeout(5)
for size in map(int, sys.argv[3:]):
    client.sendto(b"a" * size, (host, port))
    answer, _ = client.recvfrom(70000)
    print(len(answer), "".join(sorted(set(answer.decode()))))
