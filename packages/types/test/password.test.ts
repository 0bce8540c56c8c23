// Passwords that are given as plain text are found by name and by form, masked, and still found when masked.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSecretName, maskOption, maskSource, maskText, optionHasSecret, sourceHasSecret } from '../src/index.js'

const WORD = 'hunter2'

test.each([
  ...['password', 'passwd', 'pass', 'PASS', 'password2', 'passphrase', 'pw', 'pwd', 'secret', 'secretkey', 'token'],
  ...['access_token', 'api-key', 'key', 'private_key', 'x-password', 'secret.value', 'user_password', 'passcode'],
])('%s=…', (name) => {
  expect(isSecretName(name)).toBe(true)
  for (const option of [
    `${name}=${WORD}`,
    `${name}: ${WORD}`,
    `size=1m,${name}=${WORD},x`,
    `${name}=${WORD},${WORD}`,
  ]) {
    expect(maskOption(option)).not.toContain(WORD)
    expect(optionHasSecret(option)).toBe(true)
    expect(optionHasSecret(maskOption(option))).toBe(true)
  }
})

test.each(['credentials', 'cred'])('%s that is no path may be the secret itself', (name) => {
  expect(maskOption(`${name}=${WORD}`)).toBe(`${name}=***`)
  expect(optionHasSecret(`${name}=${WORD}`)).toBe(true)
})

test.each([
  ...['size=1m', 'sec=krb5', 'credentials=/etc/x', 'hard', 'IdentityFile=/x', 'compress=zstd', 'monkeys=1', 'ro'],
  ...['StrictHostKeyChecking=yes', 'user=bob', 'lowerdir=/a:/b', 'password_stdin', 'nolock', 'mode=700', 'x-note=a b'],
])('%s is no secret', (option) => {
  expect(maskOption(option)).toBe(option)
  expect(optionHasSecret(option)).toBe(false)
})

test('the password behind the name of a user', () => {
  expect(maskOption(`user=bob%${WORD}`)).toBe('user=bob%***')
  expect(optionHasSecret(`username=CORP/bob%${WORD}`)).toBe(true)
})

test.each([
  [`//bob:${WORD}@h/s`, '//bob:***@h/s'],
  [`bob:${WORD}@h:/s`, 'bob:***@h:/s'],
  [`https://bob:${WORD}@h/s`, 'https://bob:***@h/s'],
  [`https://:${WORD}@h/s`, 'https://:***@h/s'],
  [`bob:${WORD}/x@h:/s`, 'bob:***@h:/s'],
  [`//bob:a@${WORD}@h/s`, '//bob:***@h/s'],
  [`//bob%${WORD}@h/s`, '//bob%***@h/s'],
  [`//CORP;bob%${WORD}@h/s`, '//CORP;bob%***@h/s'],
  [`bob%${WORD}@h:/s`, 'bob%***@h:/s'],
  [`https://h/s?a=b&token=${WORD}&c=d`, 'https://h/s?a=b&token=***&c=d'],
  [`//h/s,password=${WORD},${WORD}`, '//h/s,password=***'],
])('%s', (source, masked) => {
  expect(maskSource(source)).toBe(masked)
  expect(sourceHasSecret(source)).toBe(true)
  expect(maskText(source)).not.toContain(WORD)
})

test.each([
  ...[
    'host:/export/user@domain',
    '[::1]:/a@b',
    '[fe80::1%eth0]:/a@b',
    '//h/a%20b@c',
    'me@host:/x',
    'mon1:6789,mon2:6789:/a@b',
    '/srv/exports/a:b@c/d',
  ],
  ...['admin@fsid.cephfs=/x', 'fd00::1:/vol@x', '//host/share@x', 'scratch'],
])('%s has no password', (source) => {
  expect(maskSource(source)).toBe(source)
  expect(sourceHasSecret(source)).toBe(false)
})

test.each([',a:b', '?', '?a', '&a', '@', 'a:b@', ':', '//', ' ', 'pass', '-', 'user', ';a=b'])(
  'a text of 300,000 times %j takes no longer than it is long',
  (part) => {
    const text = part.repeat(300_000)
    const began = performance.now()
    maskText(text)
    sourceHasSecret(text)
    optionHasSecret(text)
    // What is quadratic takes minutes.
    expect(performance.now() - began).toBeLessThan(5_000)
  },
)

test('masking is done once, and what was found is found again', () => {
  const bit = fc.constantFrom(
    'password',
    'cred',
    '=',
    ':',
    '@',
    '/',
    ',',
    'a',
    'token',
    '%',
    'user',
    '?',
    '&',
    '***',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(bit, { maxLength: 10 }), (bits) => {
      const text = bits.join('')
      expect(maskOption(maskOption(text))).toBe(maskOption(text))
      if (optionHasSecret(text)) expect(optionHasSecret(maskOption(text))).toBe(true)
      if (sourceHasSecret(text)) expect(sourceHasSecret(maskSource(text))).toBe(true)
    }),
    { numRuns: 20_000 },
  )
})
