#!/usr/bin/python3
# gst-tsrec: an independent WHIP client that sends the test pattern
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: aiortc_client.py URL [--seconds N] [--video CODEC] [--no-audio]
       [--no-video] [--end delete|close|none] [--token T] [--like ffmpeg]

Prints one JSON object a line: connected, then drawn (sequence numbers and
milliseconds, as publisher.js keeps them), then what the DELETE was answered.
With --like ffmpeg it negotiates as ffmpeg 8 does.
"""

import argparse
import asyncio
import fractions
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import aioice.ice
import aioice.stun
import aiortc
import aiortc.codecs.h264
import av
import numpy as np

import pattern

FPS = 25
SAMPLES = 960


class Encoder(aiortc.codecs.h264.H264Encoder):
    """aiortc 1.4 does not make a key frame of H.264 when it is asked to; an
    encoder that begins anew does."""

    def _encode_frame(self, frame, force_keyframe):
        if force_keyframe:
            self.codec = None
        yield from super()._encode_frame(frame, force_keyframe)


class FfmpegIce:
    """The least that ICE needs, as libavformat/whip.c has it: a request is
    USERNAME and USE-CANDIDATE, an answer to one has no address in it; the offer
    has no candidates and no feedback, and leaves the DTLS handshake to the
    server."""

    @classmethod
    def install(cls):
        build, sign = aioice.ice.Connection.build_request, aioice.stun.Message.add_message_integrity

        def build_request(self, pair, nominate):
            request = build(self, pair, nominate)
            for name in ('PRIORITY', 'ICE-CONTROLLING'):
                request.attributes.pop(name, None)
            request.attributes['USE-CANDIDATE'] = None
            return request

        def add_message_integrity(self, key):
            if self.message_class == aioice.stun.Class.RESPONSE:
                self.attributes.pop('XOR-MAPPED-ADDRESS', None)
            sign(self, key)

        aioice.ice.Connection.build_request = build_request
        aioice.stun.Message.add_message_integrity = add_message_integrity

    @staticmethod
    def offer(sdp):
        sdp = re.sub(r'a=(candidate:|rtcp:|rtcp-fb:|extmap:|end-of-candidates).*\r\n', '', sdp)
        return sdp.replace('a=setup:actpass', 'a=setup:passive')


def say(**line):
    print(json.dumps({'time': time.time(), **line}), flush=True)


class Picture(aiortc.MediaStreamTrack):
    """Every picture at its time; a picture that would be late is left out."""
    kind = 'video'

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch
        self.next = None
        self.drawn = []

    async def recv(self):
        now = time.monotonic()
        self.next = max((self.next or now) + 1 / FPS, now - 1 / FPS)
        await asyncio.sleep(max(0, self.next - now))
        ms = int((time.monotonic() - self.epoch) * 1000)
        luma = pattern.encode_picture(len(self.drawn), ms)
        self.drawn.append([len(self.drawn), ms])
        planes = np.concatenate([luma, np.full((180, 640), 128, np.uint8)])
        frame = av.VideoFrame.from_ndarray(planes, format='yuv420p')
        frame.pts = ms * 90
        frame.time_base = fractions.Fraction(1, 90000)
        return frame


class Sound(aiortc.MediaStreamTrack):
    kind = 'audio'

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch
        self.position = None
        self.pieces = {}

    async def recv(self):
        rate = 48000
        if self.position is None:
            self.position = int((time.monotonic() - self.epoch) * rate)
        due = self.epoch + self.position / rate
        await asyncio.sleep(max(0, due - time.monotonic()))
        piece = self._piece(self.position, rate)
        frame = av.AudioFrame.from_ndarray(piece, format='s16', layout='mono')
        frame.sample_rate = rate
        frame.pts = self.position
        frame.time_base = fractions.Fraction(1, rate)
        self.position += SAMPLES
        return frame

    def _piece(self, position, rate):
        """Samples from `position` on, out of the seconds they lie in."""
        out = []
        left = SAMPLES
        while left:
            second, offset = divmod(position, rate)
            if second not in self.pieces:
                sound = pattern.encode_sound(second, 1)
                self.pieces = {second: (sound * 32767).astype(np.int16)}
            part = self.pieces[second][offset:offset + left]
            out.append(part)
            position += len(part)
            left -= len(part)
        return np.concatenate(out).reshape(1, -1)


def request(method, url, body=None, token=None, kind='application/sdp'):
    headers = {'Content-Type': kind}
    if token:
        headers['Authorization'] = 'Bearer ' + token
    asked = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def prefer(transceiver, name):
    codecs = aiortc.RTCRtpSender.getCapabilities('video').codecs
    transceiver.setCodecPreferences(
        [c for c in codecs if c.mimeType.lower() == f'video/{name}'.lower()])


async def publish(arguments):
    aiortc.codecs.H264Encoder = Encoder
    # aioice leaves 127.0.0.1 out; here it is all there is.
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ['127.0.0.1']
    if arguments.like == 'ffmpeg':
        FfmpegIce.install()
    epoch = time.monotonic()
    pc = aiortc.RTCPeerConnection()
    picture = Picture(epoch)
    if not arguments.no_audio:
        pc.addTransceiver(Sound(epoch), 'sendonly')
    if not arguments.no_video:
        prefer(pc.addTransceiver(picture, 'sendonly'), arguments.video)
    await pc.setLocalDescription(await pc.createOffer())
    connected = asyncio.Event()

    @pc.on('connectionstatechange')
    def changed():
        say(type='state', name=pc.connectionState)
        if pc.connectionState == 'connected':
            connected.set()

    offer = pc.localDescription.sdp
    if arguments.like == 'ffmpeg':
        offer = FfmpegIce.offer(offer)
    status, headers, answer = await asyncio.to_thread(
        request, 'POST', arguments.url, offer.encode(), arguments.token)
    if status != 201:
        sys.exit(f'POST was answered {status}: {answer}')
    location = urllib.parse.urljoin(arguments.url, headers['Location'])
    await pc.setRemoteDescription(aiortc.RTCSessionDescription(answer, 'answer'))
    await asyncio.wait_for(connected.wait(), 20)
    say(type='connected', name='connected', clock=(time.monotonic() - epoch) * 1000)
    await asyncio.sleep(arguments.seconds)
    say(type='drawn', name='drawn', drawn=picture.drawn,
        clock=(time.monotonic() - epoch) * 1000)
    if arguments.end == 'delete':
        status, _, _ = await asyncio.to_thread(
            request, 'DELETE', location, None, arguments.token)
        say(type='deleted', name=str(status))
    if arguments.end != 'none':
        await pc.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('url')
    parser.add_argument('--seconds', type=float, default=10)
    parser.add_argument('--video', default='H264')
    parser.add_argument('--no-audio', action='store_true')
    parser.add_argument('--no-video', action='store_true')
    parser.add_argument('--end', default='delete')
    parser.add_argument('--token')
    parser.add_argument('--like', choices=['ffmpeg'])
    asyncio.run(publish(parser.parse_args()))


if __name__ == '__main__':
    main()
