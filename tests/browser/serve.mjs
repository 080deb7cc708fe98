// gst-tsrec: pipelines/serve answers what it should, and nothing else
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { get, raw, record, scratch, serve, SLOW, start, statusOf, top, until } from './serving.mjs';

let sample; // bytes of a recording of 8 s

before(async (t) => {
  const clean = [];
  const folder = scratch({ after: (f) => clean.push(f) });
  const file = path.join(folder, 'sample.ts');
  await record({ after: (f) => clean.push(f) }, file, { live: false, seconds: 8 }).ended;
  sample = fs.readFileSync(file);
  for (const f of clean.reverse())
    await f();
}, { timeout: 60000 * SLOW });

function folderWith(t, names) {
  const folder = scratch(t);
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), sample);
  }
  return folder;
}

function old(file, seconds = 3600) {
  const then = new Date(Date.now() - seconds * 1000);
  fs.utimesSync(file, then, then);
}

describe('files', () => {
  test('a range of a recording has the right bytes and type', async (t) => {
    const { url } = await serve(t, folderWith(t, ['a b/ü #1.ts']));
    const at = `${url}/files/a%20b/%C3%BC%20%231.ts`;
    const answer = await fetch(at, { headers: { Range: 'bytes=188-375' } });
    assert.equal(answer.status, 206);
    assert.equal(answer.headers.get('content-type'), 'video/mp2t');
    assert.equal(answer.headers.get('content-range'), `bytes 188-375/${sample.length}`);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), sample.subarray(188, 376));
    assert.deepEqual(Buffer.from(await (await fetch(at)).arrayBuffer()), sample);
    const head = await fetch(at, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(sample.length));
  });

  test('a growing recording is never cached, a settled one is revalidated', async (t) => {
    const folder = folderWith(t, ['new.ts', 'old.ts']);
    old(path.join(folder, 'old.ts'));
    const { url, port } = await serve(t, folder);
    const fresh = await fetch(`${url}/files/new.ts`, { method: 'HEAD' });
    assert.equal(fresh.headers.get('cache-control'), 'no-store');
    assert.equal(fresh.headers.get('etag'), null);
    const settled = await fetch(`${url}/files/old.ts`, { method: 'HEAD' });
    assert.equal(settled.headers.get('cache-control'), 'no-cache');
    const again = await get(port, '/files/old.ts', `If-None-Match: ${settled.headers.get('etag')}`);
    assert.equal(statusOf(again), 304);
  });

  test('a read-only server refuses to be written to', async (t) => {
    const { url } = await serve(t, folderWith(t, ['a.ts']));
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      assert.equal((await fetch(`${url}/files/a.ts`, { method })).status, 405, method);
  });

  test('the descriptor of a download that is cut off is closed', async (t) => {
    const folder = scratch(t);
    const big = path.join(folder, 'big.ts');
    fs.writeFileSync(big, '');
    fs.truncateSync(big, 1 << 30);
    const { child, port } = await serve(t, folder);
    const descriptors = () => fs.readdirSync(`/proc/${child.pid}/fd`).length;
    await get(port, '/api/recordings');
    const idle = descriptors();
    for (let i = 0; i < 50; i++) {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET /files/big.ts HTTP/1.1\r\nHost: localhost\r\n\r\n');
      socket.once('data', () => socket.destroy());
    }
    for (let i = 0; i < 500; i++) { // and before the answer has begun
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      await new Promise((resolve) => socket.write('GET /files/big.ts HTTP/1.1\r\nHost: localhost\r\n\r\n', resolve));
      for (const end = performance.now() + (i % 40) / 10; performance.now() < end;)
        await new Promise(setImmediate);
      socket.resetAndDestroy();
    }
    await until(() => descriptors() <= idle + 1, 'the descriptors to be closed', 10);
    assert.ok(!child.said.includes('garbage collection'), child.said);
  });
});

