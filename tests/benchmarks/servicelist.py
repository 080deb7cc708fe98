#!/usr/bin/python3
# gst-tsrec: how long the recording service needs to list a folder
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: servicelist.py [COUNT]...

For folders with COUNT recordings (500 and 5000), prints the time of the first
GET /api/recordings, which reads every recording that has no NAME.json, of the
second one, and of the page of 50 that the browser asks for. Nothing is asserted
about time. Needs GST_PLUGIN_PATH (or GST_PLUGIN_PATH_1_0) to name the build.
"""

import json
import os
import sys
import tempfile
import time
import urllib.request

import gi

gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

SECONDS = 4


def make_recording(path):
    pipeline = Gst.parse_launch(
        f'videotestsrc num-buffers={SECONDS * 25} ! video/x-raw,width=320,height=180,framerate=25/1 ! '
        f'x264enc speed-preset=ultrafast key-int-max=25 bitrate=500 ! h264parse ! tsrecsink location={path}')
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    if message.type != Gst.MessageType.EOS:
        sys.exit(message.parse_error()[0].message)


def fill(folder, count):
    first = os.path.join(folder, 'rec-0.ts')
    make_recording(first)
    with open(first, 'rb') as file:
        content = file.read()
    for n in range(1, count):
        with open(os.path.join(folder, f'rec-{n}.ts'), 'wb') as file:
            file.write(content)
    # Neither growing nor about to get a NAME.json.
    for name in os.listdir(folder):
        os.utime(os.path.join(folder, name), (1e9, 1e9))


def ask(url, query, count):
    begin = time.monotonic()
    with urllib.request.urlopen(f'{url}api/recordings?{query}', timeout=600) as answer:
        rows = json.load(answer)['recordings']
    taken = time.monotonic() - begin
    if len(rows) != count or not all(row['duration_seconds'] > SECONDS - 1 for row in rows):
        sys.exit(f'{len(rows)} rows of {count}, or without durations')
    return taken


def measure(count):
    with tempfile.TemporaryDirectory(prefix='servicelist-') as folder:
        fill(folder, count)
        server = Gst.ElementFactory.make('recserver')
        if not server:
            sys.exit('there is no recserver')
        for name, value in (('port', 0), ('directory', folder), ('ingest', False)):
            server.set_property(name, value)
        server.set_state(Gst.State.READY)
        url = server.get_property('url')
        page = ask(url, 'limit=50', 50)
        first, second = (ask(url, f'limit={count}', count) for _ in range(2))
        server.set_state(Gst.State.NULL)
    print(f'{count} recordings: the newest 50 in {page * 1000:.0f} ms, all in {first * 1000:.0f} ms, '
          f'again in {second * 1000:.0f} ms (load average {os.getloadavg()[0]:.0f})')


if __name__ == '__main__':
    Gst.init(None)
    for number in sys.argv[1:] or ['500', '5000']:
        measure(int(number))
