// What stands at the border of the core: readers that make plain values of what a caller, an administrator or a host port gives,
// and the default settings.

export {
  DEFAULT_DEADLINES_MS,
  DEFAULT_DELAYS_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICIES,
  DEFAULT_SLOTS,
  defaultSettings,
} from './default-settings.js'
export { maskedFilesystem } from './filesystem.js'
export type { Reported } from './report.js'
export { readReport } from './report.js'
export { readRequest } from './request.js'
export { readSettings } from './settings.js'
