/** A table in a box of its own, which scrolls where the table is wide; on a narrow screen each row is a card, its cells named. */
import type { ComponentChildren } from 'preact'

export interface Column {
  head: string
  number?: boolean
  prose?: boolean // wraps
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
      <table role="table">
        <caption class={shown ? '' : 'visually-hidden'}>{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.head} role="columnheader" scope="col" class={column.number ? 'number' : ''} title={column.title}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={row.key} role="row" class={row.tone ?? ''}>
              {row.cells.map((cell, place) => (
                <td key={place} role="cell" data-head={columns[place]?.head} class={columns[place]?.number ? 'number' : columns[place]?.prose ? 'prose' : ''}>
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
