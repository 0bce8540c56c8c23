// The language of the interactions itself: what it says when a scenario is wrong.
import { describe, expect, test } from 'vitest'
import { parseScenario } from './scenario.js'
import { difference, rewritten } from './run.js'
import { words } from './words.js'

const scenario = (...lines: readonly string[]): string => ['# A story.', '', ...lines, ''].join('\n')

describe('a directive', () => {
  test('is words and named words', () => {
    const { plain, named } = words('a tmpfs:x[size=1m] "two words" "" exit=32 note="a b"')
    expect(plain).toEqual(['a', 'tmpfs:x[size=1m]', 'two words', ''])
    expect([...named]).toEqual([
      ['exit', '32'],
      ['note', 'a b'],
    ])
  })

  test.each([
    ['> fly to the moon', 'there is no directive fly'],
    ['> constructor', 'there is no directive constructor'],
    ['> attach a tmpfs:x vol', 'words are missing: 4 wanted, 3 given'],
    ['> attach a tmpfs vol vm', 'not type:source[options]: tmpfs'],
    ['> attach a tmpfs:x vol vm colour=red', 'colour= means nothing here'],
    ['> release vm vm', 'too many words: vm'],
    ['> release "vm', 'a string does not end: "vm'],
    ['> status id=x id=y', 'id= is said twice'],
    ['> at +soon', 'not a whole number: soon'],
    ['> grants perhaps', 'perhaps is none of on, off'],
    ['> settings colour=red', 'there is no setting colour'],
    ['> settings foreign=eat', 'eat is none of refuse, adopt'],
    ['> settings slots.many=1', 'there is no setting slots.many'],
    ['> outcome #3 Directory', 'there is no effect #3'],
    ['> outcome Look Directory', 'no Look is open'],
    ['> ended #3', 'there is no effect #3'],
    ['> elapsed', 'no Wait is open'],
    ['> discovered', 'no Discover is open'],
    ['> there a Mounted t1', 'layer t1 is not declared, and nothing is known of its mountpoint'],
    ['> there a Cloud', 'Cloud is none of NoDirectory, Directory, Obstacle, Mounted, Unknown'],
  ])('%s fails with its file and line', (line, expected) => {
    expect(() => rewritten('x.txt', scenario('# Why.', line))).toThrow(`x.txt:4: ${expected}\n  ${line}`)
  })
})

describe('a scenario', () => {
  test('is read into blocks and prose, and written back as it was', () => {
    const text = scenario('> settings lost=remount', '> show', '  host: …', '', '# And then?', '> show', '# The end.')
    const { blocks, after } = parseScenario('x.txt', text)
    expect(blocks.map(({ line, directive, expected }) => [line, directive, expected])).toEqual([
      [3, 'settings lost=remount', []],
      [4, 'show', ['  host: …']],
      [8, 'show', []],
    ])
    expect(blocks[2]!.before).toEqual(['', '# And then?'])
    expect(after).toEqual(['# The end.'])
  })

  test.each([
    ['> show\n', 1, 'a scenario begins with # lines that say what it shows'],
    ['# A story.\nonce upon a time\n', 2, 'neither a directive'],
    ['# A story.\n  host: up\n', 2, 'neither a directive'],
    ['# A story.\n> show\n\n  host: up\n', 4, 'neither a directive'],
  ])('%j fails with its file and line', (text, line, expected) => {
    expect(() => parseScenario('x.txt', text)).toThrow(`x.txt:${line}: ${expected}`)
  })

  test('that expects the right lines differs in nothing', () => {
    const text = scenario('> show', '  host: down "the host has not come up yet", generation 0')
    expect(rewritten('x.txt', text)).toBe(text)
    expect(difference('x.txt', text, rewritten('x.txt', text))).toBeUndefined()
  })

  test('shows answers only while it is quiet', () => {
    const up = '  -> 1 host-up ok Up generation 1'
    const text = scenario(
      '> auto quiet',
      '> up',
      up,
      '> auto off',
      '> status',
      '  -> 2 status ok Status generation 1 up',
    )
    expect(rewritten('x.txt', text)).toBe(text)
  })

  test('that expects wrong lines fails with a difference that reads well', () => {
    const text = scenario(
      '> there a Directory',
      '> show',
      '  host: up, generation 7',
      '',
      '# No request came.',
      '> show a',
      '  /srv/mounts/a: mounted, 1 holder',
      '  and a unicorn',
      '> settings lost=remount',
      '> settings lost=report',
      '> at +5',
      '> at +6',
      '> at +7',
    )
    expect(difference('x.txt', text, rewritten('x.txt', text))).toBe(
      [
        'x.txt:5: the scenario expects the lines marked -, and produces the lines marked +',
        '  > there a Directory',
        '  > show',
        '-   host: up, generation 7',
        '+   host: down "the host has not come up yet", generation 0',
        '',
        '  # No request came.',
        '  > show a',
        '-   /srv/mounts/a: mounted, 1 holder',
        '-   and a unicorn',
        '+   /srv/mounts/a: no record',
        '  > settings lost=remount',
        '  > settings lost=report',
        '  …',
      ].join('\n'),
    )
  })
})
