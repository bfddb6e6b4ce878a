import { readFileSync } from 'node:fs'

export const read = (name: string): any => JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), 'utf8'))

export const readArtifact = (name: string): any => JSON.parse(readFileSync(new URL(`../../hansa/runtime/chain/artifacts/${name}.json`, import.meta.url), 'utf8'))
