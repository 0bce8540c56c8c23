// What tests of other packages use: real servers that hang, are slow and are killed on demand, and where they stand.

export { isRoot, sh } from './shell.js'
export type { Libvirt } from './servers/libvirt.js'
export { WHY_NO_LIBVIRT, startLibvirt } from './servers/libvirt.js'
export { EXPORTS, MOUNTS, leavePlace, preparePlace } from './servers/place.js'
export { processesWith, until } from './servers/server.js'
export { SSHD_KIND } from './servers/sshd.js'
