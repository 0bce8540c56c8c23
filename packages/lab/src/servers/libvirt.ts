// A libvirt of a test: virtlogd and libvirtd of this namespace alone, with guests that have no operating system. Its folders are
// covered for as long as it takes, so that a libvirt of the machine sees nothing of it.

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { isRoot, sh } from '../shell.js'
import { kill, processesWith, until } from './server.js'

const PROGRAMS = ['/usr/sbin/libvirtd', '/usr/sbin/virtlogd', '/usr/bin/virsh', '/usr/bin/qemu-system-x86_64']
const FOLDERS = ['/etc/libvirt', '/var/lib/libvirt', '/var/log/libvirt', '/var/cache/libvirt']
const URI = 'qemu:///system'

const why = (): string | undefined => {
  if (!isRoot) return 'libvirtd needs the rights of root'
  const missing = PROGRAMS.filter((path) => !existsSync(path))
  return missing.length === 0 ? undefined : `${missing.join(', ')} are not installed`
}

/** Why there can be no libvirt here, if there cannot. */
export const WHY_NO_LIBVIRT: string | undefined = why()

/** Guests run as root, without the isolation that the machine of a test may not have. */
const QEMU = `stdio_handler = "logd"
security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = []
remember_owner = 0
`
const LIBVIRTD = `auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
`

/** A guest, and what it has. */
export interface Guest {
  readonly name: string
  readonly uuid: string
  readonly disks: readonly { readonly file: string; readonly serial?: string }[]
}

const xmlOf = ({ name, uuid, disks }: Guest): string => `<domain type='qemu'>
  <name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>48</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    ${disks
      .map(
        ({ file, serial }, index) =>
          `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${file.replaceAll('&', '&amp;')}'/>` +
          `<target dev='vd${'abc'[index] ?? ''}' bus='virtio'/>${serial === undefined ? '' : `<serial>${serial}</serial>`}</disk>`,
      )
      .join('\n    ')}
    <controller type='usb' model='none'/><memballoon model='none'/>
  </devices>
</domain>
`

/** A libvirt that a test has started. */
export interface Libvirt {
  readonly virsh: (...args: readonly string[]) => string
  /** Makes it known, and with `create` started without being known any longer than it runs. */
  readonly add: (guest: Guest, how: 'define' | 'create') => void
  /** Ends the process of a guest, as a crash would. */
  readonly crash: (name: string) => Promise<void>
  readonly signal: (name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => Promise<void>
  /** Starts libvirtd again where it was. */
  readonly again: () => Promise<void>
  readonly stop: () => Promise<void>
}

const guestProcesses = (name: string): readonly number[] => processesWith(`guest=${name},`).map(({ pid }) => pid)

/** Starts virtlogd and libvirtd; resolves when it answers. */
export const startLibvirt = async (): Promise<Libvirt> => {
  for (const path of FOLDERS) sh('mount', '-t', 'tmpfs', '-o', 'mode=0755', 'libvirt', path)
  mkdirSync('/run/libvirt', { recursive: true })
  writeFileSync('/etc/libvirt/qemu.conf', QEMU)
  writeFileSync('/etc/libvirt/libvirtd.conf', LIBVIRTD)
  const started: ChildProcess[] = []
  const start = (program: string): ChildProcess => {
    const child = spawn(program, [], { stdio: 'ignore', cwd: '/' })
    started.push(child)
    return child
  }
  const answers = (): boolean => spawnSync('virsh', ['-r', '-c', URI, 'list'], { timeout: 2_000 }).status === 0
  const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null
  start('/usr/sbin/virtlogd')
  let daemon = start('/usr/sbin/libvirtd')
  const ready = (): Promise<void> => until(answers, 'libvirtd answers', 20_000)
  await ready()
  const virsh = (...args: readonly string[]): string => sh('virsh', '-q', '-c', URI, ...args)
  return {
    virsh,
    add: (guest, how) => {
      writeFileSync('/srv/guest.xml', xmlOf(guest))
      virsh(how, '/srv/guest.xml')
      if (how === 'define') virsh('start', guest.name)
    },
    crash: async (name) => {
      kill(guestProcesses(name))
      await until(() => guestProcesses(name).length === 0, `${name} has ended`)
    },
    signal: async (name) => {
      daemon.kill(name)
      if (name === 'SIGTERM' || name === 'SIGKILL') await until(() => hasEnded(daemon), 'libvirtd has ended')
    },
    again: async () => {
      daemon = start('/usr/sbin/libvirtd')
      await ready()
    },
    stop: async () => {
      kill(processesWith('guest=').map(({ pid }) => pid))
      for (const child of started) child.kill('SIGKILL')
      await until(() => started.every(hasEnded), 'libvirt has ended')
      for (const path of FOLDERS) spawnSync('umount', ['-l', path])
    },
  }
}
