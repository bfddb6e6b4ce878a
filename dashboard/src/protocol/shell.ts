// Words of a command that a reader pastes into a terminal. What strangers wrote never gets into one but as a plain name.

/** A word that a shell takes as it is, whatever is in it. */
export const quoted = (word: string): string => (/^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

/** How one's own copy of a job's task is named to a daemon: nothing for a task that comes with Hansa. A stranger's name
 * that is no plain one is a blank to be filled in. */
export function taskWords(task: string): string[] {
  if (!task.includes(':')) return []
  const place = task.slice(0, task.indexOf(':'))
  if (/\.py$/.test(place)) {
    const file = /^\w[\w.-]*$/.test(place) ? place : 'TASK.py'
    return ['--task-file', file, '--allow', file]
  }
  return ['--allow', /^[a-z_]\w*(\.\w+)*$/i.test(place) ? place : 'MODULE']
}
