#!/usr/bin/python3
# gst-tsrec: pictures that say when they were made, published and read
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: barcodes.py URL...

Publishes one test pattern to all URLs by recwhipsink: 25 pictures a second, each
with a bar code of its number and of UTC (tests/interop/pattern.py), a key frame
each second, and a tone. As a module: reads the bar codes of a recording, and
serves an endless transport stream of them by HTTP.
"""

import contextlib
import http.server
import os
import subprocess
import sys
import threading
import time

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop'))
import pattern  # noqa: E402

FPS = 25
WIDTH, HEIGHT = 320, 180
PIPELINE = '''
  appsrc name=video format=time is-live=true do-timestamp=true
    caps=video/x-raw,format=GRAY8,width=320,height=180,framerate=25/1 !
    videoconvert ! video/x-raw,format=I420 ! queue !
    x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=300 threads=1 !
    video/x-h264,profile=constrained-baseline ! h264parse ! tee name=pictures
  audiotestsrc is-live=true wave=sine ! opusenc ! tee name=sound
'''
PUBLISHER = '''
  recwhipsink name=whip{n} location={url}
  pictures. ! queue ! whip{n}.video
  sound. ! queue ! whip{n}.audio
'''


def utc_ms():
    return time.time_ns() // 1_000_000 % pattern.MS_MODULUS


def read(path):
    """[(PTS in seconds, number, UTC in ms modulo 2^24)] of the pictures of a file;
    None instead of the two where a picture is damaged."""
    times = subprocess.run(
        ['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', path],
        capture_output=True, text=True, check=True).stdout.replace(',', ' ').split()
    raw = subprocess.run(
        ['ffmpeg', '-nostdin', '-v', 'error', '-i', path, '-map', '0:v', '-fps_mode', 'passthrough', '-vf',
         f'scale={WIDTH}:{HEIGHT}', '-pix_fmt', 'gray', '-f', 'rawvideo', '-'], capture_output=True, check=True).stdout
    pictures = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH)
    codes = [pattern.decode_picture(picture) for picture in pictures]
    return [(float(at), *(code or (None, None))) for at, code in zip(times, codes, strict=True)]


def numbers(path):
    return [number for _, number, _ in read(path)]


class Publisher:
    def __init__(self, urls):
        self.pipeline = Gst.parse_launch(PIPELINE + ' '.join(
            PUBLISHER.format(n=n, url=url) for n, url in enumerate(urls)))
        self.loop = GLib.MainLoop()

    def push(self):
        source = self.pipeline.get_by_name('video')
        begin = time.monotonic()
        for number in range(1 << 30):
            time.sleep(max(0, begin + number / FPS - time.monotonic()))
            picture = pattern.encode_picture(number, utc_ms(), WIDTH, HEIGHT)
            source.emit('push-buffer', Gst.Buffer.new_wrapped(picture.tobytes()))

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.ERROR:
            print(message.src.get_name(), message.parse_error(), flush=True)
            if message.src.get_parent() == self.pipeline:
                self.loop.quit()
        return True

    def run(self):
        self.pipeline.get_bus().add_watch(GLib.PRIORITY_HIGH, self.on_message)
        self.pipeline.set_state(Gst.State.PLAYING)
        threading.Thread(target=self.push, daemon=True).start()
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, 15, self.loop.quit)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)


def encode(path, seconds):
    """A transport stream of pictures with numbers from 0 on."""
    with subprocess.Popen(
            ['ffmpeg', '-y', '-v', 'error', '-f', 'rawvideo', '-pix_fmt', 'gray', '-s', f'{WIDTH}x{HEIGHT}', '-r', str(FPS),
             '-i', '-', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', str(FPS), '-bf', '0',
             '-f', 'mpegts', path], stdin=subprocess.PIPE) as process:
        for number in range(seconds * FPS):
            process.stdin.write(pattern.encode_picture(number, number * 1000 // FPS, WIDTH, HEIGHT).tobytes())
    if process.returncode:
        raise AssertionError('ffmpeg failed')


class Camera:
    """An HTTP server whose stream goes on with and without a client."""

    def __init__(self, path, seconds):
        encode(path, seconds)
        with open(path, 'rb') as file:
            data = file.read()
        rate = len(data) / seconds
        began = time.monotonic()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Type', 'video/mp2t')
                self.end_headers()
                position = int((time.monotonic() - began) * rate) // 188 * 188
                with contextlib.suppress(OSError):
                    while position < len(data):
                        end = int((time.monotonic() - began) * rate) // 188 * 188
                        self.wfile.write(data[position:end])
                        position = end
                        time.sleep(1 / FPS)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.server.server_port}/stream.ts'

    def end(self):
        self.server.shutdown()
        self.server.server_close()


if __name__ == '__main__':
    import gi
    gi.require_version('Gst', '1.0')
    from gi.repository import GLib, Gst
    Gst.init(None)
    Publisher(sys.argv[1:]).run()
