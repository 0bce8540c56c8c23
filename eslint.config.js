// What the compiler cannot say: purity of the pure packages, imports that die in Node, effects that are never run. Import arrows are
// checked by dependency-cruiser alone.
import functional from 'eslint-plugin-functional'
import tseslint from 'typescript-eslint'
import local from './.ci/lint/discarded-effect.js'

// `fp-ts/function` type-checks and passes every vitest test, and then dies at its first import in Node.
const DEEP = [
  {
    regex: '^(fp-ts$|(fp-ts|io-ts|monocle-ts|newtype-ts)/(?!lib/.+\\.js$))',
    message: 'Node needs <package>/lib/X.js',
  },
]

const NO_DEFAULT_EXPORT = { selector: 'ExportDefaultDeclaration', message: 'Name what you export' }
const NO_CLOCK = [
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
    message: 'Time is an input',
  },
]
const NOT_LATER = [
  { selector: 'ImportExpression', message: 'it loads nothing at run time' },
  { selector: ':function[async=true], AwaitExpression', message: 'it makes no promises: emit an effect' },
]
const NO_SOURCE_OF_SURPRISE = [
  'error',
  { object: 'Date', property: 'now', message: 'Time is an input' },
  { object: 'Math', property: 'random', message: 'it is the same in every run' },
]

export default tseslint.config(
  { ignores: ['**/dist/**', '**/bundle/**', '**/node_modules/**', '**/coverage/**'] },
  {
    files: ['packages/*/{src,test,test-host,bench}/**/*.ts', '.ci/test/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { local },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      eqeqeq: 'error',
      'local/no-discarded-effect': 'error',
      'no-restricted-imports': ['error', { patterns: DEEP }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT],
    },
  },
  {
    // With noUncheckedIndexedAccess a test says `!` where a missing element is the test's own failure.
    files: ['packages/*/{test,test-host,bench}/**/*.ts', 'packages/lab/**/*.ts', '.ci/test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['packages/codec/src/**/*.ts'],
    rules: {
      'no-restricted-properties': NO_SOURCE_OF_SURPRISE,
      'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT, ...NO_CLOCK],
    },
  },
  {
    files: ['packages/{types,core,border,plan,inspect}/src/**/*.ts'],
    plugins: { functional },
    rules: {
      'functional/no-throw-statements': 'error',
      'functional/no-classes': 'error',
      // `decide` works on a local draft and returns what changed; nothing else is written to.
      'functional/immutable-data': [
        'error',
        { ignoreImmediateMutation: true, ignoreAccessorPattern: ['draft', 'draft.**'] },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'console', 'fetch', 'Buffer', 'performance', 'crypto', 'globalThis', 'Promise'],
        ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
      ],
      'no-restricted-properties': NO_SOURCE_OF_SURPRISE,
      'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT, ...NO_CLOCK, ...NOT_LATER],
    },
  },
  {
    // A run is a value: what is random or takes time comes in with it.
    files: ['packages/simulator/src/**/*.ts'],
    rules: {
      'no-restricted-properties': NO_SOURCE_OF_SURPRISE,
      'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT, ...NO_CLOCK],
    },
  },
  {
    // These own the one value they write to: applying in place is what keeps the cost independent of its size.
    files: [
      'packages/core/src/{apply,fifo,holders,slots,recover,remember,decide/{draft,reply,host-part},decide/inventory}.ts',
      'packages/plan/src/plan.ts',
      'packages/inspect/src/cells.ts',
    ],
    rules: { 'functional/immutable-data': 'off' },
  },
  {
    files: ['.ci/**/*.{mjs,js,cjs}', 'packages/*/page/**/*.js'],
    rules: { eqeqeq: 'error', 'no-unused-vars': 'error', 'prefer-const': 'error', 'no-var': 'error' },
  },
)
