# gst-tsrec: clients that mean harm, and many that come and go
#
# SPDX-License-Identifier: LGPL-2.1-or-later

import http.client
import json
import pathlib
import resource
import socket
import time
import uuid

import growth
import judge
import processes
from stage import scenario

MAX_DESCRIPTORS = 400
SAMPLE = '''v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=rtcp-mux
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 ''' + ':'.join(['AB'] * 32) + '''
a=setup:actpass
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=42e01f
'''.replace('\n', '\r\n')


class Client:
    """One request a connection, as rude as wanted."""

    def __init__(self, recorder):
        self.recorder = recorder

    def ask(self, method, path='/whip', body=b'', kind='application/sdp', **headers):
        """(status, headers, text); status 0 when the server hung up."""
        connection = http.client.HTTPConnection('127.0.0.1', self.recorder.PORT, timeout=20)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            connection.putheader('Content-Type', kind)
            connection.putheader('Content-Length', str(len(body)))
            for name, value in headers.items():
                connection.putheader(name.replace('_', '-'), value)
            connection.endheaders()
            try:
                connection.send(body)
            except OSError:
                pass          # refused before all of it was read
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode('utf-8', 'replace')
        except (OSError, http.client.HTTPException) as error:
            return 0, {}, str(error)
        finally:
            connection.close()


def lines(text):
    return text.replace('\r\n', '\n').replace('\n', '\r\n').encode()


def with_codec(name):
    return lines(SAMPLE.replace('H264', name).replace(
        'a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\n', ''))


BAD_OFFERS = [
    # name, body, statuses that are right, what the reason must name
    ('1 MB', lines(SAMPLE) + b'a=x:' + b'y' * (1 << 20) + b'\r\n', (413, 0), None),
    ('1 MB of lines', lines(SAMPLE) + b'a=x:y\r\n' * 150000, (413, 0), None),
    ('1,000 m-lines', lines(SAMPLE) + b'm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:9\r\n' * 1000,
     (400, 413, 422), None),
    ('invalid UTF-8', lines(SAMPLE).replace(b's=-', b's=\xff\xfe\xc3\x28'), (201, 400, 422), None),
    ('invalid UTF-8 in a codec', with_codec('H264').replace(b'H264', b'\xff\xfe4'), (400, 422), None),
    ('NUL', lines(SAMPLE).replace(b's=-', b's=\0'), (201, 400, 422), None),
    ('unknown codec', with_codec('FOO3'), (422, 406), 'H264'),
    ('only AV1', with_codec('AV1'), (422, 406), 'H264'),
    ('empty', b'', (400, 422), None),
    ('not SDP', b'{"type": "offer"}', (400, 422), None),
    ('no media', lines(SAMPLE.split('m=')[0]), (400, 422), None),
    ('no fingerprint', lines('\n'.join(
        line for line in SAMPLE.splitlines() if 'fingerprint' not in line) + '\n'), (400, 422), None),
    ('no ICE', lines('\n'.join(
        line for line in SAMPLE.splitlines() if 'ice-' not in line) + '\n'), (400, 422), None),
    ('port and payload of 40 digits', lines(SAMPLE.replace('96', '9' * 40)), (400, 422), None),
    ('only attributes', b'a=x\r\n' * 1000, (400, 422), None),
]


@scenario('hostile-offers', group='hostile')
def hostile_offers(stage):
    stage.record()
    client = Client(stage.recorder)
    for name, body, right, named in BAD_OFFERS:
        status, headers, text = client.ask('POST', body=body)
        stage.result.check(status in right, f'offer "{name}": answered {status}, not {right}')
        stage.result.check(not named or named in text,
                           f'offer "{name}": the reason does not name {named}: {text!r}')
        stage.result.check(status < 400 or text.strip(), f'offer "{name}": no reason given')
        stage.result.notes.append(f'{name}: {status} {text.strip()[:160]!r}')
        if status == 201:
            client.ask('DELETE', headers['Location'])
        check_alive(stage)
        time.sleep(0.3)
    still_records(stage)


