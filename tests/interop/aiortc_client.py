#!/usr/bin/python3
# gst-tsrec: an independent WHIP client that sends the test pattern
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: aiortc_client.py URL [--seconds N] [--video CODEC] [--no-audio]
       [--no-video] [--end delete|close|none] [--token T]
       [--like ffmpeg|lite] [--clock-ppm PPM] [--sound-ppm PPM]

Prints one JSON object a line: connected, then drawn (sequence numbers and
milliseconds, as publisher.js keeps them), then what the DELETE was answered.
With --like ffmpeg it negotiates as ffmpeg 8 does, with --like lite it is an
ICE-lite agent.
"""

import argparse
import asyncio
import datetime
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
import aiortc.clock
import aiortc.codecs.h264
import av
import numpy as np

import pattern

FPS = 25
SAMPLES = 960


class Encoder(aiortc.codecs.h264.H264Encoder):
    """aiortc 1.4 does not make a key frame of H.264 when it is asked to; an
    encoder that starts again does."""

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


class LiteIce:
    """It answers connectivity checks and makes none (RFC 8445 section 2.5)."""

    @staticmethod
    def install():
        async def check_start(self, pair):
            while not pair.remote_nominated:
                await asyncio.sleep(0.01)
            pair.nominated = True
            self.check_state(pair, aioice.ice.CandidatePair.State.SUCCEEDED)
            self.check_complete(pair)

        async def query_consent(self):
            pass

        connection = aioice.ice.Connection
        received = connection.request_received

        def request_received(self, message, *arguments):
            # Nor does it repair conflicts of roles.
            message.attributes.pop('ICE-CONTROLLED', None)
            received(self, message, *arguments)

        connection.request_received = request_received
        connection.ice_controlling = property(lambda self: False, lambda self, value: None)
        connection.check_start = check_start
        connection.query_consent = query_consent

    @staticmethod
    def offer(sdp):
        return sdp.replace('t=0 0\r\n', 't=0 0\r\na=ice-lite\r\n', 1)


LIKE = {'ffmpeg': FfmpegIce, 'lite': LiteIce}


def say(**line):
    print(json.dumps({'time': time.time(), **line}), flush=True)


class SenderClock:
    """The clock of a sender that runs fast by some parts in a million. Pictures,
    sound, RTP timestamps and the NTP time of sender reports all follow it."""

    def __init__(self, ppm):
        self.rate = 1 + ppm / 1e6
        self.start = time.monotonic()
        self.wall = datetime.datetime.now(datetime.timezone.utc)
        if ppm:
            aiortc.clock.current_datetime = lambda: (
                self.wall + datetime.timedelta(seconds=self.now()))

    def now(self):
        """Seconds since it was made."""
        return (time.monotonic() - self.start) * self.rate

    async def sleep_until(self, when):
        await asyncio.sleep(max(0, (when - self.now()) / self.rate))


class Picture(aiortc.MediaStreamTrack):
    """Every picture at its time; a picture that would be late is left out."""
    kind = 'video'

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.next = None
        self.drawn = []

    async def recv(self):
        now = self.clock.now()
        self.next = max((self.next or now) + 1 / FPS, now - 1 / FPS)
        await self.clock.sleep_until(self.next)
        ms = int(self.clock.now() * 1000)
        luma = pattern.encode_picture(len(self.drawn), ms)
        self.drawn.append([len(self.drawn), ms])
        planes = np.concatenate([luma, np.full((180, 640), 128, np.uint8)])
        frame = av.VideoFrame.from_ndarray(planes, format='yuv420p')
        frame.pts = ms * 90
        frame.time_base = fractions.Fraction(1, 90000)
        return frame


class Sound(aiortc.MediaStreamTrack):
    """A sound card whose own clock runs fast by `ppm` against the sender's."""
    kind = 'audio'

    def __init__(self, clock, ppm):
        super().__init__()
        self.clock = clock
        self.rate = 48000 * (1 + ppm / 1e6)
        self.position = None

    async def recv(self):
        if self.position is None:
            self.position = int(self.clock.now() * self.rate)
        await self.clock.sleep_until(self.position / self.rate)
        frame = av.AudioFrame.from_ndarray(self._piece(), format='s16', layout='mono')
        frame.sample_rate = 48000
        frame.pts = self.position
        frame.time_base = fractions.Fraction(1, 48000)
        self.position += SAMPLES
        return frame

    def _piece(self):
        times = (self.position + np.arange(SAMPLES)) / self.rate
        seconds = np.floor(times)
        phase = times - seconds
        beep = np.sin(2 * np.pi * pattern.pitch_of(seconds) * phase)
        samples = np.where(phase < pattern.BEEP_SECONDS, 0.5 * beep, 0)
        return (samples * 32767).astype(np.int16).reshape(1, -1)


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
    like = LIKE.get(arguments.like)
    if like:
        like.install()
    clock = SenderClock(arguments.clock_ppm)
    pc = aiortc.RTCPeerConnection()
    picture = Picture(clock)
    if not arguments.no_audio:
        pc.addTransceiver(Sound(clock, arguments.sound_ppm), 'sendonly')
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
    if like:
        offer = like.offer(offer)
    status, headers, answer = await asyncio.to_thread(
        request, 'POST', arguments.url, offer.encode(), arguments.token)
    if status != 201:
        sys.exit(f'POST was answered {status}: {answer}')
    location = urllib.parse.urljoin(arguments.url, headers['Location'])
    await pc.setRemoteDescription(aiortc.RTCSessionDescription(answer, 'answer'))
    await asyncio.wait_for(connected.wait(), 20)
    say(type='connected', name='connected', clock=clock.now() * 1000)
    await asyncio.sleep(arguments.seconds)
    say(type='drawn', name='drawn', drawn=picture.drawn, clock=clock.now() * 1000)
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
    parser.add_argument('--like', choices=LIKE)
    parser.add_argument('--clock-ppm', type=float, default=0)
    parser.add_argument('--sound-ppm', type=float, default=0)
    asyncio.run(publish(parser.parse_args()))


if __name__ == '__main__':
    main()
