// Every parser of what comes from outside: how valid inputs of it are made, how they are damaged, and what it has to keep. `parse`
// is what is measured; `check` says of what it gave whether the input was accepted, and throws where a law is broken.
import { parsers as bytes } from './bytes.mjs'
import { parsers as json } from './json.mjs'
import { parsers as values } from './values.mjs'

/** All of them. */
export const parsers = [...json, ...bytes, ...values]
