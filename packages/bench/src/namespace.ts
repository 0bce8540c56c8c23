// Measurements mount for real, and so run in a mount namespace of their own.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs the module once more in a namespace; there, and only there, calls `measure`. `module` is its `import.meta.url`. */
export const inNamespace = async (module: string, top: URL, measure: () => Promise<void>): Promise<void> => {
  if (process.env['MOUNTKEEPER_NAMESPACE'] !== undefined) {
    await measure()
    return
  }
  const wrapper = fileURLToPath(new URL('.ci/in-namespace.mjs', top))
  const again = [wrapper, process.execPath, ...process.execArgv, fileURLToPath(module)]
  process.exitCode = spawnSync(process.execPath, again, { stdio: 'inherit' }).status ?? 1
}

/** A command that has to succeed. */
export const must = (...vector: readonly string[]): void => {
  const [file = '', ...args] = vector
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${vector.join(' ')}: ${error?.message ?? stderr}`)
}
