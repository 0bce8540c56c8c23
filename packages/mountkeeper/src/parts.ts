// What a manager is put together from, and the words for what it says: for the command, and for who builds another driver.
// A program that only wants mounts needs none of it: see index.ts.

export * from './answer-words.js'
export * from './configuration-file.js'
export * from './failure.js'
export * from './guarded-journal.js'
export * from './harmless.js'
export * from './left-words.js'
export * from './lines.js'
export * from './machine.js'
export * from './own-file.js'
export * from './patience.js'
export * from './planning.js'
export * from './recorded.js'
export * from './stopping.js'
export * from './trace-file.js'
export * from './words.js'
