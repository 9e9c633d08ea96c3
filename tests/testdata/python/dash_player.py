"""A player as a student writes it: the rate follows a mean of what was measured, and 30 s are held at most.

python3 dash_player.py URL [FAULT,...] leaves something out: rate (always the highest), lowest (always the lowest),
init, once, buffer, again, order, end
"""
import http.client
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

url = sys.argv[1]
faults = set(sys.argv[2].split(",")) if len(sys.argv) > 2 else set()
BUFFER_S = 30


def fetch(path, attempts=3):
    """The bytes, and the rate at which they came in bits per second."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(urllib.parse.urljoin(url, path), timeout=20) as answer:
            body, promised = answer.read(), answer.headers.get("Content-Length")
        if promised is not None and len(body) < int(promised):
            raise OSError("cut")
    except (OSError, http.client.HTTPException):
        if attempts == 1 or "again" in faults:
            return b"", 0
        time.sleep(0.1)
        return fetch(path, attempts - 1)
    return body, 8 * len(body) / (time.monotonic() - began)


manifest = ElementTree.fromstring(fetch(url)[0])
space = {"m": "urn:mpeg:dash:schema:mpd:2011"}
total = int(re.match(r"PT(\d+)S", manifest.get("mediaPresentationDuration")).group(1))
template = manifest.find(".//m:SegmentTemplate", space)
seconds = int(template.get("duration")) / int(template.get("timescale"))
rates = sorted((int(r.get("bandwidth")), r.get("id")) for r in manifest.iterfind(".//m:Representation", space))


def place(kind, identity, number=0):
    return template.get(kind).replace("$RepresentationID$", identity).replace("$Number$", str(number))


def choose(measured):
    if "rate" in faults:
        return rates[-1]
    if "lowest" in faults:
        return rates[0]
    return max((rate for rate in rates if rate[0] < 0.8 * measured), default=rates[0])


measured, initialized, fetched, began = 0, set(), 0.0, time.monotonic()
numbers = list(range(1, int(total / seconds) + 1))
if "order" in faults:
    numbers.reverse()
if "end" in faults:
    numbers.append(len(numbers) + 1)
for number in numbers:
    rate = choose(measured)
    if rate not in initialized and "init" not in faults:
        initialized.add(rate)
        fetch(place("initialization", rate[1]))
    for _ in range(2 if "once" in faults else 1):
        _, now = fetch(place("media", rate[1], number))
    measured = now if measured == 0 else 0.5 * measured + 0.5 * now
    fetched += seconds
    if "buffer" not in faults:
        time.sleep(max(0, fetched - BUFFER_S - (time.monotonic() - began)))
