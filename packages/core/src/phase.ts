// Phases: where a mountpoint, and the host, are in their lives.

/** Where a mountpoint is in its life; the table of phases in R5 says what each means. */
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

/** Where the host is in its life; requests are served while it is `up`. */
export type HostPhase = 'down' | 'draining' | 'discovering' | 'retrying' | 'up'
