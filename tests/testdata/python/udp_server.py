"""Upper-case server over UDP, with the faults of the lecture's one: udp_server.py HOST PORT"""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
server = socket.socket(family, socket.SOCK_DGRAM)
server.bind((host, port))
print("ready", server.getsockname()[1], flush=True)
while True:
    question, client = server.recvfrom(2048)
    answer = question.decode().upper()
    server.sendto(answer.encode(), client)
