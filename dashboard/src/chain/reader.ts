// Where pages that have a deployment get their reader.

export { readerOf as openReader } from '../view/reader'
