#!/usr/bin/python3
# gst-tsrec: a client of the recording service, with the standard library only
#
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starts a recording, prints its events until it has recorded for some seconds,
and stops it.

    examples/service_client.py [URL [NAME [SECONDS]]]
"""

import asyncio
import json
import sys
import urllib.request


def ask(url, path, body=None):
    request = urllib.request.Request(url + path, json.dumps(body).encode() if body else None,
                                     {'Content-Type': 'application/json'})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


async def events(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f'GET /api/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n'.encode())
    while line := await reader.readline():
        if line.startswith(b'data: '):
            yield json.loads(line[6:])
    writer.close()


async def follow(url, name):
    host, port = url.split('/')[2].split(':')
    async for event in events(host, int(port)):
        print(event['time'], event['id'], event['event'], event['state'])
        if event['id'] == name and event['state'] == 'recording':
            return


async def main(url='http://127.0.0.1:8190', name='demo', seconds='5'):
    follower = asyncio.create_task(follow(url, name))
    started = await asyncio.to_thread(ask, url, '/api/recording/start', {'id': name})
    print('Publish to', started['publish_url'])
    await follower
    await asyncio.sleep(float(seconds))
    stopped = await asyncio.to_thread(ask, url, '/api/recording/stop', {'id': name})
    print(stopped['output_path'], stopped['file_size_bytes'], 'bytes')


asyncio.run(main(*sys.argv[1:]))
