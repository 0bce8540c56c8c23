import type { Decision } from './decision.js'
import type { Host } from './host.js'

/** Puts the changes of a decision into the host, in place. */
export const apply = (_host: Host, _decision: Decision): void => undefined
