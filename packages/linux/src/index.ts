// The public names of @mountkeeper/linux.

export * from './mountinfo.js'
