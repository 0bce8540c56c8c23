import { defaultSettings } from '@mountkeeper/border'
import type { Answer, Effect, Fact, Found, Identity, Input, Reason, Request, Result } from '@mountkeeper/core'
import { effectId, emptyHost, requestId } from '@mountkeeper/core'
import { absentMountpoint, addHolder, noHolders } from '@mountkeeper/core/state'
import { describe, expect, test } from 'vitest'
import {
  showAnswer,
  showCommandError,
  showEffect,
  showFact,
  showFilesystem,
  showFound,
  showHost,
  showIdentity,
  showInput,
  showMountpoint,
  showPhase,
  showReason,
  showRequest,
} from '../src/show.js'

const A = '/srv/mounts/a'
const tmpfs = { type: 'tmpfs', source: 'scratch', options: ['size=1m'] }
const bare = { type: 'tmpfs', source: 'scratch', options: [] }
const layer: Identity = {
  mountId: 21,
  device: '0:40',
  fstype: 'tmpfs',
  source: 'scratch',
  root: '/',
  flags: ['rw', 'nosuid', 'nodev'],
}
const other: Identity = { ...layer, mountId: 22, device: '0:41', source: 'third-party', flags: ['rw'] }
const busy = { command: ['umount', '-c', '--', A], exitStatus: 32, stderr: 'target is busy.' }
const pair = { volume: 'vol-1', consumer: 'vm-1' }
const root = { path: '/srv/mounts', mountId: 1, directory: '8:1:100' }

describe('what is asked for and what is found', () => {
  test.each<[() => string, string]>([
    [() => showFilesystem(tmpfs), 'tmpfs:scratch[size=1m]'],
    [() => showFilesystem(bare), 'tmpfs:scratch'],
    [() => showFilesystem({ ...tmpfs, source: 'two words' }), 'tmpfs:"two words"[size=1m]'],
    [() => showFilesystem({ ...tmpfs, source: '' }), 'tmpfs:""[size=1m]'],
    [() => showIdentity(layer), '21 tmpfs scratch / 0:40 rw,nosuid,nodev'],
    [() => showIdentity({ ...layer, source: '' }), '21 tmpfs "" / 0:40 rw,nosuid,nodev'],
    [() => showCommandError(busy), '"umount -c -- /srv/mounts/a" exit 32 "target is busy."'],
    [
      () => showCommandError({ command: ['mount'], signal: 'SIGKILL', stderr: '', pid: 7 }),
      '"mount" signal SIGKILL pid 7',
    ],
    [
      () => showCommandError({ ...busy, stderr: 'one\ntwo\u2028three\u0007' }),
      `"umount -c -- ${A}" exit 32 "one\\ntwo\\u2028three\\u0007"`,
    ],
  ])('%#: %s', (shown, expected) => {
    expect(shown()).toBe(expected)
  })

  test('a secret shows the file that holds it', () => {
    const options = ['vers=3.0', { name: 'credentials', secretFile: '/etc/secret' }]
    expect(showFilesystem({ type: 'cifs', source: '//host/share', options })).toBe(
      'cifs://host/share[vers=3.0,credentials=@/etc/secret]',
    )
  })

  test.each<[Found, string]>([
    [{ _tag: 'NoDirectory' }, 'NoDirectory'],
    [{ _tag: 'Directory' }, 'Directory'],
    [{ _tag: 'Obstacle', kind: 'symlink' }, 'Obstacle symlink'],
    [{ _tag: 'Mounted', layers: [layer] }, 'Mounted 21 tmpfs scratch / 0:40 rw,nosuid,nodev'],
    [
      { _tag: 'Mounted', layers: [other, layer] },
      'Mounted 22 tmpfs third-party / 0:41 rw over 21 tmpfs scratch / 0:40 rw,nosuid,nodev',
    ],
    [{ _tag: 'Unknown', why: 'TimedOut' }, 'Unknown TimedOut'],
    [{ _tag: 'Unknown', why: 'Unreadable', detail: 'no such table' }, 'Unknown Unreadable: "no such table"'],
  ])('%j', (found, expected) => {
    expect(showFound(found)).toBe(expected)
  })
})

