// gst-tsrec: the page of pipelines/serve, in Chromium
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { record, scratch, serve, sleep, SLOW, top, until } from './serving.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--autoplay-policy=no-user-gesture-required'];
const WIDE = { width: 1280, height: 800 };

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
}, { timeout: 60000 * SLOW });
after(() => browser?.close());

// A page that fails the test when anything in it goes wrong.
async function visit(t, url, options = {}) {
  const page = await browser.newPage({ viewport: WIDE, ...options });
  page.setDefaultTimeout(20000 * SLOW);
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()); });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1')
      wrong.push(`asked ${request.url()}`);
  });
  t.after(() => page.close());
  page.wrong = wrong;
  await page.goto(url);
  return page;
}

const playback = (page) => page.evaluate(() => {
  const video = document.getElementById('video');
  const quality = video.getVideoPlaybackQuality();
  return {
    time: video.currentTime, duration: video.duration, paused: video.paused, width: video.videoWidth,
    error: video.error?.message ?? '', mediaErrors: Number(video.dataset.mediaErrors ?? 0),
    problem: document.getElementById('problem').textContent,
    frames: quality.totalVideoFrames - quality.droppedVideoFrames,
    sound: video.webkitAudioDecodedByteCount,
    behind: Number(/(\d+) s behind/.exec(document.getElementById('clock').textContent)?.[1] ?? NaN),
  };
});

// Waits until so many seconds were played; a jump is not playing.
async function plays(page, seconds = 2) {
  let played = 0;
  let at = await playback(page);
  await until(async () => {
    const before = at.time;
    at = await playback(page);
    if (at.time > before && at.time < before + 3)
      played += at.time - before;
    return played >= seconds;
  }, `${seconds} s to be played`, 60);
  assert.equal(at.problem + at.error, '');
  assert.equal(at.mediaErrors, 0, 'a decode error');
  assert.ok(at.frames > 0 && at.width > 0 && at.sound > 0, JSON.stringify(at));
  return at;
}

describe('a recording that is being written', () => {
  test('plays 10 s behind its end, from its start, and live again', async (t) => {
    const folder = scratch(t);
    const file = path.join(folder, 'live.ts');
    const recorder = record(t, file);
    const { url } = await serve(t, folder);
    const page = await visit(t, url);
    await until(() => fs.existsSync(file) && fs.statSync(file).size > 0, 'the first bytes');
    await sleep(16000); // so that 10 s behind the end is not its start
    await page.locator('#list > li > a', { hasText: 'live.ts' }).click();
    await until(async () => (await playback(page)).time > 0, 'playback');
    const live = await plays(page, 4);
    assert.ok(live.behind >= 4 && live.behind <= 16, `${live.behind} s behind`);
    assert.match(await page.textContent('#list'), /recording now/);

    await page.getByRole('button', { name: 'From the start' }).click();
    await until(async () => (await playback(page)).time < 2, 'the start');
    const first = await plays(page, 2);
    assert.ok(first.time < 12, `at ${first.time} s`);
    await page.getByRole('button', { name: 'Go live' }).click();
    await until(async () => (await playback(page)).time > live.time, 'the live edge');
    const again = await plays(page, 2);
    assert.ok(again.behind >= 4 && again.behind <= 16, `${again.behind} s behind`);
    assert.equal(await page.getByRole('button', { name: 'Live', exact: true }).getAttribute('aria-pressed'), 'true');
    assert.deepEqual(page.wrong, []);

    recorder.kill('SIGINT'); // and it ends like any other
    await recorder.ended;
    await until(async () => !(await page.textContent('#list')).includes('recording now'), 'its end in the list');
    await until(async () => page.evaluate(() => document.getElementById('live').hidden), 'the end', 60);
    await page.getByRole('button', { name: 'From the start' }).click();
    await until(async () => (await playback(page)).time < 2, 'the start');
    await plays(page, 1);
    assert.deepEqual(page.wrong, []);
  });
});

describe('a recording in fragments with the playlist of its recorder', () => {
  test('plays while it is being written, and to its end when its recorder was killed', async (t) => {
    const folder = scratch(t);
    const recorder = record(t, path.join(folder, 'f-%05d.ts'),
      { extra: [`playlist-location=${folder}/live.m3u8`, 'max-size-time=4000000000'], camera: { from: 6, to: Infinity } });
    const { url } = await serve(t, folder);
    const page = await visit(t, url);
    const listed = async () => (await (await fetch(`${url}/api/recordings`)).json()).recordings;
    await until(async () => (await listed()).some((r) => r.fragments > 1), 'two fragments');
    await until(async () => /live\.m3u8/.test(await page.textContent('#list')), 'it in the list');
    await page.locator('#list > li > a', { hasText: 'live.m3u8' }).click();
    await until(async () => (await playback(page)).time > 0, 'playback');
    await plays(page, 2);
    assert.equal(await page.evaluate(() => document.getElementById('live').hidden), false);
    await until(async () => (await playback(page)).time > 7.5, 'sound without a picture');
    recorder.kill('SIGKILL');
    await recorder.ended;
    await until(async () => page.evaluate(() => document.getElementById('live').hidden), 'its end', 90);
    await until(async () => page.evaluate(() => document.getElementById('video').ended), 'its end to be played', 30);
    assert.deepEqual(page.wrong, []);
  });
});

