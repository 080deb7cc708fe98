// gst-tsrec: publishes this browser's camera or screen by WHIP (RFC 9725)
//
// SPDX-License-Identifier: LGPL-2.1-or-later

const GATHERING = 2000; // ms that candidates are waited for

function gathered(peer) {
  return new Promise((resolve) => {
    const done = () => {
      if (peer.iceGatheringState === 'complete')
        resolve();
    };
    peer.addEventListener('icegatheringstatechange', done);
    setTimeout(resolve, GATHERING);
    done();
  });
}

export class Publisher {
  // media: "camera" or "screen". Throws a sentence when it is not possible.
  static async start(id, media) {
    const devices = navigator.mediaDevices;
    if (!devices)
      throw new Error('Browsers allow the camera only on pages from localhost or HTTPS.');
    const stream = await (media === 'screen'
      ? devices.getDisplayMedia({ video: true, audio: true })
      : devices.getUserMedia({ video: true, audio: true }));
    const publisher = new Publisher(stream);
    try {
      await publisher.#publish(id);
    } catch (error) {
      publisher.stop();
      throw error;
    }
    return publisher;
  }

  constructor(stream) {
    this.stream = stream;
    this.peer = new RTCPeerConnection();
    this.session = null;
  }

  async #publish(id) {
    const { peer, stream } = this;
    for (const track of stream.getTracks())
      peer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
    await peer.setLocalDescription();
    await gathered(peer);
    const response = await fetch(`/whip/${encodeURIComponent(id)}`, {
      method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: peer.localDescription.sdp,
    });
    const text = await response.text();
    if (!response.ok)
      throw new Error(text.startsWith('{') ? JSON.parse(text).detail : text);
    this.session = response.headers.get('Location');
    await peer.setRemoteDescription({ type: 'answer', sdp: text });
  }

  stop() {
    this.stream.getTracks().forEach((track) => track.stop());
    this.peer.close();
    if (this.session)
      fetch(this.session, { method: 'DELETE', keepalive: true }).catch(() => {});
    this.session = null;
  }
}
