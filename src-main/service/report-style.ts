/** How a report looks: the app's colors, light or dark as the reader's system is. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1b1c22, #eaeaee);
  --text-dim: light-dark(#545662, #adafba);
  --line: light-dark(#e4e4ea, #292a30);
  --series-1: light-dark(#4353c9, #8c9aff);
  --series-2: light-dark(#d9730d, #f2a154);
  --series-3: light-dark(#0f8a7e, #4fc9bb);
  --series-4: light-dark(#b8327a, #f07fb8);
  --series-5: light-dark(#7a6a00, #d6c04a);
  --series-6: light-dark(#545662, #adafba);
}
body { margin: 0; background: light-dark(#fff, #131417); color: var(--text); font: 14px / 1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 900px; margin: 0 auto; padding: 24px; }
h2 { margin-top: 32px; border-bottom: 1px solid var(--line); }
.dim { color: var(--text-dim); }
.figure svg { display: block; width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody th { font-weight: 400; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 16px; }
dt { color: var(--text-dim); }
dd { margin: 0; overflow-wrap: anywhere; }
@media print { section { break-inside: avoid-page; } }
`;
