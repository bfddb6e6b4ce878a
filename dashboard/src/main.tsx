import { render } from 'preact'
import { Root } from './Root'
import './tokens.css'
import './style.css'

const place = document.getElementById('app')
if (place) render(<Root />, place)
