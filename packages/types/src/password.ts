// Passwords that are given as plain text: by the name of an option, by the form of a source, by the name of a key. They are
// refused for every type, and masked before anything is recorded (laws L38, L39).

/** What stands in the place of a secret. */
export const MASK = '***'

const SECRET_NAME =
  /^(?:pass.*|pwd|pw|pin|secret.*|token.*|apikey|key|.*(?:password|passwd|passphrase|passcode|secret|token|key))$/i

/** Whether what stands behind such a name is a secret. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name.trim().replaceAll(/[-_.]/g, ''))

/** A name, what separates it from its value, and the value. */
const PAIR = /^([^=:\s]+)(\s*[=:\s]\s*)(.+)$/s

/** Names a file, as a rule; what is no path there may be the secret itself. */
const FILE_NAME = /^cred(?:ential)?s?$/i

const USER_NAME = /^(?:user|username|login)$/i

const maskPair = (text: string): string => {
  const [, name = '', separator = '', value = ''] = PAIR.exec(text) ?? []
  if (name === '') return text
  const isSecret = isSecretName(name) || (FILE_NAME.test(name) && !value.startsWith('/'))
  if (isSecret) return `${name}${separator}${MASK}`
  // `user=name%password` of mount.cifs.
  const [, user] = USER_NAME.test(name) ? (/^([^%:]*)[%:]./s.exec(value) ?? []) : []
  return user === undefined ? text : `${name}${separator}${user}%${MASK}`
}

/** A part of every name behind which a secret may stand, separators apart; nearly every option has none of it. */
const SUSPICIOUS_OPTION =
  /p[-_.]*(?:a[-_.]*s[-_.]*s|w|i[-_.]*n)|s[-_.]*e[-_.]*c|t[-_.]*o[-_.]*k|k[-_.]*e[-_.]*y|cred|user|login/i

/** An option with the secret in it masked. What follows a secret is masked too: it may be a part of it. */
export const maskOption = (text: string): string => {
  if (!SUSPICIOUS_OPTION.test(text)) return text
  const parts = text.split(',')
  for (const [index, part] of parts.entries()) {
    const masked = maskPair(part)
    if (masked !== part) return [...parts.slice(0, index), masked].join(',')
  }
  return text
}

/** Whether a host, and so a user, may begin behind this character: at the beginning, behind `//`, behind a comma. */
const mayBegin = (text: string, at: number): boolean =>
  at < 0 || text[at] === ',' || (text[at] === '/' && text[at - 1] === '/')

/**
 * `user:word@` before a host, and `user%word@` as smbclient has it. A `/` directly behind the colon begins the path of an export; so does `:/`. In one pass: a text of any
 * length comes here before its length is checked.
 */
const maskCredentials = (text: string): string => {
  if (!text.includes('@')) return text
  let before = -1
  let pathAt = -1
  let atSign = -1
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]
    const separates = character === '%' || (character === ':' && text[index + 1] !== '/')
    if (separates && mayBegin(text, before)) {
      if (pathAt <= index) {
        pathAt = text.indexOf(':/', index)
        if (pathAt < 0) pathAt = text.length
        atSign = text.lastIndexOf('@', pathAt - 1)
      }
      if (atSign > index + 1) return `${text.slice(0, index)}${character}${MASK}${text.slice(atSign)}`
    }
    if (character === ':' || character === '/' || character === '@' || character === ',') before = index
  }
  return text
}

/** `?token=word` of a URL. */
const QUERY = /([?&;])([^=&;?]+)=([^&;]*)/g

/** What a source with a secret in it cannot do without; nearly every source has none of it. */
const SUSPICIOUS_SOURCE = /[@?&;,]/

/** A source with the secret in it masked. */
export const maskSource = (text: string): string => {
  if (!SUSPICIOUS_SOURCE.test(text)) return text
  const masked = maskCredentials(text).replace(QUERY, (pair: string, mark: string, name: string) =>
    isSecretName(name) ? `${mark}${name}=${MASK}` : pair,
  )
  const comma = masked.indexOf(',')
  return comma < 0 ? masked : `${masked.slice(0, comma)},${maskOption(masked.slice(comma + 1))}`
}

/** Any text of a caller, with what looks like a secret masked. */
export const maskText = (text: string): string => maskSource(maskOption(text))

/** Whether an option's text has a secret in it, masked or not. */
export const optionHasSecret = (text: string): boolean => text.includes(MASK) || maskOption(text) !== text

/** Whether a source has a secret in it, masked or not. */
export const sourceHasSecret = (text: string): boolean => text.includes(MASK) || maskSource(text) !== text
