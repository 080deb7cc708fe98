# gst-tsrec: a bad network between a WHIP client and a recorder
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A UDP relay that loses, delays and throttles, and the HTTP proxy that puts
it in place by rewriting the ICE candidates of offer and answer.

The relay also keeps a list of every RTP packet it delivered to the recorder,
so that a hole in the file can be told from a hole in the network.
"""

import dataclasses
import heapq
import http.client
import http.server
import json
import pathlib
import random
import re
import select
import socket
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Weather:
    """What one direction of the network does to packets.

    loss: share of packets lost, in bursts of `burst` packets on average.
    delay, jitter: seconds; each packet gets delay + uniform(0, jitter), so
    jitter reorders.  rate: bit/s, 0 for unlimited, behind a queue of `queue`
    seconds.  hole: nothing passes.
    """
    loss: float = 0.0
    burst: float = 5.0
    delay: float = 0.0
    jitter: float = 0.0
    rate: float = 0.0
    queue: float = 0.4
    hole: bool = False


class Direction:
    """Decides the fate of packets; deterministic for a seed and an order."""

    def __init__(self, seed):
        self.weather = Weather()
        self.random = random.Random(seed)
        self.losing = False
        self.free_at = 0.0
        self.held_until = 0.0
        self.passed = self.lost = 0

    def release_time(self, size, now):
        """When to pass on a packet that came now, None if it is lost."""
        weather = self.weather
        if weather.hole or self._is_lost(weather):
            self.lost += 1
            return None
        at = now
        if weather.rate:
            at = max(now, self.free_at)
            if at - now > weather.queue:
                self.lost += 1
                return None
            self.free_at = at + size * 8 / weather.rate
            at = self.free_at
        self.passed += 1
        return max(at + weather.delay + self.random.uniform(0, weather.jitter), self.held_until)

    def _is_lost(self, weather):
        """Gilbert's model: a good and a bad state, all lost in the bad one."""
        if not weather.loss:
            self.losing = False
            return False
        leave = 1 / weather.burst
        enter = leave * weather.loss / (1 - weather.loss)
        draw = self.random.random()
        self.losing = draw >= leave if self.losing else draw < enter
        return self.losing


class Relay(threading.Thread):
    """client <-> (client_side | recorder_side) <-> recorder, one session."""

    def __init__(self, seed=1, hold_media=0):
        super().__init__(daemon=True)
        self.hold_media = hold_media     # seconds, from the first packet of media
        self.client_side = self._socket()
        self.recorder_side = self._socket()
        self.client = self.recorder = None
        self.up = Direction(seed)        # client to recorder
        self.down = Direction(seed + 1)
        self.media = {}                  # payload type -> 'audio', 'video'
        self.lost = []                   # as arrivals, of what was not delivered
        self.arrivals = []               # (time, payload type, RTP timestamp, sequence)
        self.pending = []
        self.order = 0
        self.running = True
        self.start()

    @staticmethod
    def _socket():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.bind(('127.0.0.1', 0))
        s.setblocking(False)
        return s

    def set(self, up=None, down=None):
        """Changes the weather; without an argument it clears up."""
        self.up.weather = up or Weather()
        self.down.weather = down or Weather()

    def hold(self, seconds):
        """Nothing reaches the recorder for so long; then everything, in order."""
        self.up.held_until = time.time() + seconds

    def _hold_first_media(self, data):
        if self.hold_media and len(data) >= 12 and 128 <= data[0] <= 191:
            self.hold(self.hold_media)
            self.hold_media = 0

    def run(self):
        sides = [self.client_side, self.recorder_side]
        while self.running:
            now = time.time()
            wait = min(self.pending[0][0] - now, 0.1) if self.pending else 0.1
            readable, _, _ = select.select(sides, [], [], max(0, wait))
            for side in readable:
                self._receive(side)
            self._deliver()
        for side in sides:
            side.close()

    def _receive(self, side):
        for _ in range(64):
            try:
                data, source = side.recvfrom(65536)
            except (BlockingIOError, ConnectionError):
                return
            now = time.time()
            upwards = side is self.client_side
            if upwards:
                self.client = source
            else:
                self.recorder = source
            direction = self.up if upwards else self.down
            if upwards:
                self._hold_first_media(data)
            at = direction.release_time(len(data), now)
            if at is not None:
                self.order += 1
                heapq.heappush(self.pending, (at, self.order, upwards, data))
            elif upwards:
                self._note(self.lost, data, now)

    def _deliver(self):
        now = time.time()
        while self.pending and self.pending[0][0] <= now:
            _, _, upwards, data = heapq.heappop(self.pending)
            side = self.recorder_side if upwards else self.client_side
            to = self.recorder if upwards else self.client
            if not to:
                continue
            if upwards:
                self._note(self.arrivals, data, now)
            try:
                side.sendto(data, to)
            except OSError:
                pass

    @staticmethod
    def _note(packets, data, now):
        """RTP as of RFC 7983, without RTCP (RFC 5761 section 4)."""
        if len(data) < 12 or not 128 <= data[0] <= 191 or 192 <= data[1] <= 223:
            return
        packets.append((now, data[1] & 0x7f, int.from_bytes(data[4:8], 'big'),
                        int.from_bytes(data[2:4], 'big')))

    def times_of(self, kind):
        """When packets of 'audio' or 'video' were given to the recorder."""
        return [a[0] for a in self.arrivals if self.media.get(a[1]) == kind]

    def bursts(self, seconds):
        """How many packets were given to the recorder in each stretch of time."""
        counts = {}
        for at, *_ in self.arrivals:
            counts[int(at / seconds)] = counts.get(int(at / seconds), 0) + 1
        return list(counts.values())

    def units_of(self, kind):
        """When the last packet of each picture or frame was given to the
        recorder: [(time, RTP timestamp)]."""
        last = {}
        for at, payload_type, timestamp, _ in self.arrivals:
            if self.media.get(payload_type) == kind:
                last[timestamp] = at
        return sorted((at, timestamp) for timestamp, at in last.items())

    def stop(self):
        self.running = False
        self.join()


