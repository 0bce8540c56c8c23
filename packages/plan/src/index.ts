// What would happen, by the transitions of the core itself: what requests would lead to, and what a start would find.

export type { Looked, PlannedRequest } from './plan.js'
export { plan, plannedMountpoints } from './plan.js'
export type { PreparedSurvey, Survey } from './survey.js'
export { prepareSurvey } from './survey.js'