// hls.js itself stops where a segment lacks a track that others have.
describe('a recording in which a track was muted', { concurrency: 2 }, () => {
  // growing: as if its recorder were still at work
  const made = async (t, name, { growing = false, ...options }) => {
    const folder = scratch(t);
    const list = path.join(folder, 'list.m3u8');
    const extra = name.includes('%') ? [`playlist-location=${list}`, 'max-size-time=3000000000'] : [];
    const recorder = record(t, path.join(folder, name), { live: false, ...options, extra });
    assert.equal(await recorder.ended, 0, recorder.said);
    if (growing) { // recorded faster than time passes, which the dates tell
      const text = fs.readFileSync(list, 'utf8');
      fs.writeFileSync(list, text.replaceAll(/#EXT-X-(ENDLIST|PROGRAM-DATE-TIME:.*)\n/g, ''));
    }
    for (const file of fs.readdirSync(folder)) {
      const then = new Date(Date.now() + (growing ? 7200000 : -7200000));
      fs.utimesSync(path.join(folder, file), then, then);
    }
    const { url } = await serve(t, folder);
    const page = await visit(t, `${url}/#${extra.length ? 'list.m3u8' : name}`);
    await until(async () => (await playback(page)).time > 0, 'playback');
    return page;
  };
  const reaches = async (page, seconds) => {
    await until(async () => (await playback(page)).time > seconds, `${seconds} s`);
    return playback(page);
  };

  for (const [name, what] of [['f-%05d.ts', 'its recorder'], ['a.ts', 'the server']]) {
    test(`plays on with sound while there is no picture, by the playlist of ${what}`, async (t) => {
      const page = await made(t, name, { seconds: 11, camera: { from: 2, to: 8 } });
      const before = await reaches(page, 3);
      const within = await reaches(page, 6.5);
      assert.ok(within.time < 7.5, `it has jumped: ${JSON.stringify([before, within])}`);
      assert.ok(within.sound > before.sound, 'there was no sound');
      const behind = await reaches(page, 9.5);
      assert.ok(behind.frames > within.frames + 20, `${behind.frames} pictures`);
      assert.deepEqual([behind.problem, behind.error, behind.mediaErrors, page.wrong], ['', '', 0, []]);
    });
  }

  test('plays on with pictures while there is no sound', async (t) => {
    const page = await made(t, 'f-%05d.ts', { seconds: 11, microphone: { from: 2, to: 8 } });
    const before = await reaches(page, 3);
    const within = await reaches(page, 6.5);
    assert.ok(within.time < 7.5 && within.frames > before.frames + 60, JSON.stringify(within));
    const behind = await reaches(page, 9.5);
    assert.ok(behind.sound > within.sound, 'the sound does not come back');
    assert.deepEqual([behind.problem, behind.error, behind.mediaErrors, page.wrong], ['', '', 0, []]);
  });

  test('begins where both are when the camera came later', async (t) => {
    const page = await made(t, 'f-%05d.ts', { seconds: 14, camera: { from: 0, to: 7 } });
    await reaches(page, 7);
    const at = await plays(page, 2);
    assert.ok(at.time < 12, `at ${at.time} s`);
    await page.getByRole('button', { name: 'From the start' }).click();
    await until(async () => (await playback(page)).time < 8.5, 'the start');
    await plays(page, 1);
    assert.deepEqual(page.wrong, []);
  });

  test('does not wait for a camera that was muted long ago', async (t) => {
    const page = await made(t, 'f-%05d.ts', { seconds: 100, camera: { from: 4, to: Infinity }, growing: true });
    await page.getByRole('button', { name: 'From the start' }).click();
    const first = await reaches(page, 2);
    assert.ok(first.time < 8 && first.width > 0, JSON.stringify(first));
    await reaches(page, 80);
    assert.deepEqual(page.wrong, []);
  });
});

describe('a recording that is complete', { concurrency: 2 }, () => {
  let folder;
  const clean = [];
  before(async () => {
    folder = scratch({ after: (f) => clean.push(f) });
    await record({ after: (f) => clean.push(f) }, path.join(folder, 'done.ts'), { live: false, seconds: 20 }).ended;
    const then = new Date(Date.now() - 7200000);
    fs.utimesSync(path.join(folder, 'done.ts'), then, then);
  }, { timeout: 60000 * SLOW });
  after(async () => { for (const f of clean.reverse()) await f(); });

  test('plays from its start to its end, and after a seek', async (t) => {
    const { url } = await serve(t, folder);
    const page = await visit(t, `${url}/#done.ts`);
    await until(async () => (await playback(page)).time > 0, 'playback');
    const begun = await plays(page, 1);
    assert.ok(begun.time < 6 && Math.abs(begun.duration - 20) < 0.5, JSON.stringify(begun));
    assert.ok(await page.isHidden('#live'));
    await page.evaluate(() => { document.getElementById('video').currentTime = 16; });
    await until(async () => page.evaluate(() => document.getElementById('video').ended), 'its end', 20);
    const end = await playback(page);
    assert.ok(Math.abs(end.time - 20) < 0.5, `ended at ${end.time} s`);
    assert.deepEqual([end.mediaErrors, end.problem, page.wrong], [0, '', []]);
  });

  test('is reached and played with the keyboard alone', async (t) => {
    const { url } = await serve(t, folder);
    const page = await visit(t, url);
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
    await page.waitForSelector('#list a');
    await page.keyboard.press('Tab');
    assert.match(await focused(), /^done\.ts/);
    await page.keyboard.press('Enter');
    await until(async () => (await playback(page)).time > 0, 'playback');
    assert.equal(await focused(), 'done.ts', 'the heading of the player has the focus');
    const visited = new Set();
    for (let i = 0; i < 20; i++) { // some of them are the controls of <video>
      await page.keyboard.press('Tab');
      visited.add(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
    }
    for (const id of ['video', 'start', 'back', 'forward', 'file'])
      assert.ok(visited.has(id), `${id} is not in ${[...visited]}`);
    await page.focus('#forward');
    const { time } = await playback(page);
    await page.keyboard.press('Space');
    await until(async () => (await playback(page)).time > time + 9, 'a jump of 10 s');
    await page.focus('#start');
    await page.keyboard.press('Enter');
    await until(async () => (await playback(page)).time < 3, 'the start');
  });

  test('from disk is played and never uploaded', async (t) => {
    const { url } = await serve(t, scratch(t));
    const page = await visit(t, url);
    const asked = [];
    page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    assert.match(await page.textContent('#empty'), /Nothing here yet/);
    await page.setInputFiles('#file', path.join(folder, 'done.ts'));
    await until(async () => (await playback(page)).time > 0, 'playback');
    const at = await plays(page, 1);
    assert.ok(Math.abs(at.duration - 20) < 0.5, `${at.duration} s`);
    await page.evaluate(() => { document.getElementById('video').currentTime = 15; });
    await plays(page, 1);
    assert.ok(asked.every((a) => /^GET \/(api\/recordings|api\/recording\/active|icon\.svg|hls\.js|hls\.worker\.js)$/.test(a)), asked.join('\n'));
    assert.deepEqual(page.wrong, []);
  });

  test('is played when it is dropped on the page', async (t) => {
    const { url } = await serve(t, scratch(t));
    const page = await visit(t, url);
    const bytes = fs.readFileSync(path.join(folder, 'done.ts')).toString('base64');
    await page.evaluate((text) => {
      const file = new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], 'dropped.ts');
      const data = new DataTransfer();
      data.items.add(file);
      const send = (type) => document.body.dispatchEvent(
        new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
      send('dragenter');
      if (!document.body.classList.contains('dropping'))
        throw new Error('the page does not say that it takes a drop');
      send('drop');
    }, bytes);
    await until(async () => (await playback(page)).time > 0, 'playback');
    await plays(page, 1);
    assert.equal(await page.textContent('#title'), 'dropped.ts');
  });

  test('a file that is no recording is refused in words', async (t) => {
    const { url } = await serve(t, scratch(t));
    const page = await visit(t, url);
    await page.setInputFiles('#file', { name: 'x.ts', mimeType: 'video/mp2t', buffer: Buffer.from('no'.repeat(9999)) });
    await until(async () => /is it MPEG-TS/.test((await playback(page)).problem), 'the reason');
  });

  test('of a codec that the browser does not decode is refused by the name of it', async (t) => {
    const other = scratch(t);
    await record(t, path.join(other, 'a.ts'), { live: false, seconds: 3, codec: 'h265' }).ended;
    const { url } = await serve(t, other);
    const page = await visit(t, `${url}/#a.ts`);
    if (await page.evaluate(() => MediaSource.isTypeSupported('video/mp4;codecs=hvc1.1.6.L60.90')))
      return t.skip('this browser decodes H.265');
    await until(async () => (await playback(page)).problem !== '', 'the reason');
    assert.match((await playback(page)).problem, /does not decode H\.265\.$/);
    return assert.deepEqual(page.wrong, []);
  });

  test('made into an MP4 by ts-to-mp4 plays to its end', async (t) => {
    const made = scratch(t);
    execFileSync(path.join(top, 'pipelines/ts-to-mp4'), [path.join(folder, 'done.ts'), path.join(made, 'done.mp4')]);
    const { url } = await serve(t, made);
    const page = await visit(t, `${url}/#done.mp4`);
    await until(async () => (await playback(page)).time > 0, 'playback');
    await plays(page, 1);
    await page.evaluate(() => { document.getElementById('video').currentTime = 17; });
    await until(async () => page.evaluate(() => document.getElementById('video').ended), 'its end', 20);
  });
});
