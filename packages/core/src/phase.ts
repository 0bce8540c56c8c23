// Phases: where a mountpoint, and the host, are in their lives.

/** Where a mountpoint is in its life; the table in section 5 of the specification says what each means. */
export type Phase =
  | 'absent'
  | 'looking'
  | 'making'
  | 'mounting'
  | 'mounted'
  | 'lost'
  | 'unmounting'
  | 'removing'
  | 'vacant'
  | 'leftover'
  | 'uncertain'

export type HostPhase = 'down' | 'draining' | 'discovering' | 'retrying' | 'up'
