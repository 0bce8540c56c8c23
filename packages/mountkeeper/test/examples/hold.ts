import { connectMountkeeper } from 'mountkeeper'

/** The same keeper, in another process. */
export const hold = async (
  socket: string,
  disk: Parameters<Awaited<ReturnType<typeof connectMountkeeper>>['attach']>[0],
) => {
  const keeper = await connectMountkeeper(socket)
  try {
    return await keeper.attach(disk)
  } finally {
    await keeper.close()
  }
}
