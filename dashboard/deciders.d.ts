declare module 'virtual:deciders' {
  /** size: bytes of runtime code. gaps: of each immutable, the bytes where its 32-byte value stands. hash: of the code with zeros there. */
  export const KINDS: readonly { name: string; size: number; gaps: readonly (readonly number[])[]; hash: `0x${string}` }[]
  export { admissions, committees, standing } from '../hansa/protocol/tables.json'
}
