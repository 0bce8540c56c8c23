// A look process that hangs where it should: at a mountpoint whose name begins with `hang`, until the file of the same name
// in its directory is there, or for good. It speaks the protocol of the real one.
import { existsSync, readSync, writeSync } from 'node:fs'

const chunk = Buffer.alloc(1_000_000)
const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)

const answer = ({ request, path }) => {
  const at = request?.mountpoint ?? path
  const name = at.slice(at.lastIndexOf('/') + 1)
  if (name.startsWith('hang')) while (!existsSync(at)) pause()
  if (name === 'dies') process.exit(7)
  if (name === 'throws') return undefined
  return {
    found: { _tag: 'Obstacle', kind: 'file' },
    source: { asked: { _tag: 'At', root: '/', device: `${process.pid}:0` } },
  }
}

writeSync(1, 'ready\n')
let text = ''
for (let size = readSync(0, chunk); size > 0; size = readSync(0, chunk)) {
  text += chunk.toString('utf8', 0, size)
  if (!text.endsWith('\n')) continue
  const questions = JSON.parse(text)
  text = ''
  const some = questions.map(answer)
  writeSync(1, `${JSON.stringify(some.includes(undefined) ? { failed: 'a defect' } : some)}\n`)
}