CANDIDATE = re.compile(r'^a=candidate:.*\r?\n', re.MULTILINE)
UDP_CANDIDATE = re.compile(
    r'^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host', re.MULTILINE | re.IGNORECASE)


def first_udp_address(sdp):
    match = UDP_CANDIDATE.search(sdp)
    return (match.group(1), int(match.group(2))) if match else None


def replace_candidates(sdp, address):
    """Every m-line that had candidates gets exactly one: `address`."""
    line = f'a=candidate:1 1 udp 2122260223 {address[0]} {address[1]} typ host generation 0\r\n'
    sections = re.split(r'(?m)^(?=m=)', sdp)
    for index, section in enumerate(sections):
        if CANDIDATE.search(section):
            section = CANDIDATE.sub('', section)
            end = 'a=end-of-candidates'
            at = section.find(end)
            sections[index] = section[:at] + line + section[at:] if at >= 0 else section + line
    return ''.join(sections)


def media_of_payload_types(sdp):
    """{payload type: 'audio' or 'video'}, without retransmission and FEC."""
    kinds = {}
    for section in re.split(r'(?m)^(?=m=)', sdp)[1:]:
        kind = section[2:section.index(' ')]
        for number, name in re.findall(r'(?m)^a=rtpmap:(\d+) ([^/\s]+)', section):
            if name.lower() not in ('rtx', 'red', 'ulpfec', 'flexfec-03'):
                kinds[int(number)] = kind
    return kinds


class WhipProxy:
    """Serves the publisher's page and passes /whip on to the recorder."""

    def __init__(self, seed=1):
        self.target = None        # URL of the recorder's endpoint
        self.seed = seed
        self.hold_media = 0       # of sessions to come, see Relay
        self.relays = []
        self.offers = []          # (offer, status, answer) as the client saw them
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def do_GET(self):
                proxy.serve_file(self)

            def do_POST(self):
                proxy.forward(self)

            do_PATCH = do_DELETE = do_OPTIONS = do_POST

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def relay(self):
        return self.relays[-1]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        for relay in self.relays:
            relay.stop()

    @staticmethod
    def serve_file(handler):
        files = {'/': ('publisher.html', 'text/html'),
                 '/publisher.js': ('publisher.js', 'text/javascript')}
        name, kind = files.get(handler.path, (None, None))
        body = (HERE / name).read_bytes() if name else b'not here'
        handler.send_response(200 if name else 404)
        handler.send_header('Content-Type', kind or 'text/plain')
        handler.send_header('Content-Length', str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def forward(self, handler):
        body = handler.rfile.read(int(handler.headers.get('Content-Length') or 0))
        text = body.decode('utf-8', 'replace')
        relay = None
        # Another ICE session, after a restart too, takes another way.
        if handler.command == 'POST' or handler.command == 'PATCH' and 'a=ice-pwd:' in text:
            relay = Relay(self.seed + 10 * len(self.relays), self.hold_media)
            # Who is ICE-lite waits for the recorder to send first.
            relay.client = first_udp_address(text)
            text = replace_candidates(text, relay.recorder_side.getsockname())
        elif handler.command == 'PATCH' and self.relays:
            text = replace_candidates(text, self.relay.recorder_side.getsockname())
        status, headers, answer = self._ask(handler, text.encode())
        if relay:
            answer = self._install(relay, text, status, answer)
        handler.send_response(status)
        for name, value in headers:
            if name.lower() == 'location':
                value = '/whip' + self._below_target(value)
            if name.lower() not in ('content-length', 'connection', 'transfer-encoding'):
                handler.send_header(name, value)
        handler.send_header('Content-Length', str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def _install(self, relay, offer, status, answer):
        sdp = answer.decode('utf-8', 'replace')
        if status in (200, 201):
            relay.recorder = first_udp_address(sdp)
            relay.media = media_of_payload_types(sdp) if status == 201 else self.relay.media
            sdp = replace_candidates(sdp, relay.client_side.getsockname())
            self.relays.append(relay)
        else:
            relay.stop()
        self.offers.append((offer, status, sdp))
        return sdp.encode()

    def _below_target(self, location):
        path = urllib.parse.urlparse(urllib.parse.urljoin(self.target, location)).path
        return path[len(urllib.parse.urlparse(self.target).path):]

    def _ask(self, handler, body):
        target = urllib.parse.urlparse(self.target)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
        headers = {n: v for n, v in handler.headers.items() if n.lower() in
                   ('content-type', 'authorization', 'if-match', 'origin', 'accept')}
        try:
            connection.request(handler.command, target.path + handler.path[len('/whip'):],
                               body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        except OSError as error:
            return 502, [('Content-Type', 'text/plain')], json.dumps(str(error)).encode()
        finally:
            connection.close()