BAD_REQUESTS = [
    ('GET', '/whip', {}, (404, 405)),
    ('PUT', '/whip', {}, (404, 405)),
    ('POST', '/', {}, (404, 405)),
    ('POST', '/whip/../../etc/passwd', {}, (400, 404, 405)),
    ('POST', '/whip/..', {}, (400, 404, 405)),
    ('POST', '/whip/%2e%2e/%2e%2e/etc/passwd', {}, (400, 404, 405)),
    ('DELETE', '/whip/../whip', {}, (400, 403, 404, 405)),
    ('DELETE', '/whip/' + 'a' * 60000, {}, (0, 400, 404, 414, 431)),
    ('DELETE', '/whip/%00', {}, (0, 400, 404)),
    ('POST', '/whip', {'kind': 'text/html'}, (415, 400)),
    ('PATCH', '/whip/' + str(uuid.uuid4()), {'kind': 'application/trickle-ice-sdpfrag'}, (404,)),
]


@scenario('hostile-requests', group='hostile')
def hostile_requests(stage):
    """Also: a session belongs to who knows its address."""
    stage.record(whip='auth-token=secret')
    client = Client(stage.recorder)
    token = {'Authorization': 'Bearer secret'}
    for method, path, extra, right in BAD_REQUESTS:
        status, _, text = client.ask(method, path, lines(SAMPLE), **extra, **token)
        stage.result.check(status in right,
                           f'{method} {path[:40]}: answered {status}, not {right}')
        stage.result.notes.append(f'{method} {path[:40]}: {status} {text.strip()[:120]!r}')
        check_alive(stage)
    for wrong in ({}, {'Authorization': 'Bearer wrong'}, {'Authorization': 'Basic c2VjcmV0'},
                  {'Authorization': 'Bearer ' + 'x' * 5000}):
        status, _, _ = client.ask('POST', body=lines(SAMPLE), **wrong)
        stage.result.check(status == 401, f'{str(wrong)[:40]}: answered {status}, not 401')
    publisher = start_aiortc(stage, 6, '--token', 'secret')
    publisher.wait_for(20, type='connected')
    for path in ('/whip/' + str(uuid.uuid4()), '/whip/', '/whip', '/whip/*', '/whip/0'):
        status, _, _ = client.ask('DELETE', path, **token)
        stage.result.check(status in (403, 404, 405), f'DELETE {path}: answered {status}')
    status, _, _ = client.ask('POST', body=lines(SAMPLE), **token)
    stage.result.check(status in (409, 503), f'a second publisher was answered {status}')
    check_alive(stage)
    stage.result.check(not stage.recorder.ends, 'the session was ended by somebody else')
    end_aiortc(stage, publisher)


@scenario('silent-connections', group='hostile')
def silent_connections(stage):
    """1,000 connections that say nothing; a publisher still gets in."""
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    stage.record()
    before = stage.recorder.usage()
    open_ones = []
    for _ in range(1000):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(('127.0.0.1', stage.recorder.PORT))
        open_ones.append(s)
    time.sleep(1)
    during = stage.recorder.usage()
    stage.result.check(during['descriptors'] <= MAX_DESCRIPTORS,
                       f"{during['descriptors']} descriptors with 1,000 silent connections")
    still_records(stage, patience=60)
    for s in open_ones:
        s.close()
    time.sleep(1)
    stage.result.notes.append(f'before {before}, during {during}')


def start_aiortc(stage, seconds, *arguments, url=None):
    return processes.JsonProcess(
        [processes.PYTHON, str(processes.HERE / 'aiortc_client.py'),
         url or stage.proxy.url + '/whip', '--seconds', str(seconds), *arguments],
        stage.folder / 'client.log')


def end_aiortc(stage, client):
    drawn = client.wait_for(30, type='drawn')
    connected = client.select(type='connected')[0]
    client.wait_for(10, type='deleted')
    stage.wait_end('delete')
    client.end()
    stage.marks = {'connected': connected['clock'], 'end': drawn['clock']}
    stage.walls = {'connected': connected['time'], 'end': drawn['time']}
    stage.drawn = {n: ms for n, ms in drawn['drawn']}
    stage.finish()
    stage.expect_pictures(('connected', 1000), ('end', -500))


