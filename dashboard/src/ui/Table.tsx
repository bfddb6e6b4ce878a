/** A table in a box of its own, which scrolls where the screen is narrow. */
import type { ComponentChildren } from 'preact'

export interface Column {
  head: string
  number?: boolean
  title?: string
}

interface Props {
  caption: string
  columns: Column[]
  rows: { key: string | number; cells: ComponentChildren[]; tone?: 'bad' | 'quiet' }[]
  empty?: string
  shown?: boolean
}

export function Table({ caption, columns, rows, empty = 'Nothing yet.', shown = false }: Props) {
  if (!rows.length) return <p class="empty">{empty}</p>
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class={shown ? '' : 'visually-hidden'}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={column.number ? 'number' : ''} title={column.title}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} class={row.tone ?? ''}>
              {row.cells.map((cell, place) => (
                <td key={place} class={columns[place]?.number ? 'number' : ''}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
