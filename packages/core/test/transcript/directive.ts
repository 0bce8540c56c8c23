// All directives, and the order in which a directive is carried out: the input, the grants, and the model's answers.

import { showHost, showMountpoint, showPhase } from '@mountkeeper/inspect'
import { requestId, restore } from '../../src/index.js'
import { discovered, discoveryFails } from './discovery.js'
import { declareLayer, readFound } from './layers.js'
import { elapsed, ended, expectedAt, open, outcome, path, probed, timedOut } from './outcome.js'
import { isRequest, request } from './request.js'
import { withSettings, withTypes } from './setting.js'
import type { Story } from './story.js'
import { feed, grantAll, hostOf, print, tick } from './story.js'
import { answerAll } from './there.js'
import type { Words } from './words.js'
import { expectWords, fail, numeric, oneOf, words } from './words.js'

type Directive = (story: Story, given: Words) => void

const onOff = (given: Words): boolean => {
  expectWords(given, 1, 1)
  return oneOf(given.plain[0], ['on', 'off']) === 'on'
}

/** `on` shows all that happens; `quiet` shows answers only, for what a scenario has to be brought to before it begins. */
const auto: Directive = (story, given) => {
  expectWords(given, 1, 1)
  const mode = oneOf(given.plain[0], ['on', 'quiet', 'off'])
  story.auto = mode !== 'off'
  story.quiet = mode === 'quiet'
}

/**
 * Everything but the facts and the host itself is lost; effects and requests in flight have no caller left to report to. With
 * `lost=HostCameUp` damage has taken all facts of that kind as well.
 */
const crash: Directive = (story, given) => {
  expectWords(given, 0, 0, ['lost'])
  const lost = given.named.get('lost')
  if (lost !== undefined) {
    const left = story.facts.filter(({ _tag }) => _tag !== lost)
    if (left.length === story.facts.length) fail(`no fact ${lost} is there to be lost`)
    story.facts.splice(0, story.facts.length, ...left)
  }
  story.host = restore(story.settings, story.facts)
  story.emitted.clear()
  story.unanswered.clear()
  story.shown.clear()
  story.shown.set('host', showHost(story.host))
  for (const [at, entry] of story.host.mountpoints) {
    story.shown.set(at, showPhase(entry))
    print(story, showPhase(entry))
  }
}

const show: Directive = (story, given) => {
  expectWords(given, 0, 1)
  const [name] = given.plain
  if (name === undefined) {
    print(story, showHost(hostOf(story)))
    return
  }
  const entry = hostOf(story).mountpoints.get(path(name))
  print(story, entry === undefined ? `${path(name)}: no record` : showMountpoint(entry))
}

const there: Directive = (story, given) => {
  expectWords(given, 2, 32)
  const mountpoint = path(given.plain[0]!)
  story.there.set(mountpoint, readFound(story.layers, given.plain.slice(1), expectedAt(story, mountpoint)))
}

const comeUp: Directive = (story, given) => {
  expectWords(given, 0, 0)
  request(story, 'host-up', given)
  if (story.auto) return
  open(story, 'Discover')
  print(story, 'discovered')
  discovered(story, '')
}

const DIRECTIVES: Readonly<Record<string, Directive>> = {
  settings: (story, given) => {
    story.settings = withSettings(story.settings, given)
  },
  types: (story, given) => {
    story.settings = withTypes(story.settings, given)
  },
  at: (story, given) => {
    expectWords(given, 1, 1)
    story.stepMs = numeric(given.plain[0]!.replace(/^\+/, ''))
  },
  grants: (story, given) => {
    story.grants = onOff(given)
    if (story.grants) grantAll(story)
  },
  auto,
  layer: (story, given) => declareLayer(story.layers, given),
  there,
  show,
  crash,
  up: comeUp,
  grant: (story, given) => {
    expectWords(given, 1, 1)
    feed(story, { _tag: 'Granted', at: tick(story), mountpoint: path(given.plain[0]!) })
  },
  outcome,
  'timed-out': timedOut,
  ended,
  elapsed,
  alive: probed('Alive'),
  broken: probed('Broken'),
  deadline: (story, given) => {
    expectWords(given, 1, 1)
    feed(story, { _tag: 'Deadline', at: tick(story), request: requestId(numeric(given.plain[0]!)) })
  },
  observed: (story, given) => {
    expectWords(given, 1, 1)
    feed(story, { _tag: 'Observed', at: tick(story), mountpoint: path(given.plain[0]!) })
  },
  stop: (story, given) => {
    expectWords(given, 1, 1)
    feed(story, { _tag: 'Stopped', at: tick(story), how: oneOf(given.plain[0], ['drain', 'hard']) })
  },
}

// These take what follows as it is: their parts are divided by semicolons.
const TEXTUAL: Readonly<Record<string, (story: Story, text: string) => void>> = {
  discovered,
  'discovery-fails': discoveryFails,
}

const carryOut = (story: Story, name: string, rest: string): void => {
  if (isRequest(name)) {
    request(story, name, words(rest))
    return
  }
  const textual = Object.hasOwn(TEXTUAL, name) ? TEXTUAL[name] : undefined
  if (textual !== undefined) {
    textual(story, rest)
    return
  }
  const directive = Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name] : undefined
  if (directive === undefined) fail(`there is no directive ${name}`)
  else directive(story, words(rest))
}

const isAnswer = (line: string): boolean => line.startsWith('  -> ')

/** Carries out one directive and gives the lines it produced. */
export const perform = (story: Story, text: string): readonly string[] => {
  story.output = []
  const [, name, rest] = /^(\S+)\s*(.*)$/s.exec(text) ?? fail('an empty directive')
  carryOut(story, name!, rest!)
  if (story.auto) answerAll(story)
  return story.quiet ? story.output.filter(isAnswer) : story.output
}
