// First: it takes the key out of the address before the address is read as a place.
import './access.ts';
import { mount } from 'svelte';
import App from './app.svelte';
import './app.css';

mount(App, { target: document.getElementById('app')! });