describe('a name never leaves the folder', () => {
  test('traversal in every spelling is refused', async (t) => {
    const folder = folderWith(t, ['shown/a.ts', 'secret.ts', 'shown/.hidden.ts']);
    const { port } = await serve(t, path.join(folder, 'shown'));
    const spellings = [
      '../secret.ts', '%2e%2e/secret.ts', '..%2fsecret.ts', '%2e%2e%2fsecret.ts', '.%2e/secret.ts',
      '..%5csecret.ts', 'x/../../secret.ts', './../secret.ts', '/../secret.ts', '//secret.ts',
      '%2e%2e%2f%2e%2e%2fetc/passwd', '..;/secret.ts', '%252e%252e/secret.ts', '..%00/secret.ts',
      'a.ts%00.m3u8', '%c0%ae%c0%ae/secret.ts', '.hidden.ts', '%2ehidden.ts', 'x/./a.ts', 'a.ts/',
      `${folder}/secret.ts`, `%2f${folder}/secret.ts`, `${'../'.repeat(20)}etc/passwd`,
      `${'a/'.repeat(2000)}a.ts`,
    ];
    for (const spelling of spellings) {
      for (const [before, after] of [['/files/', ''], ['/hls/', '.m3u8'], ['/', '']]) {
        const answer = await get(port, before + spelling + after);
        const status = statusOf(answer);
        assert.ok(status >= 400 && status < 500, `${before}${spelling}${after} → ${answer.slice(0, 60)}`);
        assert.ok(!answer.includes('root:') && !answer.includes('G@'), spelling);
      }
    }
    assert.equal(statusOf(await get(port, '/files/a.ts')), 200);
    assert.equal(statusOf(await get(port, 'http://elsewhere/files/../secret.ts')), 404);
  });

  test('a link that leads out is refused, one that stays inside is followed', async (t) => {
    const folder = folderWith(t, ['shown/a.ts', 'secret.ts', 'other/b.ts']);
    const shown = path.join(folder, 'shown');
    fs.symlinkSync('../secret.ts', path.join(shown, 'out.ts'));
    fs.symlinkSync('../other', path.join(shown, 'dir'));
    fs.symlinkSync('/etc/passwd', path.join(shown, 'passwd.ts'));
    fs.symlinkSync('/proc/self/environ', path.join(shown, 'environ.ts'));
    fs.symlinkSync('loop.ts', path.join(shown, 'loop.ts'));
    fs.symlinkSync('a.ts', path.join(shown, 'in.ts'));
    const { port, url } = await serve(t, shown);
    for (const name of ['out.ts', 'dir/b.ts', 'passwd.ts', 'environ.ts', 'loop.ts']) {
      for (const target of [`/files/${name}`, `/hls/${name}.m3u8`]) {
        const answer = await get(port, target);
        assert.ok([403, 404].includes(statusOf(answer)), `${target}: ${answer.slice(0, 40)}`);
        assert.ok(!answer.includes(folder), 'the answer names a path of the machine');
      }
    }
    assert.equal(statusOf(await get(port, '/files/in.ts')), 200);
    const { recordings } = await (await fetch(`${url}/api/recordings`)).json();
    assert.deepEqual(recordings.map((r) => r.name).sort(), ['a.ts', 'in.ts']);
  });

  test('a link that is swapped while it is asked for never leaks', async (t) => {
    const folder = folderWith(t, ['shown/a.ts', 'secret.ts']);
    fs.writeFileSync(path.join(folder, 'secret.ts'), 'SECRET'.repeat(100));
    const shown = path.join(folder, 'shown');
    const { port } = await serve(t, shown);
    // another process: this one would only swap between two requests
    start(t, 'sh', ['-c', 'while :; do ln -sfn ../secret.ts n; mv -T n x.ts; ln -sfn a.ts n; mv -T n x.ts; done'],
      { cwd: shown });
    const seen = new Set();
    for (let i = 0; i < 400 || (seen.size < 2 && i < 3000); i++) {
      const answer = await get(port, '/files/x.ts', 'Range: bytes=0-187');
      seen.add(statusOf(answer));
      assert.ok(!answer.includes('SECRET'));
    }
    assert.ok(seen.has(206), [...seen].join());
  });

  test('what is not a recording is not there', async (t) => {
    const folder = folderWith(t, ['a.ts']);
    fs.writeFileSync(path.join(folder, 'id_rsa'), 'KEY');
    fs.writeFileSync(path.join(folder, 'notes.txt'), 'KEY');
    fs.mkdirSync(path.join(folder, 'dir.ts'));
    execFileSync('mkfifo', [path.join(folder, 'fifo.ts')]);
    const { port, url } = await serve(t, folder);
    for (const name of ['id_rsa', 'notes.txt', 'dir.ts', 'fifo.ts', 'none.ts', ''])
      assert.ok([403, 404].includes(statusOf(await get(port, `/files/${name}`))), name);
    for (const where of ['/server.js', '/package.json', '/page/page.js', '/node_modules/hls.js/package.json'])
      assert.equal(statusOf(await get(port, where)), 404, where);
    const { recordings } = await (await fetch(`${url}/api/recordings`)).json();
    assert.deepEqual(recordings.map((r) => r.name), ['a.ts']);
  });

  test('a page elsewhere cannot read it through a name of its own', async (t) => {
    const { port } = await serve(t, folderWith(t, ['a.ts']));
    const ask = (host) => raw(port, ['GET /files/a.ts HTTP/1.1', `Host: ${host}`, 'Connection: close']);
    assert.equal(statusOf(await ask('evil.example:80')), 421);
    assert.equal(statusOf(await ask('localhost.evil.example')), 421);
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:80', 'LOCALHOST:1'])
      assert.equal(statusOf(await ask(host)), 200, host);
  });
});

