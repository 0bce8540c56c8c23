// Random runs are the same in every run of the suite, so that it fails for a change and never by chance. `FC_SEED` varies them.

import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 1) })
