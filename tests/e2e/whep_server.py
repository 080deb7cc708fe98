#!/usr/bin/python3
# gst-tsrec: a media server that plays a picture and silence by WHEP
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: whep_server.py PORT PATH

Independent of GStreamer: aiortc makes the session. One POST, one session.
"""

import asyncio
import sys

import aiortc

PORT, PATH = int(sys.argv[1]), sys.argv[2]
peers = []


async def answer(offer):
    peer = aiortc.RTCPeerConnection()
    peers.append(peer)
    await peer.setRemoteDescription(aiortc.RTCSessionDescription(offer, 'offer'))
    for transceiver in peer.getTransceivers():
        track = aiortc.VideoStreamTrack() if transceiver.kind == 'video' else aiortc.mediastreams.AudioStreamTrack()
        peer.addTrack(track)
    await peer.setLocalDescription(await peer.createAnswer())
    return peer.localDescription.sdp


async def serve(reader, writer):
    request = await reader.readuntil(b'\r\n\r\n')
    headers = dict(line.lower().split(b': ', 1) for line in request.split(b'\r\n')[1:] if b': ' in line)
    body = await reader.readexactly(int(headers.get(b'content-length', 0)))
    if request.startswith(f'POST {PATH} '.encode()):
        body = (await answer(body.decode())).encode()
        status = f'201 Created\r\nContent-Type: application/sdp\r\nLocation: {PATH}/1'
    else:
        body, status = b'', '200 OK'
    writer.write(f'HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n'.encode() + body)
    await writer.drain()
    writer.close()


async def main():
    async with await asyncio.start_server(serve, '127.0.0.1', PORT) as server:
        await server.serve_forever()


asyncio.run(main())
