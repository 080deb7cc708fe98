// gst-tsrec: pipelines/server and its page, in a browser with a camera
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { record, scratch, serveWith, SLOW, until } from './serving.mjs';

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required', '--disable-features=WebRtcHideLocalIpsWithMdns'],
  });
}, { timeout: 60000 * SLOW });
after(() => browser?.close());

// A page whose streams of the camera are kept in window.streams.
async function open(t, url, options = {}) {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'], acceptDownloads: true, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(30000 * SLOW);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  await page.addInitScript(() => {
    window.streams = [];
    const { mediaDevices } = navigator;
    const get = mediaDevices?.getUserMedia.bind(mediaDevices);
    if (get)
      mediaDevices.getUserMedia = async (wanted) => {
        const stream = await get(wanted);
        window.streams.push(stream);
        return stream;
      };
  });
  await page.goto(url);
  return page;
}

async function begin(page, name) {
  await page.click('summary');
  await page.fill('[name=id]', name);
  await page.click('#start-form button');
}

const playback = (page) => page.evaluate(() => {
  const video = document.getElementById('video');
  return { time: video.currentTime, width: video.videoWidth, ended: video.ended, error: video.error?.message ?? '',
    problem: document.getElementById('problem').textContent };
});

async function plays(page, beyond = 0) {
  await until(async () => (await playback(page)).time > beyond + 1, 'playback', 60);
  const { width, error, problem } = await playback(page);
  assert.ok(width > 0);
  assert.equal(error + problem, '');
}

const codecs = (file) => execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0',
  file]).toString();

// WCAG 2.2 A and AA, and the good practices that axe-core knows.
async function assertAccessible(page, what) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`), [], what);
}

// The elements that the Tab key reaches, from the start of the page.
async function tabStops(page) {
  const stops = [];
  await page.evaluate(() => document.activeElement.blur());
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    stops.push(await page.evaluate(() => {
      const { activeElement: e } = document;
      return e.getAttribute('aria-label') || e.name || e.id || e.textContent.trim();
    }));
  }
  return stops;
}

// Moves the focus by the Tab key alone.
async function tabTo(page, selector) {
  await page.evaluate(() => document.activeElement.blur());
  for (let i = 0; i < 60; i++) {
    if (await page.evaluate((s) => document.activeElement.matches(s), selector))
      return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not reach ${selector}`);
}

