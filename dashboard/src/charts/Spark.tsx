/** A metric by round in a row of a list. */
import { sparkOf } from './shapes/spark'

const SIZE = { width: 96, height: 28 }

/** says: the same in words. */
export function Spark({ values, says }: { values: readonly number[]; says: string }) {
  if (!values.length) return null
  const { line, end } = sparkOf(values, SIZE)
  return (
    <svg class="spark" role="img" aria-label={says} width={SIZE.width} height={SIZE.height}>
      <path class="line" d={line} />
      {end && <circle cx={end.x} cy={end.y} r="2.5" />}
    </svg>
  )
}
