// Third parties: people and programs beside the manager, who mount on top, unmount, and write into bare directories.

import { mkdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import type { Place } from './ground.js'
import { contentsOf, foreignMount, isForeign, layersBelow, stackAt, unmountTop } from './ground.js'
import type { Others } from './judge.js'
import type { Chance } from './random.js'
import type { Target } from './requests.js'

/** What has to be known before one of them acts. */
export interface Scene {
  readonly chance: Chance
  readonly place: Place
  readonly others: Others
  /** Requests sent so far. */
  readonly asked: () => number
  /** Whether nothing can be unmounted there now: then a layer put on top is not to be taken off. */
  readonly isCalm: (target: Target) => boolean
  readonly note: (text: string) => void
}

let foreignNumber = 0

const topOf = (place: Place, { path }: Target): ReturnType<typeof stackAt>[number] | undefined =>
  stackAt(layersBelow(place.root), path)[0]

const litterAt = (others: Others, path: string): Set<string> => {
  const known = others.litter.get(path)
  if (known !== undefined) return known
  const made = new Set<string>()
  others.litter.set(path, made)
  return made
}

const mountOnTop = (scene: Scene, target: Target): void => {
  const calm = scene.isCalm(target)
  // What cannot be distinguished is not put there in the middle of a mount.
  if (!calm && target.byGrowth) return
  const layer = foreignMount(target.path, (foreignNumber += 1))
  if (layer === undefined) return
  scene.note(`third party mounts ${layer.source} on ${target.path}${calm ? '' : ', in the middle'}`)
  if (calm) scene.others.foreign.add(layer)
}

/** Takes off what is on top: a foreign layer again, or ours. */
export const takeOff = (scene: Scene, target: Target, which: 'foreign' | 'any'): void => {
  const top = topOf(scene.place, target)
  if (top === undefined || (which === 'foreign' && !isForeign(top))) return
  if (!unmountTop(target.path)) return
  scene.note(`third party unmounts ${top.source} from ${target.path}`)
  for (const layer of scene.others.foreign) if (layer.mountId === top.mountId) scene.others.foreign.delete(layer)
  // Between the look and the command a third party may have been quicker: then it was another one, and no more is known.
  if (!isForeign(top) || !scene.isCalm(target)) scene.others.gone.set(target.path, scene.asked())
}

const litter = (scene: Scene, { name, path }: Target): void => {
  const bare = `${scene.place.bare}/${name}`
  if (contentsOf(bare) === undefined) {
    mkdirSync(bare, { mode: 0o700 })
    scene.note(`third party makes ${path}`)
    return
  }
  writeFileSync(`${bare}/litter`, '')
  litterAt(scene.others, path).add('litter')
  scene.note(`third party writes into the bare directory of ${path}`)
}

/** Takes its litter away again, and the directory with it where it hinders nothing. */
export const tidy = (scene: Scene, { name, path }: Target): void => {
  if (scene.others.litter.get(path) === undefined) return
  rmSync(`${scene.place.bare}/${name}/litter`, { force: true })
  scene.others.litter.delete(path)
  scene.note(`third party tidies the bare directory of ${path}`)
}

/** Removes a directory that is empty and not mounted on; the kernel sees to that. */
export const removeEmpty = ({ place }: Scene, { name }: Target): void => {
  try {
    rmdirSync(`${place.bare}/${name}`)
  } catch {
    // It is in use, or gone.
  }
}

/** One of them does something. */
export const actOnce = (scene: Scene, target: Target): void => {
  const draw = scene.chance.below(100)
  if (draw < 30) mountOnTop(scene, target)
  else if (draw < 55) takeOff(scene, target, 'foreign')
  else if (draw < 70) takeOff(scene, target, 'any')
  else if (draw < 85) {
    try {
      litter(scene, target)
    } catch {
      // The directory has just gone.
    }
  } else tidy(scene, target)
}
