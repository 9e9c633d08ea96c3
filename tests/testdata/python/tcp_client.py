"""Sends one line over TCP, without a newline, and prints the answer: tcp_client.py HOST PORT < LINE"""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
client = socket.socket(family, socket.SOCK_STREAM)
client.settimeout(5)
client.connect((host, port))
sentence = input()
client.send(sentence.encode())
answer = client.recv(1024)
print("From server:", answer.decode())
client.close()
