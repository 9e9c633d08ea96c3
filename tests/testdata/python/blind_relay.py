"""Proxy that hands bytes on without reading them: blind_relay.py HOST PORT ORIGIN_HOST ORIGIN_PORT

It serves one client after the other, takes what one recv() brings for the request and what comes at once for the whole
answer, goes wherever Host says, makes tunnels, keeps nothing, and ends when a request is none.
"""
import socket
import sys

host, port, origin_host, origin_port = sys.argv[1:5]
server = socket.create_server((host, int(port)))
while True:
    client, _ = server.accept()
    request = client.recv(65536)
    if request:
        method, target, version = request.split(b"\r\n")[0].split()
        address = request.split(b"Host: ")[1].split(b"\r\n")[0].decode()
        if address == f"{host}:{port}":
            address = f"{origin_host}:{origin_port}"
        try:
            name, number = address.split(":")
            origin = socket.create_connection((name, int(number)), timeout=1)
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                request = client.recv(65536)
            origin.sendall(request)
            answer = b""
            while more := origin.recv(65536):
                answer += more
        except OSError:
            pass
        try:
            text = answer.decode("utf-8", "replace")[:50000]
            client.sendall(text.encode())
        except OSError:
            pass
    client.close()