describe('requests', () => {
  test.each<[Request, string]>([
    [{ op: 'attach', mountpoint: A, filesystem: tmpfs, ...pair }, `attach ${A} tmpfs:scratch[size=1m] vol-1 of vm-1`],
    [{ op: 'detach', mountpoint: A, ...pair, id: 'x', deadlineMs: 5 }, `detach ${A} vol-1 of vm-1 id x within 5 ms`],
    [{ op: 'detach', mountpoint: `${A} b`, ...pair }, `detach "${A} b" vol-1 of vm-1`],
    [{ op: 'release', consumer: 'vm-1' }, 'release vm-1'],
    [{ op: 'cancel', target: 'x' }, 'cancel x'],
    [{ op: 'host-up' }, 'host-up'],
    [{ op: 'host-down' }, 'host-down'],
    [{ op: 'host-down', reason: 'it is late' }, 'host-down "it is late"'],
    [{ op: 'status' }, 'status'],
    [{ op: 'reconcile', apply: false }, 'reconcile'],
    [{ op: 'reconcile', apply: true }, 'reconcile apply'],
    [{ op: 'retry', mountpoint: A }, `retry ${A}`],
    [{ op: 'forget', mountpoint: A, force: false }, `forget ${A}`],
    [{ op: 'forget', mountpoint: A, force: true }, `forget ${A} force`],
    [{ op: 'refuse-new', mountpoint: A }, `refuse-new ${A}`],
    [{ op: 'allow-new', server: 'nfs1' }, 'allow-new server nfs1'],
  ])('%j', (request, expected) => {
    expect(showRequest(request)).toBe(expected)
  })
})

describe('inputs', () => {
  const at = 1_000
  const effect = effectId(3)
  test.each<[Input, string]>([
    [{ _tag: 'Requested', at, request: requestId(1), body: { op: 'status' } }, 'request 1 status'],
    [{ _tag: 'Outcome', at, effect, mountpoint: A, found: { _tag: 'Directory' } }, `outcome #3 ${A} Directory`],
    [
      { _tag: 'Outcome', at, effect, mountpoint: A, found: { _tag: 'Directory' }, error: busy },
      `outcome #3 ${A} Directory error "umount -c -- ${A}" exit 32 "target is busy."`,
    ],
    [
      {
        _tag: 'Outcome',
        at,
        effect,
        mountpoint: A,
        found: { _tag: 'Directory' },
        source: { asked: { _tag: 'At', root: '/x', device: '8:1' } },
      },
      `outcome #3 ${A} Directory source /x on 8:1`,
    ],
    [{ _tag: 'Outcome', at, effect, mountpoint: A, found: { _tag: 'Alive' } }, `outcome #3 ${A} Alive`],
    [
      { _tag: 'Outcome', at, effect, mountpoint: A, found: { _tag: 'Broken', errno: 'ENOTCONN' } },
      `outcome #3 ${A} Broken ENOTCONN`,
    ],
    [{ _tag: 'Outcome', at, effect, mountpoint: undefined, found: { _tag: 'Elapsed' } }, 'outcome #3 host Elapsed'],
    [
      { _tag: 'Outcome', at, effect, mountpoint: undefined, found: { _tag: 'NotDiscovered', reason: 'no libvirt' } },
      'outcome #3 host NotDiscovered "no libvirt"',
    ],
    [
      {
        _tag: 'Outcome',
        at,
        effect,
        mountpoint: undefined,
        found: {
          _tag: 'Discovered',
          boot: 'b',
          mountNamespace: 'n',
          roots: [{ ...root, propagation: 'private' }],
          mountpoints: [{ mountpoint: A, found: { _tag: 'Directory' } }],
          inventory: { startedAt: 0, entries: [{ mountpoint: A, ...pair }] },
        },
      },
      `outcome #3 host Discovered boot b namespace n; root /srv/mounts 1 8:1:100 private; ${A} Directory; inventory of 1; in use ${A} vol-1 of vm-1`,
    ],
    [{ _tag: 'Ended', at, effect, mountpoint: A }, `ended #3 ${A}`],
    [{ _tag: 'Granted', at, mountpoint: A }, `granted ${A}`],
    [{ _tag: 'Deadline', at, request: requestId(2) }, 'deadline of 2'],
    [{ _tag: 'Observed', at, mountpoint: A }, `observed ${A}`],
    [{ _tag: 'Stopped', at, how: 'drain' }, 'stopped drain'],
  ])('%j', (input, expected) => {
    expect(showInput(input)).toBe(expected)
  })
})

