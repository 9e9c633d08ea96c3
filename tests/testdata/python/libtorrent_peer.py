"""A libtorrent peer that finds others by one means only: the DHT, the LAN or the torrent's trackers; or a node without a torrent.

usage: libtorrent_peer.py ADDRESS PORT dht|lsd|tracker NODE|- TORRENT|- FOLDER
Prints "listening", then "complete" once, and runs until it is killed.
"""
import sys
import time

import libtorrent as lt

address, port, means, node, torrent, folder = sys.argv[1:7]
session = lt.session({
    "listen_interfaces": f"{address}:{port}",
    "enable_dht": means == "dht",
    "enable_lsd": means == "lsd",
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "dht_bootstrap_nodes": "" if node == "-" else node,
    # All of a class are in one network.
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "dht_ignore_dark_internet": False,
    "alert_mask": lt.alert.category_t.all_categories,
})
if node != "-":
    host, node_port = node.rsplit(":", 1)
    session.add_dht_node((host, int(node_port)))
print("listening", flush=True)
handle = None
if torrent != "-":
    handle = session.add_torrent({"ti": lt.torrent_info(torrent), "save_path": folder})
complete = False
while True:
    for alert in session.pop_alerts():
        if "--verbose" in sys.argv:
            print(alert.what(), alert.message(), file=sys.stderr, flush=True)
    if handle is not None and not complete and handle.status().is_seeding:
        complete = True
        print("complete", flush=True)
    time.sleep(0.1)
