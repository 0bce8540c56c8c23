// The public names of @mountkeeper/linux.

export {}
