#!/usr/bin/python3
# gst-tsrec: sends the test pattern with our own recwhipsink
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: gst_client.py URL SECONDS [COUNT]

With COUNT it publishes the same to URL0, URL1, … at the same time. Prints what aiortc_client.py prints. The pictures and the sound are made here
and pushed in at their time.
"""

import json
import sys
import threading
import time

import gi
import numpy as np
gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402

import pattern  # noqa: E402

FPS = 25
RATE = 48000
SOURCES = '''
  appsrc name=video format=time is-live=true do-timestamp=false
    caps=video/x-raw,format=GRAY8,width=640,height=360,framerate=25/1 !
    videoconvert ! video/x-raw,format=I420 ! queue !
    x264enc tune=zerolatency speed-preset=ultrafast key-int-max=50 bitrate=1000 !
    video/x-h264,profile=constrained-baseline ! h264parse ! tee name=pictures
  appsrc name=audio format=time is-live=true do-timestamp=false
    caps=audio/x-raw,format=F32LE,rate=48000,channels=1,layout=interleaved !
    audioconvert ! queue ! opusenc frame-size=20 ! tee name=sound
'''
PUBLISHER = '''
  recwhipsink name=whip{n} location={url}
  pictures. ! queue ! whip{n}.video
  sound. ! queue ! whip{n}.audio
'''


def say(**line):
    print(json.dumps({'time': time.time(), **line}), flush=True)


class Client:
    def __init__(self, seconds, urls):
        self.sinks = [f'whip{n}' for n in range(len(urls))]
        self.pipeline = Gst.parse_launch(SOURCES + ' '.join(
            PUBLISHER.format(n=n, url=url) for n, url in enumerate(urls)))
        self.seconds = seconds
        self.loop = GLib.MainLoop()
        self.drawn = []
        self.status = 0
        self.epoch = None
        self.running = True

    def push(self, name, when, data, duration):
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts = buffer.dts = int(when * Gst.SECOND)
        buffer.duration = int(duration * Gst.SECOND)
        self.pipeline.get_by_name(name).emit('push-buffer', buffer)

    def send_pictures(self):
        """Times count from the base time of the pipeline."""
        for index in range(1 << 30):
            at = index / FPS
            time.sleep(max(0, self.epoch + at - time.monotonic()))
            if not self.running:
                return
            ms = int(at * 1000)
            self.drawn.append([index, ms])
            self.push('video', at, pattern.encode_picture(index, ms).tobytes(), 1 / FPS)

    def send_sound(self):
        for index in range(1 << 30):
            second, part = divmod(index, 50)
            if part == 0:
                sound = pattern.encode_sound(second, 1)
            time.sleep(max(0, self.epoch + index / 50 - time.monotonic()))
            if not self.running:
                return
            piece = sound[part * RATE // 50:(part + 1) * RATE // 50]
            self.push('audio', index / 50, piece.tobytes(), 1 / 50)

    def clock(self):
        return (time.monotonic() - self.epoch) * 1000

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            say(type='error', name=error.message, src=message.src.get_name(), debug=debug)
            self.status = 1
            self.loop.quit()
        elif message.type == Gst.MessageType.EOS:
            self.loop.quit()
        return True

    def look(self):
        for name in self.sinks:
            stats = self.pipeline.get_by_name(name).get_property('stats')
            if not stats.get_value('connected'):
                return True
        say(type='connected', name='connected', clock=self.clock())
        GLib.timeout_add(int(self.seconds * 1000), self.finish)
        return False

    def finish(self):
        say(type='drawn', name='drawn', drawn=self.drawn, clock=self.clock())
        self.running = False
        self.loop.quit()
        return False

    def run(self):
        self.pipeline.get_bus().add_watch(GLib.PRIORITY_HIGH, self.on_message)
        self.pipeline.set_state(Gst.State.PLAYING)
        clock = self.pipeline.get_pipeline_clock() or Gst.SystemClock.obtain()
        while not self.pipeline.get_base_time():
            time.sleep(0.005)
        self.epoch = time.monotonic() - (
            clock.get_time() - self.pipeline.get_base_time()) / Gst.SECOND
        for work in (self.send_pictures, self.send_sound):
            threading.Thread(target=work, daemon=True).start()
        GLib.timeout_add(10, self.look)
        GLib.timeout_add_seconds(int(self.seconds) + 30, self.loop.quit)
        self.loop.run()
        self.running = False
        self.pipeline.set_state(Gst.State.NULL)
        say(type='deleted', name='200')
        return self.status


if __name__ == '__main__':
    Gst.init(None)
    np.seterr(all='ignore')
    base = sys.argv[1]
    many = [base] if len(sys.argv) < 4 else [f'{base}{n}' for n in range(int(sys.argv[3]))]
    sys.exit(Client(float(sys.argv[2]), many).run())
