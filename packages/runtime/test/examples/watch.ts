import type { MountManager } from '@mountkeeper/runtime'

/** Says what consumers should hear of; ends with the manager. */
export const watch = (manager: MountManager, say: (line: string) => void): Promise<void> => {
  const unsubscribe = manager.events.subscribe((event) => {
    if (event._tag === 'Drift') say(`${event.difference.mountpoint}: ${event.difference.text}`)
    else if (event._tag === 'RootChanged') say(`${event.root} is not the directory it was; put it right, then host-up`)
    else say(`${event.mountpoint}: ${event._tag}, was ${event.was}, is ${event.is}`)
  })
  return manager.ended.then((ending) => {
    unsubscribe()
    say(`the manager has ended: ${ending._tag}`)
  })
}
