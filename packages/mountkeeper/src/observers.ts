// Several observers as one, called in order.

import type { Observer } from '@mountkeeper/runtime'

/** Calls each hook of each observer. A hook that none of them has is left out, and costs nothing. */
export const combineObservers = (observers: readonly Observer[]): Observer => {
  const hooks = <Name extends keyof Observer>(name: Name): readonly NonNullable<Observer[Name]>[] =>
    observers.flatMap((observer) => {
      const hook = observer[name]
      return hook === undefined ? [] : [hook.bind(observer) as NonNullable<Observer[Name]>]
    })
  const begin = hooks('onBegin')
  const decision = hooks('onDecision')
  const started = hooks('onEffectStarted')
  const report = hooks('onReport')
  const answer = hooks('onAnswer')
  const inventory = hooks('onInventory')
  return {
    ...(begin.length > 0 && { onBegin: (host) => begin.forEach((hook) => hook(host)) }),
    ...(decision.length > 0 && {
      onDecision: (input, decided) => decision.forEach((hook) => hook(input, decided)),
    }),
    ...(started.length > 0 && { onEffectStarted: (effect) => started.forEach((hook) => hook(effect)) }),
    ...(report.length > 0 && { onReport: (...all) => report.forEach((hook) => hook(...all)) }),
    ...(answer.length > 0 && { onAnswer: (given) => answer.forEach((hook) => hook(given)) }),
    ...(inventory.length > 0 && { onInventory: (news) => inventory.forEach((hook) => hook(news)) }),
  }
}
