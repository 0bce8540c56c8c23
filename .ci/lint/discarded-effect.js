// A lazy value as a statement does nothing: `unmount(path)` instead of `await unmount(path)()`.
// no-floating-promises does not see it, since nothing was started.
import { ESLintUtils } from '@typescript-eslint/utils'

const noDiscardedEffect = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { lazy: 'A lazy value (IO, Task, TaskEither, Reader) as a statement does nothing: run it or return it' },
  },
  create(context) {
    const services = ESLintUtils.getParserServices(context)
    return {
      ExpressionStatement(node) {
        if (node.directive !== undefined || node.expression.type === 'AssignmentExpression') return
        if (services.getTypeAtLocation(node.expression).getCallSignatures().length === 0) return
        context.report({ node, messageId: 'lazy' })
      },
    }
  },
}

export default { rules: { 'no-discarded-effect': noDiscardedEffect } }