describe('effects', () => {
  const common = { effect: effectId(3), mountpoint: A, root, deadlineMs: 10 }
  const unmount = { _tag: 'Unmount', ...common, filesystem: bare, identity: layer, how: 'plain' } as const
  test.each<[Effect, string]>([
    [{ _tag: 'Look', ...common, filesystem: undefined }, `#3 Look ${A} within 10 ms`],
    [{ _tag: 'Look', ...common, filesystem: tmpfs }, `#3 Look ${A} for tmpfs:scratch[size=1m] within 10 ms`],
    [
      { _tag: 'Look', ...common, filesystem: undefined, root: undefined },
      `#3 Look ${A} below no known root within 10 ms`,
    ],
    [{ _tag: 'MakeDirectory', ...common }, `#3 MakeDirectory ${A} within 10 ms`],
    [
      { _tag: 'Mount', ...common, filesystem: tmpfs, options: ['size=1m', 'nosuid', 'nodev'] },
      `#3 Mount ${A} tmpfs:scratch size=1m,nosuid,nodev within 10 ms`,
    ],
    [{ ...unmount, mayHang: false }, `#3 Unmount ${A} plain 21 tmpfs scratch / 0:40 rw,nosuid,nodev within 10 ms`],
    [
      { ...unmount, how: 'lazy', mayHang: true },
      `#3 Unmount ${A} lazy 21 tmpfs scratch / 0:40 rw,nosuid,nodev that may hang within 10 ms`,
    ],
    [{ _tag: 'RemoveDirectory', ...common }, `#3 RemoveDirectory ${A} within 10 ms`],
    [{ _tag: 'Probe', ...common, filesystem: tmpfs }, `#3 Probe ${A} tmpfs:scratch[size=1m] within 10 ms`],
    [
      { _tag: 'Wait', effect: effectId(3), mountpoint: A, why: 'unmount-retry', delayMs: 500 },
      `#3 Wait ${A} unmount-retry 500 ms`,
    ],
    [
      { _tag: 'Wait', effect: effectId(3), mountpoint: undefined, why: 'discovery-retry', delayMs: 500 },
      '#3 Wait host discovery-retry 500 ms',
    ],
    [
      { _tag: 'Discover', effect: effectId(3), roots: ['/srv/mounts'], known: [], deadlineMs: 10 },
      '#3 Discover below /srv/mounts within 10 ms, 0 mountpoints known',
    ],
    [
      {
        _tag: 'Discover',
        effect: effectId(3),
        roots: ['/srv/mounts', '/srv/more'],
        known: [
          { mountpoint: A, filesystem: tmpfs },
          { mountpoint: '/srv/mounts/b', filesystem: undefined },
        ],
        deadlineMs: 10,
      },
      `#3 Discover below /srv/mounts /srv/more within 10 ms, 2 mountpoints known: ${A} for tmpfs:scratch[size=1m]; /srv/mounts/b`,
    ],
  ])('%j', (effect, expected) => {
    expect(showEffect(effect)).toBe(expected)
  })
})

