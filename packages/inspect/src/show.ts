// One-line renderings of all that the core takes in and gives out, used by transcripts, logs and errors alike. The same
// value always gives the same line, every field that can change a meaning is in it, and a new tag does not compile
// until it has a line here.

export { showAnswer, showDifference, showReason, showStatus, showWarning } from './show/answer.js'
export { showEffect } from './show/effect.js'
export { showFact } from './show/fact.js'
export {
  showAttachment,
  showCommandError,
  showFilesystem,
  showFound,
  showIdentity,
  showResolvedSource,
  showSourceSeen,
} from './show/found.js'
export { showHost, showMountpoint, showPhase } from './show/host.js'
export { showInput, showRequest } from './show/input.js'
