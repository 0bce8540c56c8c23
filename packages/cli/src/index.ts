// The public names of @mountkeeper/cli.

export {}
