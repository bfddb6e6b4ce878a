// What is fetched when a page that shows it has all the rest.

export { Deciders, WhoDecides } from './Deciders'
export { Identity } from './Identity'
