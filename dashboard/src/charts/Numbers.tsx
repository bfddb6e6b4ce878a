/** What a drawing shows, as a table for those who don't see it; it comes after the drawing, which doesn't wait. */
import { useEffect, useState } from 'preact/hooks'

interface Props {
  caption: string
  heads: readonly string[]
  rows: () => readonly (readonly (string | number)[])[]
}

export function Numbers({ caption, heads, rows }: Props) {
  const [drawn, go] = useState(false)
  useEffect(() => {
    const timer = setTimeout(go, 0, true)
    return () => clearTimeout(timer)
  }, [])
  if (!drawn) return null
  return (
    <div class="visually-hidden">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => <th key={head} scope="col">{head}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows().map((row) => <tr key={row[0]}>{row.map((cell, i) => <td key={i}>{cell}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  )
}