describe('facts', () => {
  const at = 1_000
  const claimed = { _tag: 'Claimed', at, mountpoint: A, filesystem: tmpfs, ...pair } as const
  test.each<[Fact, string]>([
    [
      { _tag: 'HostCameUp', at, generation: 1, boot: 'b', mountNamespace: 'n' },
      'HostCameUp generation 1 boot b namespace n',
    ],
    [
      { ...claimed, found: { _tag: 'NoDirectory' }, layersBefore: [] },
      `Claimed ${A} tmpfs:scratch[size=1m] vol-1 of vm-1 found NoDirectory`,
    ],
    [
      { ...claimed, found: { _tag: 'Mounted', layers: [other] }, layersBefore: [other] },
      `Claimed ${A} tmpfs:scratch[size=1m] vol-1 of vm-1 found Mounted 22 tmpfs third-party / 0:41 rw`,
    ],
    [
      { ...claimed, found: { _tag: 'Directory' }, layersBefore: [other] },
      `Claimed ${A} tmpfs:scratch[size=1m] vol-1 of vm-1 found Directory before 22 tmpfs third-party / 0:41 rw`,
    ],
    [{ _tag: 'DirectoryMade', at, mountpoint: A }, `DirectoryMade ${A}`],
    [{ _tag: 'Mounted', at, mountpoint: A, identity: layer }, `Mounted ${A} 21 tmpfs scratch / 0:40 rw,nosuid,nodev`],
    [
      { _tag: 'Held', at, mountpoint: A, ...pair, since: at, knowledge: 'request' },
      `Held ${A} vol-1 of vm-1 by request`,
    ],
    [
      { _tag: 'Held', at, mountpoint: A, ...pair, since: 500, knowledge: 'inventory' },
      `Held ${A} vol-1 of vm-1 by inventory since 500`,
    ],
    [
      { _tag: 'Held', at, mountpoint: A, ...pair, since: at, knowledge: 'request', id: 'a b', stream: 'tenant' },
      `Held ${A} vol-1 of vm-1 by request id "a b" stream tenant`,
    ],
    [{ _tag: 'ClaimEnded', at, mountpoint: A, ...pair, intent: 'open' }, `ClaimEnded ${A} vol-1 of vm-1 intent open`],
    [{ _tag: 'Left', at, mountpoint: A, ...pair }, `Left ${A} vol-1 of vm-1`],
    [
      { _tag: 'Unmounting', at, mountpoint: A, identity: layer },
      `Unmounting ${A} 21 tmpfs scratch / 0:40 rw,nosuid,nodev`,
    ],
    [{ _tag: 'Unmounted', at, mountpoint: A, by: 'other' }, `Unmounted ${A} by other`],
    [{ _tag: 'DirectoryRemoved', at, mountpoint: A }, `DirectoryRemoved ${A}`],
    [{ _tag: 'DirectoryKept', at, mountpoint: A }, `DirectoryKept ${A}`],
    [
      { _tag: 'Adopted', at, mountpoint: A, identity: layer, filesystem: bare },
      `Adopted ${A} 21 tmpfs scratch / 0:40 rw,nosuid,nodev as tmpfs:scratch`,
    ],
    [{ _tag: 'Forgotten', at, mountpoint: A }, `Forgotten ${A}`],
    [
      { _tag: 'Recorded', at, mountpoint: A, directory: 'theirs', instance: 0 },
      `Recorded ${A} directory theirs instance 0`,
    ],
    [
      {
        _tag: 'Recorded',
        at,
        mountpoint: A,
        filesystem: bare,
        layer,
        directory: 'ours',
        instance: 2,
        claim: pair,
        intent: { found: { _tag: 'Directory' }, layersBefore: [] },
        unresolved: 'Mount',
      },
      `Recorded ${A} tmpfs:scratch layer 21 tmpfs scratch / 0:40 rw,nosuid,nodev directory ours instance 2 ` +
        'claim vol-1 of vm-1 intent on Directory unresolved Mount',
    ],
  ])('%j', (fact, expected) => {
    expect(showFact(fact)).toBe(expected)
  })
})

