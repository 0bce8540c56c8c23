// How a long-lived shell of a manager is known in /proc, to the next life of that manager and to people.

/** In its argument vector; the manager's own number in /proc follows. */
export const SHELL_MARK = 'mountkeeper-shell'
