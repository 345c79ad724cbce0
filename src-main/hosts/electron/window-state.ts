import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface WindowState {
  bounds: Rectangle;
  maximized: boolean;
}

const smallest = { width: 720, height: 480 };
const usual = { width: 1280, height: 860 };
/** So much of the window has to lie on a screen for a person to find and move it. */
const visible = 80;

/** Where the window was when it was last closed, or null where that is unknown. */
export function readWindowState(path: string): WindowState | null {
  try {
    const { bounds, maximized } = JSON.parse(readFileSync(path, 'utf8'));
    const numbers = [bounds.x, bounds.y, bounds.width, bounds.height];
    return numbers.every(Number.isInteger) && typeof maximized === 'boolean' ? { bounds, maximized } : null;
  } catch {
    // Missing or damaged: the window opens as on the first day.
    return null;
  }
}

export function writeWindowState(path: string, state: WindowState): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, JSON.stringify(state));
  renameSync(`${path}.tmp`, path);
}

/** Bounds for a new window: those remembered where a screen still shows them, else a usual size (centered). */
export function placeWindow(
  state: WindowState | null,
  screens: Rectangle[],
): { x?: number; y?: number; width: number; height: number } {
  const bounds = state?.bounds;
  const fits = (screen: Rectangle) =>
    bounds !== undefined &&
    Math.min(bounds.x + bounds.width, screen.x + screen.width) - Math.max(bounds.x, screen.x) >= visible &&
    bounds.y >= screen.y &&
    bounds.y <= screen.y + screen.height - visible;
  if (!bounds || !screens.some(fits)) {
    const [screen] = screens;
    return screen
      ? { width: Math.min(usual.width, screen.width), height: Math.min(usual.height, screen.height) }
      : usual;
  }
  return {
    x: bounds.x,
    y: bounds.y,
    width: Math.max(smallest.width, bounds.width),
    height: Math.max(smallest.height, bounds.height),
  };
}
