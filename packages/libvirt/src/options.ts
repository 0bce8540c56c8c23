// What has to be known to ask a libvirt.

/** Which libvirt is asked, and how patiently. */
export interface LibvirtOptions {
  readonly uri: string
  /** For a whole inventory, ms; never more than the discovery has. */
  readonly limitMs: number
  /** A libvirt that does not answer for three times as long counts as lost, seconds; 0 where its driver has no keepalive. */
  readonly keepaliveSeconds: number
  /** Until a libvirt that was lost is asked again, ms; each next time waits twice as long, up to the ceiling. */
  readonly retryFirstMs: number
  readonly retryCeilingMs: number
  /** For tests: another program than `virsh`. */
  readonly program?: string
}
