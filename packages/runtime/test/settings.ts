// The default settings, with one root.

import { defaultSettings } from '@mountkeeper/border'

export const SETTINGS = defaultSettings('/srv/mounts')