describe('absurd requests', () => {
  test('absurd ranges are refused or answered within the file', async (t) => {
    const { port } = await serve(t, folderWith(t, ['a.ts']));
    const size = sample.length;
    const refused = [`${size}-`, `${size}-${size + 5}`, '99999999999999999999-', `${'9'.repeat(300)}-`];
    for (const range of refused) {
      const answer = await get(port, '/files/a.ts', `Range: bytes=${range}`);
      assert.equal(statusOf(answer), 416, range);
      assert.match(answer, new RegExp(`Content-Range: bytes \\*/${size}`, 'i'));
    }
    const whole = ['-1-5', 'x-y', '5-1', '--', '1-2,4-5', `0-0${',2-2'.repeat(1000)}`, '0-1,'.repeat(1000)];
    for (const range of whole) {
      const answer = await get(port, '/files/a.ts', `Range: bytes=${range}`);
      assert.ok([200, 206, 400, 416].includes(statusOf(answer)), `${range.slice(0, 40)}: ${answer.slice(0, 40)}`);
      const body = answer.length - answer.indexOf('\r\n\r\n') - 4;
      assert.ok(body <= size, `${range.slice(0, 40)}: ${body} bytes of ${size}`);
    }
    const tail = await get(port, '/files/a.ts', `Range: bytes=${size - 188}-${'9'.repeat(15)}`);
    assert.equal(statusOf(tail), 206);
    assert.match(tail, new RegExp(`Content-Range: bytes ${size - 188}-${size - 1}/${size}`, 'i'));
    assert.equal(statusOf(await get(port, '/files/a.ts', 'Range: bytes=-999999999999')), 206);
  });

  test('nonsense on the wire neither stops the server nor grows it', async (t) => {
    const { child, port } = await serve(t, folderWith(t, ['a.ts']));
    for (const lines of [['\x00\xff\xfe'], ['GET'], ['GET / HTTP/9.9'], ['GET  HTTP/1.1'],
      ['GET /files/%zz.ts HTTP/1.1', 'Host: localhost', 'Connection: close'],
      [`GET /${'a'.repeat(100000)} HTTP/1.1`, 'Host: localhost'],
      ['GET / HTTP/1.1', 'Host: localhost', ...Array(5000).fill('X-A: b')],
      ['CONNECT x:1 HTTP/1.1', 'Host: localhost'],
      ['GET /constructor HTTP/1.1', 'Host: localhost', 'Connection: close'],
      ['GET /__proto__ HTTP/1.1', 'Host: localhost', 'Connection: close']]) {
      const answer = await raw(port, lines).catch(() => '');
      assert.ok(answer === '' || statusOf(answer) >= 400, `${lines[0].slice(0, 40)}: ${answer.slice(0, 60)}`);
    }
    assert.equal(statusOf(await get(port, '/files/a.ts')), 200);
    assert.equal(child.exitCode, null);
    assert.ok(!child.said.includes('Error'), child.said);
  });

  test('thousands of slow connections never keep a viewer out', async (t) => {
    const folder = folderWith(t, ['a.ts']);
    const big = path.join(folder, 'big.ts');
    fs.writeFileSync(big, '');
    fs.truncateSync(big, 1 << 30);
    old(big);
    const { child, port } = await serve(t, folder);
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`))[1]);
    const sockets = [];
    t.after(() => sockets.forEach((s) => s.destroy()));
    const before = memory();
    // half never finish their request, half never read what they asked for
    for (let i = 0; i < 2000; i++) {
      const socket = net.connect({ port, host: '127.0.0.1' });
      sockets.push(socket);
      socket.on('error', () => {});
      socket.pause();
      socket.write(i % 2 ? 'GET /files/big.ts HTTP/1.1\r\nHost: localhost\r\n\r\n' : 'GET / HTTP/1.1\r\nHost: loc');
      if (i % 100 === 99) {
        assert.equal(statusOf(await get(port, '/files/a.ts', 'Range: bytes=0-187')), 206, `after ${i + 1}`);
      }
    }
    const descriptors = fs.readdirSync(`/proc/${child.pid}/fd`).length;
    assert.ok(descriptors < 600, `${descriptors} descriptors`);
    const grown = memory() - before;
    assert.ok(grown < 200000, `memory grew by ${grown} kB`);
    t.diagnostic(`${descriptors} descriptors, ${grown} kB more memory with 2000 slow connections`);
  });
});

describe('the list', () => {
  test('says size, duration, tracks and whether a recording grows', async (t) => {
    const folder = folderWith(t, ['done.ts', 'now.ts']);
    old(path.join(folder, 'done.ts'));
    const { url } = await serve(t, folder);
    const { recordings } = await (await fetch(`${url}/api/recordings`)).json();
    assert.deepEqual(recordings.map((r) => [r.name, r.growing]), [['now.ts', true], ['done.ts', false]]);
    for (const recording of recordings) {
      assert.equal(recording.file_size_bytes, sample.length);
      assert.ok(Math.abs(recording.duration_seconds - 8) < 0.2, `${recording.duration_seconds} s`);
      assert.deepEqual(recording.tracks.sort(), ['AAC', 'H.264']);
    }
  });

  test('a file that its recorder holds locked still grows, however quiet', async (t) => {
    const folder = folderWith(t, ['quiet.ts']);
    const file = path.join(folder, 'quiet.ts');
    const holder = start(t, '/usr/bin/python3', ['-c', 'import fcntl, struct, sys, time\n' +
      'f = open(sys.argv[1], "r+b")\n' +
      'fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))\n' + // F_OFD_SETLK
      'print("locked", flush=True)\ntime.sleep(60)', file]);
    await until(() => holder.said.includes('locked'), 'the lock');
    old(file, 600);
    const { url } = await serve(t, folder);
    const growing = async () => (await (await fetch(`${url}/api/recordings`)).json()).recordings[0].growing;
    const playlist = async () => (await fetch(`${url}/hls/quiet.ts.m3u8`)).text();
    assert.equal(await growing(), true);
    assert.ok(!(await playlist()).includes('ENDLIST'));
    holder.kill('SIGKILL');
    await holder.ended;
    assert.equal(await growing(), false);
    assert.ok((await playlist()).includes('ENDLIST'));
  });

  test('fragments are shown as the one recording that their playlist names', async (t) => {
    const folder = folderWith(t, ['r-0.ts', 'r-1.ts', 'other.ts']);
    fs.writeFileSync(path.join(folder, 'r.m3u8'), '#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:8\n' +
      '#EXTINF:8,\nr-0.ts\n#EXTINF:8,\nr-1.ts\n#EXT-X-ENDLIST\n');
    const { url } = await serve(t, folder);
    const { recordings } = await (await fetch(`${url}/api/recordings`)).json();
    assert.deepEqual(recordings.map((r) => r.name).sort(), ['other.ts', 'r.m3u8']);
    const whole = recordings.find((r) => r.name === 'r.m3u8');
    assert.deepEqual([whole.fragments, whole.file_size_bytes, whole.duration_seconds], [2, 2 * sample.length, 16]);
    const answer = await fetch(url + whole.playlist_url);
    assert.equal(answer.headers.get('content-type'), 'application/vnd.apple.mpegurl');
  });

  test('a playlist whose recorder was killed gets its end', async (t) => {
    const folder = folderWith(t, ['r-0.ts', 'r-1.ts']);
    const list = path.join(folder, 'r.m3u8');
    fs.writeFileSync(list, '#EXTM3U\n#EXTINF:8,\nr-0.ts\n');
    const { url } = await serve(t, folder);
    const text = async () => (await fetch(`${url}/files/r.m3u8`)).text();
    assert.equal(await text(), fs.readFileSync(list, 'utf8'));
    old(list);
    assert.ok(!(await text()).includes('ENDLIST'), 'its file still grows');
    old(path.join(folder, 'r-0.ts'));
    assert.equal(await text(), `${fs.readFileSync(list, 'utf8')}#EXT-X-ENDLIST\n`);
  });

  test('rubbish in the folder is listed without a duration and plays as an error', async (t) => {
    const folder = scratch(t);
    fs.writeFileSync(path.join(folder, 'empty.ts'), '');
    fs.writeFileSync(path.join(folder, 'text.ts'), 'Hello, G '.repeat(5000));
    fs.writeFileSync(path.join(folder, 'bad.m3u8'), '#EXTM3U\n../../etc/passwd\n%%%\n');
    for (const name of fs.readdirSync(folder))
      old(path.join(folder, name));
    const { url } = await serve(t, folder);
    const { recordings } = await (await fetch(`${url}/api/recordings`)).json();
    assert.deepEqual(recordings.map((r) => [r.name, r.duration_seconds ?? null]).sort(), [['empty.ts', null], ['text.ts', null]]);
    for (const name of ['empty.ts', 'text.ts'])
      assert.equal((await fetch(`${url}/hls/${name}.m3u8`)).status, 422, name);
  });
});

