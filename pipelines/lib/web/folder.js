// gst-tsrec: the folder that is served; a name never leads out of it
//
// SPDX-License-Identifier: LGPL-2.1-or-later

import { constants } from 'node:fs';
import { open, opendir, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';

// Nothing else in the folder can be asked for, should it be somebody's home.
export const TYPES = {
  '.ts': 'video/mp2t',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mp4': 'video/mp4',
  '.mkv': 'video/x-matroska',
};
const MAX_DEPTH = 4;
const MAX_FILES = 5000;

// Why a request is refused, as an HTTP status and a sentence.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const notFound = (name) => new Refused(404, `There is no recording "${name}" in this folder.`);

// The path of a URL, still percent-encoded → the name of a file in the folder.
export function decodeName(encoded) {
  let parts;
  try {
    parts = encoded.split('/').map(decodeURIComponent);
  } catch {
    throw new Refused(400, 'The address is not valid percent-encoding.');
  }
  if (encoded.length > 4096 || parts.length > MAX_DEPTH + 1)
    throw new Refused(404, 'The address is too long.');
  for (const part of parts) {
    // "", ".", ".." and hidden files; an encoded slash, backslash or NUL
    if (part === '' || part.startsWith('.') || /[/\\\0]/.test(part))
      throw new Refused(403, 'The address leads out of the folder that is served.');
  }
  return parts.join('/');
}

export const encodeName = (name) => name.split('/').map(encodeURIComponent).join('/');

export class Folder {
  // Throws when directory is not a readable directory.
  static async at(directory) {
    const folder = new Folder();
    folder.root = await realpath(directory);
    await (await opendir(folder.root)).close();
    return folder;
  }

  #contains(real) {
    const relative = path.relative(this.root, real);
    return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
  }

  // Opens the file for reading and returns { handle, stat, type }; the caller
  // closes handle. What is looked at is what was opened: a link that is put in
  // place of the file in the meantime changes nothing.
  async open(name) {
    const type = TYPES[path.extname(name).toLowerCase()];
    let handle;

    if (!type)
      throw notFound(name);
    try {
      const real = await realpath(path.join(this.root, name));
      if (!this.#contains(real))
        throw new Refused(403, `"${name}" is a link that leads out of the folder that is served.`);
      // O_NONBLOCK: a FIFO would otherwise wait for somebody to write into it
      handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      const stat = await handle.stat();
      if (!this.#contains(await readlink(`/proc/self/fd/${handle.fd}`)) || !stat.isFile())
        throw notFound(name);
      return { handle, stat, type };
    } catch (error) {
      await handle?.close();
      throw this.#explain(error, name);
    }
  }

  #explain(error, name) {
    if (error instanceof Refused)
      return error;
    if (error.code === 'EACCES' || error.code === 'EPERM')
      return new Refused(403, `The server may not read "${name}"; check its permissions.`);
    if (error.code === 'EMFILE' || error.code === 'ENFILE')
      return new Refused(503, 'Too many files are open; try again in a moment.');
    return notFound(name);
  }

  // The names of the files that can be asked for, at most MAX_FILES of them.
  async names() {
    const found = [];
    const walk = async (relative, depth) => {
      let directory;
      try {
        directory = await opendir(path.join(this.root, relative));
      } catch {
        return; // gone or not readable: not listed
      }
      for await (const entry of directory) {
        const name = path.posix.join(relative, entry.name);
        if (entry.name.startsWith('.') || found.length >= MAX_FILES)
          continue;
        if (entry.isDirectory() && depth < MAX_DEPTH)
          await walk(name, depth + 1);
        else if (!entry.isDirectory() && TYPES[path.extname(entry.name).toLowerCase()])
          found.push(name);
      }
    };
    await walk('', 0);
    return found.sort();
  }
}
