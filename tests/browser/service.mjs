// gst-tsrec: pipelines/server and its page, in a browser with a camera
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { scratch, serveWith, SLOW, until } from './serving.mjs';

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required', '--disable-features=WebRtcHideLocalIpsWithMdns'],
  });
}, { timeout: 60000 * SLOW });
after(() => browser?.close());

async function open(t, url, options = {}) {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'], ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  await page.goto(url);
  return page;
}

async function begin(page, name) {
  await page.click('summary');
  await page.fill('[name=id]', name);
  await page.click('#start-form button');
}

describe('the page of the service', () => {
  test('the camera is recorded, watched, stopped, and the file deleted', { timeout: 180000 * SLOW }, async (t) => {
    const folder = scratch(t);
    const { url } = await serveWith(t, 'server', folder);
    const page = await open(t, url);
    await begin(page, 'cam');
    await page.waitForSelector('#running-cam[data-state=recording]', { timeout: 30000 * SLOW });
    const growing = page.locator('#list li', { hasText: 'recording now' });
    await growing.waitFor({ timeout: 30000 * SLOW });
    await page.click('#running-cam button');
    await page.waitForSelector('#running-cam', { state: 'detached', timeout: 30000 * SLOW });
    const [file] = fs.readdirSync(folder).filter((name) => name.endsWith('.ts'));
    const said = await page.textContent('#start-result');
    assert.match(said, new RegExp(`${fs.statSync(path.join(folder, file)).size} bytes`));
    const streams = execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0',
      path.join(folder, file)]).toString();
    assert.match(streams, /h264/);
    assert.match(streams, /aac/);
    page.on('dialog', (dialog) => dialog.accept());
    await page.click('#list button', { timeout: 30000 * SLOW });
    await until(() => !fs.existsSync(path.join(folder, file)), 'the file to be deleted', 20);
    assert.deepEqual(page.problems, []);
  });

  test('a token is asked for, and lets in', { timeout: 90000 * SLOW }, async (t) => {
    const folder = scratch(t);
    const config = path.join(folder, 'server.conf');
    fs.writeFileSync(config, '[auth]\nme = watch, control, publish; *; s3cret\n');
    const { url, child } = await serveWith(t, 'server', folder, '--config', config);
    const page = await open(t, url);
    await page.waitForSelector('#login:not([hidden])', { timeout: 20000 * SLOW });
    await page.fill('#token', 's3cret');
    await page.click('#login button');
    await page.waitForSelector('#empty:not([hidden])', { timeout: 20000 * SLOW });
    assert.ok(!child.said.includes('s3cret'));
    assert.deepEqual(page.problems, []);
  });

  test('everything is within 360 pixels, and reached by keyboard', { timeout: 90000 * SLOW }, async (t) => {
    const { url } = await serveWith(t, 'server', scratch(t));
    const page = await open(t, url, { viewport: { width: 360, height: 740 } });
    await page.focus('summary');
    await page.keyboard.press('Enter');
    const reached = new Set();
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate(() => document.activeElement.name || document.activeElement.textContent.trim()));
    }
    for (const name of ['id', 'kind', 'format', 'quality', 'Start'])
      assert.ok(reached.has(name), `${name} of ${[...reached]}`);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${width} pixels wide`);
  });
});
