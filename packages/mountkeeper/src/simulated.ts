// A simulated host in the place of this machine. Apart from the rest, so that no service in production loads a simulator.

export * from './simulated-keeper.js'
export * from './simulated-machine.js'