describe('answers', () => {
  const request = requestId(1)
  const detached = {
    _tag: 'Detached',
    holder: 'removed',
    holdersLeft: 0,
    mount: 'vacant',
    directory: 'kept',
    reason: { _tag: 'Refused', error: busy },
    warnings: [],
  } as const
  const drift = { _tag: 'lost', mountpoint: A, text: 'mount again', holders: [pair] } as const
  test.each<[Result, string]>([
    [
      { _tag: 'Attached', holder: 'added', mount: 'mounted', instance: 1, generation: 2, warnings: [] },
      'Attached added mounted instance 1 generation 2',
    ],
    [
      {
        _tag: 'Attached',
        holder: 'already-held',
        mount: 'shared',
        instance: 1,
        generation: 1,
        warnings: [{ _tag: 'NotResponding', text: 'no answer within 5 s' }],
      },
      'Attached already-held shared instance 1 generation 1 warning NotResponding "no answer within 5 s"',
    ],
    [
      detached,
      `Detached removed 0 left vacant directory kept reason Refused error "umount -c -- ${A}" exit 32 "target is busy."`,
    ],
    [{ _tag: 'Released', attachments: [] }, 'Released nothing'],
    [
      {
        _tag: 'Released',
        attachments: [
          { mountpoint: A, volume: 'vol-1', answer: { ...detached, mount: 'held', reason: { _tag: 'NotOurs' } } },
          { mountpoint: A, volume: 'vol-2', answer: { ...detached, mount: 'unmounted', reason: { _tag: 'NotOurs' } } },
        ],
      },
      `Released ${A} vol-1 removed 0 left held directory kept reason NotOurs; ${A} vol-2 removed 0 left unmounted directory kept reason NotOurs`,
    ],
    [{ _tag: 'CancelSent' }, 'CancelSent'],
    [{ _tag: 'Up', generation: 1, drift: [], warnings: [] }, 'Up generation 1'],
    [
      { _tag: 'Up', generation: 1, drift: [drift], warnings: [{ _tag: 'PropagationNotShared', text: 'private' }] },
      `Up generation 1 drift lost ${A} "mount again" holders vol-1 of vm-1 warning PropagationNotShared "private"`,
    ],
    [{ _tag: 'Down', generation: 1 }, 'Down generation 1'],
    [{ _tag: 'Reconciled', differences: [] }, 'Reconciled no drift'],
    [
      { _tag: 'Reconciled', differences: [{ _tag: 'foreign', mountpoint: A, text: 'look' }, drift] },
      `Reconciled drift foreign ${A} "look"; drift lost ${A} "mount again" holders vol-1 of vm-1`,
    ],
    [{ _tag: 'Retried' }, 'Retried'],
    [
      { _tag: 'Forgotten', holders: [pair, { volume: 'vol-2', consumer: 'vm-2' }] },
      'Forgotten vol-1 of vm-1, vol-2 of vm-2',
    ],
    [{ _tag: 'Forgotten', holders: [] }, 'Forgotten no holder'],
    [{ _tag: 'Refusing' }, 'Refusing'],
    [{ _tag: 'Allowing' }, 'Allowing'],
    [
      { _tag: 'Status', generation: 1, phase: 'up', mountpoints: [], refusing: [], changedRoots: [] },
      'Status generation 1 up',
    ],
    [
      {
        _tag: 'Status',
        generation: 1,
        phase: 'up',
        mountpoints: [
          {
            mountpoint: A,
            filesystem: bare,
            phase: 'vacant',
            instance: 1,
            directory: 'ours',
            layer,
            foreign: [other],
            holders: [{ ...pair, since: 5, knowledge: 'request' }],
            waiting: [{ op: 'attach', id: 'x', consumer: 'vm-2' }],
            since: 10,
            slot: 'wanted',
            overdue: ['Unmount', 'Probe'],
            nextTryMs: 5_000,
            reason: { _tag: 'Stacked' },
            lastError: busy,
            unmanaged: true,
          },
        ],
        refusing: ['nfs1'],
        changedRoots: ['/srv/mounts'],
      },
      `Status generation 1 up; ${A} vacant since 10 tmpfs:scratch instance 1 directory ours unmanaged slot wanted, ` +
        'layer 21 tmpfs scratch / 0:40 rw,nosuid,nodev, foreign 22 tmpfs third-party / 0:41 rw, ' +
        'held by vol-1 of vm-1 since 5 by request, waiting attach id x of vm-2, overdue Unmount, Probe, next try in 5000 ms, ' +
        `reason Stacked, error "umount -c -- ${A}" exit 32 "target is busy."; refusing nfs1; root changed /srv/mounts`,
    ],
  ])('%j', (result, expected) => {
    expect(showAnswer({ request, op: 'status', ok: true, result })).toBe(`-> 1 status ok ${expected}`)
  })

  test.each<[Extract<Answer, { ok: false }>['error'], string]>([
    [{ _tag: 'Invalid', field: 'mountpoint', why: 'has ..' }, 'Invalid mountpoint "has .."'],
    [{ _tag: 'NotManaged', mountpoint: '/x', roots: ['/srv/mounts'] }, 'NotManaged /x roots /srv/mounts'],
    [{ _tag: 'HostDown', reason: 'not yet' }, 'HostDown "not yet"'],
    [{ _tag: 'Overloaded', limit: 'waitingPerHost', value: 2 }, 'Overloaded waitingPerHost 2'],
    [
      { _tag: 'Conflict', requested: tmpfs, mounted: bare },
      'Conflict requested tmpfs:scratch[size=1m] mounted tmpfs:scratch',
    ],
    [
      { _tag: 'Conflict', requested: tmpfs, mounted: bare, vacant: true, reason: { _tag: 'Stacked' } },
      'Conflict requested tmpfs:scratch[size=1m] mounted tmpfs:scratch vacant reason Stacked',
    ],
    [{ _tag: 'Foreign', layers: [other] }, 'Foreign 22 tmpfs third-party / 0:41 rw'],
    [
      { _tag: 'MountFailed', step: 'mount', why: 'nothing there', found: { _tag: 'Directory' }, rollback: [] },
      'MountFailed mount found Directory "nothing there"',
    ],
    [
      {
        _tag: 'MountFailed',
        step: 'mount',
        why: 'nothing there',
        found: { _tag: 'Directory' },
        error: busy,
        rollback: [{ step: 'directory', found: { _tag: 'Directory' }, error: busy }],
      },
      `MountFailed mount found Directory "nothing there" error "umount -c -- ${A}" exit 32 "target is busy." ` +
        `rollback directory found Directory error "umount -c -- ${A}" exit 32 "target is busy."`,
    ],
    [{ _tag: 'Broken', errno: 'ENOTCONN' }, 'Broken ENOTCONN'],
    [{ _tag: 'Uncertain', why: 'timed out' }, 'Uncertain "timed out"'],
    [{ _tag: 'Maintenance', target: 'nfs1' }, 'Maintenance nfs1'],
    [{ _tag: 'DiscoveryFailed', reason: 'no table', nextTryMs: 10 }, 'DiscoveryFailed "no table" next try in 10 ms'],
    [{ _tag: 'InUse', holders: [pair] }, 'InUse 1 holder, vol-1 of vm-1'],
    [{ _tag: 'Cancelled' }, 'Cancelled'],
    [{ _tag: 'Stopped' }, 'Stopped'],
    [{ _tag: 'Superseded' }, 'Superseded'],
    [{ _tag: 'TooLate' }, 'TooLate'],
    [{ _tag: 'NotFound' }, 'NotFound'],
    [{ _tag: 'InFlight' }, 'InFlight'],
  ])('%j', (error, expected) => {
    expect(showAnswer({ request, id: 'x', op: 'attach', ok: false, error })).toBe(
      `-> 1 attach id x refused ${expected}`,
    )
  })

  test.each<[Reason, string]>([
    [{ _tag: 'KeptByPolicy' }, 'KeptByPolicy'],
    [{ _tag: 'Stacked' }, 'Stacked'],
    [{ _tag: 'Foreign' }, 'Foreign'],
    [{ _tag: 'NotOurs' }, 'NotOurs'],
    [{ _tag: 'Obstacle', kind: 'file' }, 'Obstacle file'],
    [{ _tag: 'Unknown', why: 'RootChanged', detail: 'x' }, 'Unknown RootChanged: "x"'],
    [{ _tag: 'DeadlinePassed' }, 'DeadlinePassed'],
    [{ _tag: 'Refused', error: undefined }, 'Refused'],
  ])('%j', (reason, expected) => {
    expect(showReason(reason)).toBe(expected)
  })
})

