// The default settings, with one root.

import { defaultSettings } from '@mountkeeper/core'

export const SETTINGS = defaultSettings('/srv/mounts')
