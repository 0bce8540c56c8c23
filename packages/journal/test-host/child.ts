// What a test kills: appends one holder after the other, several at a time, and says on stdout which are acknowledged. Plain
// JavaScript on the built package, so that Node 20 runs it.

export const CHILD: string = `
  import { writeSync } from 'node:fs'
  const [module, directory, first] = process.argv.slice(1)
  const { createFileJournal } = await import(module)
  const journal = createFileJournal({ directory, compactFactsMin: 300, notice: (sentence) => writeSync(2, sentence + '\\n') })
  const read = await journal.read()
  if (read._tag === 'Left') throw new Error(read.left.why)
  let next = Number(first)
  const caller = async () => {
    for (;;) {
      const index = next
      next += 1
      const of = { at: index, mountpoint: '/srv/mounts/a', volume: 'vol-' + index, consumer: 'vm' }
      const facts = [{ _tag: 'Held', ...of, since: index, knowledge: 'request' }]
      if (index % 3 > 0) facts.push({ _tag: 'Left', ...of })
      const appended = await journal.append(facts)()
      if (appended._tag === 'Left') {
        writeSync(2, appended.left.why + '\\n')
        process.exit(3)
      }
      writeSync(1, index + '\\n')
    }
  }
  for (let callers = 0; callers < 4; callers += 1) void caller()
`
