"""Sends one line over UDP and prints the answer: udp_client.py HOST PORT < LINE"""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
client = socket.socket(family, socket.SOCK_DGRAM)
client.settimeout(5)
sentence = input()
client.sendto(sentence.encode(), (host, port))
answer, server = client.recvfrom(2048)
print(answer.decode())
client.close()
