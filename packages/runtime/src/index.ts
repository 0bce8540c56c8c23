// The public names of @mountkeeper/runtime.

export {}
