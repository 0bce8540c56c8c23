// The public names of @mountkeeper/libvirt.

export { libvirtInventory } from './inventory.js'
export type { LibvirtOptions } from './options.js'
