import { hostProject } from '../../.ci/vitest.mjs'

export default hostProject('linux')
