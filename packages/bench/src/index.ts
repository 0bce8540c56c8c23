// The public names of @mountkeeper/bench: how a figure is made, and where it was measured.

export * from './figure.js'
export * from './managed.js'
export * from './namespace.js'
export * from './report.js'
export * from './scripts.js'
