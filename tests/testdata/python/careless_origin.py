"""Web server with the faults of a first try: careless_origin.py HOST PORT FOLDER

It opens whatever path it is asked for, one client after the other; knows no ranges, no types and no conditions; answers
HEAD like GET, and 200 with a text for what is not there.
"""
import os
import socket
import sys

host, port, folder = sys.argv[1:4]
server = socket.create_server((host, int(port)))
while True:
    client, _ = server.accept()
    try:
        request = client.recv(4096).decode("latin-1")
        path = os.path.join(folder, request.split()[1].lstrip("/"))
        try:
            with open(path, "rb") as file:
                body = file.read()
        except OSError:
            body = b"File not found"
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
    except Exception:
        pass
    client.close()