describe('the page of the service', { concurrency: 2 }, () => {
  test('the camera is recorded, watched, muted, stopped, played, downloaded and deleted', { timeout: 300000 * SLOW }, async (t) => {
    const folder = scratch(t);
    const { url } = await serveWith(t, 'server', folder);
    const page = await open(t, url);
    await begin(page, 'cam');
    await page.waitForSelector('#running-cam[data-state=recording]');
    await page.locator('#list li', { hasText: 'recording now' }).waitFor();
    await page.click('#running-cam .watch');
    await plays(page);
    assert.ok(await page.isVisible('#live'));
    assert.match(await page.textContent('#running-cam .facts'), /Mbit\/s/);

    // The page shows the alert of the server when it is raised, not at its next poll.
    const alert = page.evaluate(() => new Promise((resolve) => {
      new EventSource('/api/events').addEventListener('alert-raised', (event) => resolve(JSON.parse(event.data)));
    }));
    const muted = Date.now();
    await page.evaluate(() => window.streams[0].getTracks().forEach((track) => track.stop()));
    await page.waitForSelector('#running-cam[data-state=stalled]');
    t.diagnostic(`the page showed the stall ${Date.now() - muted} ms after the camera was muted`);
    assert.equal((await alert).id, 'cam');
    assert.notEqual(await page.textContent('#running-cam .alert'), '');
    assert.equal(await page.textContent('#running-cam .state'), 'stalled');

    await page.click('#running-cam .stop');
    await page.waitForSelector('#running-cam', { state: 'detached' });
    const [file] = fs.readdirSync(folder).filter((name) => name.endsWith('.ts'));
    const result = await page.textContent('#start-result');
    assert.match(result, new RegExp(`${fs.statSync(path.join(folder, file)).size} bytes`));
    assert.match(codecs(path.join(folder, file)), /h264[^]*aac/);

    await page.waitForSelector('#list .actions button', { timeout: 60000 * SLOW });
    assert.match(await page.textContent('#list .facts'), /H\.264 \+ AAC/);
    await page.click('#start');
    await until(async () => (await playback(page)).time < 3, 'the start', 30);
    await plays(page);

    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#list .actions a:has-text("MP4")')]);
    assert.equal(download.suggestedFilename(), file.replace(/ts$/, 'mp4'));
    const mp4 = path.join(scratch(t), 'a.mp4');
    await download.saveAs(mp4);
    assert.match(codecs(mp4), /h264[^]*aac/);
    const decoded = spawnSync('ffmpeg', ['-v', 'error', '-i', mp4, '-f', 'null', '-']).stderr.toString();
    // Its null muxer rounds times to a constant frame rate, which a camera does not have.
    assert.deepEqual(decoded.split('\n').filter((line) => line && !line.startsWith('[null @')), []);

    const questions = [];
    page.on('dialog', async (dialog) => {
      questions.push(dialog.message());
      await (questions.length === 1 ? dialog.dismiss() : dialog.accept());
    });
    await page.click('#list .actions button');
    assert.match(questions[0], new RegExp(`Delete ${file}`));
    assert.ok(fs.existsSync(path.join(folder, file)), 'it was not deleted');
    await page.click('#list .actions button');
    await until(() => !fs.existsSync(path.join(folder, file)), 'the file to be deleted', 20);
    await page.waitForSelector('#empty:not([hidden])');
    assert.deepEqual(page.problems, []);
  });

  test('a token is required, and grants access', { timeout: 90000 * SLOW }, async (t) => {
    const folder = scratch(t);
    const config = path.join(folder, 'server.conf');
    fs.writeFileSync(config, '[auth]\nme = watch, control, publish; *; s3cret\n');
    const { url, child } = await serveWith(t, 'server', folder, '--config', config);
    const page = await open(t, url);
    await page.waitForSelector('#login:not([hidden])');
    await assertAccessible(page, 'the form for the token');
    await page.fill('#token', 's3cret');
    await page.click('#login button');
    await page.waitForSelector('#empty:not([hidden])');
    await begin(page, 'cam');
    await page.waitForSelector('#running-cam[data-state=recording]');
    await page.click('#running-cam .watch');
    await plays(page);
    assert.ok(!child.said.includes('s3cret'));
    assert.deepEqual(page.problems, []);
  });

  test('a recording is made, watched, stopped and deleted by keyboard, 360 pixels wide', { timeout: 240000 * SLOW }, async (t) => {
    const folder = scratch(t);
    const { url } = await serveWith(t, 'server', folder);
    const page = await open(t, url, { viewport: { width: 360, height: 740 } });
    const press = async (selector, key = 'Enter') => {
      await tabTo(page, selector);
      await page.keyboard.press(key);
    };
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
    await press('summary');
    // What this server lacks can be seen, and not be chosen.
    await page.waitForFunction(() => document.querySelector('option[value=webm]').disabled);
    assert.deepEqual(await page.locator('option:disabled').allTextContents(),
      ['LiveKit URL (needs reclivekitsrc)', 'Matroska (needs recmkvmux)', 'WebM (needs recmkvmux)']);
    await page.selectOption('#kind', 'whep');
    assert.ok(await page.isVisible('[name=url]') && await page.isVisible('[name=token]'));
    await page.selectOption('#kind', 'uri');
    assert.ok(await page.isVisible('[name=url]') && !await page.isVisible('[name=token]'));
    await page.selectOption('#kind', 'camera');
    assert.ok(!await page.isVisible('[name=url]'));
    const stops = await tabStops(page);
    for (const name of ['id', 'kind', 'format', 'quality', 'Start'])
      assert.ok(stops.includes(name), `${name} of ${stops}`);
    await tabTo(page, '[name=id]');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('keys');
    await press('#start-form button');
    await page.waitForSelector('#running-keys[data-state=recording]');
    await page.locator('#list li', { hasText: 'recording now' }).waitFor();
    await press('#running-keys .watch');
    await plays(page);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'title', 'the heading of the player has the focus');
    assert.ok(await wide() <= 360, `${await wide()} pixels wide`);
    await press('#start', 'Space');
    await plays(page);
    await press('#running-keys .stop');
    await page.waitForSelector('#running-keys', { state: 'detached' });
    await until(() => page.evaluate(() => document.activeElement.id === 'running-title'), 'the focus to stay on the page', 20);
    await page.waitForSelector('#list .actions button', { timeout: 60000 * SLOW });
    assert.ok(await wide() <= 360, `${await wide()} pixels wide`);
    page.on('dialog', (dialog) => dialog.accept());
    await press('#list .actions button');
    await until(() => !fs.readdirSync(folder).some((name) => name.endsWith('.ts')), 'the file to be deleted', 20);
    assert.deepEqual(page.problems, []);
  });

  test('axe-core finds nothing, light and dark, on a phone and on a desktop', { timeout: 180000 * SLOW }, async (t) => {
    const folder = scratch(t);
    await record(t, path.join(folder, 'done.ts'), { live: false, seconds: 4 }).ended;
    fs.utimesSync(path.join(folder, 'done.ts'), 1e9, 1e9);
    const { url } = await serveWith(t, 'server', folder);
    const page = await open(t, url);
    const check = async (what) => {
      for (const colorScheme of ['light', 'dark'])
        for (const width of [360, 1280]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 740 });
          await assertAccessible(page, `${what}: ${colorScheme}, ${width} pixels`);
          const seen = await page.evaluate(() => ({
            small: [...document.querySelectorAll('button, .button, li > a, select, summary')]
              .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 44).map((e) => e.textContent),
            wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          }));
          assert.deepEqual(seen, { small: [], wide: 0 }, 'too small for a finger, or it scrolls sideways');
        }
    };
    await page.click('#list a');
    await plays(page);
    await begin(page, 'cam');
    await page.waitForSelector('#running-cam[data-state=recording]');
    await check('while it records');
    await page.evaluate(() => window.streams[0].getTracks().forEach((track) => track.stop()));
    await page.waitForSelector('#running-cam[data-state=stalled]');
    await page.setInputFiles('#file', { name: 'x.ts', mimeType: 'video/mp2t', buffer: Buffer.from('no'.repeat(9999)) });
    await page.waitForSelector('#problem:not([hidden])');
    await check('with a stall and a problem');
  });

  test('the page does not wait for the player, and works without it', { timeout: 120000 * SLOW }, async (t) => {
    const folder = scratch(t);
    await record(t, path.join(folder, 'done.ts'), { live: false, seconds: 4 }).ended;
    const { url } = await serveWith(t, 'server', folder);
    const page = await open(t, 'about:blank');
    let answer; // to the request for hls.js, which waits
    await page.route('**/hls.js', (route) => { answer = route; });
    await page.goto(url);
    await page.click('#list a');
    await page.waitForSelector('#watch:not([hidden])');
    await until(() => answer, 'the request', 30);
    assert.ok(await page.isVisible('#running-title'));
    await answer.fulfill({ status: 404 });
    await page.waitForSelector('#problem:not([hidden])');
    assert.match(await page.textContent('#problem'), /no hls\.js/);
    assert.deepEqual(page.problems, []);
  });

  test('five hundred recordings are listed in pages of bounded size', { timeout: 180000 * SLOW }, async (t) => {
    const folder = scratch(t);
    const one = path.join(folder, 'rec-000.ts');
    await record(t, one, { live: false, seconds: 4 }).ended;
    for (let i = 0; i < 500; i++) {
      const name = path.join(folder, `rec-${String(i).padStart(3, '0')}.ts`);
      if (i > 0)
        fs.copyFileSync(one, name);
      fs.utimesSync(name, 1e9 + i, 1e9 + i);
    }
    const { url } = await serveWith(t, 'server', folder);
    const sizes = [];
    const page = await open(t, 'about:blank');
    page.on('response', async (response) => {
      if (response.url().includes('/api/recordings'))
        sizes.push((await response.body().catch(() => '')).length);
    });
    const began = Date.now();
    await page.goto(url);
    await page.waitForSelector('#list li:nth-child(50)');
    const shown = Date.now() - began;
    const asked = Date.now();
    await (await fetch(`${url}/api/recordings?limit=50`)).json();
    t.diagnostic(`500 recordings: the page shows its list after ${shown} ms, of which a request takes ${Date.now() - asked} ms`);
    assert.ok(sizes.length > 0 && sizes.every((bytes) => bytes > 0 && bytes < 50 * 500), `${sizes} bytes`);
    assert.equal(await page.locator('#list li').count(), 50);
    assert.match(await page.textContent('#list li:first-child'), /rec-499\.ts/);
    assert.equal(await page.textContent('#shown'), '1–50 of 500');
    await page.click('#older');
    await page.waitForSelector('#list li:first-child:has-text("rec-449.ts")');
    await assertAccessible(page, 'a page of the list');
    await page.click('#list li:first-child a');
    await plays(page);
    await page.click('#newer');
    await page.waitForSelector('#list li:first-child:has-text("rec-499.ts")');
    await page.goto(`${url}/#rec-001.ts`);
    await page.reload();
    await plays(page);
    assert.equal(await page.textContent('#title'), 'rec-001.ts', 'of another page of the list');
    assert.deepEqual(page.problems, []);
  });
});
