// The inventory port of one libvirt.

import type { InventoryPort } from '@mountkeeper/runtime'
import { askLibvirt } from './ask.js'
import type { LibvirtOptions } from './options.js'
import { watchLibvirt } from './watch.js'

/** Asks the domains of one libvirt, and watches it. Consumers are their UUIDs. */
export const libvirtInventory = (options: LibvirtOptions): InventoryPort => ({
  ask: (limitMs) => () => askLibvirt(options, limitMs),
  watch: (listener) => watchLibvirt(options, listener),
})
