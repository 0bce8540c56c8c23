// Services that embed mountkeeper, each in one file: to read, and to copy from.

export * from './backup-worker.js'
export * from './hypervisor-agent.js'
export * from './volume-plugin.js'
