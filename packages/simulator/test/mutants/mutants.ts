// All mutants: at least one for each kind of mistake that other systems have made, and for each counterexample in rules.md of core.
import { EFFECTS } from './kinds/effects.js'
import { HOLDERS } from './kinds/holders.js'
import { HOST } from './kinds/host.js'
import { RARELY_SEEN, SEEING } from './kinds/seeing.js'
import type { Mutant } from './mutant.js'

/** Those that the explorer and a long simulation find, and the law suites in their few runs do not. */
export const RARE: readonly Mutant[] = RARELY_SEEN

export const MUTANTS: readonly Mutant[] = [...HOLDERS, ...SEEING, ...EFFECTS, ...HOST]