describe('mountpoints and the host', () => {
  const record = absentMountpoint(A, '/srv/mounts', 5)

  test('a mountpoint of which nothing is known', () => {
    const entry = { record, holders: noHolders() }
    expect(showPhase(entry)).toBe(`${A}: absent, 0 holders`)
    expect(showMountpoint(entry)).toBe(`${A}: absent, 0 holders, since 5, directory theirs, instance 0`)
  })

  test('a mountpoint in the middle of its life', () => {
    const holders = noHolders()
    addHolder(holders, { ...pair, since: 1, knowledge: 'request', id: undefined })
    const flying = { effect: effectId(3), kind: 'Unmount' } as const
    const entry = {
      record: {
        ...record,
        root: undefined,
        phase: 'vacant',
        filesystem: bare,
        layer,
        covered: true,
        foreign: [other],
        directory: 'ours',
        instance: 2,
        intent: { found: { _tag: 'Directory' }, layersBefore: [] },
        claim: { volume: 'vol-2', consumer: 'vm-2' },
        waiting: [
          {
            request: requestId(7),
            op: 'release',
            generation: 1,
            consumer: 'vm-3',
            volumes: ['vol-3', 'vol-4'],
            filesystem: undefined,
          },
        ],
        overdue: [flying],
        inFlight: { effect: effectId(4), kind: 'Look' },
        wait: { effect: effectId(5), why: 'back-off', delayMs: 5_000, claimed: false },
        slot: 'overdue',
        lane: 'nfs1',
        reason: { _tag: 'Stacked' },
        unknown: { _tag: 'Unknown', why: 'TimedOut' },
        unresolved: { kind: 'Unmount', error: undefined },
      },
      holders,
    } as const
    const phase = `${A}: vacant Stacked Unknown TimedOut, 1 holder, claim vol-2 of vm-2, 1 waiting, overdue #3 Unmount`
    expect(showPhase(entry)).toBe(phase)
    expect(showMountpoint(entry)).toBe(
      `${phase}, since 5, unmanaged, tmpfs:scratch, layer 21 tmpfs scratch / 0:40 rw,nosuid,nodev, covered, ` +
        'foreign 22 tmpfs third-party / 0:41 rw, directory ours, instance 2, intent before nothing, held by vol-1 of vm-1, ' +
        'waiting 7 release vol-3 vol-4 of vm-3, in flight #4 Look, wait #5 back-off 5000 ms, slot overdue of nfs1, ' +
        'unresolved Unmount',
    )
  })

  test('the host', () => {
    const host = emptyHost(defaultSettings('/srv/mounts'))
    expect(showHost(host)).toBe('host: down "the host has not come up yet", generation 0')
    host.phase = 'up'
    host.generation = 3
    host.stopping = 'drain'
    host.hostUps = [requestId(4), requestId(5)]
    host.refusing.add('nfs2').add('nfs1')
    expect(showHost(host)).toBe(
      'host: up, generation 3, stopping drain, host-up of 4 5 waiting, refusing nfs1, refusing nfs2',
    )
  })
})
