// gst-tsrec: bounds what connections can take from the server
//
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// At most `max` connections are open. When one more comes, the one that made
// no progress for longest goes: thousands of connections that are opened and
// left alone push each other out, and never a viewer. Memory is bounded with
// them, since a response reads on only when what it sent has been taken.

export function boundConnections(server, { max, idle }) {
  const open = new Map(); // socket → { bytes, since }

  const progress = (socket, state) => {
    const bytes = socket.bytesRead + socket.bytesWritten - socket.writableLength;
    if (bytes !== state.bytes)
      Object.assign(state, { bytes, since: performance.now() });
    return state.since;
  };

  server.on('connection', (socket) => {
    if (open.size >= max) {
      let worst = null;
      for (const [other, state] of open) {
        if (!worst || progress(other, state) < worst.since)
          worst = { other, since: progress(other, state) };
      }
      open.delete(worst.other);
      worst.other.destroy();
    }
    open.set(socket, { bytes: 0, since: performance.now() });
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
  });

  server.headersTimeout = 10000; // the whole head of a request
  server.requestTimeout = 15000; // the whole request
  server.keepAliveTimeout = 10000; // between two requests
  server.timeout = idle; // no byte in either direction
  server.maxRequestsPerSocket = 10000;
  server.connectionsCheckingInterval = 2000;
}