def still_records(stage, patience=0):
    """An honest client after (or amid) the others."""
    end = time.monotonic() + patience
    while True:
        client = start_aiortc(stage, 5)
        try:
            client.wait_for(20, type='connected')
            break
        except (processes.Died, TimeoutError):
            if time.monotonic() >= end:
                raise
            time.sleep(1)
    end_aiortc(stage, client)


def check_alive(stage):
    if stage.recorder.process.poll() is not None:
        raise processes.Died(f'the recorder ended: {stage.recorder.tail()}')


@scenario('cycles', group='hostile')
def cycles(stage, count=500, step=100):
    """Connects and disconnects; nothing may grow once it has settled."""
    stage.record(**processes.EXACT_MALLOC)
    usage = []
    for number in range(step, count + 1, step):
        client = processes.JsonProcess(
            [processes.PYTHON, str(processes.HERE / 'cycling_client.py'), stage.recorder.url,
             str(step)], stage.folder / 'client.log')
        try:
            client.wait_for(step * 3, type='cycle', name=str(step))
        finally:
            client.process.kill()
            client.process.wait()
        usage.append({'sessions': number, **stage.recorder.usage_at_rest()})
    pathlib.Path(stage.folder / 'usage.json').write_text(json.dumps(usage, indent=1))
    stage.result.notes += [str(u) for u in usage]
    for sentence in growth.of_sessions(usage):
        stage.result.check(False, sentence)
    connected = len(stage.recorder.sessions)
    # A session of 0.1 s can be over before a busy recorder has announced it.
    stage.result.check(connected >= 0.98 * count, f'{connected} of {count} connected')
    stage.finish()


@scenario('twenty-recorders', group='hostile')
def twenty_recorders(stage, count=20):
    """Twenty sources in one process, each on a path of its own, all recorded
    at the same time; what a session costs is noted."""
    port = processes.Recorder.PORT
    parts = []
    for n in range(count):
        parts.append(
            f'recwhipsrc name=whip{n} host=127.0.0.1 port={port} path=/whip{n} '
            f'tsrecsink name=sink{n} location={stage.folder}/rec{n}.ts '
            f'whip{n}.video ! queue ! sink{n}. whip{n}.audio ! queue ! sink{n}.')
    stage.record(launch=' '.join(parts), url=f'http://127.0.0.1:{port}/whip0')
    before = stage.recorder.usage()
    client = processes.JsonProcess(
        [processes.PYTHON, str(processes.HERE / 'gst_client.py'),
         f'http://127.0.0.1:{port}/whip', '12', str(count)], stage.folder / 'client.log')
    try:
        client.wait_for(40, type='connected')
        client.wait_for(40, type='drawn')
        during = stage.recorder.usage()
        client.wait_for(20, type='deleted')
    finally:
        client.process.kill()
        client.process.wait()
    connected = len(stage.recorder.sessions)
    stage.result.check(connected == count, f'{connected} of {count} connected')
    status = stage.recorder.stop()
    stage.result.check(status == 0, f'the recorder ended with {status}')
    for n in range(count):
        check_one_of_many(stage, stage.folder / f'rec{n}.ts')
    stage.result.notes.append(f'{count} sessions: before {before}, during {during}')
    stage.result.notes.append(
        'a session: {:.1f} threads, {:.1f} descriptors, {:.1f} MB'.format(
            *((during[k] - before[k]) / count / unit for k, unit in
              (('threads', 1), ('descriptors', 1), ('rss', 1e6)))))


def check_one_of_many(stage, path):
    """12 s at 25 pictures a second, less the second in which it connected."""
    verdict = judge.Verdict(str(path))
    result = stage.result
    result.recorded += len(verdict.good)
    result.check(len(verdict.good) >= 250, f'{path.name}: {len(verdict.good)} pictures')
    result.check(not verdict.continuity and not verdict.errors and not verdict.damaged,
                 f'{path.name}: {verdict.continuity[:1]} {verdict.errors[:1]} '
                 f'{verdict.damaged} damaged')
