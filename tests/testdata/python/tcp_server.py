"""Upper-case server over TCP, with the faults of the lecture's one: tcp_server.py HOST PORT"""
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
welcoming = socket.socket(family, socket.SOCK_STREAM)
welcoming.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
welcoming.bind((host, port))
welcoming.listen(1)
print("ready", welcoming.getsockname()[1], flush=True)
while True:
    connection, client = welcoming.accept()
    sentence = connection.recv(1024).decode()
    connection.send(sentence.upper().encode())
    connection.close()
