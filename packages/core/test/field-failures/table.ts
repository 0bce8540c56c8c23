// The table of all field failures in the documentation, made from the headers of their scenarios.

import type { Header } from './header.js'

/** One scenario with the name of its file. */
export interface Told {
  readonly file: string
  readonly header: Header
}

/** How many are played, cannot happen, and are shown on a real kernel as well. */
export const countOf = (all: readonly Told[]): string => {
  const cannot = all.filter(({ header }) => header.cannotHappen !== undefined).length
  const real = all.filter(({ header }) => header.realKernel.length > 0).length
  return `${all.length} cases: ${all.length - cannot} played, ${cannot} cannot happen; ${real} also on the real kernel`
}

const howShown = ({ cannotHappen, realKernel }: Header): string =>
  [
    cannotHappen === undefined ? 'played' : 'cannot happen',
    ...(realKernel.length > 0 ? ['also real kernel'] : []),
  ].join(', ')

const link = (url: string): string => {
  const [, bug] = /launchpad\.net\/bugs\/(\d+)$/.exec(url) ?? []
  const [, advisory] = /advisories\/(.+)$/.exec(url) ?? []
  const [, repository, kind, id] = /github\.com\/([^/]+\/[^/]+)\/(issues|commit)\/(\w+)$/.exec(url) ?? []
  const named = repository === undefined ? url : `${repository}${kind === 'commit' ? '@' : '#'}${id!}`
  return `[${bug === undefined ? (advisory ?? named) : `LP#${bug}`}](${url})`
}

const row = ({ file, header }: Told): string => {
  const { number, title, links, laws } = header
  const scenario = `[${title}](../../../test-fixtures/field-failures/${file})`
  return `| ${number} | ${scenario} | ${links.map(link).join(' ')} | ${laws} | ${howShown(header)} |`
}

const WHAT = `Failures that users of other systems met, and what this manager does where they happen. Each scenario plays
the fault; its transcript shows that the harm does not happen, and what the caller is answered instead. Those that are also shown on
the real kernel name the test in their header. This table is made from those headers by
\`packages/core/test/field-failures.test.ts\`; \`UPDATE_TRANSCRIPTS=1\` rewrites it.`

/** The page, in the order of the cases. */
export const tableOf = (all: readonly Told[]): string =>
  [
    '# Field failures',
    '',
    WHAT,
    '',
    `${countOf(all)}.`,
    '',
    '| # | case | where | laws | how shown |',
    '| --- | --- | --- | --- | --- |',
    ...[...all].sort((a, b) => a.header.number - b.header.number).map(row),
    '',
  ].join('\n')
