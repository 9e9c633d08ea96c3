"""Caching proxy with the faults of a first try: careless_cache.py HOST PORT ORIGIN_HOST ORIGIN_PORT

It keeps whatever a GET brought, whatever Cache-Control says, for ever, and by its path without the query; answers HEAD
and POST like GET; passes every field on; and asks whatever host a request with a whole URL names.
"""
import http.client
import http.server
import sys
import urllib.parse

host, port, origin_host, origin_port = sys.argv[1:5]
kept = {}


class Proxy(http.server.BaseHTTPRequestHandler):
    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path not in kept:
            address = url.netloc or f"{origin_host}:{origin_port}"
            origin = http.client.HTTPConnection(address, timeout=20)
            target = url.path + (f"?{url.query}" if url.query else "")
            fields = {name: self.headers[name] for name in self.headers}
            origin.request("GET", target, headers=fields)
            answer = origin.getresponse()
            kept[url.path] = answer.status, answer.getheaders(), answer.read()
        status, fields, body = kept[url.path]
        self.send_response_only(status)
        for name, value in fields:
            if name.lower() not in ("transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = answer

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer((host, int(port)), Proxy).serve_forever()
