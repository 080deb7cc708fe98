#!/usr/bin/python3
# gst-tsrec: connects, sends for a moment, disconnects, again and again
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: cycling_client.py URL COUNT

Straight to the recorder. Every other session ends by DELETE, the rest by
closing the connection. Prints a line for each cycle.
"""

import asyncio
import fractions
import json
import sys
import time
import urllib.parse

import aioice.ice
import aiortc
import av
import numpy as np

from aiortc_client import request


class Sound(aiortc.MediaStreamTrack):
    kind = 'audio'
    position = 0

    async def recv(self):
        await asyncio.sleep(0.02)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 960), np.int16), format='s16', layout='mono')
        frame.sample_rate, frame.pts = 48000, self.position
        frame.time_base = fractions.Fraction(1, 48000)
        self.position += 960
        return frame


async def cycle(url, number):
    pc = aiortc.RTCPeerConnection()
    pc.addTransceiver(Sound(), 'sendonly')
    await pc.setLocalDescription(await pc.createOffer())
    connected = asyncio.Event()

    @pc.on('connectionstatechange')
    def changed():
        if pc.connectionState == 'connected':
            connected.set()

    offer = pc.localDescription.sdp.encode()
    for _ in range(100):
        status, headers, answer = await asyncio.to_thread(request, 'POST', url, offer)
        if status not in (409, 429, 503):
            break
        await asyncio.sleep(0.1)
    if status != 201:
        sys.exit(f'cycle {number}: POST was answered {status}: {answer}')
    await pc.setRemoteDescription(aiortc.RTCSessionDescription(answer, 'answer'))
    await asyncio.wait_for(connected.wait(), 20)
    await asyncio.sleep(0.1)
    if number % 2:
        location = urllib.parse.urljoin(url, headers['Location'])
        await asyncio.to_thread(request, 'DELETE', location)
    await pc.close()
    print(json.dumps({'time': time.time(), 'type': 'cycle', 'name': str(number)}), flush=True)


async def main(url, count):
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ['127.0.0.1']
    for number in range(1, count + 1):
        await cycle(url, number)


if __name__ == '__main__':
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
