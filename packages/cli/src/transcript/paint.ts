// The few colours of the transcript, by what they mean. Without colours the same text, to the letter.

import picocolors from 'picocolors'

/** Text as it is to be seen. */
export interface Paint {
  readonly title: (text: string) => string
  readonly command: (text: string) => string
  readonly quiet: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

/** With colours, or without. */
export const paintOf = (colour: 'colour' | 'plain'): Paint => {
  const { bold, cyan, dim, green, red } = picocolors.createColors(colour === 'colour')
  return { title: bold, command: cyan, quiet: dim, good: green, bad: red }
}
