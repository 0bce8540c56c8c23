// The public names of @mountkeeper/codec.

export {}
