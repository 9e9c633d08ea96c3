"""A tracker with the mistakes of a first try: bad_tracker.py HOST PORT

info_hash is read as text, the asker is told of itself, nobody ever leaves, and nothing is refused.
"""
import http.server
import socket
import struct
import sys
from urllib.parse import parse_qs, urlsplit

swarms = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        if url.path != "/announce":
            self.send_error(404)
            return
        query = parse_qs(url.query)
        swarm = swarms.setdefault(query["info_hash"][0], [])
        peer = socket.inet_aton(self.client_address[0]) + struct.pack(">H", int(query["port"][0]))
        if peer not in swarm:
            swarm.append(peer)
        peers = b"".join(swarm)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"d8:intervali60e5:peers%d:%se" % (len(peers), peers))

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
