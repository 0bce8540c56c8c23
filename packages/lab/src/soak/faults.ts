// What goes wrong: servers that hang, are slow and are killed, daemons and commands that are killed, third parties that mount and
// unmount, operators, and the end of the manager itself. One at a time, chosen by chance.

import { spawn } from 'node:child_process'
import type { Chance } from '../chance.js'
import { pick } from '../chance.js'
import type { Server } from '../servers/server.js'
import { kill, processesWith, sleep } from '../servers/server.js'
import type { Lives } from './life.js'
import type { Judge, Share } from './model.js'
import { layersBelow, THEIRS } from './model.js'

/** What is on the stage. */
export interface Stage {
  readonly root: string
  readonly shares: readonly Share[]
  readonly servers: Readonly<Record<string, Server>>
  readonly lives: Lives
  readonly judge: Judge
  readonly chance: Chance
}

/** A connection that has ended takes its mount with it within this time, ms. */
const SETTLES_MS = 4_000
/** A third party's own command waits for a server that hangs, too; no request waits for it longer than this, ms. */
const THEIR_PATIENCE_MS = 2_000

const theirCommand = (...vector: readonly string[]): Promise<void> =>
  new Promise((resolve) => {
    const [file, ...args] = vector
    const child = spawn(file!, args, { stdio: 'ignore' })
    const patience = setTimeout(() => {
      child.kill('SIGKILL')
      resolve()
    }, THEIR_PATIENCE_MS)
    child.once('close', () => {
      clearTimeout(patience)
      resolve()
    })
  })

/** The faults of a stage, by name. Each resolves when it is done; `false` if there was nothing to do. */
export const createFaults = (stage: Stage) => {
  const { root, shares, servers, lives, judge, chance } = stage
  const names = Object.keys(servers)
  const state = new Map<string, 'runs' | 'hangs' | 'is slow' | 'is dead'>()
  let mounts = 0
  const of = (name: string): readonly Share[] => shares.filter(({ server }) => server === name)
  const topAt = (share: Share) => layersBelow(root).findLast(({ target }) => target === share.path)

  const serverTurns = async (): Promise<string> => {
    const name = pick(chance, names)
    const server = servers[name]!
    const is = state.get(name) ?? 'runs'
    const turn =
      is === 'is dead' ? 'runs' : is === 'runs' ? pick(chance, ['hangs', 'hangs', 'is slow', 'is dead']) : 'runs'
    state.set(name, turn as 'runs')
    if (turn === 'hangs') await server.hang()
    else if (turn === 'is slow') server.slow(20, 100)
    else if (turn === 'is dead') {
      for (const share of of(name)) judge.disturb(share, SETTLES_MS)
      await server.kill()
    } else if (is === 'is dead') await server.again()
    else server.goOn()
    return `${name} ${turn}`
  }

  const daemonDies = (): string | undefined => {
    const share = pick(chance, shares)
    const daemons = processesWith(`/${share.name}`).filter(({ line }) => /fuse\.sshfs|sbin\/glusterfs /.test(line))
    if (daemons.length === 0) return undefined
    judge.disturb(share, SETTLES_MS)
    kill(daemons.map(({ pid }) => pid))
    return `the daemon at ${share.name} is killed`
  }

  const commandDies = (): string | undefined => {
    const running = shares
      .flatMap(({ name }) => processesWith(`/${name}`))
      .filter(({ parent, line }) => parent === lives.pid() && /^(mount|umount|mkdir|rmdir|stat) /.test(line))
    if (running.length === 0) return undefined
    const { pid, line } = pick(chance, running)
    kill([pid])
    return `killed: ${line}`
  }

  const theyMount = async (): Promise<string | undefined> => {
    // A daemon that ends takes off whatever is on top at its path, theirs too (seen with libfuse 3.14), which is no error here.
    const share = pick(
      chance,
      shares.filter(({ server }) => server === undefined),
    )
    if (topAt(share)?.source.startsWith(THEIRS) === true) return undefined
    mounts += 1
    await theirCommand('mount', '-i', '-c', '-t', 'tmpfs', '-o', 'size=64k', `${THEIRS}${mounts}`, share.path)
    return `they mount at ${share.name}`
  }

  const theyUnmount = async (share = pick(chance, shares)): Promise<string | undefined> => {
    const top = topAt(share)
    if (top === undefined) return undefined
    // What is there may be another layer by the time they do it.
    judge.disturb(share, SETTLES_MS)
    for (const { target, source } of layersBelow(root)) {
      if (target === share.path && source.startsWith(THEIRS)) judge.leaves(source)
    }
    await theirCommand('umount', ...(chance() < 0.5 ? ['-l'] : ['-c']), share.path)
    return `they unmount ${top.source} at ${share.name}`
  }

  const operator = async (): Promise<string> => {
    const what = pick(chance, ['reconcile', 'apply', 'retry', 'up', 'down and up'] as const)
    switch (what) {
      case 'reconcile':
      case 'apply':
        await lives.ask({ op: 'reconcile', apply: what === 'apply', deadlineMs: 3_000 })
        break
      case 'retry':
        await lives.ask({ op: 'retry', mountpoint: pick(chance, shares).path })
        break
      case 'down and up':
        await lives.ask({ op: 'host-down' })
        await sleep(chance() * 300)
        await lives.ask({ op: 'host-up', deadlineMs: 30_000 })
        break
      case 'up':
        await lives.ask({ op: 'host-up', deadlineMs: 30_000 })
    }
    return `operator: ${what}`
  }

  const managerDies = async (): Promise<string> => {
    await lives.kill()
    return `the manager is killed; life ${lives.count()}`
  }

  const weighted: readonly (readonly [number, () => Promise<string | undefined> | string | undefined])[] = [
    [8, serverTurns],
    [3, daemonDies],
    [4, commandDies],
    [3, theyMount],
    [4, () => theyUnmount()],
    [3, operator],
    [1, managerDies],
  ]
  const total = weighted.reduce((sum, [weight]) => sum + weight, 0)

  return {
    /** Does one; shows what it was. */
    any: async (): Promise<string | undefined> => {
      let left = chance() * total
      for (const [weight, fault] of weighted) {
        left -= weight
        if (left < 0) return await fault()
      }
      return undefined
    },
    /** Everything works again, and third parties have left. */
    mend: async (): Promise<void> => {
      for (const name of names) {
        if (state.get(name) === 'is dead') await servers[name]!.again()
        servers[name]!.goOn()
        state.set(name, 'runs')
      }
      for (const share of shares) {
        while (layersBelow(root).some(({ target, source }) => target === share.path && source.startsWith(THEIRS))) {
          await theyUnmount(share)
        }
      }
    },
  }
}
