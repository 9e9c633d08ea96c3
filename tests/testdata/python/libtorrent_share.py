"""A libtorrent peer that is told its peers, and tells which messages it hears and says.

usage: libtorrent_share.py ADDRESS PORT TORRENT|MAGNET FOLDER [HOST:PORT...]
Prints "listening", "metadata" and "complete" once each, and every kind of message once, as in "heard HAVE_ALL" and
"said ALLOWED_FAST". Runs until it is killed.
"""
import re
import sys
import time

import libtorrent as lt

address, port, source, folder, *peers = sys.argv[1:]
session = lt.session({
    "listen_interfaces": f"{address}:{port}",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    # A peer that was not there yet is tried again soon.
    "min_reconnect_time": 1,
    "alert_mask": lt.alert.category_t.all_categories,
})
if source.startswith("magnet:"):
    parameters = lt.parse_magnet_uri(source)
else:
    parameters = lt.add_torrent_params()
    parameters.ti = lt.torrent_info(source)
parameters.save_path = folder
handle = session.add_torrent(parameters)
told = set()


def tell(line):
    if line not in told:
        told.add(line)
        print(line, flush=True)


tell("listening")
connected_at = 0.0
while True:
    status = handle.status()
    if time.monotonic() >= connected_at + 1:
        connected_at = time.monotonic()
        there = [peer.ip[0] for peer in handle.get_peer_info()]
        for peer in peers:
            host, peer_port = peer.rsplit(":", 1)
            if host not in there:
                handle.connect_peer((host, int(peer_port)))
    for alert in session.pop_alerts():
        text = alert.message()
        message = re.search(r"(<==|==>) ([A-Z][A-Z0-9_]+)", text)
        if message is not None:
            way = "heard" if message[1] == "<==" else "said"
            tell(f"{way} {message[2]}")
    if status.has_metadata:
        tell("metadata")
    if status.is_seeding:
        tell("complete")
    time.sleep(0.1)
