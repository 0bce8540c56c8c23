// Mountkeeper as a library.

export { DEFAULT_CONFIGURATION_FILE } from './configuration-file.js'
