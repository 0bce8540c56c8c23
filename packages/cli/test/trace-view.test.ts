import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandLine } from '../src/command-line.js'
import type { Browser, Tab } from './chromium.js'
import { hasChromium, startChromium } from './chromium.js'
import { streamsWith } from './drive.js'
import { eventful, long, record } from './sample-trace.js'

const folder = mkdtempSync(join(tmpdir(), 'mountkeeper-view-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const viewed = async (name: string, trace: string) => {
  const [path, page] = [join(folder, `${name}.trace`), join(folder, `${name}.html`)]
  writeFileSync(path, trace)
  const streams = streamsWith()
  const code = await commandLine(['trace', 'view', path, '--output', page], streams)
  return { code, page, out: streams.stdout.text().replaceAll(page, 'PAGE'), said: streams.stderr.text() }
}

const MARKUP = `</script><img src=x onerror="document.title='hit'"><!--`
const hostile = async (): Promise<string> => {
  const { attach, pass, trace } = await record()
  attach('a', MARKUP)
  await pass(500)
  return trace()
}

describe('trace view', () => {
  test('writes a page that only its owner may read, and says what is in it', async () => {
    const { code, out, page } = await viewed('owner', await eventful())
    expect({ code, out }).toEqual({ code: 0, out: 'PAGE: 93 inputs at 7 mountpoints\n' })
    expect(statSync(page).mode & 0o777).toBe(0o600)
  })

  test('needs no other file, and allows no script but its own', async () => {
    const page = readFileSync((await viewed('self', await eventful())).page, 'utf8')
    expect(page).toMatch(/default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'/)
    expect(page.match(/(src|href)=|https?:|url\(|@import/g)).toBeNull()
  })

  test('holds no markup of the trace', async () => {
    const page = readFileSync((await viewed('markup', await hostile())).page, 'utf8')
    expect(page).not.toContain('<img')
    expect(page.match(/<script/g)).toHaveLength(2)
  })

  test('goes to stdout without --output, but not to a terminal', async () => {
    const path = join(folder, 'stdout.trace')
    writeFileSync(path, await hostile())
    const [piped, terminal] = [streamsWith(), streamsWith({}, true)]
    expect(await commandLine(['trace', 'view', path], piped)).toBe(0)
    expect(piped.stdout.text()).toMatch(/^<!doctype html>[^]*<\/html>\n$/)
    expect(await commandLine(['trace', 'view', path], terminal)).toBe(2)
    expect(terminal.stderr.text()).toContain('give its file with --output FILE')
  })

  test.each([
    ['that is no trace', '{}\n', 'format: missing'],
    ['that is empty', '', 'is empty'],
  ])('refuses a file %s, with the line', async (_, text, why) => {
    const { code, said } = await viewed('wrong', text)
    expect(code).toBe(2)
    expect(said).toContain(why)
  })
})

describe.runIf(hasChromium)('the page in Chromium', () => {
  let browser: Browser
  beforeAll(() => {
    browser = startChromium()
  })
  afterAll(() => browser.close())

  const opened = async (name: string, trace: string): Promise<Tab> =>
    browser.open(`file://${(await viewed(name, trace)).page}`)
  const details = (tab: Tab): Promise<string> => tab.value('document.getElementById("details").innerText')
  const said = (tab: Tab): Promise<string> => tab.value('document.getElementById("said").textContent')
  const frame = (tab: Tab): Promise<unknown> =>
    tab.value('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))')
  const press = async (tab: Tab, ...keys: readonly string[]): Promise<void> => {
    for (const key of keys) await tab.press(key)
    await frame(tab)
  }

  test('shows lanes, and by keys a request, its effects with their commands, and who holds', async () => {
    const tab = await opened('keys', await eventful())
    await frame(tab)
    expect(await tab.value('document.getElementById("summary").textContent')).toBe(
      '93 inputs · 7 mountpoints · 3 min 32 s · 2 refused · 4 effects failed',
    )
    await press(tab, 'ArrowDown', 'ArrowDown', 'Home')
    expect(await details(tab)).toMatch(/^attach\n[^]*\/srv\/mounts\/archive[^]*job-8[^]*attached: mounted/)
    await press(tab, 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight')
    const shown = await details(tab)
    expect(shown).toMatch(/^mount: past its deadline\n/)
    expect(shown).toContain('mount -- /srv/mounts/archive')
    await press(tab, 'End')
    expect(await details(tab)).toMatch(/Holders after that: 2[^]*disk-archive for job-8/)
    expect(tab.complaints).toEqual([])
  })

  test('finds words, shows only their lanes, and goes from one to the next', async () => {
    const tab = await opened('search', await eventful())
    await press(tab, '/', ...Array.from('nosuid backup'), 'Enter')
    expect(await details(tab)).toMatch(
      /^mount\n[^]*mount -t nfs -o nosuid,nodev\S* -- nfs-1:\/export\/backup \/srv\/mounts\/backup/,
    )
    await press(tab, 'Escape', '/', ...Array.from('vm-4'))
    expect(await tab.value('document.getElementById("matches").textContent')).toMatch(/^1 in 1 lane$/)
    await press(tab, 'Enter')
    expect(await said(tab)).toMatch(/^attach: refused, \/srv\/mounts\/images, refused, Conflict/)
    await press(tab, 'Escape')
    expect(await tab.value('document.getElementById("corner").textContent')).toBe('7 mountpoints')
  })

  test('filters refusals and failures, and e goes through them', async () => {
    const tab = await opened('filter', await eventful())
    await tab.value(
      'const s = document.getElementById("filter"); s.value = "problems"; s.dispatchEvent(new Event("change")); s.blur()',
    )
    await frame(tab)
    expect(await tab.value('document.getElementById("corner").textContent')).toBe('5 mountpoints')
    await press(tab, 'e')
    expect(await said(tab)).toMatch(/^attach: refused, \/srv\/mounts\/scratch, refused, MountFailed/)
  })

  test('is light or dark as the reader chooses', async () => {
    const tab = await opened('theme', await eventful())
    const colour = 'getComputedStyle(document.body).backgroundColor'
    const light = await tab.value(colour)
    await tab.value(
      'const t = document.getElementById("theme"); t.value = "dark"; t.dispatchEvent(new Event("change"))',
    )
    expect(await tab.value(colour)).not.toBe(light)
  })

  test('runs nothing that a trace has in its names', async () => {
    const tab = await opened('hostile', await hostile())
    await press(tab, 'ArrowDown', 'ArrowDown', 'Home')
    expect(await details(tab)).toContain(MARKUP)
    expect(await tab.value('[document.title, document.images.length].join()')).toBe('hostile.trace,0')
    expect(tab.complaints).toEqual([])
  })

  test('draws a run of 10,000 inputs in frames whose work is bounded by the screen', async () => {
    const tab = await opened('long', await long(10_000))
    await frame(tab)
    const worst = await tab.value<{ readonly shapes: number; readonly ms: number }>(`(async () => {
      const worst = { shapes: 0, ms: [] }
      for (const key of ['0', ...Array(20).fill('+'), ...Array(20).fill('d'), 't', ...Array(20).fill('-'), 't', '0']) {
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
        worst.shapes = Math.max(worst.shapes, traceView.work.shapes)
        worst.ms.push(traceView.work.ms)
      }
      return { shapes: worst.shapes, ms: worst.ms.sort((a, b) => a - b)[Math.floor(worst.ms.length / 2)] }
    })()`)
    expect(worst.shapes).toBeGreaterThan(100)
    expect(worst.shapes).toBeLessThan(6_000)
    expect(worst.ms).toBeLessThan(50)
    expect(tab.complaints).toEqual([])
  })

  test('is the picture in the documentation, which UPDATE_SCREENSHOT=1 takes again', async () => {
    const tab = await opened('run', await eventful())
    await press(tab, 'e', 'e', 'e', '0')
    const [taken, place] = [await tab.picture(), new URL('../docs/trace-view.png', import.meta.url)]
    if (process.env['UPDATE_SCREENSHOT'] === '1') writeFileSync(place, taken)
    // Fonts differ from machine to machine; a page on which nothing is drawn has a tenth of this size.
    for (const { length } of [taken, readFileSync(place)]) {
      expect(length).toBeGreaterThan(40_000)
      expect(length).toBeLessThan(300_000)
    }
  })
})
