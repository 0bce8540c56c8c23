// Makes dist/mountkeeper-exec.cjs: one file that needs nothing but Node, with the grammar of @mountkeeper/types in it as it is now.
// It is not made smaller, so that it can be read where it is installed. It has no first line that names an interpreter: `env node`
// would take the first one in the PATH of the user that starts it.
import { rolldown } from 'rolldown'

const bundle = await rolldown({ input: 'dist/main.js', platform: 'node', external: /^node:/ })
await bundle.write({ file: 'dist/mountkeeper-exec.cjs', format: 'cjs', minify: false })
