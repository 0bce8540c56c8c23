// The closing figures of npm test: what its tests have put into `task.meta.figures`, added up over those that passed. A figure
// without a report is shown as missing: nothing is known then, which is not the same as none.

const LAWS = 48

/** Law numbers in the names of tests. */
const lawsIn = (name) => name.match(/\bL\d+\b/g) ?? []

/** Adds what the passed tests of a report say to what is known so far. */
export const collect = (figures, tests) => {
  for (const { status, fullName, meta } of tests) {
    if (status !== 'passed') continue
    for (const law of lawsIn(fullName)) figures.laws.add(law)
    for (const [name, value] of Object.entries(meta?.figures ?? {})) {
      figures.sums.set(name, (figures.sums.get(name) ?? 0) + value)
    }
  }
  return figures
}

/** Nothing is known yet. */
export const noFigures = () => ({ laws: new Set(), sums: new Map() })

const count = (value) => value.toLocaleString('en')

/** One line each; `needs` are the figures without which nothing can be said. */
const LINES = [
  {
    title: 'laws',
    needs: ['lawsJudged', 'timesJudged', 'runs', 'actions'],
    tell: ({ lawsJudged, timesJudged, runs, actions }) =>
      `${count(lawsJudged)} judged ${count(timesJudged)} times over ${count(runs)} random runs of ${count(actions)} actions`,
  },
  {
    title: 'states explored',
    needs: ['states', 'transitions', 'configurations'],
    tell: ({ states, transitions, configurations }) =>
      `${count(states)}, ${count(transitions)} transitions, ${count(configurations)} configurations`,
  },
  {
    title: 'mutants killed',
    needs: ['mutantsKilled', 'mutantsPlanted'],
    tell: ({ mutantsKilled, mutantsPlanted }) => `${count(mutantsKilled)} of ${count(mutantsPlanted)}`,
  },
  {
    title: 'fidelity',
    needs: ['fidelitySequences', 'fidelitySteps'],
    tell: ({ fidelitySequences, fidelitySteps }) =>
      `${count(fidelitySequences)} sequences of ${count(fidelitySteps)} steps on the simulated and the real kernel`,
  },
  {
    title: 'differential',
    needs: ['differentialScripts'],
    tell: ({ differentialScripts }) => `${count(differentialScripts)} scripts, simulated and real manager alike`,
  },
  {
    title: 'field failures',
    needs: ['fieldFailuresPlayed', 'fieldFailuresImpossible'],
    tell: ({ fieldFailuresPlayed, fieldFailuresImpossible }) =>
      `${count(fieldFailuresPlayed)} played, ${count(fieldFailuresImpossible)} cannot happen`,
  },
]

const TITLE_WIDTH = 18

/** The figures as lines, and the titles of those that are missing. */
export const tell = ({ laws, sums }) => {
  const known = Object.fromEntries(sums)
  const missing = LINES.filter(({ needs }) => needs.some((name) => !sums.has(name))).map(({ title }) => title)
  const lines = LINES.map(({ title, tell: say }) => [
    title,
    missing.includes(title) ? 'MISSING: not reported' : say(known),
  ])
  const named = [['laws in test names', `${laws.size} of ${LAWS} laws, in tests that passed`]]
  return { lines: [...named, ...lines].map(([title, text]) => `  ${title.padEnd(TITLE_WIDTH)}  ${text}`), missing }
}
