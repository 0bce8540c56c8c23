import type { Decision } from './decision.js'
import type { Host } from './host.js'
import type { Input } from './input.js'

/** What one input leads to. Pure: reads the host, changes nothing. */
export const decide = (_host: Host, _input: Input): Decision => ({ changes: [], facts: [], effects: [], answers: [] })
