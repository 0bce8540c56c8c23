// The file journal keeps the promises of the port.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFileJournal } from '@mountkeeper/journal'
import type { JournalSubject } from '@mountkeeper/simulator/conformance'
import { portTests } from '@mountkeeper/simulator/conformance'
import { test } from 'vitest'

const journal = (): Promise<JournalSubject> => {
  const directory = mkdtempSync(join(tmpdir(), 'mountkeeper-conformance-'))
  const open = () => createFileJournal({ directory, notice: () => undefined })
  let current = open()
  return Promise.resolve({
    journal: current,
    reopen: async () => {
      await current.close('drain')
      current = open()
      return current
    },
    close: async () => {
      await current.close('drain')
      rmSync(directory, { recursive: true })
    },
  })
}

test.each(portTests({ journal }))('$law $name', ({ run }) => run())
