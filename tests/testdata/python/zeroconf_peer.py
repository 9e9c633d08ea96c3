"""Another program's mDNS on one interface: prints, line by line, what comes and goes; with LABEL also registers that.

    python3 zeroconf_peer.py ADDRESS [LABEL]
"""
import json
import sys
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, Zeroconf

TYPE = "_rolecall._tcp.local."


class Listener:
    def tell(self, **fields):
        print(json.dumps(fields), flush=True)

    def add_service(self, zeroconf, kind, name):
        info = zeroconf.get_service_info(kind, name, 3000)
        self.tell(
            event="add",
            name=name,
            port=info and info.port,
            addresses=info and info.parsed_addresses(),
            role=info and (info.properties.get(b"role") or b"").decode(),
        )

    def update_service(self, zeroconf, kind, name):
        pass

    def remove_service(self, zeroconf, kind, name):
        self.tell(event="remove", name=name)


address = sys.argv[1]
zeroconf = Zeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
if len(sys.argv) > 2:
    label = sys.argv[2]
    zeroconf.register_service(
        ServiceInfo(
            TYPE,
            f"{label}.{TYPE}",
            addresses=[bytes(int(part) for part in address.split("."))],
            port=4444,
            properties={"role": "edge", "name": label},
            server="stranger.local.",
        )
    )
ServiceBrowser(zeroconf, TYPE, Listener())
try:
    time.sleep(60)
finally:
    zeroconf.close()
