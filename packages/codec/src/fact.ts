// Facts as JSON: what a journal keeps and what a trace begins with. A change that older readers would misunderstand gives
// `FACT_FORMAT` a new number and keeps a fixture of the old one.

import type * as E from 'fp-ts/lib/Either.js'
import type { Attachment, Fact, Intent } from '@mountkeeper/core'
import type { Codec } from './decode-error.js'
import { filesystemCodec } from './filesystem.js'
import { foundCodec, identityCodec, resolvedSourceCodec } from './found.js'
import type { LineError } from './line.js'
import { decodeLine, encodeLine } from './line.js'
import { list, literal, moment, oneOf, optional, record, tagged, text, wholeNumber } from './shape.js'

/** The version of the facts' form, for the head of whatever keeps them. */
export const FACT_FORMAT = 2

const there = { at: moment, mountpoint: text }
const attachment = { volume: text, consumer: text }

/** A fact. */
export const factCodec: Codec<Fact> = tagged('_tag', 'a fact', {
  HostCameUp: { at: moment, generation: wholeNumber, boot: text, mountNamespace: text },
  Claimed: {
    ...there,
    filesystem: filesystemCodec,
    ...attachment,
    found: foundCodec,
    layersBefore: list(identityCodec),
  },
  DirectoryMade: there,
  Mounted: { ...there, identity: identityCodec, source: optional(resolvedSourceCodec) },
  Held: {
    ...there,
    ...attachment,
    since: moment,
    knowledge: oneOf({ request: true, inventory: true }),
    id: optional(text),
    stream: optional(text),
  },
  ClaimEnded: { ...there, ...attachment, intent: oneOf({ open: true, settled: true }) },
  Left: { ...there, ...attachment },
  Unmounting: { ...there, identity: identityCodec },
  Unmounted: { ...there, by: oneOf({ us: true, other: true }) },
  DirectoryRemoved: there,
  DirectoryKept: there,
  Adopted: {
    ...there,
    identity: identityCodec,
    filesystem: optional(filesystemCodec),
    source: optional(resolvedSourceCodec),
  },
  Forgotten: there,
  Recorded: {
    ...there,
    filesystem: optional(filesystemCodec),
    layer: optional(identityCodec),
    source: optional(resolvedSourceCodec),
    adopted: optional(literal(true)),
    directory: oneOf({ ours: true, theirs: true }),
    instance: wholeNumber,
    claim: optional(record<Attachment>('a claim', attachment)),
    intent: optional(
      record<Intent>('an intent', {
        found: foundCodec,
        layersBefore: list(identityCodec),
        explains: optional(oneOf({ 'only the directory': true })),
      }),
    ),
    unresolved: optional(oneOf({ Mount: true, Unmount: true })),
  },
})

/** A fact as a line, without its end. */
export const encodeFact = (fact: Fact): string => encodeLine(factCodec, fact)

/** Reads what `encodeFact` writes. */
export const decodeFact = (line: string): E.Either<LineError, Fact> => decodeLine(factCodec, line)
