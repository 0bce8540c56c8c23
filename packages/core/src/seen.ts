// What a process needs that only looks at mountpoints, as an entry of its own (`@mountkeeper/core/seen`): the start of such a
// process takes as long as the modules that it loads, and these need no others.

export { leadsOverPaths, optionName } from './filesystem.js'
export { compareIdentity, layersOf } from './found.js'
