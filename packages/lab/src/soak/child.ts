// The process of one life: the manager as it is embedded anywhere, with requests and its journal over the channel to its parent.

import { closeSync, openSync, writeSync } from 'node:fs'
import { encodeTraceHeader, encodeTraceLine, traceDecision } from '@mountkeeper/codec'
import { linuxHost } from '@mountkeeper/linux'
import type { Journal, Observer } from '@mountkeeper/runtime'
import { createMountManager } from '@mountkeeper/runtime'
import { right } from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Birth, FromLife, ToLife } from './life.js'

const tell = (message: FromLife): void => {
  process.send?.(message)
}

const tracing = ({ settings, facts, trace }: Birth): Observer => {
  const fd = openSync(trace, 'w', 0o600)
  process.once('exit', () => closeSync(fd))
  let n = 0
  writeSync(fd, `${encodeTraceHeader({ format: 1, settings, facts })}\n`)
  return {
    onDecision: (input, decision) => {
      n += 1
      writeSync(fd, `${encodeTraceLine({ n, input, decision: traceDecision(decision) })}\n`)
    },
  }
}

const kept = new Map<number, () => void>()

const journalOf = ({ facts }: Birth): Journal => {
  let n = 0
  return {
    read: TE.right(facts),
    append: (more) => () =>
      new Promise((resolve) => {
        n += 1
        kept.set(n, () => resolve(right(undefined)))
        tell({ _tag: 'Append', n, facts: more })
      }),
  }
}

const born = async (birth: Birth) => {
  const made = await createMountManager({
    settings: birth.settings,
    host: linuxHost({ types: birth.settings.types }),
    journal: journalOf(birth),
    observer: tracing(birth),
    onDefect: (defect) => tell({ _tag: 'Defect', why: JSON.stringify(defect) }),
  })()
  if (made._tag === 'Left') throw new Error(made.left.why)
  return made.right
}

let manager: ReturnType<typeof born>
process.on('message', (message) => {
  const told = message as ToLife
  switch (told._tag) {
    case 'Birth':
      manager = born(told.birth)
      return
    case 'Ask':
      void manager
        .then(({ submit }) => submit(told.request))
        .then((answer) => tell({ _tag: 'Answered', n: told.n, answer }))
      return
    case 'Kept':
      kept.get(told.n)?.()
      kept.delete(told.n)
  }
})
