// Small files of /proc. `readFileSync` takes 64 KiB for each of them, and a look or a command reads several: among few mounts the
// garbage of that led to a full collection each second, which held the event loop for 20 ms and more.

import { closeSync, openSync, readSync } from 'node:fs'

/** For one read at a time. The kernel gives a page of such a file at most. */
const page = Buffer.allocUnsafe(4_096)

/** The whole file, bytes as latin1. Throws as `readFileSync` does. */
export const readProcFile = (path: string): string => {
  const fd = openSync(path, 'r')
  try {
    let text = ''
    for (let size = readSync(fd, page); size > 0; size = readSync(fd, page)) text += page.toString('latin1', 0, size)
    return text
  } finally {
    closeSync(fd)
  }
}