describe('the playlist of a recording that has none', () => {
  const parse = (text) => [...text.matchAll(/#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n(.*)\n/g)]
    .map(([, duration, length, offset, uri]) => ({ duration: +duration, length: +length, offset: +offset, uri }));

  test('names every byte once, each entry from a PAT on', async (t) => {
    const folder = folderWith(t, ['a.ts']);
    old(path.join(folder, 'a.ts'));
    const { url } = await serve(t, folder);
    const text = await (await fetch(`${url}/hls/a.ts.m3u8`)).text();
    const entries = parse(text);
    assert.ok(entries.length >= 3, text);
    assert.ok(text.endsWith('#EXT-X-ENDLIST\n'));
    let at = 0;
    for (const entry of entries) {
      assert.equal(entry.offset, at);
      assert.equal(entry.uri, '/files/a.ts');
      assert.equal(sample.readUInt16BE(at + 1) & 0x1fff, 0, `no PAT at ${at}`);
      at += entry.length;
    }
    assert.equal(at, sample.length);
    const target = Number(/TARGETDURATION:(\d+)/.exec(text)[1]);
    assert.ok(entries.every((e) => Math.round(e.duration) <= target));
    const sum = entries.reduce((s, e) => s + e.duration, 0);
    assert.ok(Math.abs(sum - 8) < 0.25, `${sum} s`);
  });

  test('goes on with the sound where a camera was muted', async (t) => {
    const folder = scratch(t);
    const file = path.join(folder, 'muted.ts');
    const pids = new Map(); // packets of each PID
    for (let at = 0; at < sample.length; at += 188) {
      const pid = sample.readUInt16BE(at + 1) & 0x1fff;
      pids.set(pid, (pids.get(pid) ?? 0) + 1);
    }
    const [video] = [...pids].sort((a, b) => b[1] - a[1])[0];
    const kept = [];
    for (let at = 0; at < sample.length; at += 188) {
      const middle = at > sample.length / 4 && at < sample.length * 3 / 4;
      if (!middle || (sample.readUInt16BE(at + 1) & 0x1fff) !== video)
        kept.push(sample.subarray(at, at + 188));
    }
    fs.writeFileSync(file, Buffer.concat(kept));
    old(file);
    const { url } = await serve(t, folder);
    const text = await (await fetch(`${url}/hls/muted.ts.m3u8`)).text();
    assert.ok(!text.includes('DISCONTINUITY'), text);
    const entries = parse(text);
    assert.ok(entries.length >= 3, text);
    assert.ok(entries.every((entry) => entry.duration < 5), text);
    const seconds = entries.reduce((sum, e) => sum + e.duration, 0);
    assert.ok(Math.abs(seconds - 8) < 0.25, `${seconds} s`);
    assert.equal(entries.reduce((sum, e) => sum + e.length, 0), fs.statSync(file).size);
  });

  test('only gets longer while the recording grows, and ends when it has', async (t) => {
    const folder = scratch(t);
    const file = path.join(folder, 'a.ts');
    const { url } = await serve(t, folder);
    fs.writeFileSync(file, '');
    let previous = '';
    for (let size = 0; size < sample.length; size += 70000) { // cuts packets
      fs.appendFileSync(file, sample.subarray(size, size + 70000));
      const answer = await fetch(`${url}/hls/a.ts.m3u8`);
      if (answer.status === 503)
        continue;
      const text = await answer.text();
      assert.ok(text.startsWith(previous), 'an entry has changed');
      for (const entry of parse(text))
        assert.ok(entry.offset + entry.length <= fs.statSync(file).size);
      assert.ok(!text.includes('ENDLIST'));
      previous = text;
    }
    assert.ok(parse(previous).length >= 3);
    old(file);
    const last = await (await fetch(`${url}/hls/a.ts.m3u8`)).text();
    assert.ok(last.startsWith(previous) && last.endsWith('ENDLIST\n'));
    assert.equal(parse(last).reduce((s, e) => s + e.length, 0), sample.length);
  });

  test('a file that is replaced by a shorter one is read anew', async (t) => {
    const folder = folderWith(t, ['a.ts']);
    const file = path.join(folder, 'a.ts');
    const { url } = await serve(t, folder);
    await fetch(`${url}/hls/a.ts.m3u8`);
    const half = Math.floor(sample.length / 376) * 188;
    fs.truncateSync(file, half);
    old(file);
    const entries = parse(await (await fetch(`${url}/hls/a.ts.m3u8`)).text());
    assert.equal(entries.reduce((s, e) => s + e.length, 0), half);
  });

  test('a torn or damaged recording is played as far as it is whole', async (t) => {
    const folder = scratch(t);
    const file = path.join(folder, 'a.ts');
    const damaged = Buffer.concat([sample.subarray(0, 188 * 200), Buffer.alloc(1234, 0x11),
      sample.subarray(188 * 200, sample.length - 77)]);
    fs.writeFileSync(file, damaged);
    old(file);
    const { url } = await serve(t, folder);
    const entries = parse(await (await fetch(`${url}/hls/a.ts.m3u8`)).text());
    assert.ok(entries.length >= 3);
    for (const entry of entries) {
      assert.ok(entry.offset + entry.length <= damaged.length);
      assert.equal(damaged[entry.offset], 0x47);
      assert.equal(damaged.readUInt16BE(entry.offset + 1) & 0x1fff, 0);
    }
  });
});

describe('the command', () => {
  const run = (t, ...args) => start(t, path.join(top, 'pipelines/serve'), args,
    { env: { ...process.env, REC_BUILD_DIR: process.env.REC_BUILD_DIR ?? 'build' } });

  test('wrong options, a folder that is not there and a port in use are explained', async (t) => {
    const folder = folderWith(t, ['a.ts']);
    const { port } = await serve(t, folder);
    for (const [args, status, words] of [
      [['--frobnicate', folder], 2, 'frobnicate'], [[folder, folder], 2, 'one folder'],
      [['--port', '99999', folder], 2, '99999'], [[path.join(folder, 'none')], 1, 'none'],
      [[path.join(folder, 'a.ts')], 1, 'no folder'], [['--port', String(port), folder], 1, 'Stop the program that uses the port'],
    ]) {
      const child = run(t, ...args);
      assert.equal(await child.ended, status, `${args}: ${child.said}`);
      assert.ok(child.said.includes(words), `${args}: ${child.said}`);
      assert.ok(!/\n +at /.test(child.said), child.said);
    }
  });

  test('listens on loopback only, unless told otherwise, and ends on SIGTERM', async (t) => {
    const child = run(t, '--port', '0', folderWith(t, ['a.ts']));
    const [, port] = await until(() => /127\.0\.0\.1:(\d+)/.exec(child.said), 'the server');
    const listening = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n')
      .filter((line) => line.includes(`:${Number(port).toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`));
    assert.equal(listening.length, 1);
    assert.ok(listening[0].includes('0100007F:'), listening[0]);
    child.kill('SIGTERM');
    assert.equal(await child.ended, 0);
  });
});
