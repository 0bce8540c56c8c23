// The simulator: a model of a host with faults and virtual time, runs as values, and oracles that judge them from outside.

export * from './execute.js'
export * from './fault.js'
export * from './model/detach.js'
export * from './model/directory.js'
export * from './model/host.js'
export * from './model/look.js'
export * from './model/mount.js'
export * from './model/path.js'
export * from './model/surroundings.js'
export * from './perform.js'
export * from './third-party.js'
