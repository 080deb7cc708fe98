#!/usr/bin/node
// gst-tsrec: a client of the recording service
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Starts a recording, waits until it has recorded for some seconds, and stops it.
//
//   examples/service_client.mjs [URL [NAME [SECONDS]]]

const [url = 'http://127.0.0.1:8190', id = 'demo', seconds = '5'] = process.argv.slice(2);
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function ask(path, body) {
  const response = await fetch(url + path, body && {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!answer.success)
    throw new Error(`${answer.error}: ${answer.detail}`);
  return answer;
}

const started = await ask('/api/recording/start', { id });
console.log('Publish to', started.publish_url);
while ((await ask(`/api/recording/status/${id}`)).state !== 'recording')
  await sleep(500);
await sleep(Number(seconds) * 1000);
const stopped = await ask('/api/recording/stop', { id });
console.log(stopped.output_path, stopped.file_size_bytes, 'bytes');
