// gst-tsrec: the pictures of the page in docs/
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// UPDATE_SCREENSHOTS=1 tests/browser/run screenshot.mjs draws docs/images/page*.png and
// docs/images/service*.png again. Without UPDATE_SCREENSHOTS, it does nothing.

import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { record, scratch, serve, serveWith, sleep, start, top, until } from './serving.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--autoplay-policy=no-user-gesture-required'];

test('draws the page of pipelines/serve', { skip: !process.env.UPDATE_SCREENSHOTS }, async (t) => {
  const folder = path.join(scratch(t), 'recordings');
  fs.mkdirSync(folder);
  const at = (name) => path.join(folder, name);
  const ago = (name, seconds) => {
    const then = new Date(Date.now() - seconds * 1000);
    fs.utimesSync(at(name), then, then);
  };
  await record(t, at('rec-20260302-093012.ts'), { live: false, seconds: 95 }).ended;
  await record(t, at('interview.ts'), { live: false, seconds: 40 }).ended;
  ago('rec-20260302-093012.ts', 4000);
  ago('interview.ts', 90000);
  record(t, at('rec-20260302-104155.ts'),
    { pattern: 'smpte', width: 640, extra: [`playlist-location=${at('rec-20260302-104155.m3u8')}`] });
  const { url } = await serve(t, folder);
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  t.after(() => browser.close());
  await sleep(24000);
  for (const [name, viewport, deviceScaleFactor] of [
    ['page.png', { width: 1120, height: 620 }, 1], ['page-phone.png', { width: 375, height: 667 }, 2]]) {
    const page = await browser.newPage({ viewport, deviceScaleFactor, colorScheme: name === 'page.png' ? 'light' : 'dark' });
    await page.goto(`${url}/#rec-20260302-104155.ts`);
    await until(() => page.evaluate(() => document.getElementById('video').currentTime > 12), 'playback');
    await sleep(4000);
    await page.screenshot({ path: path.join(top, 'docs', 'images', name) });
    await page.close();
  }
});

// Publishes a test picture as recording name.
const publish = (t, url, name, pattern) => start(t, 'gst-launch-1.0', ['-q',
  'videotestsrc', 'is-live=true', `pattern=${pattern}`, '!', 'video/x-raw,format=I420,width=640,height=360,framerate=15/1',
  '!', 'x264enc', 'tune=zerolatency', 'speed-preset=ultrafast', 'bitrate=800', 'key-int-max=30', '!',
  'video/x-h264,profile=constrained-baseline', '!', 'recwhipsink', 'name=sink', `location=${url}/whip/${name}`,
  'audiotestsrc', 'is-live=true', 'volume=0.1', '!', 'opusenc', '!', 'sink.audio']);

test('draws the page of pipelines/server', { skip: !process.env.UPDATE_SCREENSHOTS }, async (t) => {
  const folder = path.join(scratch(t), 'recordings');
  fs.mkdirSync(folder);
  for (const [name, seconds, ago] of [['interview-20260301-160210.ts', 40, 90000], ['studio-20260302-093012.ts', 95, 4000]]) {
    await record(t, path.join(folder, name), { live: false, seconds }).ended;
    const then = new Date(Date.now() - ago * 1000);
    fs.utimesSync(path.join(folder, name), then, then);
  }
  const { url, child } = await serveWith(t, 'server', folder);
  publish(t, url, 'gate', 'smpte');
  const studio = publish(t, url, 'studio', 'ball');
  await fetch(`${url}/api/recording/start`, { method: 'POST', body: JSON.stringify({ id: 'stage' }) });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  t.after(() => browser.close());
  const growing = await until(() => fs.readdirSync(folder).find((name) => /^gate.*ts$/.test(name)), 'a file');
  await sleep(16000);
  const pages = [];
  for (const [name, viewport, colorScheme] of [
    ['service-phone.png', { width: 360, height: 740 }, 'dark'], ['service.png', { width: 1120, height: 860 }, 'light']]) {
    const page = await browser.newPage({ viewport, colorScheme });
    await page.goto(colorScheme === 'light' ? `${url}/#${growing}` : url);
    pages.push([name, page]);
  }
  await until(() => pages[1][1].evaluate(() => document.getElementById('video').currentTime > 3), 'playback');
  studio.kill('SIGSTOP');
  for (const [name, page] of pages) {
    await page.waitForSelector('#running-studio[data-state=stalled]');
    await page.screenshot({ path: path.join(top, 'docs', 'images', name) });
  }
  child.kill('SIGTERM');
  await child.ended;
});
