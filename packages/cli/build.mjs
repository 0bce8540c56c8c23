// Makes bundle/: the command as it is started, in a few files of CommonJS. Node finds, reads and links some hundred modules slower than
// it runs the command, and ES modules slower than CommonJS. Nothing is made smaller, so that a defect names its place.
import { copyFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { rolldown } from 'rolldown'

const { resolve } = createRequire(import.meta.url)
const folderOf = (name) => dirname(resolve(`${name}/package.json`))

// What the parser of arguments loads for reports of its own. This command lays its help out and reports mistakes itself, in plain text.
const PLAIN = 'const plain = new Proxy((text) => String(text), { get: () => plain })\nexport default plain'
const UNUSED = {
  chalk: PLAIN,
  debug: 'export default () => ({ enabled: false })',
  didyoumean: 'export default () => null',
  'strip-ansi': PLAIN,
}
const withoutReports = {
  name: 'without-reports',
  resolveId: (id) => (Object.hasOwn(UNUSED, id) ? `\0${id}` : null),
  load: (id) => (id.startsWith('\0') ? UNUSED[id.slice(1)] : null),
}

const bundle = await rolldown({
  input: {
    main: 'dist/main.js',
    'look-process': join(folderOf('@mountkeeper/linux'), 'dist/look-process.js'),
  },
  platform: 'node',
  external: /^node:/,
  treeshake: { moduleSideEffects: false },
  resolve: { alias: { 'cmd-ts': join(folderOf('cmd-ts'), 'dist/esm/index.js') }, mainFields: ['module', 'main'] },
  plugins: [withoutReports],
})
const names = { entryFileNames: '[name].js', chunkFileNames: '[name].js' }
const { output } = await bundle.write({ dir: 'bundle', format: 'cjs', minify: false, cleanDir: true, ...names })

// The page of `trace view`: its script as one file without imports, and the rest as it is.
const page = await rolldown({ input: 'page/main.js', platform: 'browser' })
await page.write({ file: 'bundle/page.js', format: 'iife', minify: true })
for (const name of ['page.css', 'page.html']) copyFileSync(join('page', name), join('bundle', name))

writeFileSync('bundle/package.json', '{ "type": "commonjs" }\n')

// Where the sources of @mountkeeper/exec look for it, seen from bundle/.
copyFileSync(join(folderOf('@mountkeeper/exec'), 'dist/mountkeeper-exec.cjs'), 'dist/mountkeeper-exec.cjs')

// The licences of others, whose code is in these files.
const others = new Set(
  output
    .flatMap(({ moduleIds = [] }) => moduleIds)
    .flatMap((id) => /^[^\0].*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []),
)
const notice = (folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
  return `${name} ${version} (${license})\n${text}`
}
writeFileSync('bundle/LICENSES.txt', [...others].sort().filter(existsSync).map(notice).join('\n---\n\n'))
