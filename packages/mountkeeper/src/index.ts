// Mountkeeper as a library: open a keeper, ask it, close it. What it is put together from is in `mountkeeper/parts`, the simulated
// one for tests in `mountkeeper/simulated`.

export type { Configured } from './checked.js'
export type { ConnectOptions } from './connect.js'
export { connectMountkeeper } from './connect.js'
export type { About, RefusalTagged } from './error.js'
export { MountkeeperError, isMountkeeperError } from './error.js'
export type { AskOptions, Keeper, KeeperTasks, PlanError, Task } from './keeper.js'
export type { CloseOptions, Ended, Notice, OpenKeeper, OpenOptions } from './open.js'
export { openMountkeeper } from './open.js'
export type { InspectResult, QuestionError, SeenMount, WhyResult } from './questions.js'
export type { AnyRefusal, Explained, KeeperRefusal, NotCalled, NotOpened, RefusalOf, Unreachable } from './refusal.js'
export { explain } from './refusal.js'
