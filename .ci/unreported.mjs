// A suite that wrote no report has failed, whatever its exit status says: its runner was killed, or never began. Only where
// in-namespace.mjs says that it cannot run anything here are its tests skipped, by name.

const REFUSED = 'SKIPPED: namespaces are refused'

export const unreported = ({ ok, output, files, name }) =>
  ok && output.includes(REFUSED)
    ? { passed: 0, failed: 0, skipped: files.map((file) => `${name}: all of ${file}`) }
    : { passed: 0, failed: 1, skipped: [] }
