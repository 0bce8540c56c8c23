import type { ViteUserConfig } from 'vitest/config'

export declare const project: (name: string) => ViteUserConfig
export declare const hostProject: (name: string) => ViteUserConfig
