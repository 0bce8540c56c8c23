// The loop around the core, and the ports through which it reaches a host, a journal and a clock.

export * from './ports.js'
