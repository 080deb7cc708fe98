// gst-tsrec: the pictures of the page in docs/
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tests/browser/run screenshot.mjs draws docs/images/page.png and docs/images/page-phone.png
// anew, when UPDATE_SCREENSHOTS is set; without, nothing is done.

import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { record, scratch, serve, sleep, top, until } from './serving.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--autoplay-policy=no-user-gesture-required'];

test('draws the pictures', { skip: !process.env.UPDATE_SCREENSHOTS }, async (t) => {
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
