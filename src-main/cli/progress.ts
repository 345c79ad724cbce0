import { visible, visibleOnOneLine } from './visible.ts';

export interface Progress {
  /** `done` of `total` pieces (0: not known yet) of what `label` names; `detail` is shown behind it. */
  update(label: string, done: number, total: number, detail?: string): void;
  /** A line that stays. */
  say(line: string): void;
  end(): void;
}

const barWidth = 24;

/**
 * Progress on stderr: one line redrawn on a terminal; elsewhere a line at every new label and each tenth of the way,
 * so that a log stays readable.
 */
export function openProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let drawn = false;
  let last = '';
  const clear = () => {
    if (drawn) stream.write('\r\x1b[K');
    drawn = false;
  };
  return {
    update(named, done, total, detail = '') {
      const label = visibleOnOneLine(named);
      const share = total > 0 ? Math.min(1, done / total) : 0;
      if (stream.isTTY) {
        const filled = Math.round(share * barWidth);
        const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
        const line = `${label.padEnd(32)} ${bar} ${count(done)}/${count(total)} ${detail}`;
        clear();
        stream.write(line.slice(0, (stream.columns || 100) - 1));
        drawn = true;
        return;
      }
      const key = `${label} ${Math.floor(share * 10)}`;
      if (key === last) return;
      last = key;
      const place = total > 0 ? `: ${count(done)} of ${count(total)}` : '…';
      stream.write(`${label}${place}${detail && `, ${detail}`}\n`);
    },
    say(line) {
      clear();
      stream.write(`${visible(line)}\n`);
    },
    end: clear,
  };
}

const count = (value: number): string => String(Math.round(value));
