import { project } from '../../.ci/vitest.mjs'

export default project('core')
